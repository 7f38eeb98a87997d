import { graphql } from '../../shared/graphql.ts';
import { useLive } from '../../shared/use-live.ts';

const CHANGES = graphql(`
  subscription DashboardStock($after: EventCursor) {
    stockChanged(after: $after) {
      cursor
      variant {
        id
        available
        availableForSale
        onHand
        held
        stockAlertCount
      }
    }
  }
`);

const listeners = new Set<() => void>();

/** Calls `listener` after each change in stock that an open page follows. Returns how to stop. */
export function onStockChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Follows the stock of all variants from `after` on: levels change wherever they are shown. */
export function useStockChanges(after: string | null | undefined): void {
  useLive(CHANGES, {
    variables: {},
    after,
    onEvent() {
      for (const listener of listeners) listener();
    },
  });
}
