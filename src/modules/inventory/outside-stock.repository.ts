import type { Queryable, Statement } from '../../infra/database.ts';

/** What an outside catalogue believes of a variant, beside the variant's own counters. */
export interface OutsideLevelRow {
  variantId: string;
  onHand: number;
  held: number;
  /** The value last taken from it; null where none was. */
  believed: number | null;
  shortfall: number;
}

const find: Statement = {
  name: 'inventory_outside_levels',
  text: `SELECT v.id AS "variantId", v.on_hand AS "onHand", v.held, o.quantity AS believed, coalesce(o.shortfall, 0) AS shortfall
           FROM product_variants v LEFT JOIN outside_stock o ON o.variant_id = v.id AND o.source = $2
          WHERE v.id = ANY($1::uuid[])`,
};

/** Counters and beliefs; under the variants' locks, what it gives is what is true. */
export function findOutsideLevels(
  source: Queryable,
  variantIds: readonly string[],
  catalogue: string,
): Promise<OutsideLevelRow[]> {
  return source.query<OutsideLevelRow>(find, [variantIds, catalogue]);
}

const keep: Statement = {
  name: 'inventory_keep_outside_levels',
  text: `INSERT INTO outside_stock (variant_id, source, quantity, shortfall, updated_at)
         SELECT variant_id, $1, quantity, shortfall, $2::timestamptz
           FROM unnest($3::uuid[], $4::int[], $5::int[]) AS l(variant_id, quantity, shortfall) ORDER BY variant_id
         ON CONFLICT (variant_id, source) DO UPDATE
            SET quantity = EXCLUDED.quantity, shortfall = EXCLUDED.shortfall, updated_at = EXCLUDED.updated_at`,
};

/** Keeps what was taken from an outside catalogue; the caller has the variants' locks. */
export async function keepOutsideLevels(
  tx: Queryable,
  at: Date,
  catalogue: string,
  levels: readonly { variantId: string; quantity: number; shortfall: number }[],
): Promise<void> {
  await tx.query(keep, [
    catalogue,
    at,
    levels.map((level) => level.variantId),
    levels.map((level) => level.quantity),
    levels.map((level) => level.shortfall),
  ]);
}
