import { graphql } from '../../shared/graphql.ts';
import { useLive } from '../../shared/use-live.ts';
import './product-draft.ts';
import './variant-draft.ts';

const CHANGES = graphql(`
  subscription DashboardProducts($productIds: [ID!], $after: EventCursor) {
    productChanged(productIds: $productIds, after: $after) {
      cursor
      product {
        ...StaffProduct
        variants {
          ...StaffVariant
        }
      }
    }
  }
`);

const listeners = new Set<() => void>();

/** Calls `listener` after each change of a product that an open page follows. Returns how to stop. */
export function onProductChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/**
 * Follows changes of products, whose fields then change wherever they are shown.
 * @param productIds null: all products
 */
export function useProductChanges(productIds: readonly string[] | null, after: string | null | undefined): void {
  useLive(CHANGES, {
    variables: { productIds: productIds === null ? null : [...productIds] },
    after,
    onEvent() {
      for (const listener of listeners) listener();
    },
  });
}
