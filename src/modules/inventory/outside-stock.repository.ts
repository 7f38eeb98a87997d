import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** Where a catalogue is kept beside the shop's. */
export type OutsideSource = 'contentful' | 'import';

/** What such a catalogue believes of a variant's stock. */
export interface BeliefRow {
  variantId: string;
  source: OutsideSource;
  /** The value last taken. */
  quantity: number;
  /** Units that are still to be taken away. */
  shortfall: number;
}

const COLUMNS = 'variant_id AS "variantId", source, quantity, shortfall';

const find: Statement = {
  name: 'outside_stock_find',
  text: `SELECT ${COLUMNS} FROM outside_stock WHERE variant_id = ANY($1::uuid[]) AND source = $2`,
};

/** What one catalogue believes of variants; those of which it was never heard are left out. */
export function findBeliefs(source: Queryable, variantIds: readonly string[], of: OutsideSource): Promise<BeliefRow[]> {
  return source.query<BeliefRow>(find, [variantIds, of]);
}

const owed: Statement = {
  name: 'outside_stock_owed',
  text: `SELECT ${COLUMNS} FROM outside_stock WHERE variant_id = ANY($1::uuid[]) AND shortfall > 0 ORDER BY variant_id, source`,
};

/** Beliefs on account of which units are still to be taken away. */
export function findOwed(source: Queryable, variantIds: readonly string[]): Promise<BeliefRow[]> {
  return source.query<BeliefRow>(owed, [variantIds]);
}

/** A belief beside the variant's own counters. */
export interface OutsideLevelRow {
  variantId: string;
  onHand: number;
  held: number;
  /** The value last taken; null where none was. */
  believed: number | null;
  shortfall: number;
}

const findLevels: Statement = {
  name: 'outside_stock_levels',
  text: `SELECT v.id AS "variantId", v.on_hand AS "onHand", v.held, o.quantity AS believed, coalesce(o.shortfall, 0) AS shortfall
           FROM product_variants v LEFT JOIN outside_stock o ON o.variant_id = v.id AND o.source = $2
          WHERE v.id = ANY($1::uuid[])`,
};

/** Counters and beliefs; under the variants' locks, what it gives is what is true. */
export function findOutsideLevels(
  source: Queryable,
  variantIds: readonly string[],
  of: OutsideSource,
): Promise<OutsideLevelRow[]> {
  return source.query<OutsideLevelRow>(findLevels, [variantIds, of]);
}

const keep: Statement = {
  name: 'outside_stock_keep',
  text: `INSERT INTO outside_stock (variant_id, source, quantity, shortfall, updated_at)
         SELECT variant_id, source, quantity, shortfall, $5::timestamptz
           FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[]) AS l(variant_id, source, quantity, shortfall)
          ORDER BY variant_id, source
         ON CONFLICT (variant_id, source) DO UPDATE
            SET quantity = EXCLUDED.quantity, shortfall = EXCLUDED.shortfall, updated_at = EXCLUDED.updated_at`,
};

/** Writes what catalogues believe; the caller has the variants' locks. */
export async function keepBeliefs(tx: Queryable, at: Date, beliefs: readonly BeliefRow[]): Promise<void> {
  await tx.query(keep, [
    beliefs.map((belief) => belief.variantId),
    beliefs.map((belief) => belief.source),
    beliefs.map((belief) => belief.quantity),
    beliefs.map((belief) => belief.shortfall),
    at,
  ]);
}
