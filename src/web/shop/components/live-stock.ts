import { graphql } from '../../shared/graphql.ts';
import { useLive } from '../../shared/use-live.ts';

const STOCK = graphql(`
  subscription LiveStock($productIds: [ID!], $after: EventCursor) {
    stockChanged(productIds: $productIds, after: $after) {
      cursor
      variant {
        id
        available
        availableForSale
      }
    }
  }
`);

/** As many as one subscription takes. */
export const MOST_FOLLOWED = 100;

/** Follows the stock of some products. What changes goes into the cache, and from there into every place that shows it. */
export function useLiveStock(productIds: readonly string[], after: string | null | undefined): void {
  const ids = productIds.slice(0, MOST_FOLLOWED).toSorted();
  useLive(STOCK, { variables: { productIds: ids }, after: ids.length === 0 ? null : after });
}
