import type { Database, Statement } from './postgres/database.ts';
import type { Metrics, Sample } from './metrics.ts';

/** What the gauges look at. */
export interface Gauged {
  db: Database;
  /** The last event of this node; null where it serves no API. */
  position: () => number | null;
  subscriptions: () => number;
  /** Bytes that clients have not read yet. */
  unsentBytes: () => number;
  fanOut: () => { audiences: number; live: number; executions: number } | null;
  /** Answers that are kept in memory; null where none are. */
  memory: () => { answers: number; bytes: number } | null;
  /** Jobs by queue and state, of the queues that answer. */
  jobs: () => Promise<readonly { queue: string; state: string; jobs: number }[]>;
}

const ofShop = {
  event_log_end: 'Number of the last event in the event log',
  events_unnumbered: 'Committed events that the relay has not come to',
  relay_lag_seconds: 'Age of the oldest of them',
  carts_holding: 'Carts that hold units',
  units_held: 'Units that carts hold',
};

// Small partial indexes serve it, but for the units: one pass over the variants, which keep the sum for each.
const shop: Statement = {
  name: 'gauge_shop',
  text: `SELECT (SELECT last::float8 FROM event_sequence) AS event_log_end, u.events AS events_unnumbered,
                u.lag AS relay_lag_seconds,
                (SELECT count(*)::float8 FROM carts WHERE status = 'ACTIVE' AND expires_at IS NOT NULL) AS carts_holding,
                (SELECT coalesce(sum(held), 0)::float8 FROM product_variants WHERE held > 0) AS units_held
           FROM (
             SELECT count(*)::float8 AS events,
                    coalesce(extract(epoch FROM clock_timestamp() - min(occurred_at)), 0)::float8 AS lag
               FROM event_log WHERE seq IS NULL
           ) u`,
};

const ofConsumers = {
  consumer_lag_events: 'Events that a consumer has not come to',
  consumer_lag_seconds: 'Age of the first of them',
  parked_events: 'Events that a consumer could not handle, and that wait for somebody',
};

interface ConsumerRow {
  consumer: string;
  /** Null where there are parked events alone. */
  events: number | null;
  seconds: number | null;
  parked: number;
}

// (A consumer of a log that was replaced since will begin at this one's end.)
const consumers: Statement = {
  name: 'gauge_consumers',
  text: `SELECT coalesce(c.name, p.consumer) AS consumer, c.events, c.seconds, coalesce(p.parked, 0)::float8 AS parked
           FROM (
             SELECT c.name, CASE WHEN c.epoch = s.epoch THEN greatest(s.last - c.seq, 0) ELSE 0 END::float8 AS events,
                    coalesce(extract(epoch FROM clock_timestamp() - e.occurred_at), 0)::float8 AS seconds
               FROM event_consumers c CROSS JOIN event_sequence s
               LEFT JOIN event_log e ON e.seq = c.seq + 1 AND c.epoch = s.epoch
           ) c FULL JOIN (
             SELECT consumer, count(*) AS parked FROM parked_events WHERE resolved_at IS NULL GROUP BY consumer
           ) p ON p.consumer = c.name`,
};

/**
 * Declares what is read when Prometheus asks: two statements, and a question to each queue. (What a process counts by itself
 * is in metrics.ts.)
 */
export function addGauges(
  metrics: Metrics,
  { db, position, subscriptions, unsentBytes, fanOut, memory, jobs }: Gauged,
): void {
  const pool = () => db.poolState();
  metrics.gauge('database_connections', 'Connections in the pool', () => pool().total);
  metrics.gauge('database_connections_idle', 'Connections that nobody uses', () => pool().idle);
  metrics.gauge('database_waiting', 'Callers that wait for a connection', () => pool().waiting);
  metrics.gauge('subscriptions', 'Subscriptions that run on this node', subscriptions);
  metrics.gauge('subscriptions_shared', 'Those of them that are answered together', () => fanOut()?.live ?? 0);
  metrics.gauge('subscription_audiences', 'To how many different answers', () => fanOut()?.audiences ?? 0);
  metrics.gauge('subscription_executions', 'Executions for those who share, so far', () => fanOut()?.executions ?? 0);
  metrics.gauge('unsent_bytes', 'Bytes of responses and messages that clients have not read yet', unsentBytes);
  metrics.gauge('memory_answers', 'Answers about the catalogue in memory', () => memory()?.answers ?? 0);
  metrics.gauge('memory_bytes', 'Estimated bytes of these answers', () => memory()?.bytes ?? 0);
  metrics.gauge('event_position', 'The last event that this node has', () => position() ?? 0);
  metrics.gauge('process_resident_bytes', 'Memory of the process', () => process.memoryUsage().rss);

  metrics.probe('the shop', ofShop, [], async () => {
    const [row] = await db.query<Record<keyof typeof ofShop, number>>(shop);
    return Object.entries(row ?? {}).map(([name, value]) => ({ name: name as keyof typeof ofShop, value }));
  });
  metrics.probe('the consumers', ofConsumers, ['consumer'], async () => {
    const rows = await db.query<ConsumerRow>(consumers);
    return rows.flatMap(({ consumer, events, seconds, parked }): Sample<keyof typeof ofConsumers>[] => {
      const labels = { consumer };
      const lag: Sample<keyof typeof ofConsumers>[] =
        events === null
          ? []
          : [
              { name: 'consumer_lag_events', labels, value: events },
              { name: 'consumer_lag_seconds', labels, value: seconds ?? 0 },
            ];
      return [...lag, { name: 'parked_events', labels, value: parked }];
    });
  });
  metrics.probe('the jobs', { jobs: 'Jobs in the queue, by state' }, ['queue', 'state'], async () => {
    const counts = await jobs();
    return counts.map(({ queue, state, jobs: value }) => ({ name: 'jobs', labels: { queue, state }, value }));
  });
}
