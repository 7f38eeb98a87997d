import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { ShippingMethod } from './shipping.types.ts';

const methodsByIdsStatement: Statement = {
  name: 'shipping_methods_by_ids',
  text: `SELECT id, zone_id AS "zoneId", title, description, delivery_estimate AS "deliveryEstimate",
                tax_category_id AS "taxCategoryId", free_from_minor AS "freeFromMinor", position
           FROM shipping_methods WHERE id = ANY($1::uuid[])`,
};

/** The methods among the ids, in any order. */
export function findMethodsByIds(source: Queryable, ids: readonly string[]): Promise<ShippingMethod[]> {
  return source.query<ShippingMethod>(methodsByIdsStatement, [ids]);
}
