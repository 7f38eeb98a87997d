import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** How the relay and the mails stand. Seconds are by the database's clock. */
export interface ShopHealth {
  /** Committed events that the relay has not numbered. */
  unnumbered: number;
  /** Time of the oldest of them. */
  oldestUnnumberedAt: Date | null;
  /** Mails that are due and have not been sent. */
  dueMails: number;
  /** Since when the first of them has been due. */
  oldestDueMailAt: Date | null;
  failedMails: number;
  /** When this was read. */
  checkedAt: Date;
}

/** Counts stop here: beyond this number, how many there are makes no difference. */
export const MAX_COUNTED = 1000;

const counted = (from: string) => `(SELECT count(*)::int FROM (SELECT FROM ${from} LIMIT ${MAX_COUNTED + 1}) AS c)`;

const shop: Statement = {
  name: 'health_shop',
  text: `SELECT ${counted('event_log WHERE seq IS NULL')} AS unnumbered,
                (SELECT min(occurred_at) FROM event_log WHERE seq IS NULL) AS "oldestUnnumberedAt",
                ${counted(`mails WHERE status = 'PENDING' AND due_at <= clock_timestamp()`)} AS "dueMails",
                (SELECT min(due_at) FROM mails WHERE status = 'PENDING' AND due_at <= clock_timestamp()) AS "oldestDueMailAt",
                ${counted(`mails WHERE status = 'FAILED'`)} AS "failedMails", clock_timestamp() AS "checkedAt"`,
};

export async function findShopHealth(source: Queryable): Promise<ShopHealth> {
  const [row] = await source.query<ShopHealth>(shop);
  if (row === undefined) throw new Error('the database did not answer');
  return row;
}

/** How a consumer of the event log stands. */
export interface ConsumerHealth {
  name: string;
  /** Events that the consumer has not come to. */
  waiting: bigint;
  /** Time of the first of them; null if there is none, or it has been pruned. */
  oldestWaitingAt: Date | null;
  parked: number;
  /** Until when a process has reserved the consumer; null if none runs it. */
  leasedUntil: Date | null;
}

// (A consumer of a log that was replaced since will begin at the end of this one.)
const consumers: Statement = {
  name: 'health_consumers',
  text: `SELECT c.name, CASE WHEN c.epoch = s.epoch THEN greatest(s.last - c.seq, 0) ELSE 0 END AS waiting,
                e.occurred_at AS "oldestWaitingAt",
                (SELECT count(*)::int FROM (SELECT FROM parked_events p WHERE p.consumer = c.name AND p.resolved_at IS NULL
                                             LIMIT ${MAX_COUNTED + 1}) AS p) AS parked,
                CASE WHEN c.lease_until > clock_timestamp() THEN c.lease_until END AS "leasedUntil"
           FROM event_consumers c CROSS JOIN event_sequence s
           LEFT JOIN event_log e ON e.seq = c.seq + 1 AND c.epoch = s.epoch
          ORDER BY c.name`,
};

/** The consumers that any process has registered, by name. */
export function findConsumerHealth(source: Queryable): Promise<ConsumerHealth[]> {
  return source.query<ConsumerHealth>(consumers);
}
