import type { ReactNode } from 'react';
import type { CombinedError } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';

/** Bars in the place of rows that are on their way: the page does not jump when they come. */
export function Loading({ rows = 8 }: { rows?: number }) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} />
      ))}
    </div>
  );
}

/** Says why there is nothing to show, and offers to try again. */
export function Fault({ error, retry }: { error: CombinedError | undefined; retry?: () => void }) {
  const message = error?.graphQLErrors[0]?.message ?? 'The shop did not answer.';
  return (
    <Notice tone="bad">
      <p>{message}</p>
      {retry !== undefined && (
        <Button look="second" onClick={retry}>
          Try again
        </Button>
      )}
    </Notice>
  );
}

/** There is nothing of this kind. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}
