import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasBrowser, launchBrowser } from '../support/browser.ts';
import { newPerson, newStaff, bearer, type Person } from '../support/accounts.ts';
import { createTestJobs, JOB_BACKENDS, type QueueView, type TestJobs } from '../support/job-backends.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

describe.each(JOB_BACKENDS)('/queues, jobs on %s', (kind) => {
  let jobs: TestJobs;
  let view: QueueView;
  let shop: TestShop;
  let admin: Person;
  beforeAll(async () => {
    jobs = await createTestJobs(kind);
    view = await jobs.look('cart-expiry');
    shop = await createTestShop({
      database: { url: jobs.database.url, dispose: () => Promise.resolve() },
      env: { ROLES: 'api', ...(jobs.redisUrl === null ? {} : { REDIS_URL: jobs.redisUrl }) },
    });
    admin = await newStaff(shop, 'ADMIN');
  });
  afterAll(async () => {
    await shop.dispose();
    await view[Symbol.asyncDispose]();
    await jobs.dispose();
  });

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    shop.request({ path, method, headers });

  test('are shown to an ADMIN: the page, its scripts, and what is in the queues', async () => {
    await view.addRaw({ payload: { second: 1 }, requestId: null });
    const headers = bearer(admin.accessToken);
    const page = await ask('/queues', headers);
    expect((await ask('/queues/', headers)).body).toBe(page.body);
    expect(page.status).toBe(200);
    expect(page.body).toContain('<base href="/queues/"');
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
    const [, script = ''] = /src="(static\/js\/main[^"]+)"/.exec(page.body) ?? [];
    expect((await ask(`/queues/${script}`, headers)).status).toBe(200);

    const answer = await ask('/queues/api/queues?activeQueue=cart-expiry&status=waiting&page=1', headers);
    expect(answer.status).toBe(200);
    const { queues } = JSON.parse(answer.body) as { queues: { name: string }[] };
    expect(queues.map(({ name }) => name)).toContain('mail');
    expect(queues.find(({ name }) => name === 'cart-expiry')).toMatchObject({
      readOnlyMode: true,
      counts: { waiting: 1 },
      jobs: [{ data: { payload: { second: 1 } } }],
    });
  });

  test.skipIf(!hasBrowser("The queues' page"))('are drawn by a real browser, without the internet', async () => {
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      await page.context().addCookies([{ name: 'access_token', value: admin.accessToken, url: shop.url }]);
      await page.goto(`${shop.url}/queues`);
      await page.getByText('cart-expiry').first().waitFor({ timeout: 10_000 });
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  test('are known by the cookie, too', async () => {
    const cookie = `access_token=${admin.accessToken}`;
    expect((await ask('/queues', { cookie })).status).toBe(200);
  });

  test('are nobody else’s, whatever is asked for', async () => {
    const staff = await newStaff(shop);
    const customer = await newPerson(shop);
    for (const path of ['/queues', '/queues/api/queues', '/queues/static/js/main.js']) {
      expect((await ask(path)).status).toBe(401);
      expect((await ask(path, { authorization: 'Bearer nonsense' })).status).toBe(401);
      // A header that is not valid is not made good by the cookie.
      const both = { authorization: 'Bearer nonsense', cookie: `access_token=${admin.accessToken}` };
      expect((await ask(path, both)).status).toBe(401);
      for (const person of [staff, customer]) expect((await ask(path, bearer(person.accessToken))).status).toBe(403);
    }
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('are only to look at: %s', async (method) => {
    const before = await view.ids('waiting');
    for (const path of ['/queues/api/queues/cart-expiry/empty', '/queues/api/queues/cart-expiry/clean/completed']) {
      expect((await ask(path, bearer(admin.accessToken), method)).status).toBe(405);
    }
    expect(await view.ids('waiting')).toEqual(before);
  });
});
