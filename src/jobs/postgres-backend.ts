import { setTimeout as delay } from 'node:timers/promises';
import { createPostgresBackend, LATEST_SCHEMA_VERSION, runMigrations, withBackend, type PgPool } from 'bullmq';
import pg from 'pg';
import { connect, DIRECT, TIME_LIMITS, type Session } from '../infra/postgres/connection.ts';
import { openPool } from '../infra/postgres/connection-pool.ts';
import type { Logger } from '../infra/logger.ts';
import type { JobBackend, JobQueue, JobWorker } from './backend.ts';
import { onceOpened, paced, SETTINGS, whenReady } from './bullmq-settings.ts';
import { createSharedListener } from './shared-listener.ts';

/** BullMQ finds its tables by the search path, so it gets connections of its own. Each schema with a shop has one beside it. */
export function jobSchemaOf(schema: string): string {
  return schema === 'public' ? 'bullmq' : `bullmq_${schema}`.slice(0, 63);
}

const CONNECT_WITHIN_MS = 5000;
const CLOSE_WITHIN_MS = 500;
const IDLE_MS = 10_000;
const UNDEFINED_TABLE = '42P01';

/** With a pool of ours BullMQ looks for its tables' version in the schema `bullmq`, whatever the search path is. */
const backendIn =
  (schema: string): typeof createPostgresBackend =>
  (...given) => {
    const backend = createPostgresBackend(...given);
    const { connection } = backend as unknown as { connection: object };
    Object.assign(backend, { schema });
    Object.assign(connection, { schema });
    return backend;
  };

/** Where the job queue is in the database, and what it may use of it. */
export interface PostgresJobsOptions {
  /** Straight to the database, or through a pooler that keeps a connection: the queue listens. */
  connectionString: string;
  session?: Session | undefined;
  /** The shop's schema. */
  schema?: string | undefined;
  /** At most, with the one that listens; 2 at least. */
  connections?: number | undefined;
  logger: Logger;
}

/**
 * Jobs in the shop's own database, in a schema of their own that BullMQ makes and migrates itself. Nothing is connected
 * until the first queue or worker is opened.
 */
export function createPostgresJobs(options: PostgresJobsOptions): JobBackend {
  const { connectionString, session = DIRECT, schema: shopSchema = 'public', connections = 4, logger } = options;
  const schema = jobSchemaOf(shopSchema);
  const { Queue, Worker } = withBackend(paced(backendIn(schema)));
  const settings = {
    connectionString,
    session: { ...session, searchPath: [schema] },
    limits: { ...TIME_LIMITS, connect: CONNECT_WITHIN_MS },
    name: 'vitrine jobs',
  };
  const pool = openPool({ ...settings, max: Math.max(1, connections - 1), idleMs: IDLE_MS });
  const listener = createSharedListener(() => connect({ ...settings, name: 'vitrine jobs listener' }));
  const connection = pool as PgPool;
  // One for each queue and worker, and BullMQ does not take them back.
  pool.setMaxListeners(0);
  pool.on('error', (error) => logger.debug({ reason: error.message }, 'a connection of the job queue broke'));
  let ended: Promise<void> | undefined;
  const end = async () => {
    await Promise.all([listener[Symbol.asyncDispose](), pool.end()]);
  };
  const prepare = onceOpened(async () => {
    const client = await pool.connect();
    try {
      if (!(await isUpToDate(client))) await runMigrations(client, schema);
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
      return whenReady(
        new Worker(name, processor, { ...SETTINGS, connection: listener.poolFor(connection), concurrency }),
        logger,
      );
    },
    async check() {
      await prepare();
      await pool.query('SELECT 1');
    },
    // It waits for connections that are in use: what hangs must not keep the process.
    [Symbol.asyncDispose]: () => Promise.race([(ended ??= end()), delay(CLOSE_WITHIN_MS, undefined, { ref: false })]),
  };
}

/** Whether the tables are those of this version of BullMQ. Its migrations change tables under locks even where they have nothing to do. */
async function isUpToDate(client: pg.ClientBase): Promise<boolean> {
  try {
    const { rows } = await client.query<{ current: boolean | null }>(
      `SELECT max(version) = $1 AND bool_and(to_jsonb(migration) ->> 'min_client_version' IS NOT NULL) AS current FROM migration`,
      [LATEST_SCHEMA_VERSION],
    );
    return rows[0]?.current === true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === UNDEFINED_TABLE) return false;
    throw error;
  }
}
