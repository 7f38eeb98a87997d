import { afterAll, beforeAll, expect, test } from 'vitest';
import { newStaff } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeProduct, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { meanwhile } from '../support/meanwhile.ts';
import { newDataDir } from '../support/shop-process.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { enter, shopperOf } from '../support/shopper.ts';
import { stockKeeperOf } from '../support/staff-stock.ts';
import { alertsOf, chainsOf, mailsOf, makeDue, signUpMany } from '../support/stock-alerts.ts';
import { until } from '../support/until.ts';

const WAITING = 1_000;
const UNITS = 50;
const BATCHES = 2;

let shop: TestShop;
beforeAll(async () => {
  // The next batch comes when a test makes it due.
  shop = await createTestShop({ env: { STOCK_ALERT_BATCH_SECONDS: '86400', DATA_DIR: newDataDir() } });
});
afterAll(() => shop.dispose());

const names = Array.from({ length: WAITING }, (_, index) => `waiter-${String(index + 1).padStart(6, '0')}@example.com`);

const countNotified = async (variantId: string) => (await alertsOf(shop.db, variantId)).notified.length;

test('of 1,000 alerts for 50 units, 50 are notified and then 50 more, in order and once each, while others buy', async () => {
  const { variants } = await makeProduct(shop.app, { variants: [{ onHand: 0 }, { onHand: 1_000_000 }] });
  const [waited, sold] = [known(variants[0]), known(variants[1])];
  await signUpMany(shop.db, waited.id, WAITING);
  await rowsOf(shop.db, 'ANALYZE stock_alerts');
  const keepers = [stockKeeperOf((await newStaff(shop)).client), stockKeeperOf((await newStaff(shop)).client)];

  // Two restocks at once: which of them ends the sell-out is the database's to say, and there is one chain.
  const done = await Promise.all(
    keepers.map((keeper) => keeper.adjust({ variantId: waited.globalId, delta: UNITS / 2 })),
  );
  expect(done.flatMap((payload) => payload.errors)).toEqual([]);
  await until('somebody is notified', async () => (await countNotified(waited.id)) > 0);
  const first = await countNotified(waited.id);
  // The chain may have begun between the two: as many as were free at that moment.
  expect([UNITS / 2, UNITS]).toContain(first);
  expect(await chainsOf(shop.db)).toEqual([{ variantId: waited.id, batchLeft: 0 }]);

  let bought = 0;
  await using shopping = meanwhile(async () => {
    const { client } = await enter(shop);
    const { errors } = await shopperOf(client).add({ sku: sold.sku, quantity: 1 });
    expect(errors).toEqual([]);
    bought += 1;
  });
  for (let batch = 1; batch <= BATCHES; batch += 1) {
    await makeDue(shop.db, waited.id);
    // The shop's own sweep may be quicker.
    await shop.app.services.stockAlerts.notifyNext(waited.id);
    await until('the batch is notified', async () => (await countNotified(waited.id)) >= first + batch * UNITS);
    const before = bought;
    await until('somebody has bought meanwhile', () => bought > before);
  }
  await shopping.stop();
  await until('all mails are sent', async () => {
    return (await rowsOf(shop.db, `SELECT FROM mails WHERE status <> 'SENT' LIMIT 1`)).length === 0;
  });

  const { notified } = await alertsOf(shop.db, waited.id);
  expect(notified).toEqual(names.slice(0, first + BATCHES * UNITS));
  expect(await mailsOf(shop.db, waited.id)).toEqual(notified);
  expect(await findFaults(shop.db)).toEqual([]);
});

test('1,000 people wait for 50 units that come at once: the first batch is 50', async () => {
  const { id, globalId } = await makeVariant(shop.app, { onHand: 0 });
  await signUpMany(shop.db, id, WAITING);
  const keeper = stockKeeperOf((await newStaff(shop)).client);
  expect((await keeper.adjust({ variantId: globalId, delta: UNITS })).errors).toEqual([]);
  await until('somebody is notified', async () => (await countNotified(id)) > 0);
  const { notified, waiting } = await alertsOf(shop.db, id);
  expect([notified.length, waiting.length]).toEqual([UNITS, WAITING - UNITS]);
  expect(await mailsOf(shop.db, id)).toEqual(notified);
});
