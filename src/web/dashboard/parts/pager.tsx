import { Button } from '../../shared/components/button.tsx';
import { usePlace } from './place.ts';

interface PageInfo {
  hasNextPage: boolean;
  hasPreviousPage: boolean;
  startCursor?: string | null;
  endCursor?: string | null;
}

/** Leads to the pages before and after this one. Shows nothing if this page is all there is. */
export function Pager({ info, of }: { info: PageInfo; of: string }) {
  const { get, set } = usePlace();
  const isFirst = get('after') === '' && get('before') === '';
  if (isFirst && !info.hasNextPage) return null;
  return (
    <nav className="pager" aria-label={`Pages of ${of}`}>
      <Button look="second" disabled={isFirst} onClick={() => set({})}>
        First
      </Button>
      <Button
        look="second"
        disabled={isFirst || !info.hasPreviousPage}
        onClick={() => set({ before: info.startCursor ?? '' })}
      >
        Previous
      </Button>
      <Button look="second" disabled={!info.hasNextPage} onClick={() => set({ after: info.endCursor ?? '' })}>
        Next
      </Button>
    </nav>
  );
}
