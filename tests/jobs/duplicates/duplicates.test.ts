import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Consumer } from '../../../src/events/consumer.ts';
import type { StoredEvent } from '../../../src/events/event.ts';
import type { Job } from '../../../src/jobs/define-job.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { SECRET } from '../../support/contentful.ts';
import { known } from '../../support/known.ts';
import { recordLogs } from '../../support/logs.ts';
import { openQuietShop } from '../../support/quiet-shop.ts';
import { openSmtp } from '../../support/smtp.ts';
import { consumers as consumerRows, jobs as jobRows, type Scene } from './table.ts';

let shop: Scene;
/** As the shop itself has them. */
let consumers: readonly Consumer[] = [];
let jobs: readonly Job<unknown>[] = [];
beforeAll(async () => {
  const smtp = await openSmtp();
  const opened = await openQuietShop(
    { BCRYPT_COST: '4', PAYMENT_PROVIDERS: 'test,manual', SMTP_URL: smtp.url, CONTENTFUL_WEBHOOK_SECRET: SECRET },
    {
      consumers: (real) => (consumers = real),
      jobs: (real) => {
        jobs = Object.values(real);
        return real;
      },
    },
  );
  shop = { ...opened, smtp };
});
afterAll(async () => {
  await shop.dispose();
  await shop.smtp.stop();
});

/** What all tables hold, but those that the relay and the queue see to. */
async function everything(except: readonly string[] = []): Promise<Record<string, unknown>> {
  const tables = await rowsOf<{ name: string }>(
    shop.db,
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'
        AND tablename NOT IN ('event_sequence', '_prisma_migrations') ORDER BY tablename`,
  );
  const held: Record<string, unknown> = {};
  for (const { name } of tables.filter((table) => !except.includes(table.name))) {
    // The number that an event is given is the relay's.
    const what = name === 'event_log' ? `to_jsonb(t) - 'seq'` : 'to_jsonb(t)';
    const [row] = await rowsOf<{ rows: unknown }>(
      shop.db,
      `SELECT coalesce(jsonb_agg(${what} ORDER BY ${what}), '[]') AS rows FROM ${name} t`,
    );
    held[name] = row?.rows;
  }
  return held;
}

/** Hands an event to a consumer until it has done with it, each time in a transaction of its own. */
async function handle(consumer: Consumer, event: StoredEvent): Promise<void> {
  while ((await shop.db.transaction((tx) => consumer.handle(tx, event))) === 'MORE');
}

/** Does it once, and then again and again. */
async function expectOneEffect(
  row: { expected: unknown; changes?: readonly string[] },
  { effect, once, again }: { effect: () => Promise<unknown>; once: () => Promise<void>; again: () => Promise<void> },
): Promise<void> {
  expect(await effect()).not.toEqual(row.expected);
  await once();
  expect(await effect()).toEqual(row.expected);
  const before = await everything(row.changes);
  await again();
  expect(await effect()).toEqual(row.expected);
  expect(await everything(row.changes)).toEqual(before);
  expect(await findFaults(shop.db)).toEqual([]);
}

const ofConsumers = Object.entries(consumerRows).flatMap(([name, rows]) =>
  Object.entries(rows).map(([type, row]) => [name, type, row] as const),
);

describe('an event that comes more than once', () => {
  test.each(ofConsumers)('%s has one effect of %s', async (name, type, row) => {
    const consumer = known(consumers.find((each) => each.name === name));
    const { comes, effect } = await row.given(shop);
    expect(comes.type).toBe(type);
    const event = { ...comes, seq: 1, occurredAt: new Date() };
    await expectOneEffect(row, {
      effect,
      once: () => handle(consumer, event),
      async again() {
        // The very event, and a copy of it: staff retry what was parked, and a runner may have died before it moved on.
        await handle(consumer, event);
        await handle(consumer, structuredClone(event));
      },
    });
  });
});

describe('a job that runs more than once', () => {
  const run = () => ({ signal: new AbortController().signal, logger: recordLogs().logger });

  test.each(Object.entries(jobRows))('%s has one effect', async (name, row) => {
    const job = known(jobs.find((each) => each.name === name));
    const { comes, effect } = await row.given(shop);
    const payload = job.schema.parse(comes);
    expect(payload).toEqual(comes);
    await expectOneEffect(row, {
      effect,
      once: () => job.run(payload, run()),
      async again() {
        await job.run(payload, run());
        await Promise.all([job.run(payload, run()), job.run(payload, run())]);
      },
    });
  });

  // A worker that was thought to be dead goes on beside the one that has taken over.
  test.each(Object.entries(jobRows))('%s has one effect where it runs twice at once', async (name, row) => {
    const job = known(jobs.find((each) => each.name === name));
    const { comes, effect } = await row.given(shop);
    const payload = job.schema.parse(comes);
    expect(payload).toEqual(comes);
    await expectOneEffect(row, {
      effect,
      once: async () => void (await Promise.all([job.run(payload, run()), job.run(payload, run())])),
      again: () => job.run(payload, run()),
    });
  });
});

describe('the table', () => {
  test('has a row for every consumer and each of its types', () => {
    const wanted = consumers.flatMap(({ name, types }) => types.map((type) => `${name} ${type}`));
    expect(wanted.length).toBeGreaterThan(0);
    expect(ofConsumers.map(([name, type]) => `${name} ${type}`).toSorted()).toEqual(wanted.toSorted());
  });

  test('has a row for every job', () => {
    expect(jobs.length).toBeGreaterThan(0);
    expect(Object.keys(jobRows).toSorted()).toEqual(jobs.map((job) => job.name).toSorted());
  });
});
