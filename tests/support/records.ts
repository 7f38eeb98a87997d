import type { World } from './fixtures.ts';

/** An entry of the stock ledger. */
export interface Movement {
  reason: string;
  onHandDelta: number;
  heldDelta: number;
  onHandAfter: number;
  heldAfter: number;
}

/** What the ledger has of a variant, oldest first. */
export function ledgerOf({ db }: Pick<World, 'db'>, variantId: string): Promise<Movement[]> {
  return db.query<Movement>(
    {
      name: 'test_ledger_of',
      text: `SELECT reason, on_hand_delta AS "onHandDelta", held_delta AS "heldDelta", on_hand_after AS "onHandAfter",
                    held_after AS "heldAfter" FROM stock_movements WHERE variant_id = $1 ORDER BY id`,
    },
    [variantId],
  );
}

/** That a step of stock crossed a line: comes beside `stock_changed`, and has tests of its own. */
const CROSSINGS = ['low_stock', 'stock_recovered', 'back_in_stock'];

/** The events of a variant, cart or order, oldest first; without those of crossed lines. */
export function eventsOf(
  { db }: Pick<World, 'db'>,
  subjectId: string,
): Promise<{ type: string; payload: Record<string, unknown> }[]> {
  return db.query(
    {
      name: 'test_events_of',
      text: 'SELECT type, payload FROM event_log WHERE subject_id = $1 AND type <> ALL($2::text[]) ORDER BY id',
    },
    [subjectId, CROSSINGS],
  );
}

/** The events that say that a row of the terms of prices changed, oldest first. */
export function termsEventsOf(
  { db }: Pick<World, 'db'>,
  rowId: string,
): Promise<{ type: string; payload: Record<string, unknown> }[]> {
  return db.query(
    {
      name: 'test_terms_events_of',
      text: `SELECT type, payload - 'rowId' AS payload FROM event_log
              WHERE type = 'pricing_changed' AND payload->>'rowId' = $1 ORDER BY id`,
    },
    [rowId],
  );
}

/** The lines that a variant's level crossed, oldest first. */
export function crossingsOf(
  { db }: Pick<World, 'db'>,
  variantId: string,
): Promise<{ type: string; payload: Record<string, unknown> }[]> {
  return db.query(
    {
      name: 'test_crossings_of',
      text: 'SELECT type, payload FROM event_log WHERE subject_id = $1 AND type = ANY($2::text[]) ORDER BY id',
    },
    [variantId, CROSSINGS],
  );
}

/** The levels that a variant went through, first to last, according to its events: `[[0, 10], [10, 8]]`. */
export async function stepsOf(shop: Pick<World, 'db'>, variantId: string): Promise<[number, number][]> {
  const events = await eventsOf(shop, variantId);
  return events.map(({ payload }) => [Number(payload.previousAvailable), Number(payload.available)]);
}
