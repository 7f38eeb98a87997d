import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql } from '../generated/gql/index.ts';
import type { ApolloStockSubscription } from '../generated/gql/graphql.ts';
import { makeProduct } from '../support/fixtures.ts';
import { listenersOf } from '../support/listeners.ts';
import { Inbox } from '../support/inbox.ts';
import { settled } from '../support/settled.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { createCookieJar } from './cookie-jar.ts';

const ApolloProduct = graphql(`
  query ApolloProduct($slug: String!) {
    product(slug: $slug) {
      id
      title
      variants {
        id
        available
      }
    }
  }
`);

const ApolloAdd = graphql(`
  mutation ApolloAdd($lines: [CartLineInput!]!) {
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

const ApolloCart = graphql(`
  query ApolloCart {
    cart {
      id
      token
      totalQuantity
    }
  }
`);

const ApolloStock = graphql(`
  subscription ApolloStock($variantIds: [ID!]) {
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

/** Apollo Client as an application sets it up, with the cookies that a browser would keep. */
function openApollo() {
  const jar = createCookieJar();
  const sockets = createClient({ url: shop.wsUrl, webSocketImpl: jar.WebSocket });
  const apollo = new ApolloClient({
    cache: new InMemoryCache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(sockets),
      new HttpLink({ uri: `${shop.url}/graphql`, fetch: jar.fetch, credentials: 'include' }),
    ),
  });
  return { apollo, jar, sockets };
}

test('Apollo asks, adds to a cart and watches stock, its cache with it; the cart follows by cookie alone', async () => {
  const { apollo, jar, sockets } = openApollo();
  const product = await makeProduct(shop.app, { title: 'Lime blossom honey', variants: [{ onHand: 10 }] });
  const [variant] = product.variants;

  const asked = await apollo.query({ query: ApolloProduct, variables: { slug: product.slug } });
  expect(asked.data?.product).toMatchObject({
    title: 'Lime blossom honey',
    variants: [{ id: variant?.globalId, available: 10 }],
  });

  // The one answer that made the guest has the token in its body; from then on the cookie carries it.
  const variables = { lines: [{ variantId: variant?.globalId ?? '', quantity: 2 }] };
  const first = await apollo.mutate({ mutation: ApolloAdd, variables });
  expect(first.data?.cartLinesAdd).toMatchObject({
    errors: [],
    cart: { token: jar.get('cart_token'), totalQuantity: 2 },
  });
  const cartId = first.data?.cartLinesAdd?.cart?.id;
  const token = jar.get('cart_token');

  await settled(shop);
  const changes = new Inbox<ApolloStockSubscription['stockChanged']>();
  const watching = apollo
    .subscribe({ query: ApolloStock, variables: { variantIds: [variant?.globalId ?? ''] } })
    .subscribe(({ data }) => {
      if (data !== undefined) changes.put(data.stockChanged);
    });
  await until('the shop has the subscription', () => listenersOf(shop) === 1);

  const second = await apollo.mutate({ mutation: ApolloAdd, variables });
  expect(second.data?.cartLinesAdd).toMatchObject({ errors: [], cart: { id: cartId, token: null, totalQuantity: 4 } });
  expect(await changes.take()).toMatchObject({
    previousAvailable: 8,
    available: 6,
    variant: { id: variant?.globalId, available: 6 },
  });
  // The event has put the new level into the cache, where the product's page reads it.
  const cached = apollo.readQuery({ query: ApolloProduct, variables: { slug: product.slug } });
  expect(cached?.product?.variants).toMatchObject([{ id: variant?.globalId, available: 6 }]);

  const cart = await apollo.query({ query: ApolloCart, fetchPolicy: 'network-only' });
  expect(cart.data?.cart).toMatchObject({ id: cartId, token: null, totalQuantity: 4 });
  expect(jar.get('cart_token')).toBe(token);

  // The socket was opened with the cookie: it is the same guest who asks over it.
  const overSocket = sockets.iterate({ query: '{ cart { id token totalQuantity } }' });
  expect(await overSocket.next()).toMatchObject({
    value: { data: { cart: { id: cartId, token: null, totalQuantity: 4 } } },
  });

  // Somebody without the cookie has no cart.
  const stranger = openApollo();
  expect((await stranger.apollo.query({ query: ApolloCart })).data).toEqual({ cart: null });

  watching.unsubscribe();
  await until('the shop has let it go', () => listenersOf(shop) === 0);
  apollo.stop();
  stranger.apollo.stop();
  await Promise.all([sockets.dispose(), stranger.sockets.dispose()]);
});

test('what the shop refuses reaches Apollo with its code', async () => {
  const { apollo, sockets } = openApollo();
  const product = await makeProduct(shop.app, { variants: [{ onHand: 1 }] });
  const variables = { lines: [{ sku: product.variants[0]?.sku ?? '', quantity: 2 }] };
  const refused = await apollo.mutate({ mutation: ApolloAdd, variables });
  expect(refused.error).toBeUndefined();
  expect(refused.data?.cartLinesAdd).toMatchObject({ cart: null, errors: [{ code: 'INSUFFICIENT_STOCK' }] });

  const fault = await new Promise<unknown>((resolve) => {
    apollo
      .subscribe({ query: ApolloStock, variables: { variantIds: ['nonsense'] } })
      .subscribe({ next: ({ error }) => resolve(error), error: resolve });
  });
  expect(CombinedGraphQLErrors.is(fault) && fault.errors[0]?.extensions).toEqual({ code: 'BAD_REQUEST' });
  apollo.stop();
  await sockets.dispose();
});
