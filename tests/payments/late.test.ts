import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { login, newPerson, personOf } from '../support/accounts.ts';
import { gate, holdVariants, watchLocks } from '../support/barriers.ts';
import { known } from '../support/known.ts';
import { orderLifeOf } from '../support/order-life.ts';
import { paymentDocuments, startPayment, syncPayment } from '../support/payer.ts';
import {
  expectSoundBooks,
  factsOf,
  fill,
  ledgerOf,
  levelOf,
  openPayingShop,
  operationsOf,
  read,
  readAsStaff,
  refund,
  runOutOfGrace,
  runOutOfTime,
  settle,
  withCart,
  withOrder,
  withPayment,
  type PayingShop,
} from '../support/paying.ts';
import { addressIn, pricesOf } from '../support/priced-cart.ts';
import { Refused } from '../../src/modules/payments/providers/provider.types.ts';
import { clearTerms, makePromotion, makeZone, usageOf } from '../support/pricing.ts';
import { rowId } from '../support/shopper.ts';
import { rowsOf } from '../support/books.ts';

let shop: PayingShop;
beforeAll(async () => {
  shop = await openPayingShop();
});
afterAll(() => shop.dispose());
afterEach(async () => {
  shop.provider.before = () => Promise.resolve();
  shop.between = () => Promise.resolve();
  shop.provider.slowRefunds = false;
  await expectSoundBooks(shop);
});

/** The bank has taken the money at once, as with methods that cannot be authorized first. */
function takeAtOnce(paymentId: string): void {
  const payment = shop.provider.of(paymentId);
  const { amountMinor } = payment;
  Object.assign(payment, { state: 'CAPTURED', authorizedMinor: amountMinor, capturedMinor: amountMinor });
}

const voided = { state: 'CANCELLED', orderId: null, authorized: 0, captured: 0 };
const givenBack = (amount: number) => ({
  state: 'CAPTURED',
  orderId: null,
  captured: amount,
  refunded: amount,
  pending: 0,
});

/** A payment whose time ran out while the provider did not answer, so that its units went back. */
async function released(of: { onHand?: number; quantity?: number } = {}) {
  const paying = await withPayment(shop, of);
  shop.provider.failNext('fetch', 'UNREACHABLE');
  await runOutOfTime(shop, paying.paymentId);
  expect(await operationsOf(shop, paying.paymentId)).toEqual(['BEGIN DONE', 'CANCEL UNKNOWN']);
  await runOutOfGrace(shop, paying.cartId);
  return paying;
}

describe('time that runs out', () => {
  test('has the payment cancelled at the provider, and the units go back', async () => {
    const { variant, paymentId, client, payment } = await withPayment(shop);
    await runOutOfTime(shop, paymentId);
    expect(shop.provider.of(paymentId).state).toBe('CANCELLED');
    expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
    expect((await client.data(paymentDocuments.cart)).cart).toMatchObject({ status: 'EXPIRED' });
    expect(await read(client, payment.id)).toMatchObject({ state: 'CANCELLED', order: null });
  });

  test('places the order after all, if the bank had agreed before it was asked to cancel', async () => {
    const { variant, paymentId } = await withPayment(shop);
    shop.provider.pay(paymentId);
    await runOutOfTime(shop, paymentId);
    expect(await operationsOf(shop, paymentId)).toEqual(['BEGIN DONE', 'CANCEL REFUSED', 'CAPTURE DONE']);
    expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'CAPTURED', captured: 2000, returnReason: null });
    expect(await levelOf(shop, variant.id)).toEqual([8, 0]);
  });

  test('keeps the units for 300 seconds more while the provider does not answer, and releases them then', async () => {
    const { variant, paymentId, cartId, payment } = await withPayment(shop);
    shop.provider.failNext('fetch', 'UNREACHABLE');
    await runOutOfTime(shop, paymentId);
    await shop.expireOverdue();
    expect(await levelOf(shop, variant.id)).toEqual([10, 2]);
    const [{ seconds } = { seconds: 0 }] = await rowsOf<{ seconds: number }>(
      shop.db,
      'SELECT extract(epoch FROM expires_at - $2::timestamptz)::int AS seconds FROM carts WHERE id = $1',
      [rowId(cartId), payment.deadline],
    );
    expect(seconds).toBe(300);
    await runOutOfGrace(shop, cartId);
    expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
    expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'PENDING', orderId: null });
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject(voided);
  });
});

