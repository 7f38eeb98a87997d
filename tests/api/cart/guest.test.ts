import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf } from '../../support/books.ts';
import type { TestShopOptions } from '../../support/shop.ts';
import { makeOverdue, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter, rowId, shopperDocuments, shopperOf } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const { create, cart: readCart } = shopperDocuments;
const COOKIE = /^cart_token=([\w-]{43}); Max-Age=15552000; Path=\/; HttpOnly; SameSite=Lax$/;
const CLEARED = 'cart_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax';

/** A guest as a browser is one: by the cookie. */
async function enterByCookie() {
  const client = shop.client({ cookies: true });
  const answer = await client.execute(create);
  return { ...shopperOf(client), token: known(client.cookie('cart_token')), answer };
}

describe('the token', () => {
  test('is handed over once, in the answer and as a cookie, by what made the guest', async () => {
    const { answer, token } = await enterByCookie();
    expect(answer.data?.cartCreate?.cart?.token).toBe(token);
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(COOKIE)]);
  });

  test('that came by cookie is never answered in the body, nor set again', async () => {
    const honey = await makeVariant(shop);
    const { client, add, cart } = await enterByCookie();
    const { cart: filled, errors } = await add({ sku: honey.sku, quantity: 1 });
    expect(errors).toEqual([]);
    expect(filled).toMatchObject({ token: null, totalQuantity: 1 });
    expect((await cart())?.token).toBeNull();
    const answer = await client.execute(readCart);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('that came by header is answered, and no cookie is set', async () => {
    const { client, token } = await enter(shop);
    const answer = await client.execute(create);
    expect(answer.data?.cartCreate?.cart?.token).toBe(token);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('of the header wins over that of the cookie', async () => {
    const honey = await makeVariant(shop);
    const [one, other] = [await enter(shop), await enter(shop)];
    const first = known((await one.add({ sku: honey.sku, quantity: 1 })).cart);
    const second = known((await other.add({ sku: honey.sku, quantity: 2 })).cart);
    const client = shop.client();
    const ask = async (headers: Record<string, string>) =>
      (await client.execute(readCart, undefined, { headers })).data?.cart;
    const cookie = `theme=dark; cart_token=${other.token}; more=1`;
    expect(await ask({ 'x-cart-token': one.token, cookie })).toMatchObject({ id: first.id, token: one.token });
    expect(await ask({ cookie })).toMatchObject({ id: second.id, token: null });
    expect(await ask({ 'x-cart-token': '', cookie })).toMatchObject({ id: second.id, token: null });
    expect(await ask({ 'x-cart-token': one.token, cookie: 'cart_token=rubbish' })).toMatchObject({ id: first.id });
  });

  test('stays the same through expiry and checkout', async () => {
    const honey = await makeVariant(shop, { onHand: 50 });
    const shopper = await enter(shop);
    const carts = [known((await shopper.add({ sku: honey.sku, quantity: 1 })).cart)];
    await makeOverdue(shop, [rowId(known(carts[0]).id)]);
    carts.push(known((await shopper.add({ sku: honey.sku, quantity: 2 })).cart));
    await shopper.checkout({ idempotencyKey: 'same', email: 'same@example.com' });
    carts.push(known((await shopper.add({ sku: honey.sku, quantity: 3 })).cart));
    expect(new Set(carts.map((cart) => cart.id)).size).toBe(3);
    expect(carts.map((cart) => cart.token)).toEqual([shopper.token, shopper.token, shopper.token]);
  });

  test('is not in the database, only its hash is', async () => {
    const { token } = await enter(shop);
    const [row] = await shop.db.query<{ hits: number; guests: number }>(
      {
        name: 'test_token_in_guests',
        text: `SELECT count(*) FILTER (WHERE position($1 IN g::text) > 0)::int AS hits, count(*)::int AS guests FROM guests g`,
      },
      [token],
    );
    expect(row?.hits).toBe(0);
    expect(row?.guests).toBeGreaterThan(0);
  });
});

describe('a token that the shop never made', () => {
  const unauthenticated = {
    errors: [
      {
        message: 'The cart token was not issued by this shop.',
        extensions: { code: 'UNAUTHENTICATED' },
      },
    ],
  };
  const tokens = ['rubbish', 'A'.repeat(43), 'x'.repeat(4000), "' OR 1=1 --", 'null'];

  test.each(tokens)('is a 401 in the header, and nothing is done: %s', async (token) => {
    const client = shop.client({ cartToken: token });
    const answer = await changingNothing(shop, () => client.execute(create));
    expect(answer.status).toBe(401);
    expect({ errors: answer.errors }).toEqual(unauthenticated);
    expect(answer.data).toBeUndefined();
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test.each(tokens.filter((token) => !token.includes(' ')))(
    'is a 401 in the cookie, which is taken away: %s',
    async (token) => {
      const client = shop.client({ headers: { cookie: `cart_token=${token}` } });
      const answer = await changingNothing(shop, () => client.execute(create));
      expect(answer.status).toBe(401);
      expect({ errors: answer.errors }).toEqual(unauthenticated);
      expect(answer.headers.getSetCookie()).toEqual([CLEARED]);
    },
  );

  test('shuts no browser out: the next request goes through', async () => {
    const client = shop.client({ cookies: true });
    const headers = { cookie: 'cart_token=rubbish' };
    expect((await client.execute(create, undefined, { headers })).status).toBe(401);
    expect(client.cookie('cart_token')).toBeUndefined();
    expect((await client.execute(create)).status).toBe(200);
    expect(client.cookie('cart_token')).toMatch(/^[\w-]{43}$/);
  });

  test('is a 401 for what needs no cart, too, and by GET', async () => {
    const headers = { 'x-cart-token': 'rubbish' };
    const query = encodeURIComponent('{ shop { name } }');
    const answer = await shop.request({ path: `/graphql?query=${query}`, headers });
    expect(answer.status).toBe(401);
    expect(answer.json()).toEqual(unauthenticated);
  });
});

describe('someone new', () => {
  const count = async () => (await rowsOf(shop.db, 'SELECT FROM guests')).length;

  test('a visitor who only reads does not become a guest', async () => {
    const client = shop.client({ cookies: true });
    const answer = await changingNothing(shop, () => client.execute(readCart));
    expect(answer.data).toEqual({ cart: null });
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('whose first mutation is refused becomes no guest', async () => {
    const honey = await makeVariant(shop, { onHand: 1 });
    const client = shop.client({ cookies: true });
    const { add, update, checkout, setEmail } = shopperOf(client);
    await changingNothing(shop, async () => {
      expect((await add({ sku: honey.sku, quantity: 2 })).errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK' }]);
      expect((await update({ id: 'rubbish', quantity: 2 })).errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
      expect((await setEmail('new@example.com')).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
      expect((await checkout({ idempotencyKey: 'new', email: 'new@example.com' })).errors).toMatchObject([
        { code: 'CART_EMPTY' },
      ]);
    });
    expect(client.cookie('cart_token')).toBeUndefined();
  });

  test('with two mutations in one document becomes one guest with one cart', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const before = await count();
    const client = shop.client({ cookies: true });
    const answer = await client.execute<Record<string, { cart: { id: string; token: string; totalQuantity: number } }>>(
      `mutation ($input: CartLinesAddInput!) {
        one: cartLinesAdd(input: $input) { cart { id token totalQuantity } }
        two: cartLinesAdd(input: $input) { cart { id token totalQuantity } }
        three: cartCreate { cart { id token totalQuantity } }
      }`,
      { input: { lines: [{ sku: honey.sku, quantity: 2 }] } },
    );
    const { one, two, three } = known(answer.data);
    expect([one, two, three].map((payload) => payload?.cart.id)).toEqual(Array.from({ length: 3 }, () => one?.cart.id));
    expect([one, two, three].map((payload) => payload?.cart.totalQuantity)).toEqual([2, 4, 4]);
    const token = client.cookie('cart_token');
    expect([one, two, three].map((payload) => payload?.cart.token)).toEqual([token, token, token]);
    expect(answer.headers.getSetCookie()).toEqual([expect.stringMatching(COOKIE)]);
    expect(await count()).toBe(before + 1);
  });

  test('can do and buy in one document', async () => {
    const honey = await makeVariant(shop, { onHand: 10, price: 450 });
    const answer = await shop.client().execute(
      `mutation ($add: CartLinesAddInput!, $checkout: CheckoutInput!) {
        cartLinesAdd(input: $add) { errors { code } }
        cartEmailSet(input: { email: "both@example.com" }) { cart { email } }
        checkout(input: $checkout) { order { total { amount } email accessToken } errors { code } }
      }`,
      { add: { lines: [{ sku: honey.sku, quantity: 2 }] }, checkout: { idempotencyKey: 'both' } },
    );
    expect(answer.data).toEqual({
      cartLinesAdd: { errors: [] },
      cartEmailSet: { cart: { email: 'both@example.com' } },
      checkout: {
        order: {
          total: { amount: '9.00' },
          email: 'both@example.com',
          accessToken: expect.stringMatching(/^[\w-]{22}\.[\w-]{8}\.[\w-]{43}$/) as string,
        },
        errors: [],
      },
    });
  });
});

describe('the cookie', () => {
  const cases: { where: string; env: TestShopOptions['env']; attributes: string }[] = [
    {
      where: 'behind https',
      env: { PUBLIC_URL: 'https://shop.example' },
      attributes: 'Max-Age=15552000; Path=/; HttpOnly; SameSite=Lax; Secure',
    },
    {
      where: 'for front ends on other sites',
      env: { PUBLIC_URL: 'https://shop.example', COOKIE_SAMESITE: 'none' },
      attributes: 'Max-Age=15552000; Path=/; HttpOnly; SameSite=None; Secure',
    },
    {
      where: 'where it must be strict',
      env: { COOKIE_SAMESITE: 'strict' },
      attributes: 'Max-Age=15552000; Path=/; HttpOnly; SameSite=Strict',
    },
  ];

  test.each(cases)('$where', async ({ env, attributes }) => {
    const other = await openQuietShop(env);
    try {
      const { headers } = await other.request({
        method: 'POST',
        path: '/graphql',
        headers: {
          'content-type': 'application/json',
          ...(env?.PUBLIC_URL === undefined ? {} : { host: 'shop.example' }),
        },
        body: JSON.stringify({ query: 'mutation { cartCreate { errors { code } } }' }),
      });
      const [cookie, ...more] = headers['set-cookie'] ?? [];
      expect(more).toEqual([]);
      expect(cookie?.replace(/^cart_token=[\w-]{43}; /, '')).toBe(attributes);
    } finally {
      await other.dispose();
    }
  });
});

describe('the e-mail of a cart', () => {
  test('is set, replaced, and taken without the white space around it', async () => {
    const { setEmail, cart } = await enter(shop);
    expect((await setEmail('  first@example.com ')).cart).toMatchObject({ email: 'first@example.com', version: 2 });
    expect((await setEmail('Second@Example.com')).cart).toMatchObject({ email: 'Second@Example.com', version: 3 });
    expect((await cart())?.email).toBe('Second@Example.com');
  });

  test('stays through changes and through a reclaim; the cart that follows has none', async () => {
    const honey = await makeVariant(shop);
    const { setEmail, add, reclaim, checkout } = await enter(shop);
    await setEmail('kept@example.com');
    const cart = known((await add({ sku: honey.sku, quantity: 1 })).cart);
    expect(cart.email).toBe('kept@example.com');
    await makeOverdue(shop, [rowId(cart.id)]);
    expect((await reclaim(cart.id)).cart?.email).toBe('kept@example.com');
    expect((await checkout({ idempotencyKey: 'kept' })).order?.email).toBe('kept@example.com');
    expect((await add({ sku: honey.sku, quantity: 1 })).cart?.email).toBeNull();
  });

  test('does not extend the time of the cart', async () => {
    const honey = await makeVariant(shop);
    const { setEmail, add } = await enter(shop);
    const { cart } = await add({ sku: honey.sku, quantity: 1 });
    expect((await setEmail('time@example.com')).cart?.expiresAt).toBe(cart?.expiresAt);
  });

  test('needs a cart', async () => {
    const honey = await makeVariant(shop);
    const nobody = shopperOf(shop.client());
    const buyer = await enter(shop);
    await buyer.add({ sku: honey.sku, quantity: 1 });
    await buyer.checkout({ idempotencyKey: 'gone', email: 'gone@example.com' });
    for (const { setEmail } of [nobody, buyer]) {
      expect(await changingNothing(shop, () => setEmail('none@example.com'))).toEqual({
        cart: null,
        errors: [{ __typename: 'GenericError', code: 'NOT_FOUND', message: 'You have no cart.', path: null }],
      });
    }
  });
});
