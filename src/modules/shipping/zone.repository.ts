import { LATER } from '../../infra/postgres/clock.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { ZoneFields } from './shipping.types.ts';
import type { ShippingZone } from './zone.types.ts';

const COLUMNS = `id, name, countries, regions, postal_prefixes AS "postalPrefixes", is_rest AS "isRest", is_home AS "isHome",
                 created_at AS "createdAt", updated_at AS "updatedAt"`;

const all: Statement = { name: 'shipping_zones', text: `SELECT ${COLUMNS} FROM shipping_zones ORDER BY name, id` };

/** All zones, by name. */
export function findZones(source: Queryable): Promise<ShippingZone[]> {
  return source.query<ShippingZone>(all);
}

const insert: Statement = {
  name: 'shipping_zone_insert',
  text: `INSERT INTO shipping_zones (id, name, countries, regions, postal_prefixes, is_rest, is_home, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
};

/** Writes a zone. */
export async function insertZone(tx: Queryable, at: Date, id: string, zone: ZoneFields): Promise<void> {
  const { name, countries, regions, postalPrefixes, isRest, isHome } = zone;
  await tx.query(insert, [id, name, countries, regions, postalPrefixes, isRest, isHome, at]);
}

const update: Statement = {
  name: 'shipping_zone_update',
  text: `UPDATE shipping_zones SET name = $2, countries = $3, regions = $4, postal_prefixes = $5, is_rest = $6, is_home = $7,
                                   updated_at = ${LATER('$8')} WHERE id = $1`,
};

/** Replaces the fields of a zone. */
export async function updateZone(tx: Queryable, at: Date, id: string, zone: ZoneFields): Promise<void> {
  const { name, countries, regions, postalPrefixes, isRest, isHome } = zone;
  await tx.query(update, [id, name, countries, regions, postalPrefixes, isRest, isHome, at]);
}

const clearHome: Statement = {
  name: 'shipping_zone_clear_home',
  text: `UPDATE shipping_zones SET is_home = false, updated_at = ${LATER('$2')} WHERE is_home AND id <> $1`,
};

/** Before a zone becomes the home zone: a unique index allows one at any time. */
export async function clearOtherHome(tx: Queryable, at: Date, id: string): Promise<void> {
  await tx.query(clearHome, [id, at]);
}

const remove: Statement = { name: 'shipping_zone_delete', text: 'DELETE FROM shipping_zones WHERE id = $1' };

/** Deletes a zone with its methods, their rates, and its tax rates. */
export async function deleteZone(tx: Queryable, id: string): Promise<void> {
  await tx.query(remove, [id]);
}
