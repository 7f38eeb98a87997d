import type { Queryable } from '../../infra/postgres/database.ts';
import { keyset } from '../../infra/postgres/page.ts';
import type { Discrepancy } from './inventory.audit.ts';

/** What a check of some variants found. */
export interface AuditPage {
  checked: number;
  /** The first and the last of the variants, by id; null where there were none. */
  firstId: string | null;
  lastId: string | null;
  /** Whether there are variants after them. */
  more: boolean;
  discrepancies: Discrepancy[];
}

/** Of each variant, so many of the latest ledger entries are looked at. */
const LATEST = 10;

// The entry before the oldest of them is read as well, for its link; where there is none, the history starts from 0.
// Carts are reached from each variant's lines, so all pages together read each line once, however many carts are live. One join for
// the whole page would make PostgreSQL read all live carts for every page.
// What holds units has a deadline.
// Sums are bigint and cut to what the API can say: what is broken must not break the check.
const auditOf = (condition: string, limit: string) => `
WITH variant AS MATERIALIZED (
  SELECT v.id, v.on_hand, v.held FROM product_variants v WHERE ${condition} ORDER BY v.id LIMIT ${limit}
), link AS MATERIALIZED (
  SELECT v.id AS variant_id, e.on_hand_delta, e.held_delta, e.on_hand_after, e.held_after,
         row_number() OVER newest AS rank,
         lead(e.on_hand_after, 1, 0) OVER newest AS on_hand_before, lead(e.held_after, 1, 0) OVER newest AS held_before
    FROM variant v CROSS JOIN LATERAL (
      SELECT m.id, m.on_hand_delta, m.held_delta, m.on_hand_after, m.held_after FROM stock_movements m
       WHERE m.variant_id = v.id ORDER BY m.id DESC LIMIT ${LATEST + 1}
    ) AS e
  WINDOW newest AS (PARTITION BY v.id ORDER BY e.id DESC)
), last AS (
  SELECT variant_id, on_hand_after, held_after FROM link WHERE rank = 1
), holding AS (
  SELECT v.id AS variant_id, h.units FROM variant v CROSS JOIN LATERAL (
      SELECT sum(l.quantity) AS units FROM cart_lines l JOIN carts c ON c.id = l.cart_id
       WHERE l.variant_id = v.id AND c.status = 'ACTIVE' AND c.expires_at IS NOT NULL
    ) AS h
), fault AS (
  SELECT 1 AS ordinal, v.id AS variant_id, 'units on hand are those of the last ledger entry' AS rule,
         coalesce(l.on_hand_after, 0)::bigint AS expected, v.on_hand AS actual
    FROM variant v LEFT JOIN last l ON l.variant_id = v.id WHERE v.on_hand <> coalesce(l.on_hand_after, 0)
  UNION ALL
  SELECT 2, v.id, 'units held are those of the last ledger entry', coalesce(l.held_after, 0), v.held
    FROM variant v LEFT JOIN last l ON l.variant_id = v.id WHERE v.held <> coalesce(l.held_after, 0)
  UNION ALL
  SELECT 2 + rank, variant_id, 'each ledger entry follows from the one before (on hand)',
         on_hand_before::bigint + on_hand_delta, on_hand_after
    FROM link WHERE rank <= ${LATEST} AND on_hand_after <> on_hand_before::bigint + on_hand_delta
  UNION ALL
  SELECT 2 + rank, variant_id, 'each ledger entry follows from the one before (held)', held_before::bigint + held_delta, held_after
    FROM link WHERE rank <= ${LATEST} AND held_after <> held_before::bigint + held_delta
  UNION ALL
  SELECT 1000, v.id, 'units held are those in live carts', coalesce(h.units, 0), v.held
    FROM variant v LEFT JOIN holding h ON h.variant_id = v.id WHERE v.held <> coalesce(h.units, 0)
), ends AS (
  SELECT (SELECT id FROM variant ORDER BY id LIMIT 1) AS first_id, (SELECT id FROM variant ORDER BY id DESC LIMIT 1) AS last_id
)
SELECT (SELECT count(*)::int FROM variant) AS checked, first_id AS "firstId", last_id AS "lastId",
       (SELECT id FROM product_variants WHERE id > last_id ORDER BY id LIMIT 1) IS NOT NULL AS more,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                 'variantId', variant_id, 'rule', rule,
                 'expected', least(greatest(expected, -2147483648), 2147483647), 'actual', actual
               ) ORDER BY variant_id, ordinal, rule), '[]') FROM fault) AS discrepancies
  FROM ends`;

/**
 * Checks some variants in one statement, and so in one snapshot: each of them agrees with its ledger and with the carts, or
 * it does not. What it reads does not grow with the length of the ledger.
 * @param after begin after this variant; null: with the first one
 * @param limit variants at most
 */
export async function auditVariants(source: Queryable, after: string | null, limit: number): Promise<AuditPage> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const byId = [{ expression: 'v.id', type: 'uuid', descending: false }];
  const cursor = after === null ? null : [after];
  const { condition } = keyset(byId, { limit, direction: 'forward', cursor }, parameter);
  // Without a name: planned for its size, since a plan for any number of variants goes through whole tables.
  const [row] = await source.query<AuditPage>({ text: auditOf(condition, parameter(limit)) }, values);
  if (row === undefined) throw new Error('the audit returned no row');
  return row;
}
