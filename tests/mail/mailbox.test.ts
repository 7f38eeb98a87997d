import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMailboxMailer, listMailbox, mailboxToken } from '../../src/infra/mail/mailer-mailbox.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import { bearer, newPerson, newStaff } from '../support/accounts.ts';
import { LETTER, lettersOf, mailState, writeMail } from '../support/mails.ts';
import { newDataDir } from '../support/shop-process.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const FROM = { name: 'The Shop', address: 'shop@vitrine.test' };

const mailOf = (id: string, subject = LETTER.subject) => ({
  ...LETTER,
  id,
  subject,
  messageId: `<${id}@vitrine.test>`,
  at: new Date('2026-03-04T05:06:07Z'),
  to: 'ada@example.com',
});

describe('the local mailbox', () => {
  test('keeps a mail once, however often it is sent, for its owner alone; and no more than so many', async () => {
    const folder = join(newDataDir(), 'mailbox');
    const mailer = createMailboxMailer({ folder, from: FROM, kept: 3 });
    const ids = Array.from({ length: 5 }, () => uuidv7()).toSorted();
    for (const id of ids.slice(0, 3)) await mailer.send(mailOf(id));
    await mailer.send(mailOf(ids[2] ?? ''));
    expect(await listMailbox(folder)).toEqual(ids.slice(0, 3).toReversed());
    await Promise.all(ids.slice(3).map((id) => mailer.send(mailOf(id))));
    expect(await listMailbox(folder)).toEqual(ids.slice(2).toReversed());
    expect(readdirSync(folder).toSorted()).toEqual(ids.slice(2).map((id) => `${id}.eml`));
    const file = join(folder, `${ids[4]}.eml`);
    expect([statSync(folder).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
    expect(readFileSync(file, 'utf8')).toContain(`Message-ID: <${ids[4]}@vitrine.test>`);
  });

  test('that cannot be written is tried again, like a server that is away', async () => {
    const folder = join(newDataDir(), 'mailbox');
    mkdirSync(join(folder, '..'), { recursive: true });
    writeFileSync(folder, 'in the way');
    const mailer = createMailboxMailer({ folder, from: FROM });
    await expect(mailer.send(mailOf(uuidv7()))).rejects.toMatchObject({ permanent: false });
  });
});

const EVIL = `<p id="said">It is on its <b>way</b>.</p><a href="https://shop.example/order">See it</a>
<script>document.title = 'owned'; fetch('https://evil.example/1')</script>
<img src="https://evil.example/2.png" onerror="alert(1)"><style>@import 'https://evil.example/3.css';</style>
<iframe src="https://evil.example/4"></iframe><meta http-equiv="refresh" content="0;url=https://evil.example/5">
<form action="https://evil.example/6"><button>Press</button></form></iframe><b>out</b>`;
const SUBJECT = '<script>alert(1)</script> & “Ünïcode”';

describe('/mailbox', () => {
  let shop: TestShop;
  let id: string;
  beforeAll(async () => {
    shop = await createTestShop({
      env: { DATA_DIR: newDataDir(), MAIL_FROM: 'The <shop@vitrine.test>' },
      overrides: {
        letters: () =>
          lettersOf(async ({ data }) => ({
            subject: data.n === undefined ? SUBJECT : `Mail ${data.n}`,
            text: 'Plain & <simple>.',
            html: EVIL,
            unsubscribeUrl: 'https://shop.example/mail/unsubscribe?token=abc',
          })),
      },
    });
    id = await writeMail(shop);
    await until('the mail is sent', async () => (await mailState(shop, id)).status === 'SENT');
  });
  afterAll(() => shop.dispose());

  /** As whoever has the token of the start, unless headers say otherwise. */
  const ask = (path: string, headers: Record<string, string> = withToken(), method = 'GET') =>
    shop.request({ path, method, headers });
  const withToken = () => ({ authorization: `Bearer ${mailboxToken(shop.config.secrets)}` });

  test('lists mails, and shows one: its text and headers, all of it escaped', async () => {
    const list = await ask('/mailbox');
    expect([list.status, list.headers['content-type'], list.headers['cache-control']]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-store',
    ]);
    expect(list.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'unsafe-inline'; img-src data:;/,
    );
    expect(list.body).toContain(`href="/mailbox/${id}"`);
    expect(list.body).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; “Ünïcode”');
    expect(list.body).toContain('ada@example.com');
    const mail = await ask(`/mailbox/${id}`);
    expect(mail.headers['content-security-policy']).toBe(list.headers['content-security-policy']);
    expect(mail.body).toContain('Plain &amp; &lt;simple&gt;.');
    expect(mail.body).toContain('The &lt;shop@vitrine.test&gt;');
    expect(mail.body).toContain('List-Unsubscribe-Post');
    expect(mail.body).toMatch(/<iframe[^>]* sandbox="allow-popups allow-popups-to-escape-sandbox"/);
    expect(mail.body).not.toMatch(/<script|<form/);
  });

  test.each(['/mailbox/01900000-0000-7000-8000-000000000000', '/mailbox/x', '/mailbox/.eml'])(
    'knows no other: %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  test.each<[string, Record<string, string>]>([
    ['from this machine', {}],
    ['from this machine, by its own name', { host: '127.0.0.1:1' }],
    ['through a proxy that says so', { 'x-forwarded-for': '203.0.113.7' }],
    ['with a token that is none', { authorization: 'Bearer nonsense' }],
    ['with a cookie that is none', { cookie: 'mailbox_token=nonsense' }],
  ])('is closed %s', async (_what, headers) => {
    for (const path of ['/mailbox', `/mailbox/${id}`, '/mailbox?token=nonsense', '/mailbox?token=']) {
      const { status, body } = await ask(path, headers);
      expect([status, body]).toEqual([401, expect.stringContaining('Log in as an ADMIN')]);
    }
  });

  test('is an ADMIN’s', async () => {
    const [admin, staff, customer] = [await newStaff(shop, 'ADMIN'), await newStaff(shop), await newPerson(shop)];
    for (const path of ['/mailbox', `/mailbox/${id}`]) {
      for (const { accessToken } of [staff, customer]) {
        const answer = await ask(path, bearer(accessToken));
        expect([answer.status, answer.body]).toEqual([403, '{"error":"Only an ADMIN may see this page."}']);
      }
      const cookie = `access_token=${admin.accessToken}`;
      expect((await ask(path, bearer(admin.accessToken))).status).toBe(200);
      expect((await ask(path, { cookie })).status).toBe(200);
    }
  });

  test('opens by the link that the start prints, which leaves a cookie and no token in the address', async () => {
    const token = mailboxToken(shop.config.secrets);
    const first = await ask(`/mailbox/${id}?token=${token}`, {});
    expect([first.status, first.headers.location]).toEqual([303, `/mailbox/${id}`]);
    const [cookie] = first.headers['set-cookie'] ?? [];
    expect(cookie).toBe(`mailbox_token=${token}; Path=/mailbox; HttpOnly; SameSite=Lax`);
    expect((await ask(`/mailbox/${id}`, { cookie: `theme=dark; mailbox_token=${token}` })).status).toBe(200);
  });

  test.each(['POST', 'PUT', 'DELETE'])('is only to look at: %s', async (method) => {
    expect((await ask(`/mailbox/${id}`, withToken(), method)).status).toBe(405);
    expect((await ask(`/mailbox/${id}`)).status).toBe(200);
  });

  test('is not there where mails go to a server', async () => {
    const other = await createTestShop({ env: { SMTP_URL: 'smtp://127.0.0.1:9' }, overrides: { quiet: true } });
    try {
      for (const path of ['/mailbox', `/mailbox/${id}`]) {
        expect((await other.request({ path })).status).toBe(404);
      }
    } finally {
      await other.dispose();
    }
  });

  test('is paged', async () => {
    const folder = join(shop.config.dataDir, 'mailbox');
    const mailer = createMailboxMailer({ folder, from: FROM });
    for (let n = 0; n < 55; n += 1) await mailer.send(mailOf(uuidv7(), `Mail ${n}`));
    const first = await ask('/mailbox');
    const [, next = ''] = /href="(\/mailbox\?before=[^"]+)"/.exec(first.body) ?? [];
    const second = await ask(next);
    const ids = [first, second].map(({ body }) =>
      [...body.matchAll(/class="mail" href="\/mailbox\/([^"]+)"/g)].map((m) => m[1]),
    );
    // Those who came before got mails of their own.
    const kept = await listMailbox(folder);
    expect(ids.map((page) => page.length)).toEqual([50, kept.length - 50]);
    expect(ids.flat()).toEqual(kept);
  });

  describe.skipIf(!hasBrowser('/mailbox'))('in a real browser', () => {
    let browser: TestBrowser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser?.close());

    test('a mail is read on a phone and on a desk, and nothing in it runs, loads or leads away', async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const outside: string[] = [];
      await context.route('**/*', async (route) => {
        const url = route.request().url();
        if (url.startsWith(`${shop.url}/`)) return route.continue();
        outside.push(url);
        return route.fulfill({ contentType: 'text/html', body: 'elsewhere' });
      });
      let dialogs = 0;
      page.on('dialog', (dialog) => {
        dialogs += 1;
        void dialog.dismiss();
      });
      await page.goto(`${shop.url}/mailbox?token=${mailboxToken(shop.config.secrets)}`);
      async function expectToFit(name: string): Promise<void> {
        for (const width of [390, 1280]) {
          await page.setViewportSize({ width, height: 900 });
          const fits = await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
          expect([width, fits]).toEqual([width, true]);
          if (process.env.SCREENSHOTS !== undefined)
            await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}-${width}.png`) });
        }
      }
      await expectToFit('list');
      await page.goto(`${shop.url}/mailbox/${id}`);
      const frame = page.frameLocator('iframe[title="The mail"]');
      await frame.getByText('It is on its way.').waitFor();
      expect(await page.title()).toContain(SUBJECT);
      await expectToFit('mail');
      expect(await page.getByText('out', { exact: true }).count()).toBe(0);
      await frame.locator('button').click();

      await page.getByText('Text', { exact: true }).click();
      await page.getByText('Plain & <simple>.').waitFor();
      expect(await page.locator('iframe').isVisible()).toBe(false);
      await page.getByText('Headers', { exact: true }).click();
      await page.getByText('auto-generated').waitFor();
      await page.getByText('HTML', { exact: true }).click();
      expect([outside, dialogs]).toEqual([[], 0]);

      const popup = context.waitForEvent('page');
      await frame.getByText('See it').click();
      await (await popup).waitForLoadState();
      expect(outside).toEqual(['https://shop.example/order']);
      expect(page.url()).toBe(`${shop.url}/mailbox/${id}`);
      await context.close();
    }, 60_000);
  });
});
