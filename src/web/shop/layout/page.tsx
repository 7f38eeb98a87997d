import type { ReactNode } from 'react';
import { useTitle } from './use-title.ts';
import './page.css';

/** The part of a page that changes from page to page. */
export function Page({
  title,
  description,
  width = 'wide',
  children,
}: {
  /** For the title of the document; null while it is not known, empty for the front page. */
  title: string | null;
  description?: string | undefined;
  /** `narrow` is for reading and for forms. */
  width?: 'wide' | 'narrow';
  children: ReactNode;
}) {
  useTitle(title, description);
  return (
    <main id="main" tabIndex={-1} className={`page page-${width}`}>
      {children}
    </main>
  );
}
