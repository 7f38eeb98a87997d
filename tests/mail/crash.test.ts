import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../src/infra/database.ts';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { rowsOf } from '../support/books.ts';
import { letTimePass, mailState } from '../support/mails.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newDataDir, startShopProcess, type ShopProcess } from '../support/shop-process.ts';
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
    // The server finds out when it looks for the one who asked, and takes the statement back.
    await rowsOf(
      db,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
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
