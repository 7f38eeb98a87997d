import { v7 as uuid } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import {
  archiveVariant,
  globalId,
  levelOf,
  makeProduct,
  makeVariant,
  setPrice,
  setStatus,
} from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { buy, guestWithOrder, orderLifeOf, recordsOf } from '../../support/order-life.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf, stepsOf } from '../../support/records.ts';
import { enter, shopperOf, rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
let sku: string;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  ({ sku } = await makeVariant(shop, { onHand: 10_000 }));
});
afterEach(async () => {
  const faults = await findFaults(shop.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
});
afterAll(() => shop.dispose());

const guest = (email?: string) => guestWithOrder(shop, [{ sku, quantity: 1 }], email === undefined ? {} : { email });

const NOT_THERE = {
  order: null,
  errors: [{ __typename: 'GenericError', code: 'NOT_FOUND', message: 'Order not found.', path: ['id'] }],
};

describe('an order is cancelled', () => {
  test('by the user who owns it', async () => {
    const ada = await newPerson(shop);
    const { id } = await buy(ada.client, [{ sku, quantity: 1 }]);
    const { order, errors } = await orderLifeOf(ada.client).cancel({ id, reason: 'Ordered twice' });
    expect(errors).toEqual([]);
    const { accessToken, customer, shippingAddress, status, history, updatedAt } = known(order);
    expect({ customer, shippingAddress, status }).toEqual({
      customer: { id: ada.userId },
      shippingAddress: { city: 'London' },
      status: 'CANCELLED',
    });
    expect(accessToken).toEqual(expect.any(String));
    expect(history[1]).toEqual({ from: 'PLACED', to: 'CANCELLED', note: 'Ordered twice', occurredAt: updatedAt });
    // It is no work of staff.
    expect(await recordsOf(shop, id)).toEqual([]);
  });

  test('by the guest who owns it', async () => {
    const { client, id, accessToken } = await guest();
    const { order, errors } = await orderLifeOf(client).cancel({ id });
    expect(errors).toEqual([]);
    expect(order).toMatchObject({ status: 'CANCELLED', accessToken, shippingAddress: { city: 'London' } });
    expect(await recordsOf(shop, id)).toEqual([]);
  });

  test('by anyone who has its access token, and it is returned to them', async () => {
    const callers = [shop.client(), (await enter(shop)).client, (await newPerson(shop)).client];
    const ada = await newPerson(shop);
    for (const caller of callers) {
      const { id, accessToken: token } = await buy(ada.client, [{ sku, quantity: 1 }]);
      const accessToken = known(token);
      const { order, errors } = await orderLifeOf(caller).cancel({ id, accessToken });
      expect(errors).toEqual([]);
      expect(order).toMatchObject({
        status: 'CANCELLED',
        accessToken,
        customer: null,
        shippingAddress: { city: 'London' },
      });
      expect(await recordsOf(shop, id)).toEqual([]);
    }
  });

  test('by staff, which is recorded', async () => {
    const { id } = await guest();
    const { order, errors } = await orderLifeOf(staff.client).cancel({ id, reason: 'Out of\nhoney' });
    expect(errors).toEqual([]);
    expect(order).toMatchObject({ status: 'CANCELLED', accessToken: null, shippingAddress: { city: 'London' } });
    expect(await recordsOf(shop, id)).toEqual([
      {
        actor: rowId(staff.userId),
        kind: 'ORDER_CANCELLED',
        type: 'Order',
        changes: [{ field: 'status', before: 'PLACED', after: 'CANCELLED' }],
        note: 'Out of\nhoney',
      },
    ]);
  });

  test('by staff who bring its token, too; what they bought themselves they cancel as customers', async () => {
    const { id, accessToken } = await guest();
    expect((await orderLifeOf(staff.client).cancel({ id, accessToken })).errors).toEqual([]);
    expect(await recordsOf(shop, id)).toHaveLength(1);

    const own = await buy(staff.client, [{ sku, quantity: 1 }]);
    expect((await orderLifeOf(staff.client).cancel({ id: own.id })).errors).toEqual([]);
    expect(await recordsOf(shop, own.id)).toEqual([]);
  });

  test('by its owner who brings the token of another, which is not touched', async () => {
    const [one, other] = [await guest(), await guest()];
    const { order } = await orderLifeOf(one.client).cancel({ id: one.id, accessToken: other.accessToken });
    expect(order).toMatchObject({ id: one.id, status: 'CANCELLED', accessToken: one.accessToken });
    expect(await orderLifeOf(other.client).read({ id: other.id })).toMatchObject({ status: 'PLACED' });
  });
});

describe('an order is not found', () => {
  test('for another customer, another guest and an anonymous caller', async () => {
    const ada = await newPerson(shop);
    const ids = [(await guest()).id, (await buy(ada.client, [{ sku, quantity: 1 }])).id];
    const callers = [(await newPerson(shop)).client, (await guest()).client, shop.client()];
    for (const id of [...ids, globalId('Order', uuid())]) {
      for (const caller of callers) {
        expect(await changingNothing(shop, () => orderLifeOf(caller).cancel({ id }))).toEqual(NOT_THERE);
      }
    }
  });

  test('for a caller with the token of another order, or with an invalid token', async () => {
    const [one, other] = [await guest(), await guest()];
    const { accessToken } = one;
    for (const token of [
      other.accessToken,
      accessToken.slice(0, -1),
      `${accessToken}A`,
      '',
      '\u0000',
      'x'.repeat(9999),
    ]) {
      const answer = await changingNothing(shop, () =>
        orderLifeOf(shop.client()).cancel({ id: one.id, accessToken: token }),
      );
      expect(answer).toEqual(NOT_THERE);
    }
  });

  test('for a caller who knows only its number and email address, although they can look it up', async () => {
    const email = 'number.and.address@example.com';
    const { id, order } = await guest(email);
    const stranger = orderLifeOf(shop.client());
    expect(await stranger.read({ number: order.number, email })).toMatchObject({ id, status: 'PLACED' });
    expect(await changingNothing(shop, () => stranger.cancel({ id }))).toEqual(NOT_THERE);
    // Nor for a user whose address it is: that proves nothing.
    const user = await newPerson(shop, { email });
    expect(await changingNothing(shop, () => orderLifeOf(user.client).cancel({ id }))).toEqual(NOT_THERE);
  });

  test('for a caller who may not see it, in every status, so that the status is not revealed', async () => {
    const { id } = await guest();
    await orderLifeOf(staff.client).update({ id, status: 'FULFILLED' });
    expect(await changingNothing(shop, () => orderLifeOf(shop.client()).cancel({ id }))).toEqual(NOT_THERE);
  });

  test('if the ID is not of an order', async () => {
    for (const id of [globalId('Cart', uuid()), 'nonsense']) {
      const { order, errors } = await changingNothing(shop, () => orderLifeOf(staff.client).cancel({ id }));
      expect({ order, errors }).toMatchObject({ order: null, errors: [{ code: 'INVALID_INPUT', path: ['id'] }] });
    }
  });
});

describe('what a cancelled order had', () => {
  test('goes back to stock, variant by variant, once', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 10 }, { onHand: 5 }, { onHand: 7 }] });
    const [one, other, third] = [known(variants[0]), known(variants[1]), known(variants[2])];
    // Two lines of one variant: it became dearer in between.
    const { client } = await enter(shop);
    const shopper = shopperOf(client);
    await shopper.add({ sku: one.sku, quantity: 2 });
    await setPrice(shop, one.id, 1500);
    await shopper.add({ sku: one.sku, quantity: 3 }, { sku: other.sku, quantity: 5 });
    const { id } = await buy(client, [{ sku: third.sku, quantity: 1 }], { email: 'lines@example.com' });
    // Somebody else holds units meanwhile.
    await shopperOf((await enter(shop)).client).add({ sku: one.sku, quantity: 4 });
    expect(await levelOf(shop, one.id)).toEqual({ onHand: 5, held: 4, available: 1 });
    expect(await levelOf(shop, other.id)).toEqual({ onHand: 0, held: 0, available: 0 });

    expect((await orderLifeOf(client).cancel({ id })).errors).toEqual([]);
    expect(await levelOf(shop, one.id)).toEqual({ onHand: 10, held: 4, available: 6 });
    expect(await levelOf(shop, other.id)).toEqual({ onHand: 5, held: 0, available: 5 });
    expect(await levelOf(shop, third.id)).toEqual({ onHand: 7, held: 0, available: 7 });
    expect((await ledgerOf(shop, one.id)).at(-1)).toEqual({
      reason: 'CANCELLATION',
      onHandDelta: 5,
      heldDelta: 0,
      onHandAfter: 10,
      heldAfter: 4,
    });
    expect((await stepsOf(shop, one.id)).at(-1)).toEqual([1, 6]);
    const orderId = rowId(id);
    const entries = await rowsOf<{ units: number }>(
      shop.db,
      `SELECT on_hand_delta AS units FROM stock_movements WHERE order_id = $1 AND reason = 'CANCELLATION' ORDER BY 1`,
      [orderId],
    );
    expect(entries.map((entry) => entry.units)).toEqual([1, 5, 5]);
    expect(await eventsOf(shop, orderId)).toEqual([
      { type: 'order_placed', payload: { orderId } },
      { type: 'order_status_changed', payload: { orderId, from: 'PLACED', to: 'CANCELLED' } },
    ]);

    const again = await changingNothing(shop, () => orderLifeOf(client).cancel({ id }));
    expect(again).toMatchObject({
      order: null,
      errors: [{ __typename: 'InvalidTransitionError', from: 'CANCELLED', to: 'CANCELLED' }],
    });
  });

  test('has the instant of the cancellation in ledger, history and order alike', async () => {
    const { id, client } = await guest();
    await orderLifeOf(client).cancel({ id });
    const [times] = await rowsOf<{ count: number; instants: number }>(
      shop.db,
      `SELECT count(*)::int AS count, count(DISTINCT at)::int AS instants FROM (
         SELECT occurred_at AS at FROM stock_movements WHERE order_id = $1 AND reason = 'CANCELLATION'
         UNION ALL SELECT occurred_at FROM order_status_changes WHERE order_id = $1 AND to_status = 'CANCELLED'
         UNION ALL SELECT updated_at FROM orders WHERE id = $1
         UNION ALL SELECT occurred_at FROM event_log WHERE subject_id = $1 AND type = 'order_status_changed') AS told`,
      [rowId(id)],
    );
    expect(times).toEqual({ count: 4, instants: 1 });
  });

  test('goes back although it is not for sale any more', async () => {
    const variant = await makeVariant(shop, { onHand: 3 });
    const { client, id } = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 2 }]);
    await archiveVariant(shop, variant.id);
    await setStatus(shop, variant.productId, 'ARCHIVED');
    expect((await orderLifeOf(client).cancel({ id })).errors).toEqual([]);
    expect(await levelOf(shop, variant.id)).toEqual({ onHand: 3, held: 0, available: 3 });
  });

  test('can be bought by another at once', async () => {
    const variant = await makeVariant(shop, { onHand: 1 });
    const { client, id } = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }]);
    const other = await enter(shop);
    expect((await other.add({ sku: variant.sku, quantity: 1 })).errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK' }]);
    await orderLifeOf(client).cancel({ id });
    expect((await other.add({ sku: variant.sku, quantity: 1 })).errors).toEqual([]);
    expect(await levelOf(shop, variant.id)).toEqual({ onHand: 1, held: 1, available: 0 });
  });

  test('stays where it is while as many are on hand as can be counted', async () => {
    const variant = await makeVariant(shop, { onHand: 2 });
    const { client, id } = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }]);
    const inventory = shop.app.services.inventory;
    const move = (units: number) =>
      shop.db.transaction(async (tx) => {
        const at = await inventory.lock(tx, [variant.id]);
        await inventory.apply(tx, at, [{ variantId: variant.id, reason: 'CORRECTION', onHandDelta: units }]);
      });
    await move(999_999_999);
    expect(await changingNothing(shop, () => orderLifeOf(client).cancel({ id }))).toMatchObject({
      order: null,
      errors: [{ code: 'CONFLICT', path: ['id'] }],
    });
    await move(-1);
    expect((await orderLifeOf(client).cancel({ id })).errors).toEqual([]);
  });

  test('was paid, and stays so until it is paid back', async () => {
    const { client, id } = await guest();
    const life = orderLifeOf(staff.client);
    await life.pay({ id });
    expect((await orderLifeOf(client).cancel({ id })).order).toMatchObject({
      status: 'CANCELLED',
      paymentStatus: 'PAID',
    });
    expect((await life.refund({ id })).order).toMatchObject({ status: 'CANCELLED', paymentStatus: 'REFUNDED' });
  });
});
