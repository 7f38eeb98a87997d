import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, openReader } from '../../src/infra/postgres/database.ts';
import { migrate } from '../../src/infra/migrations/migrations.ts';
import { createPostgresJobs } from '../../src/jobs/postgres-backend.ts';
import { startFakePostgres, type LastWords } from '../support/fake-postgres.ts';

const logger = pino({ level: 'silent' });
const STATEMENT = { name: 'one', text: 'SELECT 1' };

const uncaught: unknown[] = [];
const note = (error: unknown) => uncaught.push(error);
beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', note);
});
afterEach(() => {
  process.off('uncaughtException', note);
});

/** Everything that opens a connection, and sends a statement over it. */
const openers: Record<string, (url: string) => Promise<unknown>> = {
  'a statement of the pool': async (url) => {
    await using db = openDatabase({ connectionString: url, poolSize: 2, logger });
    await db.query(STATEMENT);
  },
  'a transaction': async (url) => {
    await using db = openDatabase({ connectionString: url, poolSize: 2, logger });
    await db.transaction((tx) => tx.query(STATEMENT));
  },
  Prisma: async (url) => {
    await using db = openDatabase({ connectionString: url, poolSize: 2, logger });
    await db.prisma.user.findMany();
  },
  'a transaction of Prisma': async (url) => {
    await using db = openDatabase({ connectionString: url, poolSize: 2, logger });
    await db.prisma.$transaction((tx) => tx.user.findMany());
  },
  'a connection of its own': async (url) => {
    await using db = openDatabase({ connectionString: url, poolSize: 2, logger });
    const client = await db.connect();
    // oxlint-disable-next-line typescript/no-misused-promises -- `finally` waits for it
    await client.query('SELECT 1').finally(() => client.end());
  },
  'a reader': async (url) => {
    await using reader = openReader({ connectionString: url, poolSize: 1, logger });
    await reader.query(STATEMENT);
  },
  'a migration': (url) => migrate({ connectionString: url, logger, lockTimeoutMs: 0 }),
  'the job queue': async (url) => {
    await using jobs = createPostgresJobs({ connectionString: url, logger });
    await jobs.openQueue('last-words');
  },
};

describe.each<[LastWords, string]>([
  ['READY', 'the end of the log-in'],
  ['ANSWER', 'an answer'],
  ['COMMIT', 'the answer to COMMIT'],
])('a connection that ends in one packet with %s (%s)', (lastWords) => {
  test.each(Object.keys(openers))('does not end the process: %s', async (name) => {
    const server = await startFakePostgres(lastWords);
    try {
      for (let i = 0; i < 3; i += 1) await openers[name]?.(server.url).catch(() => {});
      // What is thrown outside of any promise comes in a later turn.
      await new Promise(setImmediate);
      if (lastWords !== 'COMMIT' || name === 'a transaction') expect(server.ended()).toBeGreaterThan(0);
    } finally {
      await server.dispose();
    }
    expect(uncaught).toEqual([]);
  });
});

test('what was committed in one packet with the end of its connection is committed', async () => {
  const server = await startFakePostgres('COMMIT');
  try {
    await using db = openDatabase({ connectionString: server.url, poolSize: 2, logger });
    const committed: string[] = [];
    const result = await db.transaction(async (tx) => {
      tx.afterCommit(() => committed.push('yes'));
      await tx.query(STATEMENT);
      return 'done';
    });
    expect([result, committed, server.ended()]).toEqual(['done', ['yes'], 1]);
  } finally {
    await server.dispose();
  }
});
