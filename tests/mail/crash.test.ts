import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import PostalMime from 'postal-mime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEventLog } from '../../src/events/event-log.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { newEmail, register } from '../support/accounts.ts';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { createClient } from '../support/client.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { letTimePass, mailState } from '../support/mails.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newDataDir, startShopProcess, type ShopProcess } from '../support/shop-process.ts';
import { enter } from '../support/shopper.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';
import { until } from '../support/until.ts';

/*
 * A real shop, killed where it is while a mail is on its way. The server, or a lock in the database, holds it at the point;
 * it comes back, and the mail has arrived: once, or twice under one Message-ID where nobody can have known of the first time.
 */

let database: TestDatabase;
let db: Database;
let smtp: TestSmtp;
let running: ShopProcess[];
beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 3, logger: pino({ level: 'silent' }) });
  smtp = await startSmtp();
  running = [];
});
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all(running.map(({ exited }) => exited));
  smtp.release();
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

async function start(): Promise<ShopProcess> {
  const shop = await startShopProcess({
    DATABASE_URL: database.url,
    DATA_DIR: newDataDir(),
    JWT_SECRET: 'a secret of tests that is long enough',
    SEED: 'none',
    SMTP_URL: smtp.url,
    MAIL_FROM: 'The Shop <shop@vitrine.test>',
    BCRYPT_COST: '4',
  });
  running.push(shop);
  return shop;
}

async function kill(shop: ShopProcess): Promise<void> {
  shop.child.kill('SIGKILL');
  expect(await shop.exited).toBe('SIGKILL');
}

