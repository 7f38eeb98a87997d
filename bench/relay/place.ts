import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createLocalBus, type EventBatch, type EventBus } from '../../src/events/bus.ts';
import { createEventLog, type EventLog } from '../../src/events/event-log.ts';
import { startFeed, type EventFeed } from '../../src/events/feed.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { createLogger, type Logger } from '../../src/infra/logger.ts';
import { migrate } from '../../src/infra/migrations/migrations.ts';

/** A migrated database. */
export interface Place {
  connectionString: string;
  logger: Logger;
  dispose(): Promise<void>;
}

/** Takes the database that is given, or starts a PostgreSQL in a folder that is thrown away. */
export async function openPlace(databaseUrl: string | undefined): Promise<Place> {
  const logger = createLogger({ level: 'error', pretty: false });
  if (databaseUrl !== undefined) {
    await migrate({ connectionString: databaseUrl, logger });
    return { connectionString: databaseUrl, logger, dispose: async () => {} };
  }
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-'));
  chmodSync(folder, 0o711); // as root, PostgreSQL is another user
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 25 });
  try {
    // The time of each commit is what latency is counted from.
    const settings = { track_commit_timestamp: 'on' };
    const { connectionString, dispose } = await startEmbeddedPostgres({ dataDir: folder, logger, settings });
    await migrate({ connectionString, logger });
    return { connectionString, logger, dispose: () => dispose().then(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}

/** A node: writers that each have a connection, the log, and, while it is on, the relay that numbers what they commit. */
export interface Node extends AsyncDisposable {
  /** What the writers write through. */
  db: Database;
  log: EventLog;
  feed: EventFeed;
  /** Sizes of the batches that its relay has published. */
  batches: number[];
  /** Turns the relay on, for as long as the work takes; all that was committed is numbered when it ends. */
  withRelay<T>(work: () => Promise<T>): Promise<T>;
}

/** Starts one. Its relay is off: what is committed stays without a number. */
export async function startNode({ connectionString, logger }: Place, writers: number): Promise<Node> {
  const db = openDatabase({ connectionString, poolSize: writers, logger });
  // Apart from the writers: those have all of the pool to themselves.
  const own = openDatabase({ connectionString, poolSize: 2, logger });
  const batches: number[] = [];
  const local = createLocalBus();
  const bus: EventBus = {
    ...local,
    publish(batch: EventBatch) {
      batches.push(batch.events.length);
      return local.publish(batch);
    },
  };
  let relay: Relay | undefined;
  const log = createEventLog({ db, wake: () => relay?.wake() });
  const feed = await startFeed({ log: createEventLog({ db: own, wake: () => {} }), bus, logger });
  return {
    db,
    log,
    feed,
    batches,
    async withRelay(work) {
      await using running = startRelay({ db: own, bus, logger });
      relay = running;
      try {
        return await work();
      } finally {
        await running.flush();
        relay = undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      await feed[Symbol.asyncDispose]();
      await db[Symbol.asyncDispose]();
      await own[Symbol.asyncDispose]();
    },
  };
}

/** Holds a snapshot open, as a long report or a dump does: no dead row that it might still see can go. */
export async function holdSnapshot({ connectionString }: Place): Promise<AsyncDisposable> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('SET idle_in_transaction_session_timeout = 0');
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT count(*) FROM event_sequence');
  return {
    async [Symbol.asyncDispose]() {
      await client.query('COMMIT');
      await client.end();
    },
  };
}
