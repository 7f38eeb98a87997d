import type { Database } from './database.ts';
import type { Metrics } from './metrics.ts';

/** What the gauges look at. */
export interface Gauged {
  db: Database;
  /** The last event of this node; null where it serves no API. */
  position: () => number | null;
  subscriptions: () => number;
  fanOut: () => { audiences: number; live: number; executions: number } | null;
}

/** Declares what is read when Prometheus asks. What the database is asked for goes by small partial indexes. */
export function addGauges(metrics: Metrics, { db, position, subscriptions, fanOut }: Gauged): void {
  const ask = async (name: string, text: string): Promise<number> => {
    const [row] = await db.query<{ value: number }>({ name, text });
    return row?.value ?? 0;
  };
  const pool = () => db.poolState();
  metrics.gauge('database_connections', 'Connections in the pool', () => pool().total);
  metrics.gauge('database_connections_idle', 'Connections that nobody uses', () => pool().idle);
  metrics.gauge('database_waiting', 'Callers that wait for a connection', () => pool().waiting);
  metrics.gauge('subscriptions', 'Subscriptions that run on this node', subscriptions);
  metrics.gauge('subscriptions_shared', 'Those of them that are answered together', () => fanOut()?.live ?? 0);
  metrics.gauge('subscription_audiences', 'To how many different answers', () => fanOut()?.audiences ?? 0);
  metrics.gauge('subscription_executions', 'Executions for those who share, so far', () => fanOut()?.executions ?? 0);
  metrics.gauge('event_position', 'The last event that this node has', () => position() ?? 0);
  metrics.gauge('event_log_end', 'The last event that has a number', () =>
    ask('gauge_event_end', 'SELECT last::float8 AS value FROM event_sequence'),
  );
  metrics.gauge('events_unnumbered', 'Committed events that the relay has not come to', () =>
    ask('gauge_events_unnumbered', 'SELECT count(*)::float8 AS value FROM event_log WHERE seq IS NULL'),
  );
  metrics.gauge('relay_lag_seconds', 'Age of the oldest of them', () =>
    ask(
      'gauge_relay_lag',
      `SELECT coalesce(extract(epoch FROM clock_timestamp() - min(occurred_at)), 0)::float8 AS value FROM event_log WHERE seq IS NULL`,
    ),
  );
  metrics.gauge('carts_holding', 'Carts that hold units', () =>
    ask(
      'gauge_carts_holding',
      `SELECT count(*)::float8 AS value FROM carts WHERE status = 'ACTIVE' AND expires_at IS NOT NULL`,
    ),
  );
  metrics.gauge('process_resident_bytes', 'Memory of the process', () => process.memoryUsage().rss);
}
