import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** What waits to be done about payments, as ids of rows. */
export interface PaymentWork {
  /** Operations that have been due for a while. */
  operationIds: string[];
  /** Payments whose time is over. */
  overdueIds: string[];
  /** Payments whose authorization lapses within two days, about which staff have no notice yet. */
  lapsingIds: string[];
  /** Orders that were not paid in time. */
  unpaidIds: string[];
  /** Payments and refunds under way of which nothing was heard for a minute, by the ID of their payment. */
  unheardIds: string[];
}

// One statement, because every worker asks every few seconds, and most of the time there is nothing to do. The clock in a select of its
// own is read once, so that the indexes on times are of use.
const work: Statement = {
  name: 'payments_work',
  text: `
(SELECT 'operationIds' AS kind, id FROM payment_operations
  WHERE state IN ('QUEUED', 'SENT', 'UNKNOWN') AND next_at <= (SELECT clock_timestamp()) - make_interval(secs => $2)
    AND (state <> 'SENT' OR lease_until <= (SELECT clock_timestamp()))
  ORDER BY next_at, id LIMIT $1)
UNION ALL
(SELECT 'overdueIds', p.id FROM payments p
  WHERE p.state = 'PENDING' AND p.provider <> 'manual' AND p.deadline <= (SELECT clock_timestamp())
    AND NOT EXISTS (SELECT FROM payment_operations o WHERE o.payment_id = p.id AND o.kind = 'CANCEL'
                     AND (o.state IN ('QUEUED', 'SENT', 'UNKNOWN') OR o.settled_at > (SELECT clock_timestamp()) - interval '1 minute'))
  ORDER BY p.deadline LIMIT $1)
UNION ALL
(SELECT 'lapsingIds', id FROM payments
  WHERE state = 'AUTHORIZED' AND lapses_at < (SELECT clock_timestamp()) + interval '2 days' AND problem IS NULL AND order_id IS NOT NULL
  ORDER BY lapses_at LIMIT $1)
UNION ALL
(SELECT 'unpaidIds', o.id FROM orders o
  WHERE $3::int IS NOT NULL AND o.payment_status = 'PENDING' AND o.status = 'PLACED' AND o.total_minor > 0
    AND o.placed_at < (SELECT clock_timestamp()) - make_interval(days => $3::int)
    AND NOT EXISTS (SELECT FROM payments p WHERE p.order_id = o.id AND p.state NOT IN ('CANCELLED', 'FAILED'))
  ORDER BY o.placed_at LIMIT $1)
UNION ALL
(SELECT 'unheardIds', id FROM (
   SELECT id FROM payments
    WHERE state IN ('PENDING', 'PROCESSING') AND provider <> 'manual' AND reference IS NOT NULL
      AND updated_at < (SELECT clock_timestamp()) - make_interval(secs => $4)
   UNION
   SELECT id FROM payments
    WHERE refund_pending_minor > 0 AND provider <> 'manual' AND reference IS NOT NULL
      AND updated_at < (SELECT clock_timestamp()) - make_interval(secs => $4)
 ) AS unheard WHERE $5::uuid IS NULL OR id > $5::uuid ORDER BY id LIMIT $1)`,
};

/** What to look for. */
export interface WorkQuery {
  /** Rows of each kind, at most. */
  limit: number;
  /** For so long, operations that are due are left to their jobs. */
  lostAfterSeconds: number;
  /** After so many days, unpaid orders are cancelled; null: never. */
  unpaidDays: number | null;
  /** A payment is unheard of after so long without a change. */
  unheardAfterSeconds: number;
  /** The payments of which nothing is heard are listed by ID, from the one after this; null: from the first. */
  unheardAfterId: string | null;
}

/** What waits to be done about payments. The kinds that go by time begin with the oldest. */
export async function findPaymentWork(source: Queryable, query: WorkQuery): Promise<PaymentWork> {
  const { limit, lostAfterSeconds, unpaidDays, unheardAfterSeconds, unheardAfterId } = query;
  const rows = await source.query<{ kind: keyof PaymentWork; id: string }>(work, [
    ...[limit, lostAfterSeconds, unpaidDays, unheardAfterSeconds, unheardAfterId],
  ]);
  const found: PaymentWork = { operationIds: [], overdueIds: [], lapsingIds: [], unpaidIds: [], unheardIds: [] };
  for (const { kind, id } of rows) found[kind].push(id);
  return found;
}

const open: Statement = {
  name: 'payments_open',
  text: `SELECT id FROM payments WHERE provider = $1 AND reference IS NOT NULL AND (id > $2::uuid OR $2 IS NULL)
            AND (state IN ('PENDING', 'PROCESSING', 'AUTHORIZED') OR refund_pending_minor > 0) ORDER BY id LIMIT $3`,
};

/** Payments of a provider of which more is to be expected, in pages. */
export async function findOpen(
  source: Queryable,
  provider: string,
  after: string | null,
  limit: number,
): Promise<string[]> {
  return (await source.query<{ id: string }>(open, [provider, after, limit])).map(({ id }) => id);
}
