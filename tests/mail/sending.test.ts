import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import PostalMime from 'postal-mime';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createSmtpMailer } from '../../src/infra/mail/mailer-smtp.ts';
import { parseSender } from '../../src/infra/mail/mailer.ts';
import { BACKOFF_S, createMailSending, type MailSending } from '../../src/modules/mail/mail-sending.ts';
import type { Letter, Letters } from '../../src/modules/mail/mail.types.ts';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { rowsOf } from '../support/books.ts';
import { known } from '../support/known.ts';
import { recordLogs } from '../support/logs.ts';
import { letTimePass, lettersOf, mailState, setMail, writeMail } from '../support/mails.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openServices } from '../support/services.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';
import { until } from '../support/until.ts';

const { logger, logs } = recordLogs();
const { signal } = new AbortController();
const FROM = parseSender('The Shop <shop@vitrine.test>', 'Vitrine');

interface MailTest {
  world: Parameters<typeof writeMail>[0];
  smtp: TestSmtp;
  nudged: { id: string; delayMs: number }[];
  sendingWith(
    letters?: Partial<Letter> | null | Letters['compose'],
    server?: { url: string; greetingWithinMs?: number },
  ): MailSending;
}

let here: MailTest;
beforeEach(async () => {
  logs.length = 0;
  const database = await createTestDatabase();
  const services = openServices(database.url);
  const smtp = await startSmtp();
  const nudged: MailTest['nudged'] = [];
  onTestFinished(async () => {
    smtp.release();
    await services.dispose();
    await database.dispose();
  });
  here = {
    world: { db: services.db, app: { services } },
    smtp,
    nudged,
    sendingWith: (letters = {}, server = { url: smtp.url }) =>
      createMailSending({
        db: services.db,
        mailer: createSmtpMailer({ ...server, from: FROM }),
        letters: lettersOf(letters),
        nudges: { mail: (ids, delayMs) => void nudged.push(...ids.map((id) => ({ id, delayMs }))) },
      }),
  };
});

const run = { signal, logger };
const SENT = { status: 'SENT', error: null, claimed: false, settled: true };
const FAILED = { status: 'FAILED', claimed: false, settled: true };

describe('a mail that is sent', () => {
  test('arrives once, as it was written, with the headers that a machine owes', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world, { recipient: 'Ada@example.com' });
    const sending = sendingWith({
      subject: 'Größe & “Maß” ist da',
      text: 'Guten Tag, Ada.\n.\nEin Punkt allein.',
      html: '<p>Guten Tag, <b>Ada</b>.</p>',
      unsubscribeUrl:
        'https://shop.example/mail/unsubscribe?token=abc.def_ghi-jklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz',
    });
    expect(await sending.send(id, run)).toBe('SENT');
    expect(await sending.send(id, run)).toBe('NOTHING');

    expect(smtp.arrived).toHaveLength(1);
    const [mail] = smtp.arrived;
    expect([mail?.from, mail?.to]).toEqual(['shop@vitrine.test', ['Ada@example.com']]);
    const parsed = await PostalMime.parse(known(mail).raw);
    expect(parsed).toMatchObject({
      subject: 'Größe & “Maß” ist da',
      from: { name: 'The Shop', address: 'shop@vitrine.test' },
      to: [{ name: '', address: 'Ada@example.com' }],
      text: 'Guten Tag, Ada.\n.\nEin Punkt allein.\n',
      messageId: `<${id}@vitrine.test>`,
    });
    expect(parsed.html?.trim()).toBe('<p>Guten Tag, <b>Ada</b>.</p>');
    expect(Object.fromEntries(parsed.headers.map(({ key, value }) => [key, value]))).toMatchObject({
      'auto-submitted': 'auto-generated',
      'list-unsubscribe':
        '<https://shop.example/mail/unsubscribe?token=abc.def_ghi-jklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz>',
      'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
      'content-type': expect.stringMatching(/^multipart\/alternative/),
    });
    expect(await mailState(world, id)).toMatchObject({ ...SENT, attempts: 1 });
  });

  test('has no List-Unsubscribe where it cannot be declined', async () => {
    const { world, smtp, sendingWith } = here;
    await sendingWith().send(await writeMail(world), run);
    expect(smtp.taken()).toHaveLength(1);
    expect(known(smtp.arrived[0]).raw).not.toMatch(/list-unsubscribe/i);
  });

  test('cannot be made to look like another mail by its subject or by the name of the sender', async () => {
    const { world, smtp } = here;
    const id = await writeMail(world);
    const from = parseSender('shop@vitrine.test', 'Ada\r\nBcc: all@example.com\r\n\r\n<script>');
    const sending = createMailSending({
      db: world.db,
      mailer: createSmtpMailer({ url: smtp.url, from }),
      letters: lettersOf({ subject: 'Hello\r\nBcc: eve@example.com\nX-Evil: 1\u2028\u0000end' }),
      nudges: { mail() {} },
    });
    expect(await sending.send(id, run)).toBe('SENT');
    const [mail] = smtp.arrived;
    expect(mail?.to).toEqual(['ada@example.com']);
    const { headers, subject, from: sender } = await PostalMime.parse(known(mail).raw);
    expect(headers.map(({ key }) => key).toSorted()).toEqual(
      ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'].toSorted(),
    );
    expect(subject).toBe('Hello Bcc: eve@example.com X-Evil: 1 end');
    expect(sender).toEqual({ name: 'Ada Bcc: all@example.com <script>', address: 'shop@vitrine.test' });
  });

  test.each(['a@b.example,eve@example.com', 'eve@example.com>', '"a"@b.example', 'a;b@c.example', 'x@[127.0.0.1]>'])(
    'does not go to what could be more than an address: %s',
    async (recipient) => {
      const { world, smtp, sendingWith } = here;
      const id = await writeMail(world, { recipient });
      expect(await sendingWith().send(id, run)).toBe('FAILED');
      expect(await mailState(world, id)).toMatchObject({ ...FAILED, error: 'this is no address that mail can go to' });
      expect(smtp.arrived).toEqual([]);
    },
  );

  test('does not carry a link to unsubscribe that is more than a link', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    expect(await sendingWith({ unsubscribeUrl: 'https://x.example/>\r\nBcc: eve@example.com' }).send(id, run)).toBe(
      'FAILED',
    );
    expect(smtp.arrived).toEqual([]);
  });

  test('is skipped where there is nothing to say any more', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    expect(await sendingWith(null).send(id, run)).toBe('SKIPPED');
    expect(await mailState(world, id)).toMatchObject({ status: 'SKIPPED', error: null, settled: true, claimed: false });
    expect(await sendingWith().send(id, run)).toBe('NOTHING');
    expect(smtp.arrived).toEqual([]);
  });

  test('is sent once if many processes try to send it at the same time', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => sendingWith().send(id, run)));
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'NOTHING'), 'SENT']);
    expect(smtp.arrived).toHaveLength(1);
  });
});

