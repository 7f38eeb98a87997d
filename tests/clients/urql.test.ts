import { cacheExchange, Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient, type Sink } from 'graphql-ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql } from '../generated/gql/index.ts';
import type { UrqlStockSubscription } from '../generated/gql/graphql.ts';
import { makeProduct } from '../support/fixtures.ts';
import { listenersOf } from '../support/listeners.ts';
import { Inbox } from '../support/inbox.ts';
import { settled } from '../support/settled.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { createCookieJar } from './cookie-jar.ts';

const UrqlProduct = graphql(`
  query UrqlProduct($slug: String!) {
    product(slug: $slug) {
      title
      variants {
        id
        available
      }
    }
  }
`);

const UrqlAdd = graphql(`
  mutation UrqlAdd($lines: [CartLineInput!]!) {
    cartLinesAdd(input: { lines: $lines }) {
      cart {
        id
        token
        totalQuantity
      }
      errors {
        code
        message
      }
    }
  }
`);

const UrqlCart = graphql(`
  query UrqlCart {
    cart {
      id
      token
      totalQuantity
    }
  }
`);

const UrqlStock = graphql(`
  subscription UrqlStock($variantIds: [ID!]) {
    stockChanged(variantIds: $variantIds) {
      available
      previousAvailable
      variant {
        id
        available
      }
    }
  }
`);

let shop: TestShop;
beforeAll(async () => {
  shop = await createTestShop();
});
afterAll(() => shop.dispose());

/** urql as an application sets it up, with the cookies that a browser would keep. */
function openUrql() {
  const jar = createCookieJar();
  const sockets = createClient({ url: shop.wsUrl, webSocketImpl: jar.WebSocket });
  const urql = new Client({
    url: `${shop.url}/graphql`,
    fetch: jar.fetch,
    preferGetMethod: true,
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          // The same thing; but urql's type allows no `undefined` in it.
          subscribe: (sink) => ({
            unsubscribe: sockets.subscribe({ query, variables: variables ?? null }, sink as Sink),
          }),
        }),
      }),
    ],
  });
  return { urql, jar, sockets };
}

test('urql asks, adds to a cart and watches stock; the cart follows by cookie alone', async () => {
  const { urql, jar, sockets } = openUrql();
  const product = await makeProduct(shop.app, { title: 'Heather honey', variants: [{ onHand: 10 }] });
  const [variant] = product.variants;

  const asked = await urql.query(UrqlProduct, { slug: product.slug });
  expect(asked.error).toBeUndefined();
  expect(asked.data?.product).toMatchObject({
    title: 'Heather honey',
    variants: [{ id: variant?.globalId, available: 10 }],
  });

  // The one answer that made the guest has the token in its body; from then on the cookie carries it.
  const first = await urql.mutation(UrqlAdd, { lines: [{ variantId: variant?.globalId ?? '', quantity: 2 }] });
  expect(first.error).toBeUndefined();
  expect(first.data?.cartLinesAdd).toMatchObject({
    errors: [],
    cart: { token: jar.get('cart_token'), totalQuantity: 2 },
  });
  const cartId = first.data?.cartLinesAdd?.cart?.id;
  const token = jar.get('cart_token');

  await settled(shop);
  const changes = new Inbox<UrqlStockSubscription['stockChanged']>();
  const { unsubscribe } = urql
    .subscription(UrqlStock, { variantIds: [variant?.globalId ?? ''] })
    .subscribe(({ data, error }) => {
      expect(error).toBeUndefined();
      if (data !== undefined) changes.put(data.stockChanged);
    });
  await until('the shop has the subscription', () => listenersOf(shop) === 1);

  const second = await urql.mutation(UrqlAdd, { lines: [{ variantId: variant?.globalId ?? '', quantity: 3 }] });
  expect(second.data?.cartLinesAdd).toMatchObject({ errors: [], cart: { id: cartId, token: null, totalQuantity: 5 } });
  expect(await changes.take()).toMatchObject({
    previousAvailable: 8,
    available: 5,
    variant: { id: variant?.globalId, available: 5 },
  });

  const cart = await urql.query(UrqlCart, {}, { requestPolicy: 'network-only' });
  expect(cart.data?.cart).toMatchObject({ id: cartId, token: null, totalQuantity: 5 });
  expect(jar.get('cart_token')).toBe(token);

  // The socket was opened with the cookie: it is the same guest who asks over it.
  const overSocket = sockets.iterate({ query: '{ cart { id token totalQuantity } }' });
  expect(await overSocket.next()).toMatchObject({
    value: { data: { cart: { id: cartId, token: null, totalQuantity: 5 } } },
  });

  // Somebody without the cookie has no cart.
  const stranger = openUrql();
  expect((await stranger.urql.query(UrqlCart, {})).data).toEqual({ cart: null });

  unsubscribe();
  await until('the shop has let it go', () => listenersOf(shop) === 0);
  await Promise.all([sockets.dispose(), stranger.sockets.dispose()]);
});

test('what the shop refuses reaches urql with its code', async () => {
  const { urql, sockets } = openUrql();
  const product = await makeProduct(shop.app, { variants: [{ onHand: 1 }] });
  const refused = await urql.mutation(UrqlAdd, { lines: [{ sku: product.variants[0]?.sku ?? '', quantity: 2 }] });
  expect(refused.error).toBeUndefined();
  expect(refused.data?.cartLinesAdd).toMatchObject({ cart: null, errors: [{ code: 'INSUFFICIENT_STOCK' }] });

  const bad = await new Promise<string | undefined>((resolve) => {
    urql.subscription(UrqlStock, { variantIds: ['nonsense'] }).subscribe(({ error }) => {
      resolve(error?.graphQLErrors[0]?.extensions.code as string | undefined);
    });
  });
  expect(bad).toBe('BAD_REQUEST');
  await sockets.dispose();
});
