import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAccountShop, newStaff } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeProduct, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { report } from '../support/report.ts';
import { newDataDir } from '../support/shop-process.ts';
import type { TestShop } from '../support/shop.ts';
import { enter, shopperOf } from '../support/shopper.ts';
import { stockKeeperOf } from '../support/staff-stock.ts';
import { alertsOf, chainsOf, mailsOf, makeDue, signUpMany } from '../support/stock-alerts.ts';
import { until } from '../support/until.ts';

const WAITING = 10_000;
const UNITS = 50;
const ROUNDS = 5;
/** What else the machine has to do makes it slower beside mails, and never quicker: it may be looked at so often. */
const SERIES = 3;
const SHOPPERS = 4;
/** A line has a limit: a shopper who comes to it is another one from then on. */
const PER_CART = 15;
/** So often a batch comes while requests are measured: as often as the shop can be set to have them come. */
const BATCH_EVERY_MS = 1000;
/** So long a round takes: in less than the time between two batches there would be more of them than there can be. */
const ROUND_MS = 2 * BATCH_EVERY_MS;

let shop: TestShop;
beforeAll(async () => {
  shop = await createAccountShop({ env: { STOCK_ALERT_BATCH_SECONDS: '86400', DATA_DIR: newDataDir() } });
});
afterAll(() => shop.dispose());

const PRODUCTS = '{ products(first: 20) { nodes { title variants { sku available price { amount } } } } }';

const median = (values: readonly number[]) => known(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]);

/** Has shoppers look and buy, all at once; gives the median of what an answer took. */
async function measure(sku: string): Promise<number> {
  const took: number[] = [];
  const end = performance.now() + ROUND_MS;
  const timed = async <T>(ask: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const answer = await ask();
    took.push(performance.now() - start);
    return answer;
  };
  const visit = async () => {
    const { client } = await enter(shop);
    for (let n = 0; n < PER_CART && performance.now() < end; n += 1) {
      await timed(() => client.data(PRODUCTS));
      const { errors } = await timed(() => shopperOf(client).add({ sku, quantity: 1 }));
      expect(errors).toEqual([]);
    }
  };
  const shopping = async () => {
    while (performance.now() < end) await visit();
  };
  await Promise.all(Array.from({ length: SHOPPERS }, shopping));
  return median(took);
}

/** Every mail has been sent, by this very process: nothing of a round is left for the next. */
function untilSent(): Promise<unknown> {
  return until(
    'all mails are sent',
    async () => (await rowsOf(shop.db, `SELECT FROM mails WHERE status <> 'SENT' LIMIT 1`)).length === 0,
    20_000,
  );
}

/** The same while batch after batch is told. */
async function measureBesideBatches(sku: string, variantId: string): Promise<number> {
  const before = (await alertsOf(shop.db, variantId)).told.length;
  let over = false;
  const telling = (async () => {
    while (!over) {
      const next = performance.now() + BATCH_EVERY_MS;
      await makeDue(shop.db, variantId);
      // The shop's own sweep may have been quicker.
      await shop.app.services.stockAlerts.tellNext(variantId);
      await until('the next batch is due', () => over || performance.now() >= next);
    }
  })();
  const ms = await measure(sku);
  over = true;
  await telling;
  await untilSent();
  const told = (await alertsOf(shop.db, variantId)).told.length - before;
  expect([told >= UNITS, told % UNITS]).toEqual([true, 0]);
  return ms;
}

test(
  '10,000 people wait for 50 units: 50 are told, and then 50, in their order, nobody twice, while the shop goes on',
  { timeout: 240_000 },
  async () => {
    const { variants } = await makeProduct(shop.app, { variants: [{ onHand: 0 }, { onHand: 1_000_000 }] });
    const [waited, sold] = [known(variants[0]), known(variants[1])];
    for (let n = 0; n < 20; n += 1) await makeVariant(shop.app, { onHand: 5 });
    await signUpMany(shop.db, waited.id, WAITING);
    await rowsOf(shop.db, 'ANALYZE stock_alerts');
    const keepers = [stockKeeperOf((await newStaff(shop)).client), stockKeeperOf((await newStaff(shop)).client)];

    // Two restocks at once: which of them ends the sell-out is the database's to say, and there is one chain.
    const done = await Promise.all(
      keepers.map((keeper) => keeper.adjust({ variantId: waited.globalId, delta: UNITS / 2 })),
    );
    expect(done.flatMap((payload) => payload.errors)).toEqual([]);
    await until('somebody is told', async () => (await alertsOf(shop.db, waited.id)).told.length > 0);
    const names = Array.from(
      { length: WAITING },
      (_, index) => `waiter-${String(index + 1).padStart(6, '0')}@example.com`,
    );
    const first = (await alertsOf(shop.db, waited.id)).told;
    expect(first).toEqual(names.slice(0, first.length));
    // The chain may have begun between the two: as many as were free at that moment.
    expect([UNITS / 2, UNITS]).toContain(first.length);
    expect(await chainsOf(shop.db)).toEqual([{ variantId: waited.id, batchLeft: 0 }]);

    await untilSent();
    await measure(sold.sku);
    const series = async () => {
      const [alone, beside]: [number[], number[]] = [[], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        const steps = [
          async () => alone.push(await measure(sold.sku)),
          async () => beside.push(await measureBesideBatches(sold.sku, waited.id)),
        ];
        // Now the one first, now the other.
        for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step();
      }
      // Each with the one beside it: what else the machine has to do comes and goes.
      return { alone, beside, ratio: median(beside.map((ms, round) => ms / known(alone[round]))) };
    };
    let seen = await series();
    for (let again = 1; again < SERIES && seen.ratio >= 1.5; again += 1) seen = await series();
    const { alone, beside, ratio } = seen;
    const told = (await alertsOf(shop.db, waited.id)).told;
    report(
      `while ${told.length} of ${WAITING} were told by ${UNITS} each ${BATCH_EVERY_MS} ms, a request took ` +
        `${median(beside).toFixed(1)} ms, else ${median(alone).toFixed(1)} ms: ${ratio.toFixed(2)} times`,
    );
    expect(ratio).toBeLessThan(1.5);

    const mails = await mailsOf(shop.db, waited.id);
    expect(mails).toEqual(told);
    expect(told).toEqual(names.slice(0, told.length));
    expect(new Set(mails).size).toBe(mails.length);
    expect(await findFaults(shop.db)).toEqual([]);
  },
);

test('10,000 people wait for 50 units that come at once: the first batch is 50', { timeout: 60_000 }, async () => {
  const { id, globalId } = await makeVariant(shop.app, { onHand: 0 });
  await signUpMany(shop.db, id, WAITING);
  const keeper = stockKeeperOf((await newStaff(shop)).client);
  expect((await keeper.adjust({ variantId: globalId, delta: UNITS })).errors).toEqual([]);
  await until('somebody is told', async () => (await alertsOf(shop.db, id)).told.length > 0);
  const { told, waiting } = await alertsOf(shop.db, id);
  expect([told.length, waiting.length]).toEqual([UNITS, WAITING - UNITS]);
  expect(await mailsOf(shop.db, id)).toEqual(told);
});
