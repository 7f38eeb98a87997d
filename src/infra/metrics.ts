import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Logger } from './logger.ts';
import { within } from './within.ts';

/** What a process counts, for Prometheus. One set per app. */
export interface Metrics {
  /** Operations that were executed, or refused before, by what they asked for and how that ended. */
  operations: Counter<'type' | 'field' | 'outcome'>;
  /** Seconds that queries and mutations took to execute. */
  durations: Histogram<'type' | 'field'>;
  /** Events that came neither by the bus nor from this process: read from the log, in a hole or at its end. */
  eventsRead: Counter<'where'>;
  /** How many events each run of this process's relay numbered. */
  relayBatches: Histogram;
  eventsNumbered: Counter;
  /** Queries that could be answered from memory, by how they were: hit, miss, or bypassed (staff, or the feed is away). */
  memoryReads: Counter<'outcome'>;
  /** Answers that went from memory to make room for others. */
  memoryEvictions: Counter;
  /** Subscriptions that were ended since their subscriber did not keep up. */
  lagged: Counter;
  /** Runs of consumers in this process that went through to the log's end, or not. */
  consumerRuns: Counter<'consumer' | 'outcome'>;
  /** What became of events in consumers of this process. */
  consumerEvents: Counter<'consumer' | 'outcome'>;
  /** Runs of jobs in this process, by how they ended, with the seconds that they took. */
  jobRuns: Histogram<'job' | 'outcome'>;
  /** Sockets, streams and replays that were refused since their client has too many. */
  refused: Counter<'limit'>;
  cartsExpired: Counter;
  unitsReleased: Counter;
  /** Declares a value that is read from memory with each scrape. */
  gauge(name: string, help: string, read: () => number): void;
  /**
   * Declares values that somebody else has to be asked for; they are asked once, however many scrape at the same time. Where
   * the answer fails or is late, they are left out, and the rest is shown.
   * @param names with what each of them is about; their values are named by these labels
   */
  probe<Name extends string>(
    what: string,
    names: Readonly<Record<Name, string>>,
    labels: readonly string[],
    ask: () => Promise<readonly Sample<Name>[]>,
  ): void;
  contentType: string;
  /** All of it, in Prometheus' text format. */
  text(): Promise<string>;
}

/** One value that was asked for. */
export interface Sample<Name extends string> {
  name: Name;
  value: number;
  labels?: Readonly<Record<string, string>>;
}

/** From a tenth of a query to what should never be. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** A mail may take its time, and so may the carts of a second. */
const JOB_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500];
/** Prometheus itself waits for ten seconds; what does not answer must not cost it the rest. */
const ANSWER_WITHIN_MS = 2000;

/** Makes an empty set. Names begin with `vitrine_`. */
export function createMetrics({ logger }: { logger: Logger }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const probes: (() => Promise<void>)[] = [];
  let reading: Promise<string> | undefined;

  const counter = <Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ name: `vitrine_${name}`, help, labelNames, registers });
  const histogram = <Label extends string = never>(
    name: string,
    help: string,
    { labelNames = [], buckets }: { labelNames?: readonly Label[]; buckets: number[] },
  ) => new Histogram<Label>({ name: `vitrine_${name}`, help, labelNames, buckets, registers });

  async function read(): Promise<string> {
    await Promise.all(probes.map((probe) => probe()));
    return registry.metrics();
  }

  return {
    operations: counter(
      'graphql_operations_total',
      'GraphQL operations by type, root field and outcome (ok, or the code of the first error)',
      ['type', 'field', 'outcome'],
    ),
    durations: histogram('graphql_operation_seconds', 'Seconds that queries and mutations took to execute', {
      labelNames: ['type', 'field'],
      buckets: SECONDS,
    }),
    eventsRead: counter(
      'events_read_from_log_total',
      'Events read from the event log because no batch contained them: in a gap before later events (hole) or at the end of the log (end)',
      ['where'],
    ),
    relayBatches: histogram('relay_batch_events', 'Events that the relay of this process numbered at a time', {
      buckets: BATCH_SIZES,
    }),
    eventsNumbered: counter('relay_events_total', 'Events that the relay of this process numbered'),
    memoryReads: counter(
      'memory_reads_total',
      'Queries about the catalogue: answered from memory (hit), executed and kept (miss), or executed for staff or while events are late (bypassed)',
      ['outcome'],
    ),
    memoryEvictions: counter('memory_evictions_total', 'Answers that left memory to make room for others'),
    lagged: counter('subscriptions_lagged_total', 'Subscriptions ended with LAGGED'),
    consumerRuns: counter('consumer_runs_total', 'Runs of a consumer in this process, by how they ended (ok, failed)', [
      'consumer',
      'outcome',
    ]),
    consumerEvents: counter(
      'consumer_events_total',
      'Events in the consumers of this process: handled, parked, or tried and to be tried again (failed)',
      ['consumer', 'outcome'],
    ),
    jobRuns: histogram(
      'job_run_seconds',
      'Seconds that runs of jobs in this process took, by how they ended (ok, failed: to be tried again, failed_for_good, given_back)',
      { labelNames: ['job', 'outcome'], buckets: JOB_SECONDS },
    ),
    refused: counter(
      'presence_refused_total',
      'Sockets, streams and replays refused since their client has too many, by limit',
      ['limit'],
    ),
    cartsExpired: counter('carts_expired_total', 'Carts that this process expired'),
    unitsReleased: counter('units_released_total', 'Units that this process gave back to stock from expired carts'),
    gauge(name, help, value) {
      const gauge: Gauge = new Gauge({
        name: `vitrine_${name}`,
        help,
        registers,
        collect: () => gauge.set(value()),
      });
    },
    probe(what, names, labelNames, ask) {
      const gauges = new Map(
        Object.entries<string>(names).map(([name, help]) => [
          name,
          new Gauge({ name: `vitrine_${name}`, help, labelNames, registers }),
        ]),
      );
      const forget = () => {
        // (One without labels is 0 after a reset, which would be a lie.)
        for (const gauge of gauges.values())
          if (labelNames.length > 0) gauge.reset();
          else gauge.set(NaN);
      };
      probes.push(async () => {
        const samples = await within(ANSWER_WITHIN_MS, ask()).catch((error: unknown) => {
          logger.debug({ err: error }, `${what} could not be read for the metrics`);
          return [];
        });
        // In one tick with the values: nothing is shown half.
        forget();
        for (const { name, value, labels = {} } of samples) gauges.get(name)?.set(labels, value);
      });
    },
    contentType: registry.contentType,
    text() {
      reading ??= read().finally(() => {
        reading = undefined;
      });
      return reading;
    },
  };
}
