import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reconcile } from '../../src/modules/payments/reconciliation.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { known } from '../support/known.ts';
import { openLetters, takeNotice } from '../support/mail-notices.ts';
import { paymentDocuments, startPayment, syncPayment } from '../support/payer.ts';
import {
  factsOf,
  fill,
  openPayingShop,
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

test('a refund that the provider confirms later is looked at where nothing is heard of it, so that a lost webhook is made up for', async () => {
  const { payments } = shop.app.services;
  shop.provider.slowRefunds = true;
  const { paymentId, orderId, order } = await withOrder(shop, {});
  const pending = known((await refund(shop, order.id, { amount: '5' })).refund);
  expect(pending.state).toBe('PENDING');
  shop.provider.slowRefunds = false;
  shop.provider.succeedRefund(rowId(pending.id));
  expect((await payments.findWork(100)).unheardIds).toEqual([]);
  await rowsOf(shop.db, `UPDATE payments SET updated_at = updated_at - interval '61 seconds' WHERE id = $1`, [
    paymentId,
  ]);
  expect((await payments.findWork(100)).unheardIds).toEqual([paymentId]);
  expect((await payments.findWork(100, paymentId)).unheardIds).toEqual([]);
  await payments.sync(paymentId);
  expect(await factsOf(shop, paymentId)).toMatchObject({ refunded: 500, pending: 0 });
  expect(await rowsOf(shop.db, 'SELECT payment_status FROM orders WHERE id = $1', [orderId])).toEqual([
    { payment_status: 'PARTIALLY_REFUNDED' },
  ]);
  await rowsOf(shop.db, `UPDATE payments SET updated_at = updated_at - interval '61 seconds' WHERE id = $1`, [
    paymentId,
  ]);
  expect((await payments.findWork(100)).unheardIds).toEqual([]);
});

describe('a letter', () => {
  /** What has been written to somebody about payments, as it is read. */
  async function lettersTo(recipient: string) {
    const letters = openLetters(shop);
    const mails = (await takeNotice(shop)).filter((mail) => mail.recipient === recipient);
    const written = await Promise.all(
      mails.map(async (mail) => {
        const letter = await letters.compose(mail);
        // Each part of a letter says the same.
        for (const part of letter === null ? [] : [letter.html, letter.text]) {
          // A token is made of any letters.
          expect(part.replaceAll(/token=[\w.-]+/g, 'token=')).not.toMatch(/undefined|null|\[object|NaN/);
        }
        return { template: mail.template, subject: letter?.subject, text: letter?.text.replaceAll(/\s+/g, ' ') ?? '' };
      }),
    );
    return written.filter(({ template }) => !template.startsWith('order-'));
  }
  async function payer({ paymentId }: { paymentId: string }): Promise<string> {
    const text = `SELECT terms->>'email' AS email FROM payments WHERE id = $1`;
    return known((await rowsOf<{ email: string }>(shop.db, text, [paymentId]))[0]).email;
  }

  test('says that a payment failed, and nothing where the shopper cancelled it', async () => {
    const paying = await withPayment(shop);
    const email = await payer(paying);
    shop.provider.fail(paying.paymentId);
    await syncPayment(paying.client, paying.payment.id);
    const failed = {
      template: 'payment-failed',
      subject: expect.stringMatching(/^Your payment failed: /) as string,
      text: expect.stringContaining('Your bank did not approve the payment of $20.00. No order was placed') as string,
    };
    expect(await lettersTo(email)).toEqual([failed]);
    const { id } = await startPayment(paying.client);
    await paying.client.data(paymentDocuments.cancel, { id });
    expect((await lettersTo(email)).filter(({ subject }) => subject !== undefined)).toEqual([failed]);
  });

  test('says that a payment came late, and that its order was placed', async () => {
    const paying = await withPayment(shop);
    const email = await payer(paying);
    await outOfTime(paying);
    shop.provider.pay(paying.paymentId);
    await settle(shop, paying.paymentId);
    const { number } = known((await read(paying.client, paying.payment.id)).order);
    const [letter, ...others] = await lettersTo(email);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      ...{ template: 'payment-received-late', subject: `Order ${number}: your payment has arrived` },
      text: expect.stringContaining(`Your payment of $20.00 arrived after the time to pay was over`) as string,
    });
    expect(letter?.text).toContain(`order ${number} was placed`);
    expect(letter?.text).toContain(shop.app.url);
  });

  test('says that a payment came too late, and whether the money is refunded or was never taken', async () => {
    const late = async (take: boolean) => {
      const paying = await withPayment(shop, { onHand: 2 });
      const email = await payer(paying);
      await outOfTime(paying);
      await fill(shop, paying.variant.sku, 2);
      shop.provider.pay(paying.paymentId);
      if (take) Object.assign(shop.provider.of(paying.paymentId), { state: 'CAPTURED', capturedMinor: 2000n });
      await syncPayment(paying.client, paying.payment.id);
      await settle(shop, paying.paymentId);
      return lettersTo(email);
    };
    const subject = expect.stringMatching(/^Your payment came too late: /) as string;
    const text = (words: string) => expect.stringContaining(words) as string;
    expect(await late(false)).toEqual([
      {
        template: 'payment-failed',
        subject,
        text: text('You were not charged: the authorization is being cancelled.'),
      },
    ]);
    expect(await late(true)).toEqual([
      { template: 'payment-failed', subject, text: text('The whole amount is being refunded.') },
      { template: 'refund-succeeded', subject: text('Your refund: '), text: text('$20.00 was refunded.') },
    ]);
  });

  test('says how much of an order was refunded, with the reason that staff gave', async () => {
    const { order, ...paying } = await withOrder(shop);
    const email = await payer(paying);
    await refund(shop, order.id, { amount: '5', reason: 'The jar had a crack.' });
    const [letter, ...others] = await lettersTo(email);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ template: 'refund-succeeded', subject: `Order ${order.number}: $5.00 refunded` });
    expect(letter?.text).toContain(`$5.00 of your order ${order.number} was refunded.`);
    expect(letter?.text).toContain('The jar had a crack.');
  });

  test('warns staff, once, of an authorization that lapses within two days, and the payment says so as well', async () => {
    const { payments } = shop.app.services;
    const paying = await withPayment(shop);
    const { paymentId, payment, client } = paying;
    const lapsesAt = new Date(Date.now() + 36 * 3_600_000);
    shop.provider.pay(paymentId);
    Object.assign(shop.provider.of(paymentId), { lapsesAt });
    const { order } = await syncPayment(client, payment.id);
    const { number } = known(order);
    expect((await payments.findWork(100)).lapsingIds).toEqual([paymentId]);
    for (let times = 0; times < 2; times += 1) await payments.warnOfLapse(paymentId);
    expect((await payments.findWork(100)).lapsingIds).toEqual([]);
    const day = lapsesAt.toISOString().slice(0, 10);
    expect((await readAsStaff(shop, payment.id)).problem).toBe(
      `The authorization lapses on ${day}. Capture the payment before that.`,
    );
    const [letter, ...others] = (await lettersTo(shop.staff.email)).filter(({ text }) => text.includes(number));
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      ...{ template: 'authorization-lapsing', subject: `Order ${number}: capture $20.00` },
      text: expect.stringContaining(
        `The payment of $20.00 for order ${number} is authorized and has not been captured.`,
      ) as string,
    });
    // Once the money is there, there is nothing to write any more.
    await settle(shop, paymentId);
    const later = (await lettersTo(shop.staff.email)).filter(({ template }) => template === 'authorization-lapsing');
    expect(later.map(({ subject }) => subject)).toEqual([undefined]);
  });

  /** The time to pay is over, the provider has not confirmed the cancellation, and the units have gone back. */
  async function outOfTime({ paymentId, cartId }: Awaited<ReturnType<typeof withPayment>>): Promise<void> {
    shop.provider.failNext('fetch', 'UNREACHABLE');
    await runOutOfTime(shop, paymentId);
    await runOutOfGrace(shop, cartId);
  }
});

