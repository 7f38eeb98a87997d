import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import * as loadersModule from '../../src/graphql/context/loaders.ts';
import { accountDocuments, login, newPerson, personOf } from '../support/accounts.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { changePromotion, clearTerms, makePromotion } from '../support/pricing.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { settled } from '../support/settled.ts';
import { enter, shopperOf } from '../support/shopper.ts';
import { openSocket, type TestSocket } from '../support/socket.ts';
import { until } from '../support/until.ts';
import { watch, watchNow } from '../support/watch.ts';

/* The devices of one owner: what they subscribe to in the same words is executed once for all of them. */

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const state = () => known(shop.app.fanOut());
beforeEach(() => until('all are let go', () => state().subscribers === 0));

interface Changed {
  cartChanged: { cursor: string; kind: string; cart: { token: string | null; totalQuantity: number } };
}

const CHANGES = 'subscription { cartChanged { cursor kind cart { token totalQuantity } } }';
const inShort = ({ cartChanged: { kind, cart } }: Changed) => [kind, cart.totalQuantity];

describe('the devices of one owner', () => {
  test('cost one execution an event, over WebSocket and SSE, and those of another owner one more', async () => {
    const [mine, other] = [await enter(shop), await enter(shop)];
    const variant = await makeVariant(shop, { onHand: 100 });
    const line = { variantId: variant.globalId, quantity: 2 };
    const devices = [];
    for (const transport of ['WebSocket', 'WebSocket', 'SSE'] as const) {
      devices.push(await watchNow<Changed>(shop, transport, CHANGES, { cartToken: mine.token }));
    }
    const others = await watchNow<Changed>(shop, 'WebSocket', CHANGES, { cartToken: other.token });
    expect(state()).toMatchObject({ audiences: 2, subscribers: 4, live: 4 });
    const before = state().executions;
    for (let quantity = 2; quantity <= 6; quantity += 2) {
      await mine.add(line);
      for (const { events } of devices) {
        const event = await events.take();
        expect(inShort(event)).toEqual(['LINES', quantity]);
        expect(event.cartChanged.cart.token).toBe(mine.token);
      }
    }
    expect(state().executions - before).toBe(3);
    await other.add(line);
    expect(inShort(await others.events.take())).toEqual(['LINES', 2]);
    expect(state().executions - before).toBe(4);
    for (const { events } of devices) expect(events.left).toEqual([]);
  });

  test('who are logged in share across their sessions, and a session that ends takes its own stream alone', async () => {
    const person = await newPerson(shop);
    const second = personOf(shop, person.email, await login(shop.client(), { email: person.email }));
    const variant = await makeVariant(shop, { onHand: 100 });
    const here = await watchNow<Changed>(shop, 'SSE', CHANGES, { accessToken: person.accessToken });
    const there = await watchNow<Changed>(shop, 'SSE', CHANGES, { accessToken: second.accessToken });
    expect(state()).toMatchObject({ audiences: 1, live: 2 });
    await person.client.data(accountDocuments.logout);
    expect(await here.ended).toEqual([]);
    expect(state()).toMatchObject({ audiences: 1, live: 1 });
    await shopperOf(second.client).add({ variantId: variant.globalId, quantity: 3 });
    expect(inShort(await there.events.take())).toEqual(['LINES', 3]);
    expect(here.events.left).toEqual([]);
  });

  test('do not share the token with those who have it in a cookie', async () => {
    const mine = await enter(shop);
    const variant = await makeVariant(shop, { onHand: 100 });
    const byHeader = await watchNow<Changed>(shop, 'WebSocket', CHANGES, { cartToken: mine.token });
    const byCookie = await openSocket(shop.wsUrl, { headers: { cookie: `cart_token=${mine.token}` } });
    onTestFinished(() => byCookie.close());
    await byCookie.init();
    byCookie.subscribe('1', CHANGES);
    await until('both are live', () => state().live === 2);
    expect(state().audiences).toBe(2);
    await mine.add({ variantId: variant.globalId, quantity: 1 });
    expect((await byHeader.events.take()).cartChanged.cart.token).toBe(mine.token);
    const { payload } = await byCookie.messages.take();
    expect(payload?.data).toMatchObject({ cartChanged: { kind: 'LINES', cart: { token: null } } });
  });

  test('hear of terms that changed, whichever of them came first, and one that comes back hears of those it missed', async () => {
    onTestFinished(() => clearTerms(shop));
    const mine = await enter(shop);
    const variant = await makeVariant(shop, { price: 1000, onHand: 100 });
    await mine.add({ variantId: variant.globalId, quantity: 2 });
    const query = 'subscription { cartChanged { cursor kind cart { total { amount } } } }';
    interface Priced {
      cartChanged: { cursor: string; kind: string; cart: { total: { amount: string } } };
    }
    const amountOf = ({ cartChanged: { kind, cart } }: Priced) => [kind, cart.total.amount];
    const viewer = { cartToken: mine.token };
    const first = await watchNow<Priced>(shop, 'WebSocket', query, viewer);
    const { id } = await makePromotion(shop, { percent_ppm: 100_000 });
    const told = await first.events.take();
    expect(amountOf(told)).toEqual(['TOTALS', '18.00']);
    const second = await watchNow<Priced>(shop, 'SSE', query, viewer);
    await changePromotion(shop, id, 'percent_ppm = 250000');
    for (const { events } of [first, second]) expect(amountOf(await events.take())).toEqual(['TOTALS', '15.00']);
    await settled(shop);
    // It catches up while the others are live, who have heard of it.
    const after = `after: "${told.cartChanged.cursor}"`;
    const third = watch<Priced>(shop, 'WebSocket', query.replace('cartChanged', `cartChanged(${after})`), viewer);
    expect(amountOf(await third.events.take())).toEqual(['TOTALS', '15.00']);
    await until('it is live', () => state().live === 3);
    await changePromotion(shop, id, 'percent_ppm = 500000');
    for (const { events } of [first, second, third]) expect(amountOf(await events.take())).toEqual(['TOTALS', '10.00']);
    expect([first, second, third].flatMap(({ events }) => events.left)).toEqual([]);
  });

  test('who come back at different places get what they missed, each once and in order, and share again', async () => {
    const mine = await enter(shop);
    const variant = await makeVariant(shop, { onHand: 100 });
    const line = { variantId: variant.globalId, quantity: 1 };
    const viewer = { cartToken: mine.token };
    const first = await watchNow<Changed>(shop, 'WebSocket', CHANGES, viewer);
    const cursors: string[] = [];
    for (let quantity = 1; quantity <= 4; quantity += 1) {
      await mine.add(line);
      cursors.push((await first.events.take()).cartChanged.cursor);
    }
    await settled(shop);
    const back = cursors.map((cursor) =>
      watch<Changed>(shop, 'WebSocket', CHANGES.replace('cartChanged', `cartChanged(after: "${cursor}")`), viewer),
    );
    await until('all are live', () => state().live === 5);
    expect(state().audiences).toBe(1);
    const before = state().executions;
    await mine.add(line);
    for (const [index, { events }] of back.entries()) {
      const missed = [];
      for (let count = index + 1; count < 5; count += 1) missed.push((await events.take()).cartChanged.cursor);
      expect(missed.slice(0, -1)).toEqual(cursors.slice(index + 1));
      expect(events.left).toEqual([]);
    }
    expect(state().executions - before).toBe(1);
  });
});

test('of the request that began a subscription nothing is kept', async () => {
  const { createLoaders } = loadersModule;
  const guests = [];
  for (let index = 0; index < 10; index += 1) guests.push(await enter(shop));
  // Each context has loaders, so these stand for contexts.
  const made: WeakRef<object>[] = [];
  const spy = vi.spyOn(loadersModule, 'createLoaders').mockImplementation((services) => {
    const loaders = createLoaders(services);
    made.push(new WeakRef(loaders));
    return loaders;
  });
  const sockets: TestSocket[] = [];
  for (const { token } of guests) {
    const socket = await openSocket(shop.wsUrl);
    await socket.init({ cartToken: token });
    socket.subscribe('1', CHANGES);
    sockets.push(socket);
  }
  await until('all are live', () => state().live === 10);
  expect(state().audiences).toBe(10);
  // The spy keeps what it returned.
  spy.mockRestore();
  expect(made.length).toBeGreaterThanOrEqual(10);
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  await until('their contexts are gone', () => {
    collectGarbage();
    return made.every((loaders) => loaders.deref() === undefined);
  });
  await Promise.all(sockets.map((socket) => socket.close()));
});
