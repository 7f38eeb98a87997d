import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresBackend, runMigrations, withBackend, type PgPool } from 'bullmq';
import pg from 'pg';
import type { Logger } from '../infra/logger.ts';
import type { JobBackend, JobQueue, JobWorker } from './backend.ts';
import { onceOpened, SETTINGS, whenReady } from './bullmq-settings.ts';

/** BullMQ finds its tables by the search path, so it gets connections of its own. */
const SCHEMA = 'bullmq';
/** Each worker holds one to listen on; the rest are for statements, which are short. */
const CONNECTIONS = 12;
const CONNECT_WITHIN_MS = 5000;
const CLOSE_WITHIN_MS = 500;

/** How long a worker waits after its queue failed it. */
const PAUSE_MS = 1000;

/**
 * BullMQ's workers ask for the next job again at once where that fails, other than by a refused connection: while PostgreSQL
 * starts, or once the pool is closed, they would do nothing else, and let nothing else of the process have its turn.
 */
const createPacedBackend: typeof createPostgresBackend = (...given) => {
  const backend = createPostgresBackend(...given);
  const moveToActive = backend.moveToActive.bind(backend);
  backend.moveToActive = async (...asked) => {
    try {
      return await moveToActive(...asked);
    } catch (error) {
      await delay(PAUSE_MS, undefined, { ref: false });
      throw error;
    }
  };
  return backend;
};

/**
 * Jobs in the shop's own database, in a schema of their own that BullMQ makes and migrates itself. Nothing is connected
 * until the first queue or worker is opened.
 */
export function createPostgresJobs(options: { connectionString: string; logger: Logger }): JobBackend {
  const { connectionString, logger } = options;
  const { Queue, Worker } = withBackend(createPacedBackend);
  const pool = new pg.Pool({
    connectionString,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    application_name: 'vitrine jobs',
    options: `-c search_path=${SCHEMA}`,
    // A connection to listen on that is cut off in silence must be noticed.
    keepAlive: true,
  });
  const connection = pool as PgPool;
  // One for each queue and worker, and BullMQ does not take them back.
  pool.setMaxListeners(0);
  pool.on('error', (error) => logger.debug({ reason: error.message }, 'a connection of the job queue broke'));
  let ended: Promise<void> | undefined;
  const prepare = onceOpened(async () => {
    const client = await pool.connect();
    try {
      await runMigrations(client, SCHEMA);
    } finally {
      client.release();
    }
  });

  return {
    async openQueue(name): Promise<JobQueue> {
      await prepare();
      return whenReady(new Queue(name, { connection }), logger);
    },
    async openWorker(name, processor, { concurrency }): Promise<JobWorker> {
      await prepare();
      return whenReady(new Worker(name, processor, { ...SETTINGS, connection, concurrency }), logger);
    },
    async check() {
      await prepare();
      await pool.query('SELECT 1');
    },
    // It waits for connections that are in use: what hangs must not keep the process.
    [Symbol.asyncDispose]: () =>
      Promise.race([(ended ??= pool.end()), delay(CLOSE_WITHIN_MS, undefined, { ref: false })]),
  };
}