test('looking for work takes one statement', async () => {
  const sent: string[] = [];
  const real = pg.Client.prototype.query;
  pg.Client.prototype.query = function query(this: pg.Client, ...args: unknown[]): unknown {
    const sentNow = (args[0] as { name?: string }).name ?? String(args[0]);
    // The relay and the jobs have connections of their own, which are of no pool. The node itself reads the log once a second.
    if ('release' in this && !sentNow.startsWith('event_log_')) sent.push(sentNow);
    return Reflect.apply(real, this, args);
  } as typeof real;
  try {
    await shop.app.services.payments.findWork(100);
  } finally {
    pg.Client.prototype.query = real;
  }
  expect(sent).toEqual(['payments_work']);
});

test('the ledger of an order is in the order in which it was written, also where the numbers of entries get another digit', async () => {
  const { order, orderId } = await withOrder(shop);
  const entries = 'SELECT id FROM money_entries WHERE order_id = $1 ORDER BY id';
  const before = (await rowsOf<{ id: string }>(shop.db, entries, [orderId])).length;
  // The next ones have a digit more.
  await rowsOf(shop.db, `SELECT setval(pg_get_serial_sequence('money_entries', 'id'), 999999999)`);
  await refund(shop, order.id, { amount: '1' });
  const reasons = (await shop.app.services.payments.entriesOfOrders([orderId])).map(({ reason }) => reason);
  expect(reasons.slice(0, before)).not.toContain('REFUNDED');
  expect(reasons.slice(before)).toEqual(['REFUNDED', 'REFUNDED']);
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