describe('a server that says no', () => {
  test.each([
    ['MAIL', 451],
    ['RCPT', 450],
    ['RCPT', 421],
    ['DATA', 452],
    ['GREETING', 421],
    // These are about us, or the server: no mail is lost for a setting that is wrong for a day.
    ['GREETING', 554],
    ['MAIL', 530],
  ] as const)('for now, at %s with %i: it is tried again, and arrives once', async (point, code) => {
    const { world, smtp, nudged, sendingWith } = here;
    const id = await writeMail(world);
    smtp.say(point, { code, text: 'not now, see https://shop.example/order?token=secret' });
    expect(await sendingWith().send(id, run)).toBe('POSTPONED');
    const state = await mailState(world, id);
    expect(state).toMatchObject({ status: 'PENDING', attempts: 1, claimed: false });
    // Who says 421 also hangs up, which may be heard first.
    expect(state.error).toMatch(new RegExp(`${code}|closed the connection`));
    expect(state.error).not.toContain('secret');
    expect([59, 60]).toContain(state.dueIn);
    expect(nudged).toEqual([{ id, delayMs: 60_000 }]);
    // Not before its time.
    smtp.say(point, 'OK');
    expect(await sendingWith().send(id, run)).toBe('NOTHING');
    await letTimePass(world, id);
    expect(await sendingWith().send(id, run)).toBe('SENT');
    expect(smtp.taken()).toHaveLength(1);
    expect(await mailState(world, id)).toMatchObject({ ...SENT, attempts: 2 });
  });

  test.each([
    ['MAIL', 550],
    ['RCPT', 550],
    ['DATA', 554],
  ] as const)('for good, at %s with %i: it is not tried again', async (point, code) => {
    const { world, smtp, nudged, sendingWith } = here;
    const id = await writeMail(world);
    smtp.say(point, { code, text: 'no such user' });
    expect(await sendingWith().send(id, run)).toBe('FAILED');
    const state = await mailState(world, id);
    expect(state).toMatchObject({ ...FAILED, attempts: 1 });
    expect(state.error).toMatch(new RegExp(`${code}.*no such user`));
    smtp.say(point, 'OK');
    await letTimePass(world, id);
    expect(await sendingWith().send(id, run)).toBe('NOTHING');
    expect(smtp.taken()).toEqual([]);
    expect(nudged).toEqual([]);
  });

  test('for longer than a day: it is given up, and each wait is longer than the one before', async () => {
    const { world, smtp, nudged, sendingWith } = here;
    const id = await writeMail(world);
    smtp.say('RCPT', { code: 450, text: 'not now' });
    for (const _ of BACKOFF_S) {
      expect(await sendingWith().send(id, run)).toBe('POSTPONED');
      await letTimePass(world, id);
    }
    expect(nudged.map(({ delayMs }) => delayMs / 1000)).toEqual(BACKOFF_S);
    expect(BACKOFF_S.reduce((sum, seconds) => sum + seconds)).toBeGreaterThan(20 * 3600);
    expect(await sendingWith().send(id, run)).toBe('FAILED');
    const { error } = await mailState(world, id);
    expect(error).toMatch(/^gave up after 9 attempts: .*450/);
  });

  test('is logged without the text and the recipient of the mail', async () => {
    const { world, smtp, sendingWith } = here;
    smtp.say('DATA', { code: 554, text: 'spam: https://shop.example/order?token=secret-in-a-link' });
    await sendingWith().send(await writeMail(world), run);
    expect(logs.map((line) => line.msg)).toEqual(['email could not be sent; it is listed among the failed emails']);
    expect(JSON.stringify(logs)).not.toMatch(/secret-in-a-link|ada@example|on its way/);
  });

  test.each([
    ['RCPT', 550, '<Ada@Example.com>: Recipient address rejected'],
    ['RCPT', 450, '4.2.1 ada@example.com is over quota'],
    ['DATA', 554, 'bad link: order?token=3Dsecret-in-a-link'],
  ] as const)('nor with an address or a link that the server repeats: %s %i %s', async (point, code, text) => {
    const { world, smtp, sendingWith } = here;
    smtp.say(point, { code, text });
    const id = await writeMail(world);
    await sendingWith().send(id, run);
    expect(logs).toHaveLength(1);
    expect(JSON.stringify(logs)).toContain(String(code));
    expect(JSON.stringify(logs)).not.toMatch(/secret-in-a-link|ada@example/i);
    // Staff see whom it went to anyhow.
    const { error } = await mailState(world, id);
    expect(error).toContain(text.replace(/order\S+$/, '[link]'));
  });
});

