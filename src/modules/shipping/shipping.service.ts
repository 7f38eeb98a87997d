import type { Database } from '../../infra/postgres/database.ts';
import { findMethodsByIds } from './shipping.repository.ts';
import type { ShippingMethod } from './shipping.types.ts';

export type { ShippingMethod } from './shipping.types.ts';

export type ShippingService = ReturnType<typeof createShippingService>;

/** Zones, methods and rates of shipping. */
export function createShippingService({ db }: { db: Database }) {
  return {
    /** The methods among the ids, in any order. */
    methodsByIds(ids: readonly string[]): Promise<ShippingMethod[]> {
      return findMethodsByIds(db, ids);
    },
  };
}
