import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bearer, newPerson, refresh, type Person } from '../support/accounts.ts';
import { openEventStream } from '../support/event-stream.ts';
import { makeVariant, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { settled } from '../support/settled.ts';
import { enter, shopperOf } from '../support/shopper.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket, type TestSocket } from '../support/socket.ts';
import { until } from '../support/until.ts';

const SECRET = 'a secret of tests that is long enough';

let shop: TestShop & World;
let ada: Person;
let guest: { token: string };
let sku: string;
beforeAll(async () => {
  const opened = await createApiNode({ env: { JWT_SECRET: SECRET } });
  shop = { ...opened, eventLog: opened.app.eventLog };
  [ada, guest] = [await newPerson(shop), await enter(shop)];
  sku = (await makeVariant(shop, { onHand: 1000 })).sku;
});
afterAll(() => shop.dispose());

async function connect(params: Record<string, unknown>, headers: Record<string, string> = {}): Promise<TestSocket> {
  const socket = await openSocket(shop.wsUrl, { headers });
  onTestFinished(() => socket.raw.terminate());
  await socket.init(params);
  return socket;
}

/** What the shop answers to the question who is asking: the address, whether there is a cart, or codes. */
async function whoIs(params: Record<string, unknown>, headers: Record<string, string> = {}): Promise<unknown> {
  const socket = await connect(params, headers);
  socket.subscribe('who', '{ me { email } cart { id } }');
  const { type, payload } = await socket.messages.take();
  if (type === 'error') return (payload as never as { extensions: { code: string } }[]).map((e) => e.extensions.code);
  const { me, cart } = known(payload).data as { me: { email: string } | null; cart: object | null };
  return me?.email ?? (cart === null ? 'nobody' : 'guest');
}

const accessNames = (token: unknown): [string, Record<string, unknown>][] => [
  ['accessToken', { accessToken: token }],
  ['access_token', { access_token: token }],
  ['authToken', { authToken: token }],
  ['token', { token }],
  ['authorization', { authorization: token }],
  ['Authorization', { Authorization: token }],
  ['headers.authorization', { headers: { authorization: token } }],
  ['headers.Authorization', { headers: { Authorization: token } }],
  ['Headers.AUTHORIZATION', { Headers: { AUTHORIZATION: token } }],
];
const cartNames = (token: unknown): [string, Record<string, unknown>][] => [
  ['cartToken', { cartToken: token }],
  ['cart_token', { cart_token: token }],
  ['x-cart-token', { 'x-cart-token': token }],
  ['X-Cart-Token', { 'X-Cart-Token': token }],
  ['headers.x-cart-token', { headers: { 'x-cart-token': token } }],
];

describe('connectionParams name the user', () => {
  test.each(accessNames('').map(([name], index) => [name, index] as const))(
    'as %s, with and without Bearer',
    async (_name, index) => {
      for (const token of [ada.accessToken, `Bearer ${ada.accessToken}`, `bearer  ${ada.accessToken}`]) {
        expect(await whoIs(known(accessNames(token)[index])[1])).toBe(ada.email);
      }
      for (const wrong of ['x', 'Bearer x', 'Basic eDp5', `Basic ${ada.accessToken}`, 7, {}, [ada.accessToken]]) {
        expect(await whoIs(known(accessNames(wrong)[index])[1])).toEqual(['UNAUTHENTICATED']);
      }
      // Nothing is nothing, as the state of a page that nobody has logged in to.
      for (const nothing of [null, '', undefined])
        expect(await whoIs(known(accessNames(nothing)[index])[1])).toBe('nobody');
    },
  );

  test('and contradict each other only where they differ', async () => {
    const token = ada.accessToken;
    expect(await whoIs({ accessToken: token, headers: { Authorization: `Bearer ${token}` } })).toBe(ada.email);
    expect(await whoIs({ accessToken: token, headers: { Authorization: 'Bearer x' } })).toEqual(['UNAUTHENTICATED']);
    const eve = await newPerson(shop);
    expect(await whoIs({ authorization: token }, { cookie: `access_token=${eve.accessToken}` })).toBe(ada.email);
  });
});

describe('connectionParams name the guest', () => {
  test.each(cartNames('').map(([name], index) => [name, index] as const))('as %s', async (_name, index) => {
    expect(await whoIs(known(cartNames(guest.token)[index])[1])).toBe('guest');
    for (const wrong of ['x', 'A'.repeat(43), 7, {}]) {
      expect(await whoIs(known(cartNames(wrong)[index])[1])).toEqual(['UNAUTHENTICATED']);
    }
  });
});

/** A token as the shop signs it, with another end. */
function tokenEnding(person: Person, inMs: number): string {
  const { payload, header } = known(jwt.decode(person.accessToken, { complete: true }));
  const exp = Math.ceil((Date.now() + inMs) / 1000);
  return jwt.sign({ ...(payload as object), exp }, SECRET, { keyid: known(header.kid) });
}

const STOCK = 'subscription { stockChanged { available } }';
const CART = 'subscription { cartChanged { kind } }';

/** Begins something with a token that ends soon; on a slow machine with one that ends later, until it begins in time. */
async function inTime<T>(begin: (ms: number) => Promise<T | null>): Promise<T> {
  for (let ms = 1500; ms < 25_000; ms *= 2) {
    const begun = await begin(ms);
    if (begun !== null) return begun;
  }
  throw new Error('nothing begins within half a minute');
}

describe('when the access token expires', () => {
  test('a socket keeps what is public, and ends the rest with UNAUTHENTICATED', async () => {
    const person = await newPerson(shop);
    await settled(shop);
    const socket = await inTime(async (ms) => {
      const opened = await connect({ accessToken: tokenEnding(person, ms) });
      opened.subscribe('stock', STOCK);
      opened.subscribe('cart', CART);
      await until('both stand', () => shop.app.subscriptions() === 2 || opened.messages.left.length > 0);
      if (opened.messages.left.length === 0) return opened;
      await opened.close();
      await until('nothing is left of it', () => shop.app.subscriptions() === 0);
      return null;
    });
    expect(await socket.messages.take(30_000)).toMatchObject({
      id: 'cart',
      type: 'error',
      payload: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
    const { cart } = await shopperOf(shop.client()).add({ sku, quantity: 1 });
    expect(known(cart).totalQuantity).toBe(1);
    expect(await socket.messages.take()).toMatchObject({
      id: 'stock',
      type: 'next',
      payload: { data: { stockChanged: {} } },
    });
    // Nothing new in the name of a token that is over.
    socket.subscribe('later', STOCK);
    expect(await socket.messages.take()).toMatchObject({ id: 'later', type: 'error' });
    // The end of the session is the end of the socket.
    await person.client.data('mutation { logout { loggedOut } }');
    expect(await socket.closed).toEqual({ code: 4403, reason: 'Forbidden' });
  });

  test('a client that has refreshed its session meanwhile is sent away, to come back with the new token', async () => {
    const socket = await inTime(async (ms) => {
      const person = await newPerson(shop);
      const { iat } = jwt.decode(person.accessToken) as { iat: number };
      const end = Date.now() + 1500 + ms;
      const opened = await connect({ accessToken: tokenEnding(person, end - Date.now()) });
      opened.subscribe('stock', STOCK);
      // A token contains whole seconds: a refresh in the same second would not be seen as later.
      await until('the next second', () => Date.now() >= (iat + 1) * 1000 + 50);
      expect((await refresh(shop.client(), person.refreshToken)).errors).toEqual([]);
      return Date.now() < end ? opened : null;
    });
    expect(await socket.closed).toEqual({ code: 4403, reason: 'Forbidden' });
  });

  test('a public stream over SSE goes on, and another one says why it ends', async () => {
    const person = await newPerson(shop);
    await settled(shop);
    const { stock, cart } = await inTime(async (ms) => {
      const headers = bearer(tokenEnding(person, ms));
      const opened = await openEventStream(shop.url, STOCK, headers);
      onTestFinished(() => opened.close());
      const other = await openEventStream(shop.url, CART, headers);
      return opened.status === 200 && other.status === 200 ? { stock: opened, cart: other } : null;
    });
    expect((await cart.events.take(30_000)).data?.errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
    expect(await cart.ended).toBe(true);
    await shopperOf(shop.client()).add({ sku, quantity: 1 });
    expect((await stock.events.take()).data?.data).toHaveProperty('stockChanged');
  });
});

test('the answers to log-in and refresh say when the access token of a browser expires', async () => {
  const client = shop.client({ cookies: true });
  const LOGIN = `mutation ($input: LoginInput!) { login(input: $input) { accessToken accessTokenExpiresAt } }`;
  const input = { email: ada.email, password: 'a long enough password' };
  const { login } = await client.data<{ login: { accessToken: null; accessTokenExpiresAt: string } }>(LOGIN, { input });
  const { exp } = jwt.decode(known(client.cookie('access_token'))) as { exp: number };
  expect(login).toEqual({ accessToken: null, accessTokenExpiresAt: new Date(exp * 1000).toISOString() });
  const { refreshSession } = await client.data<{ refreshSession: typeof login }>(
    'mutation { refreshSession { accessToken accessTokenExpiresAt } }',
  );
  const later = jwt.decode(known(client.cookie('access_token'))) as { exp: number };
  expect(Date.parse(refreshSession.accessTokenExpiresAt)).toBe(later.exp * 1000);
});
