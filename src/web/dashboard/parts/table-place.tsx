import type { ReactNode } from 'react';

/** Room for a table that may be wider than the page: it scrolls by itself, also by keyboard. */
export function TablePlace({
  label,
  busy = false,
  children,
}: {
  label: string;
  busy?: boolean | undefined;
  children: ReactNode;
}) {
  return (
    <div className="table-place" role="group" aria-label={label} tabIndex={0} aria-busy={busy || undefined}>
      {children}
    </div>
  );
}