describe('a server that breaks', () => {
  test('after DATA, its answer lost: it goes out again, under the same Message-ID', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    smtp.say('DATA', 'DROP');
    expect(await sendingWith().send(id, run)).toBe('POSTPONED');
    smtp.say('DATA', 'OK');
    await letTimePass(world, id);
    expect(await sendingWith().send(id, run)).toBe('SENT');
    expect(smtp.arrived.map((mail) => mail.messageId)).toEqual([`<${id}@vitrine.test>`, `<${id}@vitrine.test>`]);
    expect(smtp.taken()).toHaveLength(1);
  });

  test.each(['GREETING', 'MAIL', 'RCPT'] as const)('at %s: it goes out once', async (point) => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    smtp.say(point, 'DROP');
    expect(await sendingWith().send(id, run)).toBe('POSTPONED');
    smtp.say(point, 'OK');
    await letTimePass(world, id);
    expect(await sendingWith().send(id, run)).toBe('SENT');
    expect(smtp.arrived).toHaveLength(1);
  });

  test('is away, and comes back: none is lost', async () => {
    const { world, smtp, sendingWith } = here;
    const ids = await Promise.all([1, 2, 3].map(() => writeMail(world)));
    await smtp.stop();
    const outcomes = await Promise.all(ids.map((id) => sendingWith().send(id, run)));
    expect(outcomes).toEqual(['POSTPONED', 'POSTPONED', 'POSTPONED']);
    await smtp.start();
    for (const id of ids) await letTimePass(world, id);
    expect(await Promise.all(ids.map((id) => sendingWith().send(id, run)))).toEqual(['SENT', 'SENT', 'SENT']);
    expect(smtp.arrived.map((mail) => mail.messageId).toSorted()).toEqual(
      ids.map((id) => `<${id}@vitrine.test>`).toSorted(),
    );
  });

  test('says nothing at all: the connection is closed in time, and the mail put off', async () => {
    const { world, sendingWith } = here;
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      mute.close();
    });
    const { port } = mute.address() as AddressInfo;
    const id = await writeMail(world);
    const server = { url: `smtp://127.0.0.1:${port}`, greetingWithinMs: 300 };
    expect(await sendingWith({}, server).send(id, run)).toBe('POSTPONED');
    const [socket] = sockets;
    await until(
      'the connection is closed',
      () => known(socket).closed || known(socket).readableEnded || known(socket).read() === null,
    );
    expect(await mailState(world, id)).toMatchObject({ status: 'PENDING', claimed: false, attempts: 1 });
  }, 30_000);
});

