import type { Queryable, Statement } from '../../infra/database.ts';

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

const write: Statement = {
  name: 'outside_stock_write',
  text: `INSERT INTO outside_stock (variant_id, source, quantity, shortfall, updated_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (variant_id, source) DO UPDATE SET quantity = $3, shortfall = $4, updated_at = $5`,
};

/** Writes what a catalogue believes; the caller has the variant's lock. */
export async function writeBelief(tx: Queryable, at: Date, belief: BeliefRow): Promise<void> {
  await tx.query(write, [belief.variantId, belief.source, belief.quantity, belief.shortfall, at]);
}
