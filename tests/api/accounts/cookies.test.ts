import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accountDocuments,
  bearer,
  faultsOf,
  login,
  newEmail,
  newPerson,
  PASSWORD,
  refresh,
  register,
  whoIs,
} from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { enter, rowId, shopperDocuments } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { openSocket } from '../../support/socket.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
});
afterAll(() => shop.dispose());

const MONTH = 30 * 24 * 60 * 60;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** A browser in which somebody has registered. */
async function newBrowser() {
  const client = shop.client({ cookies: true });
  const email = newEmail();
  const auth = await register(client, { email, tokens: 'COOKIE' });
  return { client, email, auth };
}

const cookieOf = (values: Record<string, string>) => ({
  cookie: Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join('; '),
});

describe('tokens as cookies', () => {
  test('are set out of reach of scripts, the access cookie for as long as the refresh cookie, and nothing in the body', async () => {
    const { email } = await newPerson(shop);
    const answer = await shop.client().execute(accountDocuments.login, { input: { email, password: PASSWORD } });
    const [access = '', refreshCookie = '', ...more] = answer.headers.getSetCookie();
    expect(access).toMatch(new RegExp(`^access_token=[\\w.-]+; Max-Age=${MONTH}; Path=/; HttpOnly; SameSite=Lax$`));
    expect(refreshCookie).toMatch(
      new RegExp(`^refresh_token=[\\w-]{43}; Max-Age=${MONTH}; Path=/; HttpOnly; SameSite=Lax$`),
    );
    expect(more).toEqual([
      expect.stringMatching(/^device_token=[\w-]{22}\.[\w-]{43}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect(answer.data?.login).toMatchObject({
      accessToken: null,
      accessTokenExpiresAt: expect.any(String),
      refreshToken: null,
      errors: [],
    });
    expect(answer.data?.login?.user?.email).toBe(email);
  });

  test('name the user from then on', async () => {
    const { client, email, auth } = await newBrowser();
    expect(auth).toMatchObject({ accessToken: null, refreshToken: null, user: { email } });
    expect(client.cookie('access_token')).toMatch(JWT);
    expect(await whoIs(client)).toBe(email);
  });

  test('are refreshed by cookie, and not by the body', async () => {
    const { client, email } = await newBrowser();
    const before = client.cookie('refresh_token');
    const { refreshSession } = await client.data(accountDocuments.refresh, {});
    expect(refreshSession).toMatchObject({
      user: { email },
      accessToken: null,
      accessTokenExpiresAt: expect.any(String),
      refreshToken: null,
      errors: [],
    });
    expect(client.cookie('refresh_token')).not.toBe(before);
    expect(await whoIs(client)).toBe(email);
  });

  test('are taken away where they cannot be refreshed, so that the browser goes on as a guest', async () => {
    const { client, email } = await newBrowser();
    await rowsOf(
      shop.db,
      'UPDATE sessions SET ended_at = clock_timestamp() WHERE user_id = (SELECT id FROM users WHERE email = $1)',
      [email],
    );
    expect(await whoIs(client)).toEqual(['401', 'UNAUTHENTICATED']);
    const { refreshSession } = await client.data(accountDocuments.refresh, {});
    expect(faultsOf(refreshSession)).toEqual([['TOKEN_INVALID', null]]);
    expect([client.cookie('access_token'), client.cookie('refresh_token')]).toEqual([undefined, undefined]);
    expect(await whoIs(client)).toBeNull();
  });

  test('are taken away where the refresh cookie is lost, too', async () => {
    const headers = cookieOf({ access_token: 'x' });
    const answer = await shop.client().execute(accountDocuments.refresh, {}, { headers });
    expect(faultsOf(answer.data?.refreshSession)).toEqual([['TOKEN_INVALID', null]]);
    expect(answer.headers.getSetCookie()).toEqual(['access_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
  });

  test('stay where the shop itself is at fault', async () => {
    const { client, email } = await newBrowser();
    await rowsOf(shop.db, 'ALTER TABLE refresh_tokens RENAME TO hidden');
    const answer = await client.execute(accountDocuments.refresh, {});
    await rowsOf(shop.db, 'ALTER TABLE hidden RENAME TO refresh_tokens');
    expect(answer.codes).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect((await client.data(accountDocuments.refresh, {})).refreshSession?.user?.email).toBe(email);
  });

  test('go out beside the cart cookie that is taken away, in one answer', async () => {
    const { email } = await newPerson(shop);
    const guest = await enter(shop);
    const answer = await shop
      .client()
      .execute(
        accountDocuments.login,
        { input: { email, password: PASSWORD } },
        { headers: cookieOf({ cart_token: guest.token }) },
      );
    const names = answer.headers.getSetCookie().map((line) => line.slice(0, line.indexOf('=')));
    expect(names).toEqual(['cart_token', 'access_token', 'refresh_token', 'device_token']);
    expect(answer.headers.getSetCookie()[0]).toBe('cart_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax');
  });

  test('are called __Host-, and are Secure, behind https in production', async () => {
    const production = await createApiNode({
      env: {
        NODE_ENV: 'production',
        BCRYPT_COST: '12',
        PUBLIC_URL: 'https://shop.example.com',
        COOKIE_SAMESITE: 'none',
      },
    });
    try {
      const ask = async (query: string, cookie = '') => {
        const answer = await production.request({
          method: 'POST',
          path: '/graphql',
          headers: { host: 'shop.example.com', 'content-type': 'application/json', cookie },
          body: JSON.stringify({ query }),
        });
        return { ...answer, cookies: answer.headers['set-cookie'] ?? [] };
      };
      const registered = await ask(
        `mutation { register(input: { email: "${newEmail()}", password: "${PASSWORD}", name: "Ada" }) { errors { code } } }`,
      );
      expect(registered.cookies).toEqual([
        expect.stringMatching(
          /^__Host-access_token=[\w.-]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=None; Secure$/,
        ),
        expect.stringMatching(
          /^__Host-refresh_token=[\w-]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=None; Secure$/,
        ),
        expect.stringMatching(
          /^__Host-device_token=[\w.-]+; Max-Age=31536000; Path=\/; HttpOnly; SameSite=None; Secure$/,
        ),
      ]);
      const [access = ''] = known(registered.cookies[0]).split(';');
      expect((await ask('{ me { name } }', access)).json()).toEqual({ data: { me: { name: 'Ada' } } });
      // One that a neighbour planted, without the prefix, is not looked at.
      const planted = access.replace('__Host-', '');
      expect((await ask('{ me { name } }', planted)).json()).toEqual({ data: { me: null } });

      // Nor is a cookie from the time when COOKIE_DOMAIN was set: any host of the domain may have planted it.
      expect((await ask('{ me { name } }', access.replace('__Host-', '__Secure-'))).json()).toEqual({
        data: { me: null },
      });

      // Nor is a guest's: whoever planted it could follow the orders of the browser's owner.
      const made = await ask('mutation { cartCreate { cart { id token } } }');
      expect(made.cookies).toEqual([
        expect.stringMatching(
          /^__Host-cart_token=[\w-]{43}; Max-Age=15552000; Path=\/; HttpOnly; SameSite=None; Secure$/,
        ),
      ]);
      const [guest = ''] = known(made.cookies[0]).split(';');
      const { id } = (made.json() as { data: { cartCreate: { cart: { id: string } } } }).data.cartCreate.cart;
      expect((await ask('{ cart { id } }', guest)).json()).toEqual({ data: { cart: { id } } });
      const token = known(guest.split('=')[1]);
      const stranger = `cart_token=${token}`;
      expect((await ask('{ cart { id } }', stranger)).json()).toEqual({ data: { cart: null } });
      const victim = await ask('mutation { cartCreate { cart { token } } }', stranger);
      expect(victim.body).not.toContain(token);
    } finally {
      await production.dispose();
    }
  });
});

describe('with COOKIE_DOMAIN', () => {
  let production: TestShop;
  beforeAll(async () => {
    production = await createApiNode({
      env: {
        NODE_ENV: 'production',
        BCRYPT_COST: '12',
        PUBLIC_URL: 'https://api.eu.shop.example',
        COOKIE_DOMAIN: 'shop.example',
      },
    });
  });
  afterAll(() => production.dispose());

  async function ask(query: string, cookie = '') {
    const headers = { host: 'api.eu.shop.example', 'content-type': 'application/json', cookie };
    const body = JSON.stringify({ query });
    const answer = await production.request({ method: 'POST', path: '/graphql', headers, body });
    const { data } = answer.json() as { data: Record<string, unknown> | undefined };
    return { data, cookies: answer.headers['set-cookie'] ?? [] };
  }

  const OF_DOMAIN = 'Domain=shop.example; Path=/; HttpOnly; SameSite=Lax; Secure';
  const OF_HOST = 'Path=/; HttpOnly; SameSite=Lax; Secure';
  const CREATE = 'mutation { cartCreate { cart { id token } } }';
  /** A new guest, with the token. */
  async function newGuest() {
    const { data } = await ask(CREATE);
    return (data as { cartCreate: { cart: { id: string; token: string } } }).cartCreate.cart;
  }

  test('cookies are those of the domain, called __Secure-, and the sockets of its hosts have them', async () => {
    const made = await ask(CREATE);
    expect(made.cookies).toEqual([
      expect.stringMatching(
        /^__Secure-cart_token=[\w-]{43}; Max-Age=15552000; Domain=shop\.example; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
      ),
    ]);
    const registered = await ask(
      `mutation { register(input: { email: "${newEmail()}", password: "${PASSWORD}", name: "Ada" }) { errors { code } } }`,
    );
    expect(registered.cookies.map((line) => [line.split('=')[0], line.replace(/^.*?; .*?; /, '')])).toEqual(
      ['access_token', 'refresh_token', 'device_token'].map((name) => [`__Secure-${name}`, OF_DOMAIN]),
    );
    const [access = ''] = known(registered.cookies[0]).split(';');
    expect((await ask('{ me { name } }', access)).data).toEqual({ me: { name: 'Ada' } });
    // A name without the prefix is not looked at: browsers take one over http, too.
    expect((await ask('{ me { name } }', access.replace('__Secure-', ''))).data).toEqual({ me: null });
    const out = await ask('mutation { logout { loggedOut } }', access);
    expect(out.cookies).toEqual([
      `__Secure-access_token=; Max-Age=0; ${OF_DOMAIN}`,
      expect.stringMatching(/^__Secure-cart_token=[\w.-]{43,}; Max-Age=15552000; /),
    ]);
    const headers = { host: 'api.eu.shop.example', origin: 'https://api.eu.shop.example' };
    const socket = await openSocket(production.wsUrl, {
      headers: { ...headers, cookie: made.cookies[0]?.split(';')[0] ?? '' },
    });
    await socket.init();
    socket.subscribe('cart', '{ cart { id } }');
    expect((await socket.messages.take()).payload?.data).toEqual({ cart: { id: expect.any(String) as string } });
    await socket.close();
  });

  test('a cookie from before the setting is taken over: the same guest, and one cookie', async () => {
    const { id, token } = await newGuest();
    const first = await ask('{ cart { id } }', `__Host-cart_token=${token}`);
    expect(first.data).toEqual({ cart: { id } });
    expect(first.cookies).toEqual([
      `__Secure-cart_token=${token}; Max-Age=15552000; ${OF_DOMAIN}`,
      `__Host-cart_token=; Max-Age=0; ${OF_HOST}`,
    ]);
    // At once with a log-out or any other change of the same cookie, that change is what goes out.
    const out = await ask('mutation { logout { loggedOut } }', `__Host-cart_token=${token}`);
    expect(out.cookies).toEqual([
      `__Secure-cart_token=; Max-Age=0; ${OF_DOMAIN}`,
      `__Host-cart_token=; Max-Age=0; ${OF_HOST}`,
    ]);
  });

  test('of both, that of the domain wins, which the other hosts see, and the other one is taken away', async () => {
    const [older, newer] = [await newGuest(), await newGuest()];
    for (const cookie of [
      `__Host-cart_token=${older.token}; __Secure-cart_token=${newer.token}`,
      `__Secure-cart_token=${newer.token}; __Host-cart_token=${older.token}`,
    ]) {
      const answer = await ask('{ cart { id } }', cookie);
      expect(answer.data).toEqual({ cart: { id: newer.id } });
      expect(answer.cookies).toEqual([`__Host-cart_token=; Max-Age=0; ${OF_HOST}`]);
    }
  });

  test('of one name twice the latest wins, and those of other domains are taken away', async () => {
    const [older, newer] = [await newGuest(), await newGuest()];
    const answer = await ask(
      '{ cart { id } }',
      `__Secure-cart_token=${older.token}; __Secure-cart_token=${newer.token}`,
    );
    expect(answer.data).toEqual({ cart: { id: newer.id } });
    expect(answer.cookies).toEqual([
      `__Host-cart_token=; Max-Age=0; ${OF_HOST}`,
      `__Secure-cart_token=; Max-Age=0; Domain=api.eu.shop.example; ${OF_HOST}`,
      `__Secure-cart_token=; Max-Age=0; Domain=eu.shop.example; ${OF_HOST}`,
    ]);
  });

  test('a cookie that a neighbour planted does not follow the order, nor the log-in', async () => {
    const [{ sku }] = [await makeVariant({ ...production, eventLog: production.app.eventLog }, { onHand: 9 })];
    const planted = await newGuest();
    const cookie = `__Secure-cart_token=${planted.token}`;
    await ask(
      `mutation { cartLinesAdd(input: { lines: [{ sku: "${sku}", quantity: 1 }] }) { errors { code } } }`,
      cookie,
    );
    const bought = await ask(
      'mutation { checkout(input: { idempotencyKey: "planted", email: "ada@example.com" }) { order { id } } }',
      cookie,
    );
    const { id } = (bought.data as { checkout: { order: { id: string } } }).checkout.order;
    const [next = ''] = known(bought.cookies[0]).split(';');
    expect(next).toMatch(/^__Secure-cart_token=[\w-]{43}$/);
    const query = `{ order(id: "${id}") { id } }`;
    expect([(await ask(query, next)).data, (await ask(query, cookie)).data]).toEqual([
      { order: { id } },
      { order: null },
    ]);
  });
});

describe('tokens in the body', () => {
  test('come without any cookie', async () => {
    const client = shop.client();
    const input = { email: newEmail(), password: PASSWORD, name: 'Ada', tokens: 'BODY' as const };
    const before = Math.floor(Date.now() / 1000) * 1000;
    const answer = await client.execute(accountDocuments.register, { input });
    expect(answer.headers.getSetCookie()).toEqual([]);
    const auth = known(answer.data?.register);
    expect(auth.accessToken).toMatch(JWT);
    expect(auth.refreshToken).toMatch(/^[\w-]{43}$/);
    const began = Date.parse(known(auth.accessTokenExpiresAt)) - 15 * 60_000;
    expect(began).toBeGreaterThanOrEqual(before);
    expect(began).toBeLessThanOrEqual(Date.now());
    const refreshed = await client.execute(accountDocuments.refresh, {
      input: { refreshToken: known(auth.refreshToken) },
    });
    expect(refreshed.headers.getSetCookie()).toEqual([]);
    expect(refreshed.data?.refreshSession?.accessToken).toMatch(JWT);
  });

  test('are refreshed in the body although a cookie came, too, and the cookie is not', async () => {
    const { client, email } = await newBrowser();
    const other = await newPerson(shop);
    const cookie = client.cookie('refresh_token');
    const auth = await refresh(client, other.refreshToken);
    expect(auth.user?.email).toBe(other.email);
    expect(auth.accessToken).toMatch(JWT);
    expect(client.cookie('refresh_token')).toBe(cookie);
    expect(await whoIs(client)).toBe(email);
  });

  test.each(['', null])('cannot be had for what came by cookie: %j', async (refreshToken) => {
    const { client } = await newBrowser();
    const { refreshSession } = await client.data(accountDocuments.refresh, { input: { refreshToken } });
    expect(refreshSession).toMatchObject({ accessToken: null, refreshToken: null });
  });
});

describe('logging out', () => {
  test('ends the session and takes its cookies away', async () => {
    const { client, email } = await newBrowser();
    const [access, refreshToken] = [known(client.cookie('access_token')), known(client.cookie('refresh_token'))];
    expect((await client.data(accountDocuments.logout)).logout).toEqual({ loggedOut: true, errors: [] });
    expect([client.cookie('access_token'), client.cookie('refresh_token')]).toEqual([undefined, undefined]);
    expect(await whoIs(client)).toBeNull();
    expect(await whoIs(shop.client(), bearer(access))).toEqual(['401', 'UNAUTHENTICATED']);
    expect(faultsOf(await refresh(shop.client(), refreshToken))).toEqual([['TOKEN_INVALID', 'refreshToken']]);
    expect((await login(shop.client(), { email })).errors).toEqual([]);
  });

  test('works by the refresh cookie where the access token is over', async () => {
    const { client, email } = await newBrowser();
    const cookies = cookieOf({ access_token: 'x', refresh_token: known(client.cookie('refresh_token')) });
    const answer = await shop.client().execute(accountDocuments.logout, {}, { headers: cookies });
    expect(answer.data).toEqual({ logout: { loggedOut: true, errors: [] } });
    expect(answer.headers.getSetCookie().map((line) => line.split(';')[0])).toEqual([
      'access_token=',
      'refresh_token=',
      expect.stringMatching(/^cart_token=[\w.-]{43,}$/),
    ]);
    const left = `SELECT FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email = $1 AND s.ended_at IS NULL`;
    expect(await rowsOf(shop.db, left, [email])).toEqual([]);
  });

  test('names the guest as which all tabs of the browser go on, and gives clients without cookies nothing', async () => {
    const { client } = await newBrowser();
    await client.data(accountDocuments.logout);
    const token = known(client.cookie('cart_token'));
    // Whichever tab puts something in a cart first, the token stays.
    const made = await client.data(shopperDocuments.create);
    expect([made.cartCreate?.errors, client.cookie('cart_token')]).toEqual([[], token]);

    const { client: program } = await newPerson(shop);
    const answer = await program.execute(accountDocuments.logout);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('ends this session alone, or all of them', async () => {
    const ada = await newPerson(shop);
    const others = await Promise.all([1, 2, 3].map(() => login(shop.client(), { email: ada.email })));
    const clients = others.map((auth) => shop.client({ headers: bearer(known(auth.accessToken)) }));
    const eve = await newPerson(shop);
    await known(clients[0]).data(accountDocuments.logout, { everywhere: false });
    expect(await whoIs(known(clients[0]))).toEqual(['401', 'UNAUTHENTICATED']);
    expect(await whoIs(known(clients[1]))).toBe(ada.email);

    await known(clients[1]).data(accountDocuments.logout, { everywhere: true });
    for (const client of [ada.client, ...clients]) expect(await whoIs(client)).toEqual(['401', 'UNAUTHENTICATED']);
    for (const auth of others) expect((await refresh(shop.client(), known(auth.refreshToken))).errors).toHaveLength(1);
    expect(await whoIs(eve.client)).toBe(eve.email);
    const text = `SELECT payload->>'reason' AS reason FROM event_log WHERE type = 'session_ended' AND payload->>'userId' = $1`;
    expect(await rowsOf(shop.db, text, [rowId(ada.userId)])).toEqual(
      Array.from({ length: 4 }, () => ({ reason: 'LOGOUT' })),
    );
  });
});

describe('sessions', () => {
  test('are listed for their user, the one that asks marked, ended ones left out', async () => {
    const ada = await newPerson(shop);
    const agent = `Mozilla/5.0 ${'x'.repeat(400)}`;
    const phone = await login(shop.client({ headers: { 'user-agent': agent } }), { email: ada.email });
    const gone = await login(shop.client(), { email: ada.email });
    await shop.client({ headers: bearer(known(gone.accessToken)) }).data(accountDocuments.logout);
    const { me } = await shop.client({ headers: bearer(known(phone.accessToken)) }).data(accountDocuments.sessions);
    const sessions = known(me?.sessions);
    expect(sessions.map(({ current }) => current)).toEqual([true, false]);
    expect(sessions[0]?.userAgent).toBe(agent.slice(0, 300));
    for (const { createdAt, lastUsedAt, expiresAt } of sessions) {
      expect(lastUsedAt).toBe(createdAt);
      expect(new Date(expiresAt).getTime() - new Date(createdAt).getTime()).toBe(MONTH * 1000);
    }
  });

  test('one of them can be ended from another device, and only by their user', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const phone = await login(shop.client(), { email: ada.email });
    const onPhone = shop.client({ headers: bearer(known(phone.accessToken)) });
    const sessions = known((await ada.client.data(accountDocuments.sessions)).me?.sessions);
    const other = known(sessions.find(({ current }) => !current)).id;
    const END = `mutation ($id: ID!) { sessionEnd(input: { id: $id }) { endedId errors { code path } } }`;
    const refused = { endedId: null, errors: [{ code: 'NOT_FOUND', path: ['id'] }] };

    expect(await eve.client.data(END, { id: other })).toEqual({ sessionEnd: refused });
    expect((await shop.client().execute(END, { id: other })).codes).toEqual(['UNAUTHENTICATED']);
    expect((await onPhone.data(accountDocuments.me)).me?.email).toBe(ada.email);

    expect(await ada.client.data(END, { id: other })).toEqual({ sessionEnd: { endedId: other, errors: [] } });
    expect((await onPhone.execute(accountDocuments.me)).codes).toEqual(['UNAUTHENTICATED']);
    const left = known((await ada.client.data(accountDocuments.sessions)).me?.sessions);
    expect(left.map(({ id, current }) => [id === other, current])).toEqual([[false, true]]);
    expect(await ada.client.data(END, { id: other })).toEqual({ sessionEnd: refused });
    const invalid = { endedId: null, errors: [{ code: 'INVALID_INPUT', path: ['id'] }] };
    expect(await ada.client.data(END, { id: ada.userId })).toEqual({ sessionEnd: invalid });
  });

  test("are nobody else's to see, nor to find by their ID, not even for staff", async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const { me } = await ada.client.data(accountDocuments.sessions);
    const id = known(me?.sessions?.[0]).id;
    const byId = 'query ($id: ID!) { node(id: $id) { __typename id } }';
    expect(await ada.client.data(byId, { id })).toEqual({ node: { __typename: 'Session', id } });
    for (const client of [eve.client, shop.client()]) {
      expect(await client.data(byId, { id })).toEqual({ node: null });
      expect(await client.data(byId, { id: ada.userId })).toEqual({ node: null });
    }
    await rowsOf(shop.db, `UPDATE users SET role = 'STAFF' WHERE id = $1`, [rowId(eve.userId)]);
    expect(await eve.client.data(byId, { id })).toEqual({ node: null });
    const answer = await eve.client.execute(
      'query ($id: ID!) { node(id: $id) { ... on User { email sessions { id } } } }',
      { id: ada.userId },
    );
    expect([answer.status, answer.codes, answer.data]).toEqual([
      200,
      ['FORBIDDEN'],
      { node: { email: ada.email, sessions: null } },
    ]);
  });
});
