import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Overrides } from '../../src/app.ts';
import { MailFault } from '../../src/infra/mail/mailer.ts';
import { createMailJob, mailJobId } from '../../src/modules/mail/mail.jobs.ts';
import { createMailSending } from '../../src/modules/mail/mail-sending.ts';
import { pruneOldMails, sweepMails } from '../../src/modules/mail/mail-sweep.ts';
import { newEmail, newPerson } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { makeVariant } from '../support/fixtures.ts';
import { createTestJobs, JOB_BACKENDS, type TestJobs } from '../support/job-backends.ts';
import { known } from '../support/known.ts';
import { letTimePass, lettersOf, mailState, setMail, writeMail } from '../support/mails.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { freePort, hasRedis } from '../support/redis.ts';
import { openServices } from '../support/services.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { enter } from '../support/shopper.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';
import { recordStatements } from '../support/statements.ts';
import { until } from '../support/until.ts';

const untilSent = (shop: TestShop, id: string) =>
  until('the mail is sent', async () => (await mailState(shop, id)).status === 'SENT', 20_000);

async function open(
  jobs: Pick<TestJobs, 'database' | 'redisUrl'>,
  smtp: TestSmtp,
  env: NodeJS.ProcessEnv,
  letters: Overrides['letters'] = () => lettersOf(),
) {
  const shop = await createTestShop({
    database: { url: jobs.database.url, dispose: () => Promise.resolve() },
    env: { SMTP_URL: smtp.url, ...(jobs.redisUrl === null ? {} : { REDIS_URL: jobs.redisUrl }), ...env },
    overrides: { letters },
  });
  const close = () => shop.dispose();
  onTestFinished(close);
  return shop;
}

async function jobsOf(kind: (typeof JOB_BACKENDS)[number]): Promise<TestJobs> {
  const jobs = await createTestJobs(kind);
  onTestFinished(() => jobs.dispose());
  return jobs;
}

describe.each(JOB_BACKENDS)('a mail, jobs on %s', (kind) => {
  test('is sent by a worker as soon as it is written, and once if its job is enqueued twice', async () => {
    const jobs = await jobsOf(kind);
    const smtp = await startSmtp();
    const api = await open(jobs, smtp, { ROLES: 'api' });
    const id = await writeMail(api);
    const view = await jobs.look('mail');
    onTestFinished(() => view[Symbol.asyncDispose]());
    await until('a job waits', async () => (await view.ids('waiting')).length > 0);
    // Once more, as the sweep of a worker does that starts.
    await letTimePass(api, id, '30 seconds');
    expect(smtp.arrived).toEqual([]);
    await open(jobs, smtp, { ROLES: 'worker' });
    await untilSent(api, id);

    const [row] = await rowsOf<{ messageId: string }>(api.db, 'SELECT message_id AS "messageId" FROM mails');
    expect(smtp.taken().map((mail) => mail.messageId)).toEqual([row?.messageId]);
  });

  test('that is refused for now comes again by itself, when it is due', async () => {
    const jobs = await jobsOf(kind);
    const smtp = await startSmtp();
    const shop = await open(jobs, smtp, {});
    smtp.say('RCPT', { code: 450, text: 'not now' });
    const id = await writeMail(shop);
    await until('it was tried', async () => (await mailState(shop, id)).error !== null);
    const view = await jobs.look('mail');
    onTestFinished(() => view[Symbol.asyncDispose]());
    const [row] = await rowsOf<{ ms: number }>(
      shop.db,
      'SELECT floor(extract(epoch FROM due_at) * 1000)::float8 AS ms FROM mails',
    );
    await until('the next try waits', async () => (await view.ids('delayed')).length > 0);
    expect(await view.ids('delayed')).toEqual([`mail-${id}-${row?.ms}`]);
  });
});

