import { createCombiner, SHARED_READ } from '../../infra/combiner.ts';
import type { Database, Queryable } from '../../infra/postgres/database.ts';
import { findPricedVariants, type PricedVariantRow } from './terms.repository.ts';

/**
 * Makes the function that reads variants as prices look at them, by id. Outside of transactions, carts that are priced at the same
 * time read theirs together.
 */
export function createPricedVariants(
  db: Database,
): (source: Queryable, ids: readonly string[]) => Promise<ReadonlyMap<string, PricedVariantRow>> {
  const reader = createCombiner<readonly string[], ReadonlyMap<string, PricedVariantRow>>({
    ...SHARED_READ,
    async run(asked) {
      const value = await findPricedVariants(db, [...new Set(asked.flat())]);
      return asked.map(() => ({ status: 'fulfilled', value }));
    },
  });
  return (source, ids) => (source === db ? reader.submit(ids) : findPricedVariants(source, ids));
}