describe('a success that comes late', () => {
  test('takes the units again, if they are all there', async () => {
    const { variant, paymentId, client, payment } = await released({ onHand: 2 });
    expect(await levelOf(shop, variant.id)).toEqual([2, 0]);
    shop.provider.pay(paymentId);
    await settle(shop, paymentId);
    expect(await levelOf(shop, variant.id)).toEqual([0, 0]);
    expect(await read(client, payment.id)).toMatchObject({
      state: 'CAPTURED',
      order: { status: 'PLACED', paymentStatus: 'PAID', total: { amount: '20.00' } },
    });
  });

  test('takes the units of carts that are over, too', async () => {
    const { variant, paymentId } = await released({ onHand: 2 });
    const other = await fill(shop, variant.sku, 2);
    await rowsOf(
      shop.db,
      `UPDATE carts SET hold_started_at = clock_timestamp() - interval '1 hour', expires_at = clock_timestamp() - interval '1 second' WHERE id = $1`,
      [rowId(other.cartId)],
    );
    shop.provider.pay(paymentId);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'CAPTURED', returnReason: null });
    expect(await levelOf(shop, variant.id)).toEqual([0, 0]);
  });

  test('is voided, if the units are gone', async () => {
    const { variant, paymentId } = await released({ onHand: 2 });
    const other = await fill(shop, variant.sku, 1);
    shop.provider.pay(paymentId);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ ...voided, returnReason: 'OUT_OF_STOCK' });
    expect(shop.provider.of(paymentId)).toMatchObject({ state: 'CANCELLED', authorizedMinor: 0n });
    expect(await levelOf(shop, variant.id)).toEqual([2, 1]);
    expect((await other.checkout({ idempotencyKey: 'other' })).errors).toEqual([]);
  });

  test('is refunded, if the units are gone and the money was taken already', async () => {
    const { variant, paymentId } = await released({ onHand: 2 });
    await fill(shop, variant.sku, 1);
    takeAtOnce(paymentId);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ ...givenBack(2000), returnReason: 'OUT_OF_STOCK' });
    expect(shop.provider.of(paymentId).refunds).toMatchObject([{ amountMinor: 2000n, state: 'SUCCEEDED' }]);
    expect(await ledgerOf(shop, { paymentId })).toEqual({});
  });

  test('is announced once as a failure, and once as late where an order came of it', async () => {
    const eventsOf = (paymentId: string) =>
      rowsOf<{ type: string; late: boolean | null }>(
        shop.db,
        `SELECT type, (payload->>'late')::boolean AS late FROM event_log
          WHERE subject_id = $1 AND type IN ('payment_failed', 'payment_received_late') ORDER BY id`,
        [paymentId],
      );
    const placed = await released({ onHand: 2 });
    const returned = await released({ onHand: 2 });
    await fill(shop, returned.variant.sku, 1);
    for (const { paymentId } of [placed, returned]) {
      shop.provider.pay(paymentId);
      await settle(shop, paymentId);
    }
    expect(await eventsOf(placed.paymentId)).toEqual([{ type: 'payment_received_late', late: null }]);
    expect(await eventsOf(returned.paymentId)).toEqual([{ type: 'payment_failed', late: true }]);
  });

  test('of a cart that was changed meanwhile is voided, and the cart stays as it is', async () => {
    const { variant, paymentId, client, payment, add } = await withPayment(shop);
    shop.provider.fail(paymentId);
    expect(await syncPayment(client, payment.id)).toMatchObject({ state: 'FAILED' });
    expect((await add({ sku: variant.sku, quantity: 1 })).errors).toEqual([]);
    shop.provider.pay(paymentId);
    await syncPayment(client, payment.id);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ ...voided, returnReason: 'CART_CHANGED' });
    expect(await levelOf(shop, variant.id)).toEqual([10, 3]);
  });

  test('of a cart that another payment is paying for is voided, and the other one places the order', async () => {
    const { variant, paymentId, client, payment } = await withPayment(shop);
    shop.provider.fail(paymentId);
    await syncPayment(client, payment.id);
    const second = await startPayment(client);
    shop.provider.pay(paymentId);
    await syncPayment(client, payment.id);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ ...voided, returnReason: 'ALREADY_ORDERED' });
    shop.provider.pay(rowId(second.id));
    expect(await syncPayment(client, second.id)).toMatchObject({ order: { status: 'PLACED' } });
    expect(await levelOf(shop, variant.id)).toEqual([8, 0]);
  });

  test('of a cart that was bought meanwhile is refunded', async () => {
    const { variant, paymentId, client, payment, checkout } = await withPayment(shop);
    shop.provider.fail(paymentId);
    await syncPayment(client, payment.id);
    expect((await checkout({ idempotencyKey: 'invoice' })).errors).toEqual([]);
    takeAtOnce(paymentId);
    await syncPayment(client, payment.id);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ ...givenBack(2000), returnReason: 'ALREADY_ORDERED' });
    expect(await levelOf(shop, variant.id)).toEqual([8, 0]);
  });
});

