import type { ReactNode } from 'react';
import './notice.css';

/** A message in the page. Screen readers announce an error at once, and other messages when they pause. */
export function Notice({ tone = 'quiet', children }: { tone?: 'quiet' | 'good' | 'bad'; children: ReactNode }) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}
