import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What a process counts, for Prometheus. One set per app. */
export interface Metrics {
  /** Operations that were executed, or refused before, by what they asked for and how that ended. */
  operations: Counter<'type' | 'field' | 'outcome'>;
  /** Seconds that queries and mutations took to execute. */
  durations: Histogram<'type' | 'field'>;
  /** Events that came neither by the bus nor from this process: read from the log. */
  eventsRead: Counter;
  /** Subscriptions that were ended since their subscriber did not keep up. */
  lagged: Counter;
  /** Sockets, streams and replays that were refused since their client has too many. */
  refused: Counter<'limit'>;
  cartsExpired: Counter;
  unitsReleased: Counter;
  /** Declares a value that is read when somebody asks. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  contentType: string;
  /** All of it, in Prometheus' text format. */
  text(): Promise<string>;
}

/** From a tenth of a query to what should never be. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Makes an empty set. Names begin with `vitrine_`. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name: `vitrine_${name}`, help, registers });
  return {
    operations: new Counter({
      name: 'vitrine_graphql_operations_total',
      help: 'GraphQL operations by type, root field and outcome (ok, or the code of the first error)',
      labelNames: ['type', 'field', 'outcome'],
      registers,
    }),
    durations: new Histogram({
      name: 'vitrine_graphql_operation_seconds',
      help: 'Seconds that queries and mutations took to execute',
      labelNames: ['type', 'field'],
      buckets: SECONDS,
      registers,
    }),
    eventsRead: counter('events_read_from_log_total', 'Events that no batch told of, read from the log'),
    lagged: counter('subscriptions_lagged_total', 'Subscriptions ended with LAGGED'),
    refused: new Counter({
      name: 'vitrine_presence_refused_total',
      help: 'Sockets, streams and replays refused since their client has too many, by limit',
      labelNames: ['limit'],
      registers,
    }),
    cartsExpired: counter('carts_expired_total', 'Carts that this process expired'),
    unitsReleased: counter('units_released_total', 'Units that this process gave back to stock from expired carts'),
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({
        name: `vitrine_${name}`,
        help,
        registers,
        async collect() {
          gauge.set(await read());
        },
      });
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
  };
}
