import { Queue, createPostgresBackend, withBackend, type PgPool } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { pino } from 'pino';
import { redisName, settleLogHome, type LogHome } from '../../src/events/log-home.ts';
import { openDatabase } from '../../src/infra/postgres/database.ts';
import { createJobBackend } from '../../src/jobs/backend-choice.ts';
import type { JobBackend } from '../../src/jobs/backend.ts';
import { jobPrefix } from '../../src/jobs/redis-backend.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { hasRedis, KEEPS_DATA, startRedis, type TestRedis } from './redis.ts';

/** Where jobs may be kept, each to be tried. */
export const JOB_BACKENDS = ['PostgreSQL', ...(hasRedis('The job queue') ? ['Redis'] : [])] as (
  'PostgreSQL' | 'Redis'
)[];

/** What stands in a queue, as its tables or keys have it. */
export interface QueueView extends AsyncDisposable {
  ids(state: 'waiting' | 'delayed' | 'completed' | 'failed' | 'active'): Promise<string[]>;
  failures(): Promise<{ reason: string; tries: number }[]>;
  /** Puts something in as it is, whatever the shop would say to it. */
  addRaw(data: object): Promise<void>;
  /** Has delayed jobs run now. */
  promote(): Promise<void>;
  /** Takes everything out of it. */
  obliterate(): Promise<void>;
}

/** A job queue of a test's own, with a database beside it in any case. */
export interface TestJobs {
  database: TestDatabase;
  redis: TestRedis | null;
  redisUrl: string | null;
  /** As one more process. */
  open(logger?: pino.Logger): JobBackend;
  look(name: string): Promise<QueueView>;
  dispose(): Promise<void>;
}

/** Makes one. */
export async function createTestJobs(kind: (typeof JOB_BACKENDS)[number]): Promise<TestJobs> {
  const database = await createTestDatabase();
  const redis = kind === 'Redis' ? await startRedis(KEEPS_DATA) : null;
  const redisUrl = redis?.url ?? null;
  const open = (logger = pino({ level: 'silent' })) =>
    createJobBackend({
      config: { redisUrl },
      connectionString: database.url,
      shop: async () => redisName(await homeOf(database.url)),
      logger,
    });
  return {
    database,
    redis,
    redisUrl,
    open,
    async look(name) {
      // The tables are made by whoever comes first.
      const maker = open();
      await (await maker.openQueue(name)).close();
      await maker[Symbol.asyncDispose]();
      return redisUrl === null
        ? lookAtTables(database.url, name)
        : lookAtKeys(redisUrl, redisName(await homeOf(database.url)), name);
    },
    async dispose() {
      await redis?.dispose();
      await database.dispose();
    },
  };
}

async function lookAtTables(url: string, name: string): Promise<QueueView> {
  const pool = new pg.Pool({ connectionString: url, options: '-c search_path=bullmq' });
  pool.on('error', () => {});
  const classes = withBackend(createPostgresBackend);
  const queue = new classes.Queue(name, { connection: pool as PgPool });
  queue.on('error', () => {});
  return viewOf(queue as unknown as Queue, () => pool.end());
}

/** The log of the shop on this database, by which its queues are named. */
export async function homeOf(url: string): Promise<LogHome> {
  const silent = pino({ level: 'silent' });
  await using db = openDatabase({ connectionString: url, poolSize: 1, logger: silent });
  return await settleLogHome(db, silent);
}

async function lookAtKeys(url: string, shop: string, name: string): Promise<QueueView> {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  connection.on('error', () => {});
  const queue = new Queue(name, { connection, prefix: jobPrefix(shop) });
  queue.on('error', () => {});
  return viewOf(queue, async () => connection.disconnect());
}

function viewOf(queue: Queue, end: () => Promise<void>): QueueView {
  return {
    ids: async (state) => (await queue.getJobs([state])).map((job) => job.id ?? ''),
    failures: async () =>
      (await queue.getFailed()).map((job) => ({ reason: job.failedReason, tries: job.attemptsMade })),
    addRaw: async (data) => void (await queue.add(queue.name, data, { attempts: 5 })),
    promote: () => queue.promoteJobs(),
    async obliterate() {
      await queue.obliterate({ force: true });
      await queue.resume();
    },
    async [Symbol.asyncDispose]() {
      await queue.close();
      await end();
    },
  };
}