describe('a payment that the bank takes days for', () => {
  async function processing() {
    const paying = await withPayment(shop);
    shop.provider.process(paying.paymentId);
    const { order } = await syncPayment(paying.client, paying.payment.id);
    return { ...paying, order: known(order) };
  }
  const fulfil = (id: string) => orderLifeOf(shop.staff.client).update({ id, status: 'FULFILLED' });

  test('places the order, which is not fulfilled before the money is there', async () => {
    const { variant, paymentId, order, client, payment } = await processing();
    expect(order).toMatchObject({ status: 'PLACED', paymentStatus: 'PENDING' });
    expect(await levelOf(shop, variant.id)).toEqual([8, 0]);
    expect((await fulfil(order.id)).errors).toMatchObject([{ code: 'INVALID_TRANSITION' }]);
    shop.provider.pay(paymentId);
    await syncPayment(client, payment.id);
    await settle(shop, paymentId);
    expect(await read(client, payment.id)).toMatchObject({ state: 'CAPTURED', order: { paymentStatus: 'PAID' } });
    expect((await fulfil(order.id)).errors).toEqual([]);
  });

  test('is looked at where nothing is heard of it, so that a lost webhook is made up for', async () => {
    const { paymentId } = await processing();
    const { payments } = shop.app.services;
    const isUnheard = async () => (await payments.findWork(100)).unheardIds.includes(paymentId);
    expect(await isUnheard()).toBe(false);
    await rowsOf(shop.db, `UPDATE payments SET updated_at = updated_at - interval '61 seconds' WHERE id = $1`, [
      paymentId,
    ]);
    expect(await isUnheard()).toBe(true);
    shop.provider.pay(paymentId);
    await payments.sync(paymentId);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'CAPTURED' });
    expect(await isUnheard()).toBe(false);
  });

  test('and fails cancels the order and returns its units', async () => {
    const { variant, paymentId, client, payment } = await processing();
    shop.provider.fail(paymentId);
    expect(await syncPayment(client, payment.id)).toMatchObject({
      state: 'FAILED',
      failure: 'The bank refused the payment.',
      order: { status: 'CANCELLED', paymentStatus: 'PENDING' },
    });
    expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
  });

  test('and that the provider does not cancel meanwhile is cancelled once it was declined, however often it may be tried again', async () => {
    const { paymentId, client, payment, order } = await processing();
    // As with Stripe.
    shop.provider.before = async (kind) => {
      if (kind === 'cancel' && shop.provider.of(paymentId).state === 'PROCESSING')
        throw new Refused('Being processed.');
    };
    await shop.app.services.orders.cancel(rowId(order.id), { by: 'SHOP' }, null);
    await settle(shop, paymentId);
    expect(await operationsOf(shop, paymentId)).toEqual(['BEGIN DONE', 'CANCEL REFUSED']);
    await syncPayment(client, payment.id);
    expect(await operationsOf(shop, paymentId)).toEqual(['BEGIN DONE', 'CANCEL REFUSED']);
    shop.provider.decline(paymentId);
    await syncPayment(client, payment.id);
    await settle(shop, paymentId);
    expect(await operationsOf(shop, paymentId)).toEqual(['BEGIN DONE', 'CANCEL REFUSED', 'CANCEL DONE']);
    expect(await factsOf(shop, paymentId)).toMatchObject({ state: 'CANCELLED', problem: null });
  });

  test('of an order that was cancelled meanwhile is refunded when it succeeds', async () => {
    const { paymentId, client, payment, order } = await processing();
    shop.provider.failNext('cancel', 'REFUSED');
    await shop.app.services.orders.cancel(rowId(order.id), { by: 'SHOP' }, null);
    await shop.app.services.payments.runOperation(
      known((await shop.app.services.payments.operationsOf(paymentId)).at(-1)).id,
      true,
    );
    takeAtOnce(paymentId);
    await syncPayment(client, payment.id);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ captured: 2000, refunded: 2000, pending: 0 });
    expect(await read(client, payment.id)).toMatchObject({ order: { status: 'CANCELLED', paymentStatus: 'REFUNDED' } });
  });
});

describe('another amount at the provider than the total', () => {
  test.each<[string, object]>([
    ['a lower amount', { amountMinor: 1n }],
    ['a higher amount', { amountMinor: 2001n }],
    ['another currency', { currency: 'JPY' }],
  ])('is voided: %s', async (_what, change) => {
    const { paymentId, client, payment, variant, add } = await withPayment(shop);
    Object.assign(shop.provider.of(paymentId), change);
    shop.provider.pay(paymentId);
    await syncPayment(client, payment.id);
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ ...voided, returnReason: 'AMOUNT_MISMATCH' });
    expect(shop.provider.of(paymentId).state).toBe('CANCELLED');
    // The cart is the shopper's again.
    expect((await add({ sku: variant.sku, quantity: 1 })).errors).toEqual([]);
    expect(await levelOf(shop, variant.id)).toEqual([10, 3]);
  });

  test('is refunded where it was taken, and reserves no promotion any longer', async () => {
    const promotion = await makePromotion(shop, { codes: ['ONCE-MISMATCH'], usage_limit: 1 });
    const shopper = await withCart(shop);
    await pricesOf(shopper).setCodes('ONCE-MISMATCH');
    const { id } = await startPayment(shopper.client);
    expect(await usageOf(shop, promotion.id)).toEqual({ used: 1, spent: 200 });
    Object.assign(shop.provider.of(rowId(id)), { amountMinor: 5n });
    takeAtOnce(rowId(id));
    await syncPayment(shopper.client, id);
    await settle(shop, rowId(id));
    expect(await factsOf(shop, rowId(id))).toMatchObject({ ...givenBack(5), returnReason: 'AMOUNT_MISMATCH' });
    expect(await usageOf(shop, promotion.id)).toEqual({ used: 0, spent: 0 });
  });

  test('of an order that was captured in part is none', async () => {
    const { client, paymentId, payment } = await withPayment(shop);
    // A cancelled capture leaves it authorized: staff capture a part then.
    shop.provider.pay(paymentId);
    shop.provider.failNext('capture', 'UNREACHABLE');
    await syncPayment(client, payment.id);
    Object.assign(shop.provider.of(paymentId), { state: 'CAPTURED', authorizedMinor: 1500n, capturedMinor: 1500n });
    await syncPayment(client, payment.id);
    expect(await factsOf(shop, paymentId)).toMatchObject({ captured: 1500, returnReason: null });
    expect(await read(client, payment.id)).toMatchObject({ order: { paymentStatus: 'PARTIALLY_PAID' } });
    Object.assign(shop.provider.of(paymentId), { authorizedMinor: 2000n, capturedMinor: 2000n });
    await settle(shop, paymentId);
  });
});