describe('a server that asks for a log-in', () => {
  const login = { user: 'shop@vitrine.test', pass: 'p@ss/word with: signs' };
  const as = (pass: string, port: number, scheme = 'smtp') =>
    `${scheme}://${encodeURIComponent(login.user)}:${encodeURIComponent(pass)}@127.0.0.1:${port}`;
  const TRUST = '?tls.rejectUnauthorized=false';

  test.each([
    ['smtp', false],
    ['smtps', true],
  ])('gets the credentials over TLS: %s', async (scheme, secure) => {
    const { world, sendingWith } = here;
    const smtp = await startSmtp({ login, secure });
    const id = await writeMail(world);
    expect(await sendingWith({}, { url: `${as(login.pass, smtp.port, scheme)}${TRUST}` }).send(id, run)).toBe('SENT');
    expect(smtp.taken()).toHaveLength(1);
  });

  test('and rejects the password: the mail waits until the setting is corrected, and the password is not logged', async () => {
    const { world, sendingWith } = here;
    const smtp = await startSmtp({ login });
    const id = await writeMail(world);
    expect(await sendingWith({}, { url: `${as('wrong-password', smtp.port)}${TRUST}` }).send(id, run)).toBe(
      'POSTPONED',
    );
    const { error } = await mailState(world, id);
    expect(error).toContain('535');
    expect(JSON.stringify([error, logs])).not.toContain('wrong-password');
    await letTimePass(world, id);
    expect(await sendingWith({}, { url: `${as(login.pass, smtp.port)}${TRUST}` }).send(id, run)).toBe('SENT');
  });

  test('with a self-signed certificate, receives no credentials', async () => {
    const { world, sendingWith } = here;
    const smtp = await startSmtp({ login });
    const id = await writeMail(world);
    expect(await sendingWith({}, { url: as(login.pass, smtp.port) }).send(id, run)).toBe('POSTPONED');
    expect((await mailState(world, id)).error).toMatch(/certificate/);
    expect(smtp.arrived).toEqual([]);
  });
});

describe('whoever sends a mail', () => {
  test('and dies, leaves it to another, once the claim is over', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    // As a process leaves it that was killed right after it claimed.
    await setMail(world, id, "claimed_until = clock_timestamp() + interval '80 seconds', attempts = 1");
    expect(await sendingWith().send(id, run)).toBe('NOTHING');
    await letTimePass(world, id);
    expect(await sendingWith().send(id, run)).toBe('SENT');
    expect(smtp.arrived).toHaveLength(1);
    expect(await mailState(world, id)).toMatchObject({ ...SENT, attempts: 2 });
  });

  test('and dies of it each time, does not do so for ever', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    await setMail(world, id, `attempts = ${BACKOFF_S.length + 1}`);
    expect(await sendingWith().send(id, run)).toBe('FAILED');
    expect(smtp.arrived).toEqual([]);
    expect((await mailState(world, id)).error).toBe(
      'gave up after 9 attempts: the sending process did not report back',
    );
  });

  test('and comes back late with a refusal, does not undo what another did meanwhile', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    smtp.say('RCPT', 'HOLD');
    const slow = sendingWith().send(id, run);
    await smtp.untilHeld('RCPT');
    await letTimePass(world, id);
    smtp.say('RCPT', 'OK');
    expect(await sendingWith().send(id, run)).toBe('SENT');
    await smtp.stop();
    expect(await slow).toBe('POSTPONED');
    expect(await mailState(world, id)).toMatchObject(SENT);
    expect(smtp.taken()).toHaveLength(1);
  });

  test('and finds the database away when the server has taken it, tries to record it again, and does not send it again', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    await using barrier = await holdBarrier(world.db, 'SELECT 1');
    await using locks = await watchLocks(world.db);
    smtp.say('DATA', 'HOLD');
    const sent = sendingWith().send(id, run);
    await smtp.untilHeld('DATA');
    await barrier.query('SELECT FROM mails WHERE id = $1 FOR UPDATE', [id]);
    smtp.release();
    await locks.untilWaiting(1, 'mails');
    await rowsOf(
      world.db,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    await barrier.release();
    expect(await sent).toBe('SENT');
    expect(await mailState(world, id)).toMatchObject({ ...SENT, attempts: 1 });
    expect(smtp.arrived).toHaveLength(1);
  });

  test('and cannot write it, tries again later, and reveals no secret in the reason', async () => {
    const { world, smtp, sendingWith } = here;
    const id = await writeMail(world);
    const broken = sendingWith(() => Promise.reject(new Error('cannot read https://shop.example/?token=secret')));
    expect(await broken.send(id, run)).toBe('POSTPONED');
    expect(await mailState(world, id)).toMatchObject({ error: 'the email could not be rendered: cannot read [link]' });
    await letTimePass(world, id);
    expect(await sendingWith().send(id, run)).toBe('SENT');
    expect(smtp.arrived).toHaveLength(1);
  });
});
