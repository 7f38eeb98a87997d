import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEventStream } from '../support/event-stream.ts';
import { makeProduct } from '../support/fixtures.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
});
afterAll(() => shop.dispose());

const CREATE = 'mutation { cartCreate { cart { id token } errors { code } } }';
const CART = '{ cart { id token } }';

interface Created {
  cartCreate: { cart: { id: string; token: string } };
}
interface Found {
  cart: { id: string; token: string | null } | null;
}

const NEVER_MADE = 'A'.repeat(43);
const REFUSED = {
  status: 401,
  codes: ['UNAUTHENTICATED'],
  errors: [{ message: 'The cart token was not issued by this shop.', extensions: { code: 'UNAUTHENTICATED' } }],
};

describe('a token that the shop never made', () => {
  test.each([NEVER_MADE, 'x', 'ä', `${NEVER_MADE}, ${NEVER_MADE}`, "' OR 1=1 --", 'x'.repeat(4000)])(
    '%.50s fails the whole request, and nothing changes',
    async (token) => {
      const product = await makeProduct(shop.app, { variants: [{ onHand: 3 }] });
      const before = await shop.db.query({
        name: 'guests_and_carts',
        text: 'SELECT id FROM guests UNION ALL SELECT id FROM carts',
      });
      const answer = await shop
        .client({ headers: { 'x-cart-token': Buffer.from(token).toString('latin1') } })
        .execute(
          'mutation ($sku: String!) { cartLinesAdd(input: { lines: [{ sku: $sku, quantity: 1 }] }) { cart { id } } }',
          { sku: product.variants[0]?.sku },
        );
      expect(answer).toMatchObject(REFUSED);
      expect(answer.data).toBeUndefined();
      expect(
        await shop.db.query({ name: 'guests_and_carts', text: 'SELECT id FROM guests UNION ALL SELECT id FROM carts' }),
      ).toEqual(before);
      const [variant] = await shop.db.query<{ held: number }>(
        { name: 'held', text: 'SELECT held FROM product_variants WHERE id = $1' },
        [product.variants[0]?.id],
      );
      expect(variant).toEqual({ held: 0 });
    },
  );

  test('is refused by GET and over SSE alike', async () => {
    const headers = { 'x-cart-token': NEVER_MADE };
    expect((await shop.request({ path: '/graphql?query={__typename}', headers })).status).toBe(401);
    const stream = await openEventStream(shop.url, 'subscription { stockChanged { available } }', headers);
    expect(stream.status).toBe(401);
    expect(await stream.events.take()).toMatchObject({ event: 'next', data: { errors: REFUSED.errors } });
    expect(await stream.events.take()).toMatchObject({ event: 'complete' });
    expect(await stream.ended).toBe(true);
  });

  test('as a cookie is refused too, and taken away, since no script could do that', async () => {
    const answer = await shop.client({ headers: { cookie: `theme=dark; cart_token=${NEVER_MADE}` } }).execute(CART);
    expect(answer).toMatchObject(REFUSED);
    expect(answer.headers.getSetCookie()).toEqual(['cart_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
  });
});

describe('a token that it made', () => {
  test('identifies the guest as a header and as a cookie; the header wins, and a token that came as a cookie is not sent again', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => shop.client().data<Created>(CREATE)));
    const mine = one?.cartCreate.cart;
    const other = two?.cartCreate.cart;
    const byHeader = await shop.client({ cartToken: mine?.token ?? '' }).data<Found>(CART);
    expect(byHeader).toEqual({ cart: mine });
    const byCookie = await shop.client({ headers: { cookie: `cart_token=${mine?.token}` } }).data<Found>(CART);
    expect(byCookie).toEqual({ cart: { id: mine?.id, token: null } });
    const byBoth = await shop
      .client({ cartToken: mine?.token ?? '', headers: { cookie: `cart_token=${other?.token}` } })
      .data<Found>(CART);
    expect(byBoth).toEqual({ cart: mine });
  });

  test('comes as a cookie that scripts do not see', async () => {
    const browser = shop.client({ cookies: true });
    const answer = await browser.execute<Created>(CREATE);
    const { id, token } = answer.data?.cartCreate.cart ?? {};
    expect(answer.headers.getSetCookie()).toEqual([
      `cart_token=${token}; Max-Age=15552000; Path=/; HttpOnly; SameSite=Lax`,
    ]);
    expect(await browser.data<Found>(CART)).toEqual({ cart: { id, token: null } });
  });

  test('comes over TLS alone where the shop is served over TLS', async () => {
    const secure = await createApiNode({ env: { PUBLIC_URL: 'https://shop.example', COOKIE_SAMESITE: 'none' } });
    try {
      const answer = await secure.client().execute<Created>(CREATE);
      expect(answer.headers.getSetCookie()[0]).toMatch(/; Path=\/; HttpOnly; SameSite=None; Secure$/);
    } finally {
      await secure.dispose();
    }
  });
});

test('an empty token is none: that is how front ends say that they have not got one yet', async () => {
  expect(await shop.client({ cartToken: '', headers: { cookie: 'cart_token=' } }).data(CART)).toEqual({ cart: null });
});
