import type { Queryable, Statement } from '../../infra/postgres/database.ts';

export type StockMovementReason =
  'INITIAL' | 'RESTOCK' | 'CORRECTION' | 'DAMAGE' | 'RETURN' | 'HOLD' | 'RELEASE' | 'SALE' | 'CANCELLATION' | 'SYNC';

// The clock is read above the aggregate, so after the last lock was granted.
const lock: Statement = {
  name: 'inventory_lock_variants',
  text: `WITH locked AS MATERIALIZED (
           SELECT id FROM product_variants WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
         )
         SELECT clock_timestamp() AS now FROM (SELECT count(*) FROM locked) AS all_locked`,
};

/**
 * Locks variants against every other writer of stock until the transaction ends. One statement, ordered by id: two transactions that
 * lock overlapping sets wait for each other but do not deadlock. Read counters afterwards, in a statement of their own.
 * @returns the database's time after all locks were taken
 */
export async function lockVariants(tx: Queryable, variantIds: readonly string[]): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>(lock, [variantIds]);
  if (row === undefined) throw new Error('the database did not return the time');
  return row.now;
}

/** One step of a variant's counters as the database takes it. */
export interface ChangeRow {
  variantId: string;
  reason: StockMovementReason;
  onHandDelta: number;
  heldDelta: number;
  cartId: string | null;
  orderId: string | null;
  note: string | null;
}

export interface LevelRow {
  variantId: string;
  onHand: number;
  held: number;
  available: number;
}

/** Who moved stock by hand, and under which key, if any. */
export interface ByHand {
  /** The user who did it. */
  actorId: string;
  /** Unique with the actor; what was asked for under it comes hashed (SHA-256). */
  key?: { idempotencyKey: string; requestHash: Buffer };
}

/*
 * Counters, ledger and events in one statement. Steps of one variant are chained in the order given: each ledger entry
 * has the counters that it left, each event the level before and after. The counters move by the sum in one update, which
 * the table's CHECK refuses where it would be impossible; the ledger's own CHECK refuses an impossible step in between.
 * A step that leaves `available` as it was (a sale of held units) makes no event. One that crosses the low-stock threshold,
 * in either direction, or ends a sell-out makes further ones; nearly none does, so that is asked first, and cheaply.
 */
const applyWith = (columns: string, values: string) => `
WITH step AS (
  SELECT * FROM unnest($2::uuid[], $3::stock_movement_reason[], $4::int[], $5::int[], $6::uuid[], $7::uuid[], $8::text[])
    WITH ORDINALITY AS step(variant_id, reason, on_hand_delta, held_delta, cart_id, order_id, note, ordinal)
), total AS (
  SELECT variant_id, sum(on_hand_delta)::int AS on_hand_delta, sum(held_delta)::int AS held_delta FROM step GROUP BY variant_id
), updated AS (
  UPDATE product_variants v
     SET on_hand = v.on_hand + t.on_hand_delta, held = v.held + t.held_delta
    FROM total t WHERE v.id = t.variant_id
  RETURNING v.id, v.product_id, v.on_hand, v.held, v.available, v.low_stock_threshold AS threshold,
            v.on_hand - t.on_hand_delta AS on_hand_before, v.held - t.held_delta AS held_before
), chain AS (
  SELECT s.*, u.product_id, u.threshold,
         u.on_hand_before + sum(s.on_hand_delta) OVER upto AS on_hand_after,
         u.held_before + sum(s.held_delta) OVER upto AS held_after
    FROM step s JOIN updated u ON u.id = s.variant_id
  WINDOW upto AS (PARTITION BY s.variant_id ORDER BY s.ordinal)
), ledger AS (
  INSERT INTO stock_movements (variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, cart_id, order_id, note, occurred_at${columns})
  SELECT variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, cart_id, order_id, note, $1::timestamptz${values}
    FROM chain ORDER BY ordinal
), events AS (
  INSERT INTO event_log (type, subject_id, payload, occurred_at)
  SELECT 'stock_changed', variant_id,
         jsonb_build_object('variantId', variant_id, 'productId', product_id, 'available', on_hand_after - held_after,
                            'previousAvailable', on_hand_after - held_after - on_hand_delta + held_delta),
         $1::timestamptz
    FROM chain WHERE on_hand_delta <> held_delta ORDER BY ordinal
), level AS (
  SELECT chain.*, on_hand_after - held_after AS after, on_hand_after - held_after - on_hand_delta + held_delta AS before FROM chain
), crossings AS (
  INSERT INTO event_log (type, subject_id, payload, occurred_at)
  SELECT type, variant_id, jsonb_build_object('variantId', variant_id, 'productId', product_id, 'available', after) || more, $1::timestamptz
    FROM level CROSS JOIN LATERAL (VALUES
      ('low_stock', before > threshold AND after <= threshold, jsonb_build_object('threshold', threshold, 'cartId', cart_id)),
      ('stock_recovered', before <= threshold AND after > threshold, jsonb_build_object('threshold', threshold)),
      ('back_in_stock', before = 0 AND after > 0, '{}')
    ) AS crossing(type, crossed, more)
   WHERE ((before > threshold) <> (after > threshold) OR before = 0) AND crossed ORDER BY ordinal
)
SELECT id AS "variantId", on_hand AS "onHand", held, available FROM updated`;

const apply: Statement = { name: 'inventory_apply', text: applyWith('', '') };

// A statement of its own: selling pays nothing for what it does not write.
const applyByHand: Statement = {
  name: 'inventory_apply_by_hand',
  text: applyWith(', actor_id, idempotency_key, request_hash', ', $9::uuid, $10::text, $11::bytea'),
};

/** The constraint that a key which is used twice at once breaks. */
export const KEY_CONSTRAINT = 'stock_movements_actor_id_idempotency_key_key';

/** Writes steps of stock; the caller holds the variants' locks. Gives the levels that are left. */
export async function applyChanges(
  tx: Queryable,
  at: Date,
  changes: readonly ChangeRow[],
  by: ByHand | null,
): Promise<LevelRow[]> {
  return tx.query<LevelRow>(by === null ? apply : applyByHand, [
    at,
    changes.map((change) => change.variantId),
    changes.map((change) => change.reason),
    changes.map((change) => change.onHandDelta),
    changes.map((change) => change.heldDelta),
    changes.map((change) => change.cartId),
    changes.map((change) => change.orderId),
    changes.map((change) => change.note),
    ...(by === null ? [] : [by.actorId, by.key?.idempotencyKey ?? null, by.key?.requestHash ?? null]),
  ]);
}
