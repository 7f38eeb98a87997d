import { afterAll, beforeAll, expect, test } from 'vitest';
import { reconcile } from '../../src/modules/payments/reconciliation.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { known } from '../support/known.ts';
import { startPayment } from '../support/payer.ts';
import { openPayingShop, withCart, type PayingShop } from '../support/paying.ts';
import { rowId } from '../support/shopper.ts';

let shop: PayingShop;
beforeAll(async () => {
  shop = await openPayingShop({ UNPAID_ORDERS_EXPIRE_DAYS: '3' });
});
afterAll(() => shop.dispose());

test('an order that is not paid within the days of UNPAID_ORDERS_EXPIRE_DAYS is cancelled, and one that is paid stays', async () => {
  const { orders, payments } = shop.app.services;
  const place = async () => rowId(known((await (await withCart(shop)).checkout({ idempotencyKey: 'one' })).order).id);
  const [unpaid, paid, recent] = [await place(), await place(), await place()];
  await orders.markAsPaid({ orderId: paid, by: { by: 'SHOP' }, note: null });
  await rowsOf(shop.db, `UPDATE orders SET placed_at = placed_at - interval '4 days' WHERE id = ANY($1::uuid[])`, [
    [unpaid, paid],
  ]);
  const { unpaidIds } = await payments.findWork(100);
  expect([unpaid, paid, recent].map((id) => unpaidIds.includes(id))).toEqual([true, false, false]);
  await payments.cancelUnpaid(unpaid);
  expect(await rowsOf(shop.db, 'SELECT status FROM orders WHERE id = $1', [unpaid])).toEqual([{ status: 'CANCELLED' }]);
  expect((await payments.findWork(100)).unpaidIds).toEqual([]);
  expect(await findFaults(shop.db)).toEqual([]);
});

test('reconciliation writes down what the shop had missed, names it once, and finds nothing the next time', async () => {
  const { client } = await withCart(shop);
  const paymentId = rowId((await startPayment(client)).id);
  shop.provider.pay(paymentId);
  const of = { db: shop.db, payments: shop.app.services.payments };
  const first = await reconcile(of, new Date(0));
  expect(first.drifts.filter((drift) => drift.paymentId === paymentId)).toMatchObject([
    { changes: [{ what: 'state', ours: 'PENDING', theirs: 'AUTHORIZED' }, { what: 'authorizedMinor' }] },
  ]);
  expect(first.unavailable).toEqual([]);
  expect((await reconcile(of, new Date(0))).drifts).toEqual([]);
});