test('the emails of one job share their statements, also where one of them fails', async () => {
  const database = await createTestDatabase();
  const services = openServices(database.url);
  onTestFinished(async () => {
    await services.dispose();
    await database.dispose();
  });
  const here = { db: services.db, app: { services } };
  const ids: string[] = [];
  for (let n = 0; n < 24; n += 1) ids.push(await writeMail(here));
  const sent: string[] = [];
  let atOnce = 0;
  let most = 0;
  const sending = createMailSending({
    db: services.db,
    mailer: {
      async send({ id }) {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        if (id === ids[5]) throw new MailFault('no such user', { permanent: true });
        sent.push(id);
      },
    },
    letters: lettersOf(),
    nudges: { mail() {} },
  });
  const job = createMailJob(sending);
  const run = { signal: new AbortController().signal, logger: pino({ level: 'silent' }) };
  const { statements } = await recordStatements(() => job.run({ mailIds: ids }, run));
  expect(sent.toSorted()).toEqual(ids.filter((id) => id !== ids[5]).toSorted());
  expect(await mailState(here, known(ids[5]))).toMatchObject({ status: 'FAILED' });
  expect(await mailState(here, known(ids[6]))).toMatchObject({ status: 'SENT', attempts: 1, claimed: false });
  // Each of them by itself would take 48.
  const shared = statements.filter((name) => name === 'mail_claim' || name === 'mail_sent');
  expect(shared.length).toBeLessThan(24);
  expect(most).toBeLessThanOrEqual(8);
});

test('when the shop closes, a job none of whose emails has begun is given back, while those of another job are still sent', async () => {
  const begun: string[] = [];
  let finish = () => {};
  const sent = new Promise<'SENT'>((resolve) => {
    finish = () => resolve('SENT');
  });
  const job = createMailJob({
    send(id) {
      begun.push(id);
      return sent;
    },
  });
  const closing = new AbortController();
  const run = { signal: closing.signal, logger: pino({ level: 'silent' }) };
  const ids = Array.from({ length: 14 }, () => randomUUID());
  const busy = job.run({ mailIds: ids.slice(0, 12) }, run);
  let isOver = false;
  void busy.catch(() => (isOver = true));
  const waiting = job.run({ mailIds: ids.slice(12) }, run);
  await until('as many as a process sends at a time have begun', () => begun.length === 8);
  closing.abort();
  await expect(waiting).rejects.toBe(closing.signal.reason);
  expect(isOver).toBe(false);
  finish();
  await expect(busy).rejects.toBe(closing.signal.reason);
  expect(begun).toEqual(ids.slice(0, 8));
});

test('jobs of different emails have different ids, also if one email is in both', () => {
  const [one, other, third] = [randomUUID(), randomUUID(), randomUUID()].toSorted();
  const at = new Date();
  const idOf = (...ids: (string | undefined)[]) =>
    mailJobId(
      ids.map((id) => known(id)),
      at,
    );
  const ids = [idOf(one), idOf(one, other), idOf(one, third), idOf(one, other, third)];
  expect(new Set(ids).size).toBe(4);
  expect(ids[0]).toBe(`mail-${one}-${at.getTime()}`);
  expect(idOf(third, one, other)).toBe(ids[3]);
  expect(mailJobId([known(one), known(other)], new Date(at.getTime() + 1))).not.toBe(ids[1]);
});

test('a job from before jobs had several emails is still understood', () => {
  const mailId = randomUUID();
  const { schema } = createMailJob({ send: () => Promise.resolve('NOTHING') });
  expect(schema.parse({ mailId })).toEqual({ mailIds: [mailId] });
});

test('events from before the first start of a worker are mailed by the first worker', async () => {
  const jobs = await jobsOf('PostgreSQL');
  const smtp = await startSmtp();
  const api = await open(jobs, smtp, { ROLES: 'api', BCRYPT_COST: '4' });
  const ada = await newPerson(api);
  await api.app.relay.flush();
  const worker = await open(jobs, smtp, { ROLES: 'worker' });
  await until('the mail is sent', () => smtp.taken().length > 0, 20_000);
  expect(await rowsOf(worker.db, 'SELECT template, recipient, status FROM mails')).toMatchObject([
    { template: 'welcome', recipient: ada.email },
  ]);
});

