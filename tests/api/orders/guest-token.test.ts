import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openNode } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import type { Client } from '../../support/client.ts';
import { makeVariant, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { shopperOf } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { openSocket, type TestSocket } from '../../support/socket.ts';

// Whoever planted a guest's cookie, or has seen the token, must not follow what the guest orders.

let shop: TestShop & World;
let other: TestShop;
let variantId: string;
beforeAll(async () => {
  const opened = await createApiNode();
  shop = { ...opened, eventLog: opened.app.eventLog };
  other = await openNode(shop);
  variantId = (await makeVariant(shop, { onHand: 1000 })).globalId;
});
afterAll(async () => {
  await other.dispose();
  await shop.dispose();
});

const ADDRESS = { name: 'Ada', line1: '1 Street', city: 'Town', postalCode: '12345', countryCode: 'DE' };
const CHECKOUT = `mutation ($input: CheckoutInput!) {
  checkout(input: $input) { cartToken order { id number email accessToken } errors { code } }
}`;
const ORDER = 'query ($id: ID!) { order(id: $id) { id email accessToken shippingAddress { line1 } } }';
const CART = 'query ($id: ID!) { node(id: $id) { id ... on Cart { email totalQuantity } } }';
const ADD = `mutation ($lines: [CartLineInput!]!) { cartLinesAdd(input: { lines: $lines }) { cart { id totalQuantity } errors { code } } }`;

interface Bought {
  cartToken: string | null;
  order: { id: string; number: string; email: string; accessToken: string } | null;
  errors: { code: string }[];
}

let keys = 0;
const orderOf = (more: object = {}) => ({
  idempotencyKey: `guest-token-${(keys += 1)}`,
  email: 'ada@example.com',
  shippingAddress: ADDRESS,
  ...more,
});

async function buy(client: Client, input: object, headers: Record<string, string> = {}) {
  const answer = await client.execute<{ checkout: Bought }>(CHECKOUT, { input }, { headers });
  expect(answer.errors).toBeUndefined();
  return { ...known(answer.data?.checkout), setCookie: answer.headers.getSetCookie() };
}

/** A browser with something in its cart, and its cookie from before the checkout. */
async function enterByCookie() {
  const client = shop.client({ cookies: true });
  const cart = known((await shopperOf(client).add({ variantId, quantity: 2 })).cart);
  return { client, cartId: cart.id, token: known(client.cookie('cart_token')) };
}

const byCookie = (token: string) => shop.client({ headers: { cookie: `cart_token=${token}` } });
const byHeader = (token: string) => shop.client({ cartToken: token });

async function connect(headers: Record<string, string>, params: Record<string, unknown> = {}, node: TestShop = shop) {
  const socket = await openSocket(node.wsUrl, { headers });
  onTestFinished(() => socket.raw.terminate());
  await socket.init(params);
  return socket;
}

/** What a socket sees of an order. */
async function ask(socket: TestSocket, query: string, variables: Record<string, unknown>) {
  socket.subscribe('ask', query, variables);
  const { payload } = await socket.messages.take();
  await socket.messages.take(); // complete
  return payload?.data;
}

const FORBIDDEN = { code: 4403, reason: 'Forbidden' };

describe('a browser that checks out', () => {
  test('gets a new cookie that shows the order; the old token does not show it', async () => {
    const { client, cartId, token } = await enterByCookie();
    const { order, cartToken, setCookie } = await buy(client, orderOf());
    const id = known(order).id;
    expect(cartToken).toBeNull();
    expect(setCookie).toEqual([
      expect.stringMatching(/^cart_token=[\w-]{43}; Max-Age=15552000; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect(client.cookie('cart_token')).not.toBe(token);
    expect(await client.data(ORDER, { id })).toEqual({
      order: { id, email: 'ada@example.com', accessToken: order?.accessToken, shippingAddress: { line1: '1 Street' } },
    });
    expect(await client.data(CART, { id: cartId })).toMatchObject({ node: { totalQuantity: 2 } });
    for (const planter of [byCookie(token), byHeader(token)]) {
      expect(await planter.data(ORDER, { id })).toEqual({ order: null });
      expect(await planter.data(CART, { id: cartId })).toEqual({ node: null });
      expect(await planter.data('{ cart { id } }')).toEqual({ cart: null });
      const cancel = `mutation ($id: ID!) { orderCancel(input: { id: $id }) { order { id } errors { code } } }`;
      expect(await planter.data(cancel, { id })).toMatchObject({ orderCancel: { order: null } });
    }
    // With the next order there is another one, and the first order stays in sight.
    const second = client.cookie('cart_token');
    await shopperOf(client).add({ variantId, quantity: 1 });
    await buy(client, orderOf());
    expect(client.cookie('cart_token')).not.toBe(second);
    expect(await client.data(ORDER, { id })).toMatchObject({ order: { id } });
    expect(await byCookie(known(second)).data(ORDER, { id })).toEqual({ order: null });
  });

  test('also where the name was offered to a visitor before there was a cart', async () => {
    const upgrade = await openSocket(shop.wsUrl);
    onTestFinished(() => upgrade.raw.terminate());
    const { token } = shop.app.services.guests.offer();
    const client = byCookie(token);
    await shopperOf(client).add({ variantId, quantity: 1 });
    const { order, setCookie } = await buy(client, orderOf());
    const [renewed = ''] = known(/cart_token=([^;]+)/.exec(known(setCookie[0]))?.slice(1));
    expect(await byCookie(renewed).data(ORDER, { id: known(order).id })).toMatchObject({ order: { id: order?.id } });
    expect(await client.data(ORDER, { id: known(order).id })).toEqual({ order: null });
  });

  test('leaves the cookie as it is where nothing is bought', async () => {
    const { client, token } = await enterByCookie();
    const refused = await buy(client, orderOf({ expectedTotal: '1.00' }));
    expect([refused.errors, refused.setCookie]).toEqual([[{ code: 'TOTAL_CHANGED' }], []]);
    expect(client.cookie('cart_token')).toBe(token);
  });
});

describe('sockets of the guest', () => {
  test('are closed on every node; one that comes back with the old cookie is sent away, one with the new cookie stays', async () => {
    const { client, token } = await enterByCookie();
    const cookie = `cart_token=${token}`;
    const tabs = [await connect({ cookie }), await connect({ cookie }, {}, other)];
    const planter = await connect({}, { cartToken: token }, other);
    const stranger = await enterByCookie();
    const strangers = await connect({ cookie: `cart_token=${stranger.token}` });
    const id = known((await buy(client, orderOf())).order).id;
    for (const socket of [...tabs, planter]) expect(await socket.closed).toEqual(FORBIDDEN);
    for (const node of [shop, other]) {
      const late = await connect({ cookie }, {}, node);
      expect(await late.closed).toEqual(FORBIDDEN);
      const back = await connect({ cookie: `cart_token=${client.cookie('cart_token')}` }, {}, node);
      expect(await ask(back, ORDER, { id })).toMatchObject({ order: { id } });
      // It came after the one that was sent away: whatever had to end it has had its turn.
      const latest = await connect({ cookie }, {}, node);
      expect(await latest.closed).toEqual(FORBIDDEN);
      expect(back.raw.readyState).toBe(back.raw.OPEN);
    }
    const again = await connect({}, { cartToken: token });
    expect(await ask(again, ORDER, { id })).toEqual({ order: null });
    again.subscribe('follow', 'subscription ($id: ID!) { orderStatusChanged(orderId: $id) { order { id } } }', { id });
    expect(JSON.stringify(await again.messages.take())).toContain('FORBIDDEN');
    expect(strangers.raw.readyState).toBe(strangers.raw.OPEN);
  });
});

describe('a checkout that is sent again, its answer being lost', () => {
  test('gets the first answer and the new cookie again, whether it sends the old or the new cookie', async () => {
    const { client, token } = await enterByCookie();
    const input = orderOf();
    const first = await buy(client, input);
    for (const sender of [byCookie(token), byCookie(token), client]) {
      const { order, errors, setCookie } = await buy(sender, input);
      expect({ order, errors }).toEqual({ order: first.order, errors: [] });
      if (sender !== client) expect(setCookie).toEqual(first.setCookie);
    }
    expect(await rowsOf(shop.db, 'SELECT FROM orders WHERE idempotency_key = $1', [input.idempotencyKey])).toHaveLength(
      1,
    );
    // Somebody who does not know the request learns nothing.
    const guessed = await buy(byCookie(token), { ...input, email: 'eve@example.com' });
    expect(guessed).toMatchObject({ order: null, errors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }], setCookie: [] });
  });

  test('finds the order although the browser has put more in a cart meanwhile, which stays', async () => {
    const { client, token } = await enterByCookie();
    const input = orderOf();
    const first = await buy(client, input);
    const lost = byCookie(token);
    await rowsOf(
      shop.db,
      `UPDATE guests SET replaced_at = replaced_at - interval '15 seconds' WHERE former_id IS NOT NULL`,
    );
    await shopperOf(lost).add({ variantId, quantity: 3 });
    expect((await buy(lost, input)).order).toEqual(first.order);
    expect((await shopperOf(lost).cart())?.totalQuantity).toBe(3);
  });

  test('finds it after the guest has bought something else, and hands no token over then', async () => {
    const { client, token } = await enterByCookie();
    const input = orderOf();
    const first = await buy(client, input);
    await shopperOf(client).add({ variantId, quantity: 1 });
    await buy(client, orderOf());
    const { order, setCookie } = await buy(byCookie(token), input);
    expect([order?.id, setCookie]).toEqual([first.order?.id, []]);
  });

  test('is refused after a day, and buys nothing a second time', async () => {
    const { client, token } = await enterByCookie();
    const input = orderOf();
    await buy(client, input);
    await rowsOf(shop.db, `UPDATE guests SET replaced_at = replaced_at - interval '1 day' WHERE former_id IS NOT NULL`);
    const late = byCookie(token);
    await shopperOf(late).add({ variantId, quantity: 3 });
    const { order, errors, setCookie } = await buy(late, input);
    expect([order, errors, setCookie]).toEqual([null, [{ code: 'IDEMPOTENCY_KEY_REUSED' }], []]);
    expect(await rowsOf(shop.db, 'SELECT FROM orders WHERE idempotency_key = $1', [input.idempotencyKey])).toHaveLength(
      1,
    );
  });

  test('twice at the same time makes one order and one token', async () => {
    const { token } = await enterByCookie();
    const input = orderOf();
    const answers = await Promise.all([1, 2, 3].map(() => buy(byCookie(token), input)));
    expect(new Set(answers.map(({ order }) => known(order).id)).size).toBe(1);
    expect(new Set(answers.map(({ setCookie }) => known(setCookie[0]))).size).toBe(1);
  });
});

describe('another tab, whose request still has the old cookie', () => {
  test('is asked to send it again, and takes no cookie away', async () => {
    const { client, token } = await enterByCookie();
    await buy(client, orderOf());
    const late = await byCookie(token).execute(ADD, { lines: [{ variantId, quantity: 1 }] });
    expect([late.codes, late.data, late.headers.getSetCookie()]).toEqual([
      ['UNAUTHENTICATED'],
      { cartLinesAdd: null },
      [],
    ]);
    const again = await client.execute(ADD, { lines: [{ variantId, quantity: 1 }] });
    expect(again.data).toMatchObject({ cartLinesAdd: { cart: { totalQuantity: 1 }, errors: [] } });
    expect((await byCookie(token).execute('{ cart { id } }')).headers.getSetCookie()).toEqual([]);
  });
});

describe('a client that sends x-cart-token', () => {
  async function enterByHeader() {
    const { token } = await enterByCookie();
    return { client: byHeader(token), token };
  }

  test('keeps its token, and its order, unless it asks for another one', async () => {
    const { client } = await enterByHeader();
    const { order, cartToken, setCookie } = await buy(client, orderOf());
    expect([cartToken, setCookie]).toEqual([null, []]);
    expect(await client.data(ORDER, { id: known(order).id })).toMatchObject({ order: { id: order?.id } });
  });

  test('asks for another one, in the payload: by that it has the order, and by the old one a new cart', async () => {
    const { client, token } = await enterByHeader();
    const socket = await connect({}, { cartToken: token });
    const input = orderOf({ renewCartToken: true });
    const { order, cartToken, setCookie } = await buy(client, input);
    const id = known(order).id;
    expect(cartToken).toMatch(/^[\w-]{43}$/);
    expect(cartToken).not.toBe(token);
    expect(setCookie).toEqual([]);
    expect(await socket.closed).toEqual(FORBIDDEN);
    expect(await byHeader(known(cartToken)).data(ORDER, { id })).toMatchObject({ order: { id } });
    expect(await client.data(ORDER, { id })).toEqual({ order: null });
    // The answer was lost: the same again.
    expect(await buy(client, input)).toMatchObject({ order, cartToken, errors: [] });
    expect((await shopperOf(client).add({ variantId, quantity: 1 })).cart).toMatchObject({ token, totalQuantity: 1 });
    expect((await shopperOf(byHeader(known(cartToken))).cart()) ?? null).toBeNull();
  });
});
