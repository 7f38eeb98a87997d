import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createLocalBus } from '../../src/events/bus.ts';
import { startConsumers, type Consumers } from '../../src/events/consumers.ts';
import { createAsideCarts } from '../../src/modules/cart/aside.consumer.ts';
import { graphql } from '../generated/gql/index.ts';
import { login, newPerson, personOf, type Person } from '../support/accounts.ts';
import type { Client } from '../support/client.ts';
import { makeOverdue, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { recordLogs } from '../support/logs.ts';
import { paymentDocuments, startPayment, syncPayment } from '../support/payer.ts';
import {
  expectSoundBooks,
  factsOf,
  fill,
  levelOf,
  openPayingShop,
  read,
  runOutOfGrace,
  runOutOfTime,
  settle,
  withCart,
  withPayment,
  type PayingShop,
} from '../support/paying.ts';
import { linesOf, rowId, shopperOf } from '../support/shopper.ts';
import { watchNow } from '../support/watch.ts';

/*
 * A guest logs in while a payment is in progress, the guest's own or one of the account. No money may be taken for something that the
 * shopper cannot find, and nothing that is being paid may be in a cart a second time.
 */

const ordersOf = graphql(`
  query LoginOrders {
    me {
      orders(first: 10) {
        nodes {
          id
          totalQuantity
        }
      }
    }
  }
`);

const { logger } = recordLogs();
let shop: PayingShop;
let consumers: Consumers;
beforeAll(async () => {
  shop = await openPayingShop();
  consumers = startConsumers({
    db: shop.db,
    bus: { ...createLocalBus(), subscribe: () => Promise.resolve(() => {}) },
    logger,
    settings: { pollMs: 3_600_000, attempts: 1 },
    consumers: [createAsideCarts(shop.app.services.cart)],
  });
  await consumers.flush();
});
afterAll(async () => {
  await consumers[Symbol.asyncDispose]();
  await shop.dispose();
});
afterEach(() => expectSoundBooks(shop));

/** An account with units of a variant in the cart, of its own unless one is given. */
async function withAccount({ quantity = 3, sku }: { quantity?: number; sku?: string } = {}) {
  const person = await newPerson(shop);
  const variant = await makeVariant(shop, { price: 500, onHand: 10 });
  const { cart } = await shopperOf(person.client).add({ sku: sku ?? variant.sku, quantity });
  return { person, variant, cartId: known(cart).id };
}

const enterAs = async (client: Client, { email }: Person) => personOf(shop, email, await login(client, { email }));
const cartOf = (client: Client) => shopperOf(client).cart();
const paymentOf = async (client: Client) => (await client.data(paymentDocuments.cart)).cart?.payment ?? null;
const ordersSeenBy = async (client: Client) =>
  known(known((await client.data(ordersOf)).me).orders).nodes.map(({ id, totalQuantity }) => [id, totalQuantity]);

/** Does what the consumer does with what has been committed. */
async function consume(): Promise<void> {
  await shop.app.relay.flush();
  await consumers.flush();
}

async function cancel(client: Client, id: string): Promise<void> {
  const { paymentCancel } = await client.data(paymentDocuments.cancel, { id });
  expect(known(paymentCancel).errors).toEqual([]);
}

/** The bank agrees, and the shopper comes back. @returns the ID of the order */
async function pay(client: Client, { payment, paymentId }: { payment: { id: string }; paymentId: string }) {
  shop.provider.pay(paymentId);
  const paid = await syncPayment(client, payment.id);
  await settle(shop, paymentId);
  await consume();
  return known(paid.order).id;
}

interface Changed {
  cartChanged: { kind: string; cart: { id: string; totalQuantity: number; payment: { id: string } | null } };
}

describe('a guest who is paying logs in to an account that has a cart', () => {
  test('sees the payment, gets the order, and then has the cart of the account back', async () => {
    const { person, variant: own, cartId } = await withAccount();
    const guest = await withPayment(shop);
    const phone = await watchNow<Changed>(
      shop,
      'WebSocket',
      'subscription { cartChanged { kind cart { id totalQuantity payment { id } } } }',
      { accessToken: person.accessToken },
    );
    const { client } = await enterAs(guest.client, person);

    expect(await cartOf(client)).toMatchObject({ id: guest.cartId, totalQuantity: 2 });
    expect(await paymentOf(client)).toEqual({ id: guest.payment.id, state: 'PENDING' });
    expect(await read(client, guest.payment.id)).toMatchObject({ clientData: guest.payment.clientData });
    expect(await cartOf(guest.client)).toBeNull();
    // The cart of the account keeps its units.
    expect(await levelOf(shop, own.id)).toEqual([10, 3]);
    const refused = await shopperOf(client).add({ sku: own.sku, quantity: 1 });
    expect(refused.errors).toMatchObject([{ code: 'PAYMENT_IN_PROGRESS' }]);
    await consume();
    expect(await cartOf(client)).toMatchObject({ id: guest.cartId });

    const orderId = await pay(client, guest);
    expect(await ordersSeenBy(client)).toEqual([[orderId, 2]]);
    const back = await cartOf(client);
    expect(back).toMatchObject({ id: cartId, status: 'ACTIVE' });
    expect(linesOf(back)).toEqual([[own.sku, 3, '5.00']]);
    expect(await levelOf(shop, own.id)).toEqual([10, 3]);
    const told = [await phone.events.take(), await phone.events.take(), await phone.events.take()];
    expect(told.map(({ cartChanged: { kind, cart } }) => [kind, cart.id, cart.payment?.id ?? null])).toEqual([
      ['PAYMENT', guest.cartId, guest.payment.id],
      ['CHECKED_OUT', guest.cartId, guest.payment.id],
      ['LINES', cartId, null],
    ]);
  });

  test('has one cart with everything once the payment is cancelled, and pays nothing twice', async () => {
    const guest = await withPayment(shop);
    const { person } = await withAccount({ sku: guest.variant.sku, quantity: 3 });
    const { client } = await enterAs(guest.client, person);
    expect(await cartOf(client)).toMatchObject({ id: guest.cartId, totalQuantity: 2 });
    await cancel(client, guest.payment.id);
    await settle(shop, guest.paymentId);
    await consume();
    const cart = await cartOf(client);
    expect(cart).toMatchObject({ id: guest.cartId, totalQuantity: 5 });
    expect(await levelOf(shop, guest.variant.id)).toEqual([10, 5]);
    const again = await startPayment(client);
    await pay(client, { payment: again, paymentId: rowId(again.id) });
    expect((await ordersSeenBy(client)).map(([, quantity]) => quantity)).toEqual([5]);
    expect(await levelOf(shop, guest.variant.id)).toEqual([5, 0]);
  });

  test('gets the same payment for the same key', async () => {
    const { person } = await withAccount();
    const guest = await withPayment(shop, { input: { idempotencyKey: 'before-login' } });
    const { client } = await enterAs(guest.client, person);
    expect(await startPayment(client, { idempotencyKey: 'before-login' })).toMatchObject({ id: guest.payment.id });
  });

  test('leaves an empty cart of the account behind', async () => {
    const { person } = await withAccount();
    const mine = shopperOf(person.client);
    await mine.remove(...known(await mine.cart()).lines.map(({ id }) => id));
    const guest = await withPayment(shop);
    const { client } = await enterAs(guest.client, person);
    expect(await cartOf(client)).toMatchObject({ id: guest.cartId });
    await pay(client, guest);
    expect(await cartOf(client)).toBeNull();
  });

  test('finds the cart of the account expired, and can reclaim it', async () => {
    const { person, variant: own, cartId } = await withAccount();
    const guest = await withPayment(shop);
    const { client } = await enterAs(guest.client, person);
    await makeOverdue(shop, [rowId(cartId)]);
    await shop.expireOverdue();
    expect(await levelOf(shop, own.id)).toEqual([10, 0]);
    await consume();
    expect(await cartOf(client)).toMatchObject({ id: guest.cartId });
    await pay(client, guest);
    const { cart, errors } = await shopperOf(client).reclaim(cartId);
    expect(errors).toEqual([]);
    expect(linesOf(cart)).toEqual([[own.sku, 3, '5.00']]);
  });

  test('owns the order of a payment that succeeds after its time', async () => {
    const { person, cartId } = await withAccount();
    const guest = await withPayment(shop);
    const { client } = await enterAs(guest.client, person);
    shop.provider.failNext('fetch', 'UNREACHABLE');
    await runOutOfTime(shop, guest.paymentId);
    await runOutOfGrace(shop, guest.cartId);
    await consume();
    expect(await cartOf(client)).toMatchObject({ id: cartId, status: 'ACTIVE', totalQuantity: 3 });
    shop.provider.pay(guest.paymentId);
    await settle(shop, guest.paymentId);
    const { order } = await read(client, guest.payment.id);
    expect(await ordersSeenBy(client)).toEqual([[known(order).id, 2]]);
    expect(await cartOf(client)).toMatchObject({ id: cartId, totalQuantity: 3 });
  });
});

describe('a guest with a cart logs in to an account that is paying', () => {
  test('sees the payment, and has the cart of the guest once the order is placed', async () => {
    const { person, variant: own, cartId } = await withAccount();
    const payment = await startPayment(person.client, { email: person.email });
    const guest = await withCart(shop);
    const { client } = await enterAs(guest.client, person);
    expect(await cartOf(client)).toMatchObject({ id: cartId });
    expect(await paymentOf(client)).toEqual({ id: payment.id, state: 'PENDING' });
    expect(await levelOf(shop, guest.variant.id)).toEqual([10, 2]);
    expect(await cartOf(guest.client)).toBeNull();

    const orderId = await pay(client, { payment, paymentId: rowId(payment.id) });
    expect(await ordersSeenBy(client)).toEqual([[orderId, 3]]);
    expect(linesOf(await cartOf(client))).toEqual([[guest.variant.sku, 2, '10.00']]);
    expect(await levelOf(shop, own.id)).toEqual([7, 0]);
    expect(await levelOf(shop, guest.variant.id)).toEqual([10, 2]);
  });

  test('pays both, if the guest is paying as well', async () => {
    const { person } = await withAccount();
    const payment = await startPayment(person.client, { email: person.email });
    const guest = await withPayment(shop);
    const { client } = await enterAs(guest.client, person);
    for (const id of [payment.id, guest.payment.id]) {
      expect(await read(client, id)).toMatchObject({
        state: 'PENDING',
        clientData: { redirectUrl: expect.any(String) },
      });
    }
    const first = await pay(client, guest);
    expect(await ordersSeenBy(client)).toEqual([[first, 2]]);
    expect(await paymentOf(client)).toEqual({ id: payment.id, state: 'PENDING' });
    const second = await pay(client, { payment, paymentId: rowId(payment.id) });
    expect(await ordersSeenBy(client)).toEqual([
      [second, 3],
      [first, 2],
    ]);
    expect(await cartOf(client)).toBeNull();
  });

  test('sees the payment of the guest once the other is cancelled', async () => {
    const { person, variant: own } = await withAccount();
    const payment = await startPayment(person.client, { email: person.email });
    const guest = await withPayment(shop);
    const { client } = await enterAs(guest.client, person);
    await cancel(client, payment.id);
    await settle(shop, rowId(payment.id));
    await consume();
    expect(await paymentOf(client)).toEqual({ id: guest.payment.id, state: 'PENDING' });
    const orderId = await pay(client, guest);
    expect(await ordersSeenBy(client)).toEqual([[orderId, 2]]);
    expect(linesOf(await cartOf(client))).toEqual([[own.sku, 3, '5.00']]);
  });

  test('logs in once more with another cart, and has all of it in the end', async () => {
    const { person, variant: own } = await withAccount();
    const payment = await startPayment(person.client, { email: person.email });
    const { variant, ...one } = await withCart(shop);
    const two = await fill(shop, variant.sku, 3);
    await enterAs(one.client, person);
    const { client } = await enterAs(two.client, person);
    await cancel(client, payment.id);
    await settle(shop, rowId(payment.id));
    await consume();
    expect(linesOf(await cartOf(client))).toEqual([
      [own.sku, 3, '5.00'],
      [variant.sku, 5, '10.00'],
    ]);
    expect(await levelOf(shop, variant.id)).toEqual([10, 5]);
  });
});

test('a payment that succeeds after its cart joined another gives the money back, for the account to see', async () => {
  const { person, cartId } = await withAccount();
  const guest = await withPayment(shop);
  await cancel(guest.client, guest.payment.id);
  await settle(shop, guest.paymentId);
  const { client } = await enterAs(guest.client, person);
  expect(await cartOf(client)).toMatchObject({ id: cartId, totalQuantity: 5 });
  shop.provider.pay(guest.paymentId);
  await shop.app.services.payments.sync(guest.paymentId);
  await settle(shop, guest.paymentId);
  expect(await factsOf(shop, guest.paymentId)).toMatchObject({ returnReason: 'CART_CHANGED', orderId: null });
  expect(await read(client, guest.payment.id)).toMatchObject({ state: 'CANCELLED', order: null, clientData: null });
  expect(await ordersSeenBy(client)).toEqual([]);
});