test.skipIf(!hasRedis('Lost jobs'))('Redis is emptied between nudge and sending: nothing is lost', async () => {
  const jobs = await jobsOf('Redis');
  const smtp = await startSmtp();
  const api = await open(jobs, smtp, { ROLES: 'api' });
  const ids = [await writeMail(api), await writeMail(api)];
  const view = await jobs.look('mail');
  onTestFinished(() => view[Symbol.asyncDispose]());
  await until('the jobs wait', async () => (await view.ids('waiting')).length === 2);
  const redis = new Redis(jobs.redisUrl ?? '');
  await redis.flushall();
  redis.disconnect();
  expect(await view.ids('waiting')).toEqual([]);

  for (const id of ids) await letTimePass(api, id, '10 seconds');
  await open(jobs, smtp, { ROLES: 'worker' });
  for (const id of ids) await untilSent(api, id);
  expect(smtp.taken()).toHaveLength(2);
});

test.skipIf(!hasRedis('Lost jobs'))(
  'Redis is emptied while the job of an email waits its turn: the buyer receives it all the same',
  async () => {
    const jobs = await jobsOf('Redis');
    const smtp = await startSmtp();
    const shop = await open(jobs, smtp, { BCRYPT_COST: '4' }, (real) => real);
    const sendable = (status: string) => rowsOf(shop.db, 'SELECT FROM mails WHERE status::text = $1', [status]);
    await until('its consumer has a place in the log', async () => {
      const found = await rowsOf(shop.db, `SELECT FROM event_consumers WHERE name = 'mail-notices'`);
      return found.length > 0;
    });

    // As many jobs as run at a time, each with one mail.
    smtp.say('GREETING', 'HOLD');
    const tried = () => rowsOf(shop.db, 'SELECT FROM mails WHERE attempts = 1');
    for (let n = 1; n <= 8; n += 1) {
      await newPerson(shop);
      await until('it is held', async () => (await tried()).length === n);
    }
    const variant = await makeVariant(shop.app, { onHand: 1 });
    const guest = await enter(shop);
    await guest.add({ variantId: variant.globalId, quantity: 1 });
    const email = newEmail();
    expect((await guest.checkout({ idempotencyKey: randomUUID(), email })).errors).toEqual([]);
    const view = await jobs.look('mail');
    onTestFinished(() => view[Symbol.asyncDispose]());
    await until('its job waits', async () => (await view.ids('waiting')).length === 1);
    const redis = new Redis(jobs.redisUrl ?? '');
    await redis.flushall();
    redis.disconnect();
    expect([await view.ids('waiting'), await view.ids('active')]).toEqual([[], []]);
    expect([(await sendable('PENDING')).length, smtp.arrived]).toEqual([9, []]);

    const [mail] = await rowsOf<{ id: string }>(shop.db, 'SELECT id FROM mails WHERE recipient = $1', [email]);
    await letTimePass(shop, known(mail).id, '10 seconds');
    smtp.say('GREETING', 'OK');
    smtp.release();
    await until('all are sent', async () => (await sendable('SENT')).length === 9, 30_000);
    expect(smtp.arrived).toHaveLength(9);
    expect(smtp.arrived.filter(({ to }) => to.includes(email))).toHaveLength(1);
  },
  60_000,
);

test('without its job queue, the shop still sends mails', async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.dispose());
  const smtp = await startSmtp();
  const jobs = { database, redisUrl: `redis://127.0.0.1:${await freePort()}` };
  const api = await open(jobs, smtp, { ROLES: 'api' });
  const ids = await Promise.all(Array.from({ length: 6 }, () => writeMail(api)));
  for (const id of ids) await letTimePass(api, id, '10 seconds');
  await open(jobs, smtp, { ROLES: 'worker' });
  for (const id of ids) await untilSent(api, id);
  expect(smtp.taken()).toHaveLength(6);
});

