import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLocalBus } from '../../../src/events/bus.ts';
import { startConsumers, type Consumers } from '../../../src/events/consumers.ts';
import { createShortfallConsumer } from '../../../src/modules/inventory/shortfall.consumer.ts';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff } from '../../support/accounts.ts';
import { holdVariants, watchLocks } from '../../support/barriers.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import {
  applyAll,
  deliver,
  deliverAndApply,
  deliveriesOf,
  newEntryId,
  productOf,
  SECRET,
} from '../../support/contentful.ts';
import { globalId } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { recordLogs, WARN } from '../../support/logs.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { ledgerOf } from '../../support/records.ts';
import { enter, type Shopper } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';
import { recordStatements } from '../../support/statements.ts';

const shortfallDocument = graphql(`
  query ContentfulShortfall($id: ID!) {
    node(id: $id) {
      ... on ProductVariant {
        onHand
        syncShortfall
      }
    }
  }
`);

const shortfallsDocument = graphql(`
  query ContentfulShortfalls {
    products(first: 50) {
      nodes {
        variants {
          syncShortfall
        }
      }
    }
  }
`);

const { logger, logs } = recordLogs();
let shop: QuietShop;
let consumers: Consumers;
beforeAll(async () => {
  shop = await openQuietShop({ CONTENTFUL_WEBHOOK_SECRET: SECRET, BCRYPT_COST: '4' });
  consumers = startConsumers({
    db: shop.db,
    bus: { ...createLocalBus(), subscribe: () => Promise.resolve(() => {}) },
    logger,
    settings: { pollMs: 3_600_000, backoffMs: 1 },
    consumers: [createShortfallConsumer(shop.app.services.outsideStock)],
  });
  await consumers.flush();
});
afterAll(async () => {
  await consumers[Symbol.asyncDispose]();
  await shop.dispose();
});

let id: string;
let minute: number;
beforeEach(() => {
  id = newEntryId();
  minute = 0;
});
afterEach(async () => {
  const faults = [...(await findFaults(shop.db)), ...logs.filter((line) => line.level >= WARN)];
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
});

/** The editor publishes, with these fields beside the needed ones; gives what there is then. */
async function publish(fields: Record<string, unknown>) {
  minute += 1;
  const all = { title: 'Honey', slug: `stock-${id}`, price: 1, ...fields };
  const outcome = await deliverAndApply(shop, { id, fields: all, revision: minute, minute });
  expect(outcome).toEqual({ status: 'APPLIED', reason: null });
  return counters();
}

async function counters() {
  const { onHand, held, quantity, shortfall } = known(await productOf(shop, id));
  return { onHand, held, quantity, shortfall };
}

/** Has all that happened so far taken notice of. */
async function settle(): Promise<void> {
  await shop.app.relay.flush();
  await consumers.flush();
}

async function hold(quantity: number): Promise<Shopper & { line: string }> {
  const shopper = await enter(shop);
  const { variantId } = known(await productOf(shop, id));
  const { cart } = await shopper.add({ variantId: globalId('ProductVariant', variantId), quantity });
  return { ...shopper, line: known(known(cart).lines[0]).id };
}

async function sell(quantity: number): Promise<void> {
  const shopper = await hold(quantity);
  const { order } = await shopper.checkout({ idempotencyKey: crypto.randomUUID(), email: 'buyer@example.com' });
  expect(order?.totalQuantity).toBe(quantity);
}

