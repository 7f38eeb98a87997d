import { v7 as uuid } from 'uuid';
import { LATER } from '../../infra/postgres/clock.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { MethodFields, NewShippingRate, ShippingMethod, ShippingRate } from './shipping.types.ts';

const METHOD = `id, zone_id AS "zoneId", title, description, delivery_estimate AS "deliveryEstimate",
                tax_category_id AS "taxCategoryId", free_from_minor AS "freeFromMinor", position,
                created_at AS "createdAt", updated_at AS "updatedAt"`;

const methodsByIds: Statement = {
  name: 'shipping_methods_by_ids',
  text: `SELECT ${METHOD} FROM shipping_methods WHERE id = ANY($1::uuid[])`,
};

/** The methods among the ids, in any order. */
export function findMethodsByIds(source: Queryable, ids: readonly string[]): Promise<ShippingMethod[]> {
  return source.query<ShippingMethod>(methodsByIds, [ids]);
}

const methodsOfZones: Statement = {
  name: 'shipping_methods_of_zones',
  text: `SELECT ${METHOD} FROM shipping_methods WHERE zone_id = ANY($1::uuid[]) ORDER BY position, id`,
};

/** The methods of zones, in the order in which they are offered. */
export function findMethodsOfZones(source: Queryable, zoneIds: readonly string[]): Promise<ShippingMethod[]> {
  return source.query<ShippingMethod>(methodsOfZones, [zoneIds]);
}

const ratesOfMethods: Statement = {
  name: 'shipping_rates_of_methods',
  text: `SELECT id, method_id AS "methodId", basis, from_value AS "fromValue", to_value AS "toValue", price_minor AS "priceMinor"
           FROM shipping_rates WHERE method_id = ANY($1::uuid[]) ORDER BY basis, from_value, id`,
};

/** The rates of methods: those by weight first, then by where they begin. */
export function findRatesOfMethods(source: Queryable, methodIds: readonly string[]): Promise<ShippingRate[]> {
  return source.query<ShippingRate>(ratesOfMethods, [methodIds]);
}

const insert: Statement = {
  name: 'shipping_method_insert',
  text: `INSERT INTO shipping_methods (id, zone_id, title, description, delivery_estimate, tax_category_id, free_from_minor,
                                       position, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
};

/** Writes a method, without its rates. */
export async function insertMethod(
  tx: Queryable,
  at: Date,
  { id, zoneId }: { id: string; zoneId: string },
  method: Omit<MethodFields, 'rates'>,
): Promise<void> {
  const { title, description, deliveryEstimate, taxCategoryId, freeFromMinor, position } = method;
  const values = [id, zoneId, title, description, deliveryEstimate, taxCategoryId, freeFromMinor, position, at];
  await tx.query(insert, values);
}

const update: Statement = {
  name: 'shipping_method_update',
  text: `UPDATE shipping_methods SET title = $2, description = $3, delivery_estimate = $4, tax_category_id = $5,
                                     free_from_minor = $6, position = $7, updated_at = ${LATER('$8')} WHERE id = $1`,
};

/** Replaces the fields of a method, but for its rates. */
export async function updateMethod(
  tx: Queryable,
  at: Date,
  id: string,
  method: Omit<MethodFields, 'rates'>,
): Promise<void> {
  const { title, description, deliveryEstimate, taxCategoryId, freeFromMinor, position } = method;
  await tx.query(update, [id, title, description, deliveryEstimate, taxCategoryId, freeFromMinor, position, at]);
}

const clearRates: Statement = { name: 'shipping_rates_clear', text: 'DELETE FROM shipping_rates WHERE method_id = $1' };
const insertRates: Statement = {
  name: 'shipping_rates_insert',
  text: `INSERT INTO shipping_rates (id, method_id, basis, from_value, to_value, price_minor)
         SELECT r.id, $1, r.basis, r.from_value, r.to_value, r.price_minor
           FROM unnest($2::uuid[], $3::shipping_rate_basis[], $4::bigint[], $5::bigint[], $6::bigint[])
             AS r(id, basis, from_value, to_value, price_minor)`,
};

/** Replaces all rates of a method. */
export async function replaceRates(tx: Queryable, methodId: string, rates: readonly NewShippingRate[]): Promise<void> {
  await tx.query(clearRates, [methodId]);
  await tx.query(insertRates, [
    methodId,
    rates.map(() => uuid()),
    rates.map(({ basis }) => basis),
    rates.map(({ fromValue }) => fromValue),
    rates.map(({ toValue }) => toValue),
    rates.map(({ priceMinor }) => priceMinor),
  ]);
}

const remove: Statement = { name: 'shipping_method_delete', text: 'DELETE FROM shipping_methods WHERE id = $1' };

/** Deletes a method with its rates. Quotes of carts that chose it find it unavailable. */
export async function deleteMethod(tx: Queryable, id: string): Promise<void> {
  await tx.query(remove, [id]);
}
