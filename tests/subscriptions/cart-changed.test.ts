import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { login, newPerson, type Person } from '../support/accounts.ts';
import { makeOverdue, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, rowId, shopperOf } from '../support/shopper.ts';
import { settled } from '../support/settled.ts';
import { createTestShop } from '../support/shop.ts';
import { openSocket } from '../support/socket.ts';
import { transports, watch, watchNow } from '../support/watch.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

interface Changed {
  cartChanged: { cursor: string; kind: string; cart: { id: string; status: string; totalQuantity: number } };
}

const CHANGES = 'subscription { cartChanged { cursor kind cart { id status totalQuantity } } }';

const kindOf = ({ cartChanged: { kind, cart } }: Changed): [string, string, number] => [
  kind,
  cart.status,
  cart.totalQuantity,
];

describe.each(transports)('over %s', (transport) => {
  test('every change of a cart reaches its guest on every device, and nobody else', async () => {
    const [mine, other] = [await enter(shop), await enter(shop)];
    const variant = await makeVariant(shop, { onHand: 50 });
    const line = { variantId: variant.globalId, quantity: 2 };
    const here = await watchNow<Changed>(shop, transport, CHANGES, { cartToken: mine.token });
    const there = await watchNow<Changed>(shop, transport, CHANGES, { cartToken: mine.token });
    const others = await watchNow<Changed>(shop, transport, CHANGES, { cartToken: other.token });

    const { cart } = await mine.add(line);
    for (const { events } of [here, there]) expect(kindOf(await events.take())).toEqual(['LINES', 'ACTIVE', 2]);
    await mine.update({ id: known(known(cart).lines[0]).id, quantity: 5 });
    expect(kindOf(await here.events.take())).toEqual(['LINES', 'ACTIVE', 5]);
    await makeOverdue(shop, [rowId(known(cart).id)]);
    await shop.expireOverdue();
    expect(kindOf(await here.events.take())).toEqual(['EXPIRED', 'EXPIRED', 5]);
    await mine.reclaim(known(cart).id);
    expect(kindOf(await here.events.take())).toEqual(['RECLAIMED', 'ACTIVE', 5]);
    await mine.checkout({ idempotencyKey: 'once', email: 'me@example.com' });
    expect(kindOf(await here.events.take())).toEqual(['CHECKED_OUT', 'CHECKED_OUT', 5]);
    // Events of the next cart arrive on the same subscription, which is about the viewer's cart, whichever it is.
    const next = await mine.add(line);
    const event = await here.events.take();
    expect([kindOf(event), event.cartChanged.cart.id]).toEqual([['LINES', 'ACTIVE', 2], next.cart?.id]);

    await other.add(line);
    expect((await others.events.take()).cartChanged.cart.totalQuantity).toBe(2);
    expect(here.events.left).toEqual([]);
  });

  test('the cart that a log-in brings reaches the user on every device, also after a cursor', async () => {
    const ada: Person = await newPerson(shop);
    const variant = await makeVariant(shop, { onHand: 50 });
    const changes = await watchNow<Changed>(shop, transport, CHANGES, { accessToken: ada.accessToken });
    await shopperOf(ada.client).add({ variantId: variant.globalId, quantity: 1 });
    const first = await changes.events.take();
    expect(kindOf(first)).toEqual(['LINES', 'ACTIVE', 1]);
    changes.stop();

    const guest = await enter(shop);
    await guest.add({ variantId: variant.globalId, quantity: 3 });
    const guests = await watchNow<Changed>(shop, transport, CHANGES, { cartToken: guest.token });
    await login(guest.client, { email: ada.email });
    expect(kindOf(await guests.events.take())[0]).toBe('MERGED');

    const after = `after: "${first.cartChanged.cursor}"`;
    const resumed = watch<Changed>(shop, transport, CHANGES.replace('cartChanged', `cartChanged(${after})`), {
      accessToken: ada.accessToken,
    });
    expect(kindOf(await resumed.events.take())).toEqual(['LINES', 'ACTIVE', 4]);
  });

  test('a visitor without a name may subscribe, and hears of nobody else’s cart', async () => {
    const other = await enter(shop);
    const variant = await makeVariant(shop, { onHand: 50 });
    const watched = await watchNow<Changed>(shop, transport, CHANGES);
    await other.add({ variantId: variant.globalId, quantity: 1 });
    await settled(shop);
    expect(watched.events.left).toEqual([]);
    watched.stop();
  });
});

test('a guest whose cart became a user’s is not shown it', async () => {
  const guest = await enter(shop);
  const variant = await makeVariant(shop, { onHand: 50 });
  await settled(shop);
  const { eventCursor } = await guest.client.data<{ eventCursor: string }>('{ eventCursor }');
  const { cart } = await guest.add({ variantId: variant.globalId, quantity: 3 });
  await makeOverdue(shop, [rowId(known(cart).id)]);
  await shop.expireOverdue();
  const { token } = guest;
  // Its cart is over: the user gets it, to be reclaimed.
  await login(guest.client, { email: (await newPerson(shop)).email });
  await settled(shop);
  const query = CHANGES.replace('cartChanged', `cartChanged(after: "${eventCursor}")`);
  const socket = await openSocket(shop.wsUrl);
  await socket.init({ cartToken: token });
  socket.subscribe('1', query);
  // Its own changes still arrive, but the cart can no longer be seen.
  const { type, payload } = await socket.messages.take();
  expect(type).toBe('next');
  expect(payload?.data ?? null).toBeNull();
  expect(payload?.errors?.map((error) => error.extensions?.code)).toEqual(['FORBIDDEN']);
  await socket.close();
});

test('low stock reaches the owner of a cart once, and not the one who took the units', async () => {
  const lively = await createTestShop();
  try {
    const variant = await makeVariant({ ...lively, eventLog: lively.app.eventLog }, { onHand: 10 });
    const [has, causes] = [await enter(lively), await enter(lively)];
    const { cart } = await has.add({ variantId: variant.globalId, quantity: 2 });
    const query = 'subscription { cartChanged { kind cart { id } variant { sku available } } }';
    const toHas = await watchNow(lively, 'WebSocket', query, { cartToken: has.token });
    const toCause = await watchNow(lively, 'SSE', query, { cartToken: causes.token });
    await causes.add({ variantId: variant.globalId, quantity: 5 });
    expect(await toHas.events.take()).toEqual({
      cartChanged: { kind: 'LOW_STOCK', cart: { id: known(cart).id }, variant: { sku: variant.sku, available: 3 } },
    });
    expect(await toCause.events.take()).toMatchObject({ cartChanged: { kind: 'LINES', variant: null } });
    // Lower still is no further news.
    await causes.add({ variantId: variant.globalId, quantity: 1 });
    expect(await toCause.events.take()).toMatchObject({ cartChanged: { kind: 'LINES' } });
    await has.setEmail('me@example.com');
    expect(await toHas.events.take()).toMatchObject({ cartChanged: { kind: 'EMAIL', variant: null } });
    await has.add({ variantId: variant.globalId, quantity: 1 });
    expect(await toHas.events.take()).toMatchObject({ cartChanged: { kind: 'LINES' } });
    expect([...toHas.events.left, ...toCause.events.left]).toEqual([]);
  } finally {
    await lively.dispose();
  }
});