describe('stock', () => {
  test('is set by the first value, then moved by the difference to the one before, whatever was sold', async () => {
    expect(await publish({ stock: 10 })).toEqual({ onHand: 10, held: 0, quantity: 10, shortfall: 0 });
    await sell(3);
    expect(await publish({ stock: 11 })).toEqual({ onHand: 8, held: 0, quantity: 11, shortfall: 0 });
    // The same again, and nothing of it at all, change nothing.
    expect(await publish({ stock: 11 })).toEqual({ onHand: 8, held: 0, quantity: 11, shortfall: 0 });
    expect(await publish({ title: 'Other' })).toEqual({ onHand: 8, held: 0, quantity: 11, shortfall: 0 });
    expect(await publish({ stock: 6 })).toEqual({ onHand: 3, held: 0, quantity: 6, shortfall: 0 });
    const { variantId } = known(await productOf(shop, id));
    const steps = (await ledgerOf(shop, variantId)).filter(({ reason }) => reason === 'SYNC');
    expect(steps.map((step) => [step.onHandDelta, step.onHandAfter])).toEqual([
      [10, 10],
      [1, 8],
      [-5, 3],
    ]);
  });

  test('never goes below what carts hold; what is owed is shown to staff, and taken as units come free', async () => {
    await publish({ stock: 10 });
    const one = await hold(4);
    const other = await hold(2);
    expect(await publish({ stock: 3 })).toEqual({ onHand: 6, held: 6, quantity: 3, shortfall: 3 });
    const staff = await newStaff(shop);
    const variant = globalId('ProductVariant', known(await productOf(shop, id)).variantId);
    const { node } = await staff.client.data(shortfallDocument, { id: variant });
    expect(node).toEqual({ onHand: 6, syncShortfall: 3 });
    const denied = await one.client.execute(shortfallDocument, { id: variant });
    expect(denied.codes).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED']);
    expect(denied.data?.node).toEqual({ onHand: null, syncShortfall: null });

    await other.remove(other.line);
    await settle();
    expect(await counters()).toEqual({ onHand: 4, held: 4, quantity: 3, shortfall: 1 });
    await one.update({ id: one.line, quantity: 1 });
    await settle();
    expect(await counters()).toEqual({ onHand: 3, held: 1, quantity: 3, shortfall: 0 });
    // Once: what comes free later is the shop's.
    await one.remove(one.line);
    await settle();
    expect(await counters()).toEqual({ onHand: 3, held: 0, quantity: 3, shortfall: 0 });
  });

  test('a higher value makes good what is owed first', async () => {
    await publish({ stock: 5 });
    await hold(5);
    expect(await publish({ stock: 1 })).toEqual({ onHand: 5, held: 5, quantity: 1, shortfall: 4 });
    expect(await publish({ stock: 4 })).toEqual({ onHand: 5, held: 5, quantity: 4, shortfall: 1 });
    expect(await publish({ stock: 8 })).toEqual({ onHand: 8, held: 5, quantity: 8, shortfall: 0 });
  });

  test('the same value again changes nothing, also where units came free that are owed', async () => {
    await publish({ stock: 5 });
    const holder = await hold(5);
    await publish({ stock: 1 });
    await holder.remove(holder.line);
    expect(await publish({ stock: 1 })).toEqual({ onHand: 5, held: 0, quantity: 1, shortfall: 4 });
    await settle();
    expect(await counters()).toEqual({ onHand: 1, held: 0, quantity: 1, shortfall: 0 });
  });

  test('what was sold and is not there any more is owed, too', async () => {
    await publish({ stock: 10 });
    await sell(3);
    expect(await publish({ stock: 0 })).toEqual({ onHand: 0, held: 0, quantity: 0, shortfall: 3 });
    expect(await publish({ stock: 5 })).toEqual({ onHand: 2, held: 0, quantity: 5, shortfall: 0 });
  });

  test('is not applied where there would be more than can be counted', async () => {
    await publish({ stock: 1 });
    const { variantId } = known(await productOf(shop, id));
    await rowsOf(shop.db, 'UPDATE outside_stock SET quantity = 0 WHERE variant_id = $1', [variantId]);
    await deliver(shop, { id, fields: { title: 'Much', stock: 1_000_000_000 }, revision: 9, minute: 9 });
    await changingNothing(shop, () => applyAll(shop));
    expect((await deliveriesOf(shop, id)).at(-1)).toMatchObject({
      status: 'FAILED',
      reason: 'There can be at most 1000000000 units on hand. (1000000001)',
    });
  });
});

test('what is owed of several variants is taken under one lock at a time, in whichever order they come free', async () => {
  const owing: { variantId: string; shopper: Shopper; line: string; entry: string }[] = [];
  for (let n = 0; n < 2; n += 1) {
    id = newEntryId();
    minute = 0;
    await publish({ stock: 2 });
    const shopper = await hold(2);
    expect(await publish({ stock: 1 })).toMatchObject({ shortfall: 1 });
    owing.push({ variantId: known(await productOf(shop, id)).variantId, shopper, line: shopper.line, entry: id });
  }
  await settle();
  // Everybody else locks variants by id: here the later one comes free first.
  const [low, high] = owing.toSorted((a, b) => (a.variantId < b.variantId ? -1 : 1));
  for (const { shopper, line } of [known(high), known(low)]) await shopper.remove(line);
  await using watch = await watchLocks(shop.db);
  await using barrier = await holdVariants(shop.db, known(low).variantId);
  const settling = settle();
  await watch.untilWaiting(1);
  // With the first variant's lock in hand, the consumer and this would wait for each other.
  await barrier.query('SELECT FROM product_variants WHERE id = $1 FOR NO KEY UPDATE NOWAIT', [known(high).variantId]);
  await barrier.release();
  await settling;
  for (const { entry } of owing) {
    id = entry;
    expect(await counters()).toEqual({ onHand: 1, held: 0, quantity: 1, shortfall: 0 });
  }
});

describe('inStock, where stock is not there', () => {
  test('acts when it changes, and only then', async () => {
    expect(await publish({ inStock: true })).toEqual({ onHand: 1, held: 0, quantity: 1, shortfall: 0 });
    await sell(1);
    // What was sold out is not put back by saying the same again.
    expect(await publish({ inStock: true })).toEqual({ onHand: 0, held: 0, quantity: 1, shortfall: 0 });
    expect(await publish({ inStock: false })).toEqual({ onHand: 0, held: 0, quantity: 0, shortfall: 0 });
    expect(await publish({ inStock: true })).toEqual({ onHand: 1, held: 0, quantity: 1, shortfall: 0 });
  });

  test('takes all free units away, and those of carts as they come free', async () => {
    await publish({ stock: 9 });
    const holder = await hold(2);
    expect(await publish({ inStock: false })).toEqual({ onHand: 2, held: 2, quantity: 0, shortfall: 2 });
    await holder.remove(holder.line);
    await settle();
    expect(await counters()).toEqual({ onHand: 0, held: 0, quantity: 0, shortfall: 0 });
  });

  test('leaves the units that there are, and gives way to stock', async () => {
    await publish({ stock: 9 });
    expect(await publish({ inStock: true })).toEqual({ onHand: 9, held: 0, quantity: 9, shortfall: 0 });
    expect(await publish({ inStock: false, stock: 10 })).toEqual({ onHand: 10, held: 0, quantity: 10, shortfall: 0 });
  });
});

test('what is owed of a list is one statement', async () => {
  const staff = await newStaff(shop);
  const count = async () => {
    const { result, statements } = await recordStatements(() => staff.client.data(shortfallsDocument));
    expect(known(result.products).nodes.length).toBeGreaterThan(3);
    return statements.filter((statement) => statement === 'outside_stock_owed').length;
  };
  expect(await count()).toBe(1);
});