describe('a cart', () => {
  test('is pinned three times at most', async () => {
    const { client } = await withCart(shop);
    for (let pins = 0; pins < 3; pins += 1) {
      const { id } = await startPayment(client);
      await client.data(paymentDocuments.cancel, { id });
    }
    const { paymentStart } = await client.data(paymentDocuments.start, {
      input: { provider: 'test', idempotencyKey: 'fourth' },
    });
    expect(paymentStart).toMatchObject({ payment: null, errors: [{ code: 'LIMIT_EXCEEDED', limit: 3, requested: 4 }] });
  });

  /** A guest's cart that was pinned so often. */
  async function pinned(times: number) {
    const shopper = await withCart(shop);
    for (let pins = 0; pins < times; pins += 1) {
      const { id } = await startPayment(shopper.client);
      await shopper.client.data(paymentDocuments.cancel, { id });
    }
    return shopper;
  }
  const startsIn = async ({ client }: Awaited<ReturnType<typeof withCart>>) => {
    const input = { provider: 'test', idempotencyKey: crypto.randomUUID() };
    const { paymentStart } = await client.data(paymentDocuments.start, { input });
    return known(paymentStart).errors.map(({ code }) => code);
  };

  test('that is emptied and filled anew can be pinned three times again', async () => {
    const shopper = await pinned(3);
    // More units belong to the hold that there is.
    await shopper.add({ sku: shopper.variant.sku, quantity: 1 });
    expect(await startsIn(shopper)).toEqual(['LIMIT_EXCEEDED']);
    await shopper.remove(known((await shopper.cart())?.lines[0]).id);
    await shopper.add({ sku: shopper.variant.sku, quantity: 1 });
    expect(await startsIn(shopper)).toEqual([]);
  });

  test('that has expired and is held again can be pinned three times again', async () => {
    const shopper = await pinned(3);
    await runOutOfGrace(shop, shopper.cartId);
    expect((await shopper.reclaim(shopper.cartId)).errors).toEqual([]);
    expect(await startsIn(shopper)).toEqual([]);
  });

  test('cannot be pinned more often by logging in, because its hold goes on', async () => {
    const shopper = await pinned(3);
    const person = await newPerson(shop);
    const user = personOf(shop, person.email, await login(shopper.client, { email: person.email }));
    expect(await startsIn({ ...shopper, client: user.client })).toEqual(['LIMIT_EXCEEDED']);
  });

  test('whose guest logs in while paying becomes an order of the user', async () => {
    const person = await newPerson(shop);
    const { client, payment, paymentId } = await withPayment(shop);
    const user = personOf(shop, person.email, await login(client, { email: person.email }));
    expect(await read(user.client, payment.id)).toMatchObject({ state: 'PENDING' });
    shop.provider.pay(paymentId);
    const paid = await syncPayment(user.client, payment.id);
    const [order] = await rowsOf<{ user_id: string }>(shop.db, 'SELECT user_id FROM orders WHERE id = $1', [
      rowId(known(paid.order).id),
    ]);
    expect(order).toEqual({ user_id: rowId(user.userId) });
  });
});