/** The database finds out when it looks for the one who asked, and takes back the statements that wait. */
async function takeBackStatements(): Promise<void> {
  await rowsOf(
    db,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
}

/** A mail as a consumer wrote it down that died before it could say so: to somebody who is welcome. */
async function mailInRow(): Promise<string> {
  const [userId, id] = [randomUUID(), randomUUID()];
  const email = `person-${userId}@example.com`;
  await rowsOf(
    db,
    `INSERT INTO users (id, email, name, password_hash, created_at, updated_at) VALUES ($1, $2, 'Ada', '$2b$04$' || repeat('a', 53), now(), now())`,
    [userId, email],
  );
  await rowsOf(
    db,
    `INSERT INTO mails (id, cause, template, recipient, user_id, data, message_id, due_at, created_at)
     VALUES ($1, $2, 'welcome', $3, $4, jsonb_build_object('userId', $4::uuid), $5, now() - interval '2 minutes', now() - interval '2 minutes')`,
    [id, `event:${userId}`, email, userId, `<${id}@vitrine.test>`],
  );
  return id;
}

const untilSent = (id: string) =>
  until('the mail is sent', async () => (await mailState({ db }, id)).status === 'SENT', 30_000);

describe('the shop, killed', () => {
  test('between the row and its job: the mail goes out once', async () => {
    const id = await mailInRow();
    await start();
    await untilSent(id);
    expect(smtp.arrived.map((mail) => mail.messageId)).toEqual([`<${id}@vitrine.test>`]);
  }, 60_000);

  test.each(['GREETING', 'RCPT'] as const)(
    'before the mail is handed over, at %s: it goes out once',
    async (point) => {
      smtp.say(point, 'HOLD');
      const id = await mailInRow();
      const first = await start();
      await smtp.untilHeld(point);
      await kill(first);
      expect(await mailState({ db }, id)).toMatchObject({ status: 'PENDING', attempts: 1, claimed: true });
      expect(smtp.arrived).toEqual([]);

      smtp.say(point, 'OK');
      await letTimePass({ db }, id);
      await start();
      await untilSent(id);
      expect(smtp.arrived.map((mail) => mail.messageId)).toEqual([`<${id}@vitrine.test>`]);
    },
    90_000,
  );

  test('while the server’s answer is on its way: it goes out again, under the same Message-ID', async () => {
    smtp.say('DATA', 'HOLD');
    const id = await mailInRow();
    const first = await start();
    await smtp.untilHeld('DATA');
    await kill(first);
    expect(await mailState({ db }, id)).toMatchObject({ status: 'PENDING', attempts: 1, claimed: true });

    smtp.say('DATA', 'OK');
    await letTimePass({ db }, id);
    await start();
    await untilSent(id);
    expect(smtp.arrived.map((mail) => mail.messageId)).toEqual([`<${id}@vitrine.test>`, `<${id}@vitrine.test>`]);
  }, 90_000);

  test('between the answer and the record: likewise; and after the record: not again', async () => {
    smtp.say('DATA', 'HOLD');
    const id = await mailInRow();
    const first = await start();
    await smtp.untilHeld('DATA');
    await using barrier = await holdBarrier(db, 'SELECT FROM mails WHERE id = $1 FOR UPDATE', [id]);
    await using locks = await watchLocks(db);
    smtp.say('DATA', 'OK');
    smtp.release();
    await until('it would be recorded', async () =>
      (await locks.waiters()).some((query) => query.includes("SET status = 'SENT'")),
    );
    await kill(first);
    await takeBackStatements();
    await barrier.release();
    expect(await mailState({ db }, id)).toMatchObject({ status: 'PENDING', attempts: 1, claimed: true });

    await letTimePass({ db }, id);
    const second = await start();
    await untilSent(id);
    expect(smtp.taken().map((mail) => mail.messageId)).toEqual([`<${id}@vitrine.test>`, `<${id}@vitrine.test>`]);

    await kill(second);
    const other = await mailInRow();
    await start();
    await untilSent(other);
    expect(smtp.arrived.map((mail) => mail.messageId).slice(2)).toEqual([`<${other}@vitrine.test>`]);
  }, 120_000);
});

/** Where the shop is killed on the way from what somebody does to the mail that comes of it. */
interface KillPoint {
  /** Has the shop come as far as that while `act` is done, and kills it there. */
  killed: (shop: ShopProcess, act: () => Promise<void>) => Promise<void>;
  /** Mails that stand in rows then. */
  rows: number;
  /** How often each mail comes in all. */
  times: number;
}

/** Holds locks while something is done, and kills the shop when it has come to wait, or to the point. */
function heldBy(lock: () => string | Promise<string>, untilThere: (shop: ShopProcess) => Promise<unknown>) {
  return async (shop: ShopProcess, act: () => Promise<void>) => {
    await using barrier = await holdBarrier(db, await lock());
    await act();
    await untilThere(shop);
    await kill(shop);
    await takeBackStatements();
    await barrier.release();
  };
}

const untilWaits = (count: number, at: string) => async () => {
  await using locks = await watchLocks(db);
  await until(`${count} wait at ${at}`, async () => {
    const waiting = (await locks.waiters()).filter((query) => query.includes(at));
    return waiting.length === count;
  });
};

const mailRows = () =>
  rowsOf<{ id: string; template: string; recipient: string; status: string; attempts: number; messageId: string }>(
    db,
    'SELECT id, template, recipient, status, attempts, message_id AS "messageId" FROM mails ORDER BY template',
  );

/** Holds the server there until both mails have come to it. */
async function atServer(point: 'GREETING' | 'DATA', act: () => Promise<void>): Promise<void> {
  smtp.say(point, 'HOLD');
  await act();
  const tried = async () => (await mailRows()).filter(({ attempts }) => attempts === 1).length;
  await until('both are on their way', async () => (await tried()) === 2);
  if (point === 'DATA') await until('both have come', () => smtp.arrived.length === 2);
  else await smtp.untilHeld(point);
}

const points: readonly (readonly [string, KillPoint])[] = [
  [
    'before its event has a number',
    {
      killed: heldBy(() => 'SELECT FROM event_sequence FOR UPDATE', untilWaits(1, 'event_sequence')),
      rows: 0,
      times: 1,
    },
  ],
  [
    'between the event and the row',
    { killed: heldBy(() => 'LOCK TABLE mails IN SHARE MODE', untilWaits(1, 'INSERT INTO mails')), rows: 0, times: 1 },
  ],
  [
    'between the row and its job',
    {
      killed: heldBy(
        async () => `LOCK TABLE ${(await tablesOfJobs()).join(', ')} IN SHARE MODE`,
        () => until('the rows are there', async () => (await mailRows()).length === 2),
      ),
      rows: 2,
      times: 1,
    },
  ],
  [
    'between the job and the sending',
    {
      async killed(shop, act) {
        await atServer('GREETING', act);
        await kill(shop);
        expect(smtp.arrived).toEqual([]);
        smtp.say('GREETING', 'OK');
      },
      rows: 2,
      times: 1,
    },
  ],
  [
    'between the sending and its answer',
    {
      async killed(shop, act) {
        await atServer('DATA', act);
        await kill(shop);
        smtp.say('DATA', 'OK');
      },
      rows: 2,
      times: 2,
    },
  ],
  [
    'between the answer and the record',
    {
      async killed(shop, act) {
        await atServer('DATA', act);
        const answered = async () => {
          smtp.say('DATA', 'OK');
          smtp.release();
        };
        await heldBy(() => 'SELECT FROM mails FOR UPDATE', untilWaits(2, "SET status = 'SENT'"))(shop, answered);
        expect(smtp.taken()).toHaveLength(2);
      },
      rows: 2,
      times: 2,
    },
  ],
];

async function tablesOfJobs(): Promise<string[]> {
  const tables = await rowsOf<{ name: string }>(
    db,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq'`,
  );
  expect(tables.length).toBeGreaterThan(0);
  return tables.map(({ name }) => name);
}

describe('somebody registers, somebody else buys, and the shop is killed', () => {
  test.each(points)(
    '%s: both are told',
    async (_point, { killed, rows, times }) => {
      const first = await start();
      await until('its consumer has a place in the log', async () => {
        const found = await rowsOf(db, `SELECT FROM event_consumers WHERE name = 'mail-notices'`);
        return found.length > 0;
      });
      await until('it runs jobs', async () => {
        const found = await rowsOf(db, `SELECT FROM pg_tables WHERE schemaname = 'bullmq'`);
        return found.length > 0;
      });
      const variant = await makeVariant({ db, eventLog: createEventLog({ db, wake() {} }) }, { onHand: 3 });
      const client = () => createClient(first.url);
      const [member, buyer] = [newEmail(), newEmail()];
      const guest = await enter({ client });
      await guest.add({ variantId: variant.globalId, quantity: 2 });

      let number = '';
      await killed(first, async () => {
        expect((await register(client(), { email: member })).errors).toEqual([]);
        const { order, errors } = await guest.checkout({ idempotencyKey: randomUUID(), email: buyer });
        expect(errors).toEqual([]);
        ({ number } = known(order));
      });
      const left = await mailRows();
      expect(left.map(({ status }) => status)).toEqual(Array.from({ length: rows }, () => 'PENDING'));
      expect(smtp.arrived).toHaveLength(times === 1 ? 0 : 2);

      // What it had taken for itself runs out.
      for (const { id } of left) await letTimePass({ db }, id);
      await rowsOf(db, 'UPDATE event_consumers SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL');
      await start();
      await until(
        'both are sent',
        async () => (await mailRows()).filter(({ status }) => status === 'SENT').length === 2,
        30_000,
      );

      const mails = await mailRows();
      expect(mails.map(({ template, recipient }) => [template, recipient])).toEqual([
        ['order-placed', buyer],
        ['welcome', member],
      ]);
      const wanted = mails.flatMap(({ messageId }) => Array.from({ length: times }, () => messageId));
      expect(smtp.arrived.map(({ messageId }) => messageId).toSorted()).toEqual(wanted.toSorted());
      for (const { raw, to } of smtp.arrived) {
        const { subject, text } = await PostalMime.parse(raw);
        const [says, link] =
          to[0] === buyer
            ? [`Order ${number}: thank you`, '/mail/order?token=']
            : ['Welcome to Vitrine', '/mail/confirm-email?token='];
        expect([to.length, subject]).toEqual([1, says]);
        expect(text).toContain(link);
      }
      expect(await findFaults(db)).toEqual([]);
    },
    120_000,
  );
});