describe('the sweep', () => {
  const logger = pino({ level: 'silent' });
  const { signal } = new AbortController();

  async function world() {
    const database = await createTestDatabase();
    const services = openServices(database.url);
    onTestFinished(async () => {
      await services.dispose();
      await database.dispose();
    });
    const sent: string[] = [];
    const sending = createMailSending({
      db: services.db,
      mailer: { send: async ({ id }) => void sent.push(id) },
      letters: lettersOf(),
      nudges: { mail() {} },
    });
    return { db: services.db, app: { services }, sent, sending };
  }

  test('leaves to the queue what it takes, and sends by itself what it refuses, or let lie', async () => {
    const here = await world();
    const { db, sent, sending } = here;
    const [young, lost, old] = [await writeMail(here), await writeMail(here), await writeMail(here)];
    await letTimePass(here, lost, '20 seconds');
    await letTimePass(here, old, '2 minutes');
    const nudged: string[] = [];
    const nudge = async (ids: readonly string[]) => nudged.push(...ids) > 0;
    expect(await sweepMails({ db, sending, nudge, signal, logger })).toBe(1);
    expect(nudged).toEqual([old, lost]);
    expect(sent).toEqual([old]);

    expect(await sweepMails({ db, sending, nudge: () => Promise.resolve(false), signal, logger })).toBe(1);
    expect(sent).toEqual([old, lost]);
    expect(await mailState(here, young)).toMatchObject({ status: 'PENDING', attempts: 0 });
  });

  test('gets through more than it looks at in one go, each of them once', async () => {
    const here = await world();
    const { db, sent, sending } = here;
    await rowsOf(
      db,
      `INSERT INTO mails (id, cause, template, recipient, data, message_id, due_at, created_at)
       SELECT gen_random_uuid(), 'event:' || n, 'welcome', 'ada@example.com', '{}', '<' || n || '@x>', now() - interval '1 minute', now()
         FROM generate_series(1, 250) n`,
    );
    const sweep = () => sweepMails({ db, sending, nudge: () => Promise.resolve(false), signal, logger });
    const [one, other] = await Promise.all([sweep(), sweep()]);
    expect(one + other).toBe(250);
    expect(new Set(sent).size).toBe(250);
    expect(sent).toHaveLength(250);
  });

  test('does not touch what somebody is at', async () => {
    const here = await world();
    const { db, sent, sending } = here;
    const id = await writeMail(here);
    await setMail(here, id, "due_at = now() - interval '1 hour', claimed_until = now() + interval '1 minute'");
    expect(await sweepMails({ db, sending, nudge: () => Promise.resolve(false), signal, logger })).toBe(0);
    expect(sent).toEqual([]);
  });

  test('old mails go, once they are settled long ago', async () => {
    const here = await world();
    const long = "clock_timestamp() - interval '91 days'";
    const [pending, sent, failed, young, late] = await Promise.all([1, 2, 3, 4, 5].map(() => writeMail(here)));
    await setMail(here, pending ?? '', `created_at = ${long}, due_at = ${long}`);
    await setMail(here, sent ?? '', `created_at = ${long}, settled_at = ${long}, status = 'SENT'`);
    await setMail(here, failed ?? '', `created_at = ${long}, settled_at = ${long}, status = 'FAILED'`);
    await setMail(here, young ?? '', `settled_at = now(), status = 'SENT'`);
    await setMail(here, late ?? '', `created_at = ${long}, settled_at = now(), status = 'SENT'`);
    expect(await pruneOldMails({ db: here.db, days: 90 })).toBe(2);
    const left = await rowsOf<{ id: string }>(here.db, 'SELECT id FROM mails');
    expect(new Set(left.map((row) => row.id))).toEqual(new Set([pending, young, late]));
  });
});
