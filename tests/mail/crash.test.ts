import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEventLog } from '../../src/events/event-log.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { newEmail, register } from '../support/accounts.ts';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { createClient } from '../support/client.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { letTimePass } from '../support/mails.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newDataDir, startShopProcess, type ShopProcess } from '../support/shop-process.ts';
import { enter } from '../support/shopper.ts';
import { openSmtp, type TestSmtp } from '../support/smtp.ts';
import { until } from '../support/until.ts';

/*
 * A real shop is killed at each point on the way of a mail. The mail server, or a lock in the database, holds it there. After
 * the next start the mail has arrived: once, or twice under one Message-ID where the shop could not know of the first time.
 * The shop that is started again after one point is the one that is killed at the next.
 */

let database: TestDatabase;
let db: Database;
let smtp: TestSmtp;
let shop: ShopProcess | null = null;
/** How often each mail of the tests so far should have arrived, by Message-ID. */
const wanted = new Map<string, number>();

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 3, logger: pino({ level: 'silent' }) });
  smtp = await openSmtp();
});
afterAll(async () => {
  if (shop !== null) await kill(shop);
  smtp.release();
  await smtp.stop();
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

async function start(): Promise<ShopProcess> {
  shop = await startShopProcess({
    DATABASE_URL: database.url,
    DATA_DIR: newDataDir(),
    JWT_SECRET: 'a secret of tests that is long enough',
    SEED: 'none',
    SMTP_URL: smtp.url,
    MAIL_FROM: 'The Shop <shop@vitrine.test>',
    BCRYPT_COST: '4',
  });
  return shop;
}

async function kill(running: ShopProcess): Promise<void> {
  shop = null;
  running.child.kill('SIGKILL');
  expect(await running.exited).toBe('SIGKILL');
}

/** The database finds out when it looks for the one who asked, and takes back the statements that wait. */
async function takeBackStatements(): Promise<void> {
  await rowsOf(
    db,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
}

/** Where the shop is killed on the way from what somebody does to the mail that comes of it. */
interface KillPoint {
  /** Does `act`, and kills the shop once it has come to this point. `recipients` get the mails that come of it. */
  killed: (shop: ShopProcess, act: () => Promise<void>, recipients: readonly string[]) => Promise<void>;
  /** Mails that stand in rows then. */
  rows: number;
  /** How often each mail comes in all. */
  times: number;
}

/** Holds locks while something is done, and kills the shop when it waits for one, or is at the point. */
function heldBy(lock: () => string | Promise<string>, untilThere: (recipients: readonly string[]) => Promise<unknown>) {
  return async (running: ShopProcess, act: () => Promise<void>, recipients: readonly string[]) => {
    await using barrier = await holdBarrier(db, await lock());
    await act();
    await untilThere(recipients);
    await kill(running);
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

const mailRows = (recipients: readonly string[]) =>
  rowsOf<{ id: string; template: string; recipient: string; status: string; attempts: number; messageId: string }>(
    db,
    `SELECT id, template, recipient, status, attempts, message_id AS "messageId" FROM mails
      WHERE recipient = ANY($1) ORDER BY template`,
    [recipients],
  );

const arrivedFor = (recipients: readonly string[]) =>
  smtp.arrived.filter(({ to }) => to.some((address) => recipients.includes(address)));

/** Holds the server at a point until both mails have come to it. */
async function atServer(
  point: 'RCPT' | 'DATA',
  act: () => Promise<void>,
  recipients: readonly string[],
): Promise<void> {
  smtp.say(point, 'HOLD');
  await act();
  const tried = async () => (await mailRows(recipients)).filter(({ attempts }) => attempts === 1).length;
  await until('both are on their way', async () => (await tried()) === 2);
  if (point === 'DATA') await until('both have come', () => arrivedFor(recipients).length === 2);
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
        (recipients) => until('the rows are there', async () => (await mailRows(recipients)).length === 2),
      ),
      rows: 2,
      times: 1,
    },
  ],
  [
    'between the job and the sending',
    {
      async killed(running, act, recipients) {
        await atServer('RCPT', act, recipients);
        await kill(running);
        smtp.say('RCPT', 'OK');
      },
      rows: 2,
      times: 1,
    },
  ],
  [
    'between the sending and its answer',
    {
      async killed(running, act, recipients) {
        await atServer('DATA', act, recipients);
        await kill(running);
        smtp.say('DATA', 'OK');
      },
      rows: 2,
      times: 2,
    },
  ],
  [
    'between the answer and the record',
    {
      async killed(running, act, recipients) {
        await atServer('DATA', act, recipients);
        const answered = async () => {
          smtp.say('DATA', 'OK');
          smtp.release();
        };
        const recorded = heldBy(
          () => 'SELECT FROM mails FOR UPDATE',
          async () => {
            await until('both are answered', () => arrivedFor(recipients).every((mail) => mail.answered));
            // One statement records both, or the first of them while the other one waits for the next statement.
            await untilWaits(1, "SET status = 'SENT'")();
          },
        );
        await recorded(running, answered, recipients);
        expect(arrivedFor(recipients).map((mail) => mail.answered)).toEqual([true, true]);
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
  test.each(points)('%s: both get their mail', async (_point, { killed, rows, times }) => {
    const first = shop ?? (await start());
    await until('its consumer has a place in the log', async () => {
      const found = await rowsOf(db, `SELECT FROM event_consumers WHERE name = 'mail-notices'`);
      return found.length > 0;
    });
    await until('it runs jobs', async () => {
      const found = await rowsOf(
        db,
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'vitrine jobs listener'`,
      );
      return found.length > 0;
    });
    const variant = await makeVariant({ db, eventLog: createEventLog({ db, wake() {} }) }, { onHand: 3 });
    const client = () => createClient(first.url);
    const [member, buyer] = [newEmail(), newEmail()];
    const recipients = [member, buyer];
    const guest = await enter({ client });
    await guest.add({ variantId: variant.globalId, quantity: 2 });

    let number = '';
    const act = async () => {
      expect((await register(client(), { email: member })).errors).toEqual([]);
      const { order, errors } = await guest.checkout({ idempotencyKey: randomUUID(), email: buyer });
      expect(errors).toEqual([]);
      ({ number } = known(order));
    };
    await killed(first, act, recipients);
    const left = await mailRows(recipients);
    expect(left.map(({ status }) => status)).toEqual(Array.from({ length: rows }, () => 'PENDING'));
    expect(arrivedFor(recipients)).toHaveLength(times === 1 ? 0 : 2);

    // Its claims and leases run out.
    for (const { id } of left) await letTimePass({ db }, id);
    await rowsOf(db, 'UPDATE event_consumers SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL');
    await start();
    await until('both are sent', async () => {
      const sent = (await mailRows(recipients)).filter(({ status }) => status === 'SENT');
      return sent.length === 2;
    });

    const mails = await mailRows(recipients);
    expect(mails.map(({ template, recipient }) => [template, recipient])).toEqual([
      ['order-placed', buyer],
      ['welcome', member],
    ]);
    for (const { messageId } of mails) wanted.set(messageId, times);
    // Those of earlier points too: a mail whose sending is recorded does not go out again after a kill.
    const came = new Map<string, number>();
    for (const { messageId } of smtp.arrived) came.set(messageId, (came.get(messageId) ?? 0) + 1);
    expect(came).toEqual(wanted);
    for (const { raw, to } of arrivedFor(recipients)) {
      const { subject, text } = await PostalMime.parse(raw);
      const [says, link] =
        to[0] === buyer
          ? [`Order ${number}: thank you`, '/mail/order?token=']
          : ['Welcome to Vitrine', '/mail/confirm-email?token='];
      expect([to.length, subject]).toEqual([1, says]);
      expect(text).toContain(link);
    }
    expect(await findFaults(db)).toEqual([]);
  });
});