describe('the idempotency key of paymentStart', () => {
  const start = async (client: Parameters<typeof startPayment>[0], input: object) =>
    known(
      (await client.data(paymentDocuments.start, { input: { provider: 'test', idempotencyKey: 'key', ...input } }))
        .paymentStart,
    );

  test('gives one payment, however often and at once the call comes', async () => {
    const { client, cartId } = await withCart(shop);
    const answers = await Promise.all(Array.from({ length: 4 }, () => start(client, {})));
    const ids = new Set(answers.map(({ payment, errors }) => (errors.length === 0 ? payment?.id : errors)));
    expect(ids.size).toBe(1);
    expect(await rowsOf(shop.db, 'SELECT id FROM payments WHERE cart_id = $1', [rowId(cartId)])).toHaveLength(1);
    const id = rowId(known(answers[0]?.payment).id);
    expect(shop.provider.all().filter(({ paymentId }) => paymentId === id)).toHaveLength(1);
    expect(shop.provider.calls.filter((call) => call === `begin ${id}`)).toHaveLength(1);
  });

  test.each<[string, object]>([
    ['another address', { email: 'another@example.com' }],
    ['another total', { expectedTotal: '20.00' }],
    ['another page to return to', { returnUrl: 'RETURN' }],
  ])('is refused with %s', async (_what, given) => {
    const { client } = await withCart(shop);
    const { payment } = await start(client, {});
    const input = Object.hasOwn(given, 'returnUrl') ? { returnUrl: `${shop.url}/elsewhere` } : given;
    expect(await start(client, input)).toMatchObject({ payment: null, errors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
    expect((await start(client, {})).payment?.id).toBe(known(payment).id);
  });

  test('gives the payment after its order was placed, too', async () => {
    const { client } = await withCart(shop);
    const id = known((await start(client, {})).payment).id;
    shop.provider.pay(rowId(id));
    await syncPayment(client, id);
    expect(await start(client, {})).toMatchObject({ payment: { id, order: { status: 'PLACED' } }, errors: [] });
  });

  test('of a cart that costs nothing gives its order, however often it comes', async () => {
    await makePromotion(shop, { codes: ['FREE-OF-CHARGE'], percent_ppm: 1_000_000 });
    const shopper = await withCart(shop);
    await pricesOf(shopper).setCodes('FREE-OF-CHARGE');
    const first = await start(shopper.client, {});
    const placed = { status: 'PLACED', paymentStatus: 'PAID', total: { amount: '0.00' } };
    expect(first).toMatchObject({ payment: null, order: placed, errors: [] });
    const again = await start(shopper.client, {});
    expect(again).toMatchObject({ payment: null, order: { id: known(first.order).id }, errors: [] });
  });
});

test('a shop that takes no unpaid orders places those that cost nothing, and refuses the others', async () => {
  const strict = await shop.another({ PAYMENT_PROVIDERS: 'test' });
  try {
    await makePromotion(shop, { codes: ['NOTHING-TO-PAY'], percent_ppm: 1_000_000 });
    const shopper = await withCart(strict);
    expect((await shopper.checkout({ idempotencyKey: 'a' })).errors).toMatchObject([{ code: 'PAYMENT_REQUIRED' }]);
    const { paymentStart } = await shopper.client.data(paymentDocuments.start, {
      input: { provider: 'manual', idempotencyKey: 'b' },
    });
    expect(paymentStart).toMatchObject({ order: null, errors: [{ code: 'NOT_FOUND' }] });
    await pricesOf(shopper).setCodes('NOTHING-TO-PAY');
    expect((await shopper.checkout({ idempotencyKey: 'c' })).order).toMatchObject({
      ...{ total: { amount: '0.00' }, paymentStatus: 'PAID' },
    });
  } finally {
    await strict.dispose();
  }
});

describe('cancelling and paying at the same time', () => {
  test('is cancelled, if the provider voids the payment after the bank has agreed', async () => {
    const { client, payment, paymentId, variant } = await withPayment(shop);
    const reached = gate();
    const go = gate();
    shop.provider.before = async (kind) => {
      if (kind !== 'cancel') return;
      reached.open();
      await go.opened;
    };
    const cancelling = client.data(paymentDocuments.cancel, { id: payment.id });
    await reached.opened;
    shop.provider.pay(paymentId);
    // What it says is written down, and no order is placed while a cancellation is on its way.
    expect(await syncPayment(client, payment.id)).toMatchObject({ state: 'AUTHORIZED', order: null });
    go.open();
    await cancelling;
    await settle(shop, paymentId);
    expect(await factsOf(shop, paymentId)).toMatchObject({ ...voided, returnReason: null });
    expect(await levelOf(shop, variant.id)).toEqual([10, 2]);
    expect(
      await rowsOf(shop.db, 'SELECT FROM orders WHERE id = (SELECT order_id FROM payments WHERE id = $1)', [paymentId]),
    ).toEqual([]);
  });

  test('is paid, if the bank has agreed before the provider is asked to cancel', async () => {
    const { client, payment, paymentId } = await withPayment(shop);
    shop.provider.pay(paymentId);
    const { paymentCancel } = await client.data(paymentDocuments.cancel, { id: payment.id });
    expect(paymentCancel).toMatchObject({ payment: null, errors: [{ code: 'CONFLICT' }] });
    await settle(shop, paymentId);
    expect(await operationsOf(shop, paymentId)).toEqual(['BEGIN DONE', 'CANCEL REFUSED', 'CAPTURE DONE']);
  });

  test('is paid, if the order is placed while a cancellation is taken up', async () => {
    const { paymentId, variant, client, payment } = await withPayment(shop);
    const { payments } = shop.app.services;
    await payments.expire(paymentId);
    const cancellation = known((await payments.operationsOf(paymentId)).find(({ kind }) => kind === 'CANCEL'));
    shop.provider.pay(paymentId);
    const leased = gate();
    const go = gate();
    shop.between = async (step, id) => {
      if (id !== cancellation.id || step !== 'LEASED') return;
      leased.open();
      await go.opened;
    };
    await using watch = await watchLocks(shop.db);
    await using barrier = await holdVariants(shop.db, variant.id);
    // It has seen that nobody is at the cancellation, and waits for the units.
    const placing = payments.sync(paymentId);
    await watch.untilWaiting(1);
    const cancelling = payments.runOperation(cancellation.id, true);
    await leased.opened;
    await barrier.release();
    await placing;
    go.open();
    await cancelling;
    await settle(shop, paymentId);
    expect(shop.provider.calls.filter((call) => call === `cancel ${shop.provider.of(paymentId).reference}`)).toEqual(
      [],
    );
    expect(await read(client, payment.id)).toMatchObject({ state: 'CAPTURED', order: { paymentStatus: 'PAID' } });
  });
});

test('a promotion with a limit is reserved by a payment, given back when it is cancelled, and kept by the order', async () => {
  const promotion = await makePromotion(shop, { codes: ['JUST-ONE'], usage_limit: 1 });
  const shopper = await withCart(shop);
  const other = await withCart(shop);
  for (const each of [shopper, other]) await pricesOf(each).setCodes('JUST-ONE');
  const first = await startPayment(shopper.client);
  expect(first.amount.amount).toBe('18.00');
  expect(await usageOf(shop, promotion.id)).toEqual({ used: 1, spent: 200 });
  expect((await pricesOf(other).cart()).total.amount).toBe('20.00');
  await shopper.client.data(paymentDocuments.cancel, { id: first.id });
  expect(await usageOf(shop, promotion.id)).toEqual({ used: 0, spent: 0 });
  expect((await pricesOf(other).cart()).total.amount).toBe('18.00');
  const second = await startPayment(shopper.client);
  shop.provider.pay(rowId(second.id));
  const { order } = await syncPayment(shopper.client, second.id);
  expect(order).toMatchObject({ total: { amount: '18.00' } });
  expect(await usageOf(shop, promotion.id)).toEqual({ used: 1, spent: 200 });
  await shop.app.services.orders.cancel(rowId(known(order).id), { by: 'SHOP' }, null);
  await settle(shop, rowId(second.id));
  expect(await usageOf(shop, promotion.id)).toEqual({ used: 0, spent: 0 });
});

describe('a payment that the bank approves after the provider called it canceled', () => {
  /** A guest with a code for a promotion that can be used once, whose payment was cancelled. */
  async function cancelledWithCode(code: string) {
    const promotion = await makePromotion(shop, { codes: [code], usage_limit: 1 });
    const shopper = await withCart(shop);
    await pricesOf(shopper).setCodes(code);
    const payment = await startPayment(shopper.client);
    Object.assign(shop.provider.of(rowId(payment.id)), { state: 'CANCELLED' });
    expect(await syncPayment(shopper.client, payment.id)).toMatchObject({ state: 'CANCELLED', order: null });
    expect(await usageOf(shop, promotion.id)).toEqual({ used: 0, spent: 0 });
    return { ...shopper, promotion, payment, paymentId: rowId(payment.id) };
  }

  test('places its order, and counts the use of the promotion that was given back', async () => {
    const { client, promotion, payment, paymentId } = await cancelledWithCode('COUNTED-AGAIN');
    shop.provider.pay(paymentId);
    const { order } = await syncPayment(client, payment.id);
    expect(order).toMatchObject({ total: { amount: '18.00' } });
    expect(await usageOf(shop, promotion.id)).toEqual({ used: 1, spent: 200 });
    const other = await withCart(shop);
    await pricesOf(other).setCodes('COUNTED-AGAIN');
    expect((await pricesOf(other).cart()).total.amount).toBe('20.00');
    await shop.app.services.orders.cancel(rowId(known(order).id), { by: 'SHOP' }, null);
    await settle(shop, paymentId);
    expect(await usageOf(shop, promotion.id)).toEqual({ used: 0, spent: 0 });
  });

  test('places its order at the frozen total, if somebody else has used the promotion up meanwhile, and its limit holds', async () => {
    const { client, promotion, payment, paymentId } = await cancelledWithCode('TAKEN-MEANWHILE');
    const other = await withCart(shop);
    await pricesOf(other).setCodes('TAKEN-MEANWHILE');
    known((await other.checkout({ idempotencyKey: 'taken' })).order);
    shop.provider.pay(paymentId);
    const { order } = await syncPayment(client, payment.id);
    expect(order).toMatchObject({ total: { amount: '18.00' } });
    expect(await usageOf(shop, promotion.id)).toEqual({ used: 1, spent: 200 });
    await shop.app.services.orders.cancel(rowId(known(order).id), { by: 'SHOP' }, null);
    await settle(shop, paymentId);
    expect(await usageOf(shop, promotion.id)).toEqual({ used: 1, spent: 200 });
  });
});

describe('an order that is cancelled', () => {
  test('has its authorization voided', async () => {
    const { client, payment, paymentId, variant } = await withPayment(shop);
    shop.provider.pay(paymentId);
    shop.provider.failNext('capture', 'REFUSED');
    const { order } = await syncPayment(client, payment.id);
    const { payments } = shop.app.services;
    await payments.runOperation(known((await payments.operationsOf(paymentId)).at(-1)).id, true);
    await rowsOf(
      shop.db,
      `UPDATE payment_operations SET state = 'REFUSED', settled_at = now() WHERE payment_id = $1 AND state = 'QUEUED'`,
      [paymentId],
    );
    await shop.app.services.orders.cancel(rowId(known(order).id), { by: 'SHOP' }, null);
    await settle(shop, paymentId);
    expect(shop.provider.of(paymentId)).toMatchObject({ state: 'CANCELLED', capturedMinor: 0n });
    expect(await read(client, payment.id)).toMatchObject({ state: 'CANCELLED', order: { paymentStatus: 'PENDING' } });
    expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
    expect(await ledgerOf(shop, { orderId: rowId(known(order).id) })).toEqual({ REFUNDS: 2000, SALES: -2000 });
  });

  test('has what was captured refunded, less what was refunded before', async () => {
    const { orderId, paymentId, order } = await withOrder(shop);
    expect((await refund(shop, order.id, { amount: '5.00' })).errors).toEqual([]);
    await shop.app.services.orders.cancel(orderId, { by: 'SHOP' }, null);
    await settle(shop, paymentId);
    expect(shop.provider.of(paymentId).refunds.map(({ amountMinor }) => amountMinor)).toEqual([500n, 1500n]);
    expect(await ledgerOf(shop, { orderId })).toEqual({ REFUNDS: 2000, SALES: -2000 });
  });

  test('has a refund that the bank sends back asked for again, three times at most, and staff see to it then', async () => {
    const { orderId, paymentId, payment, client } = await withOrder(shop);
    await shop.app.services.orders.cancel(orderId, { by: 'SHOP' }, null);
    await settle(shop, paymentId);
    for (let failures = 0; failures < 3; failures += 1) {
      const sent = known(shop.provider.of(paymentId).refunds.at(-1));
      shop.provider.failRefund(known(sent.refundId));
      await syncPayment(client, payment.id);
      await settle(shop, paymentId);
    }
    expect(shop.provider.of(paymentId).refunds).toHaveLength(3);
    expect(await readAsStaff(shop, payment.id)).toMatchObject({
      refunded: { amount: '0.00' },
      problem: expect.stringContaining('refund') as string,
      order: { status: 'CANCELLED', paymentStatus: 'PAID' },
    });
    expect(await ledgerOf(shop, { orderId })).toEqual({
      CLEARING: 2000,
      RECEIVABLE: -2000,
      REFUNDS: 2000,
      SALES: -2000,
    });
  });

  test('whose authorization lapsed before leaves nothing to do, and one that stands is brought before staff', async () => {
    const { client, payment, paymentId } = await withPayment(shop);
    shop.provider.pay(paymentId);
    const { order } = await syncPayment(client, payment.id);
    Object.assign(shop.provider.of(paymentId), { state: 'CANCELLED', authorizedMinor: 0n });
    await settle(shop, paymentId);
    await syncPayment(client, payment.id);
    expect(await readAsStaff(shop, payment.id)).toMatchObject({
      state: 'CANCELLED',
      problem: expect.stringContaining('not paid') as string,
      order: { status: 'PLACED', paymentStatus: 'PENDING' },
    });
    expect((await orderLifeOf(shop.staff.client).pay({ id: known(order).id })).errors).toEqual([]);
  });
});

describe('a refund', () => {
  test('that fails late counts as refunded no longer, and its units do not return to stock twice', async () => {
    const { order, orderId, lineId, paymentId, payment, client, variant } = await withOrder(shop);
    const lines = [{ lineId, quantity: 2, restock: true }];
    const { refund: first } = await refund(shop, order.id, { lines });
    expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
    expect(await ledgerOf(shop, { orderId })).toEqual({ REFUNDS: 2000, SALES: -2000 });
    shop.provider.failRefund(rowId(known(first).id));
    expect(await syncPayment(client, payment.id)).toMatchObject({
      refunded: { amount: '0.00' },
      order: { paymentStatus: 'PAID', refunds: [{ state: 'FAILED' }] },
    });
    expect(await ledgerOf(shop, { orderId })).toEqual({ CLEARING: 2000, SALES: -2000 });
    expect((await refund(shop, order.id, { lines })).errors).toMatchObject([{ code: 'CONFLICT' }]);
    const again = await refund(shop, order.id, { lines: [{ lineId, quantity: 2, restock: false }] });
    expect(again).toMatchObject({ refund: { state: 'SUCCEEDED' }, order: { paymentStatus: 'REFUNDED' } });
    expect(await levelOf(shop, variant.id)).toEqual([10, 0]);
    expect(await factsOf(shop, paymentId)).toMatchObject({ refunded: 2000, pending: 0 });
  });

  test('that the provider confirms later is pending, and counts neither as refunded nor as left', async () => {
    const { order, paymentId, payment, client } = await withOrder(shop);
    shop.provider.slowRefunds = true;
    const { refund: slow } = await refund(shop, order.id, { amount: '15.00' });
    expect(slow).toMatchObject({ state: 'PENDING' });
    expect(await factsOf(shop, paymentId)).toMatchObject({ refunded: 0, pending: 1500 });
    expect((await refund(shop, order.id, { amount: '5.01' })).errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
    shop.provider.succeedRefund(rowId(known(slow).id));
    expect(await syncPayment(client, payment.id)).toMatchObject({
      refunded: { amount: '15.00' },
      order: { paymentStatus: 'PARTIALLY_REFUNDED' },
    });
  });

  test('that the provider refuses has failed, and the money can be refunded again', async () => {
    const { order, paymentId } = await withOrder(shop);
    shop.provider.failNext('refund', 'REFUSED');
    expect(await refund(shop, order.id, { amount: '20.00' })).toMatchObject({ refund: { state: 'FAILED' } });
    expect(await factsOf(shop, paymentId)).toMatchObject({ refunded: 0, pending: 0 });
    expect(await refund(shop, order.id, { amount: '20.00' })).toMatchObject({ refund: { state: 'SUCCEEDED' } });
  });

  test('that was made at the provider is booked as well', async () => {
    const { paymentId, payment, client, orderId } = await withOrder(shop);
    const made = {
      reference: 're_dashboard',
      refundId: null,
      amountMinor: 700n,
      state: 'SUCCEEDED',
      failure: null,
    } as const;
    shop.provider.of(paymentId).refunds.push(made);
    expect(await syncPayment(client, payment.id)).toMatchObject({
      refunded: { amount: '7.00' },
      order: { paymentStatus: 'PARTIALLY_REFUNDED', refunds: [{ amount: { amount: '7.00' } }] },
    });
    expect(await ledgerOf(shop, { orderId })).toEqual({ CLEARING: 1300, REFUNDS: 700, SALES: -2000 });
  });

  test('with one key comes once, and is refused for another amount', async () => {
    const { order, paymentId } = await withOrder(shop);
    const [one, two] = await Promise.all(
      Array.from({ length: 2 }, () => refund(shop, order.id, { amount: '1.00', idempotencyKey: 'once' })),
    );
    expect(one?.refund?.id).toBe(known(two?.refund).id);
    expect((await refund(shop, order.id, { amount: '2.00', idempotencyKey: 'once' })).errors).toMatchObject([
      { code: 'IDEMPOTENCY_KEY_REUSED' },
    ]);
    await settle(shop, paymentId);
    expect(shop.provider.of(paymentId).refunds).toHaveLength(1);
  });
});

describe('a dispute', () => {
  test.each([
    ['WON', 0, { CLEARING: 2000, SALES: -2000 }],
    ['LOST', 2000, { DISPUTES: 2000, SALES: -2000 }],
  ] as const)('that is opened and %s', async (outcome, disputed, ledger) => {
    const { orderId, paymentId, payment, client } = await withOrder(shop);
    shop.provider.dispute(paymentId, 'OPEN');
    await syncPayment(client, payment.id);
    expect(await factsOf(shop, paymentId)).toMatchObject({ disputed: 2000, captured: 2000 });
    expect(await ledgerOf(shop, { orderId })).toEqual({ DISPUTES: 2000, SALES: -2000 });
    shop.provider.dispute(paymentId, outcome);
    await syncPayment(client, payment.id);
    expect((await readAsStaff(shop, payment.id)).disputes).toMatchObject([
      { state: outcome, amount: { amount: '20.00' } },
    ]);
    expect(await factsOf(shop, paymentId)).toMatchObject({ disputed });
    expect(await ledgerOf(shop, { orderId })).toEqual(ledger);
  });
});

describe('an order that is paid outside of the shop', () => {
  test('is marked as paid, refunded in part, cancelled, and refunded for the rest, and the ledger follows', async () => {
    const shopper = await withCart(shop);
    const { order } = await shopper.checkout({ idempotencyKey: 'invoice' });
    const { id } = known(order);
    const orderId = rowId(id);
    const life = orderLifeOf(shop.staff.client);
    expect(await ledgerOf(shop, { orderId })).toEqual({ RECEIVABLE: 2000, SALES: -2000 });
    expect((await life.pay({ id })).order).toMatchObject({ paymentStatus: 'PAID' });
    expect(await ledgerOf(shop, { orderId })).toEqual({ CLEARING: 2000, SALES: -2000 });
    expect(await refund(shop, id, { amount: '5.00' })).toMatchObject({
      refund: { state: 'SUCCEEDED' },
      order: { paymentStatus: 'PARTIALLY_REFUNDED' },
    });
    expect(await ledgerOf(shop, { orderId })).toEqual({ CLEARING: 1500, REFUNDS: 500, SALES: -2000 });
    await expectSoundBooks(shop);
    expect((await life.cancel({ id })).errors).toEqual([]);
    expect(await ledgerOf(shop, { orderId })).toEqual({
      CLEARING: 1500,
      RECEIVABLE: -1500,
      REFUNDS: 2000,
      SALES: -2000,
    });
    await expectSoundBooks(shop);
    expect((await refund(shop, id, { amount: '15.00' })).order).toMatchObject({ paymentStatus: 'REFUNDED' });
    expect(await ledgerOf(shop, { orderId })).toEqual({ REFUNDS: 2000, SALES: -2000 });
  });

  test('and cancelled unpaid is owed no longer', async () => {
    const shopper = await withCart(shop);
    const { order } = await shopper.checkout({ idempotencyKey: 'invoice' });
    expect((await orderLifeOf(shopper.client).cancel({ id: known(order).id })).errors).toEqual([]);
    expect(await ledgerOf(shop, { orderId: rowId(known(order).id) })).toEqual({ REFUNDS: 2000, SALES: -2000 });
  });
});

describe('a refund of lines and shipping with tax', () => {
  test.each(['true', 'false'])(
    'adds up to the total to the last minor unit, with prices that include tax: %s',
    async (included) => {
      const taxed = await shop.another({ PRICES_INCLUDE_TAX: included });
      try {
        await makeZone(taxed, {
          name: 'Home',
          isRest: true,
          isHome: true,
          tax: 19,
          methods: [{ title: 'Post', price: 499 }],
        });
        const shippingAddress = addressIn('DE');
        const { order, orderId, lineId, paymentId } = await withOrder(taxed, {
          ...{ price: 333, quantity: 3 },
          input: { shippingAddress },
        });
        const shipping = included === 'true' ? '4.99' : '5.94';
        for (const quantity of [1, 1, 1]) {
          expect((await refund(taxed, order.id, { lines: [{ lineId, quantity, restock: false }] })).errors).toEqual([]);
        }
        const last = await refund(taxed, order.id, { shipping });
        expect(last).toMatchObject({ order: { paymentStatus: 'REFUNDED' }, errors: [] });
        const { refunded, captured } = await factsOf(taxed, paymentId);
        // 3 × 3.33 and 4.99, with 19 % of each where it is added.
        expect([refunded, captured]).toEqual(included === 'true' ? [1498, 1498] : [1783, 1783]);
        expect((await ledgerOf(taxed, { orderId })).REFUNDS).toBe(captured);
      } finally {
        await clearTerms(taxed).catch(() => {});
        await taxed.dispose();
      }
    },
  );
});
