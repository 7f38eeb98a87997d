import type { ReactNode } from 'react';
import './notice.css';

/** Something to know, in place. A fault is told at once, good news when there is a pause. */
export function Notice({ tone = 'quiet', children }: { tone?: 'quiet' | 'good' | 'bad'; children: ReactNode }) {
  return (
    <div className={`notice notice-${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  );
}
