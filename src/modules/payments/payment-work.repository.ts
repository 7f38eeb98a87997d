import type { Queryable, Statement } from '../../infra/postgres/database.ts';

const overdue: Statement = {
  name: 'payments_overdue',
  text: `SELECT p.id FROM payments p
          WHERE p.state = 'PENDING' AND p.provider <> 'manual' AND p.deadline <= clock_timestamp()
            AND NOT EXISTS (SELECT FROM payment_operations o WHERE o.payment_id = p.id AND o.kind = 'CANCEL'
                             AND (o.state IN ('QUEUED', 'SENT', 'UNKNOWN') OR o.settled_at > clock_timestamp() - interval '1 minute'))
          ORDER BY p.deadline LIMIT $1`,
};

/** Payments whose time is over and that nobody is cancelling. */
export async function findOverdue(source: Queryable, limit: number): Promise<string[]> {
  return (await source.query<{ id: string }>(overdue, [limit])).map(({ id }) => id);
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

const lapsing: Statement = {
  name: 'payments_lapsing',
  text: `SELECT id FROM payments WHERE state = 'AUTHORIZED' AND lapses_at < clock_timestamp() + interval '2 days' AND problem IS NULL
            AND order_id IS NOT NULL ORDER BY lapses_at LIMIT $1`,
};

/** Payments whose authorization lapses within two days, and about which staff have no notice yet. */
export async function findLapsing(source: Queryable, limit: number): Promise<string[]> {
  return (await source.query<{ id: string }>(lapsing, [limit])).map(({ id }) => id);
}

const unpaid: Statement = {
  name: 'payments_unpaid_orders',
  text: `SELECT o.id FROM orders o
          WHERE o.payment_status = 'PENDING' AND o.status = 'PLACED' AND o.total_minor > 0
            AND o.placed_at < clock_timestamp() - make_interval(days => $1)
            AND NOT EXISTS (SELECT FROM payments p WHERE p.order_id = o.id AND p.state NOT IN ('CANCELLED', 'FAILED'))
          ORDER BY o.placed_at LIMIT $2`,
};

/** Orders that have been unpaid for some days, the oldest first; without those that a provider is still working on. */
export async function findUnpaidOrders(source: Queryable, days: number, limit: number): Promise<string[]> {
  return (await source.query<{ id: string }>(unpaid, [days, limit])).map(({ id }) => id);
}

const unheard: Statement = {
  name: 'payments_unheard',
  text: `SELECT id FROM payments
          WHERE state IN ('PENDING', 'PROCESSING') AND provider <> 'manual' AND reference IS NOT NULL
            AND updated_at < clock_timestamp() - make_interval(secs => $1)
          ORDER BY deadline LIMIT $2`,
};

/** Payments that are under way and of which nothing was heard for some seconds: a webhook may have been lost. */
export async function findUnheard(source: Queryable, seconds: number, limit: number): Promise<string[]> {
  return (await source.query<{ id: string }>(unheard, [seconds, limit])).map(({ id }) => id);
}
