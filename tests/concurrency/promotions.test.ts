import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Refusal } from '../../src/modules/user-error.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeVariant, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { makePromotion, usageOf, type PromotionFixture } from '../support/pricing.ts';
import { newDataDir, startShopProcess } from '../support/shop-process.ts';
import { openServices, type TestServices } from '../support/services.ts';
import { sized } from '../support/sizes.ts';
import { until } from '../support/until.ts';

const CALLERS = sized({ inCi: 300, daily: 90 });
const USES = CALLERS / 6;

let database: TestDatabase;
let nodes: TestServices[];
let world: World;
beforeAll(async () => {
  database = await createTestDatabase();
  nodes = [openServices(database.url), openServices(database.url)];
  world = known(nodes[0]);
});
afterAll(async () => {
  for (const node of nodes) await node.dispose();
  await database.dispose();
});

/** Guests with goods for 10.00 in the cart, and the codes. They come together, so that they share transactions. */
async function crowd(
  variantId: string,
  codesOf: (index: number) => string[],
  size = CALLERS,
): Promise<{ guestId: string; token: string }[]> {
  const { cart } = known(nodes[0]);
  const enter = async (index: number) => {
    const path = { variantPath: [], quantityPath: [] };
    const { guest } = await cart.addLines(null, [{ variantId, quantity: 1, ...path }]);
    const { id: guestId, token } = known(guest);
    const codes = codesOf(index);
    if (codes.length > 0) await cart.setDiscountCodes({ guestId }, codes);
    return { guestId, token };
  };
  return Promise.all(Array.from({ length: size }, (_, index) => enter(index)));
}

/** All buy at once, on two nodes. @returns the orders, and the codes by which the others were refused */
async function buyAtOnce(guests: readonly { guestId: string }[]): Promise<{ orders: string[]; refused: string[] }> {
  const orders: string[] = [];
  const refused: string[] = [];
  await Promise.all(
    guests.map(async (owner, index) => {
      const { orders: service } = known(nodes[index % nodes.length]);
      const request = {
        idempotencyKey: 'once',
        email: `buyer-${index}@example.com`,
        shippingAddress: null,
        expectedTotalMinor: 900n,
      };
      try {
        orders.push((await service.checkout(owner, request)).id);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refused.push(...error.errors.map(({ code }) => code));
      }
    }),
  );
  return { orders, refused };
}

async function offer(fixture: PromotionFixture) {
  const promotion = await makePromotion(world, fixture);
  const { id: variantId } = await makeVariant(world, { price: 1000, onHand: CALLERS });
  return { promotion, variantId };
}

test('of many who use a code at once, on two nodes, as many succeed as it has uses, and the others get an error', async () => {
  const { promotion, variantId } = await offer({ codes: ['FIFTY'], usage_limit: USES });
  const { orders, refused } = await buyAtOnce(await crowd(variantId, () => ['FIFTY']));
  expect(orders).toHaveLength(USES);
  expect(refused).toEqual(Array.from({ length: CALLERS - USES }, () => 'DISCOUNT_LIMIT_REACHED'));
  expect(await usageOf(world, promotion.id)).toEqual({ used: USES, spent: USES * 100 });

  // Cancelled at once by several: each use comes back once.
  const { orders: service } = known(nodes[1]);
  const staff = { owner: null, grantedOrderId: null, staffId: null };
  const cancelled = orders.slice(0, 10);
  await Promise.allSettled(
    [...cancelled, ...cancelled].map((id) => service.cancel(id, { by: 'VIEWER', ...staff, grantedOrderId: id }, null)),
  );
  expect(await usageOf(world, promotion.id)).toEqual({ used: USES - 10, spent: (USES - 10) * 100 });
  expect(await findFaults(world.db)).toEqual([]);
});

test('a budget is never exceeded, and an automatic promotion that is used up changes the total', async () => {
  const { promotion, variantId } = await offer({ budget_minor: 2050 });
  const { orders, refused } = await buyAtOnce(await crowd(variantId, () => [], 60));
  expect(orders).toHaveLength(20);
  expect(new Set(refused)).toEqual(new Set(['TOTAL_CHANGED']));
  expect(await usageOf(world, promotion.id)).toEqual({ used: 20, spent: 2000 });
});

test('two promotions whose uses cross end without a deadlock', async () => {
  const both = { combines_with: ['ORDER'], usage_limit: 40 };
  const first = await offer({ codes: ['ABC'], ...both });
  const second = await makePromotion(world, { codes: ['XYZ'], ...both });
  const guests = await crowd(first.variantId, (index) => (index % 2 === 0 ? ['ABC', 'XYZ'] : ['XYZ', 'ABC']), 80);
  const { orders: service } = known(nodes[0]);
  const before = nodes.flatMap(({ retries }) => retries).length;
  const results = await Promise.allSettled(
    guests.map((owner, index) =>
      service.checkout(owner, {
        idempotencyKey: 'once',
        email: `crossing-${index}@example.com`,
        shippingAddress: null,
        expectedTotalMinor: null,
      }),
    ),
  );
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(40);
  expect((await usageOf(world, first.promotion.id)).used).toBe(40);
  expect((await usageOf(world, second.id)).used).toBe(40);
  expect(nodes.flatMap(({ retries }) => retries).slice(before)).not.toContain('40P01');
});

test('of many who use a code while one of two nodes is killed, as many succeed as it has uses, and the counters are the orders', async () => {
  const { promotion, variantId } = await offer({ codes: ['KILLED'], usage_limit: USES });
  const [guests, node] = await Promise.all([
    crowd(variantId, () => ['KILLED']),
    startShopProcess({
      DATABASE_URL: database.url,
      DATA_DIR: newDataDir(),
      JWT_SECRET: 'a secret of tests that is long enough',
      SEED: 'none',
      RATE_LIMITS: 'off',
      BCRYPT_COST: '4',
    }),
  ]);
  onTestFinished(async () => {
    node.child.kill('SIGKILL');
    await node.exited;
  });
  const { orders: service } = known(nodes[0]);
  const numbers: string[] = [];
  const refused: string[] = [];
  /** Asks the node that is killed. @returns whether an answer came */
  async function askDoomed(token: string): Promise<boolean> {
    try {
      const response = await fetch(`${node.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-cart-token': token },
        body: JSON.stringify({
          query: `mutation { checkout(input: { idempotencyKey: "once", email: "killed@example.com", expectedTotal: "9.00" }) {
            order { number } errors { code } } }`,
        }),
      });
      const { data } = (await response.json()) as {
        data: { checkout: { order: { number: string } | null; errors: { code: string }[] } };
      };
      const { order, errors } = data.checkout;
      if (order !== null) numbers.push(order.number);
      refused.push(...errors.map(({ code }) => code));
      return true;
    } catch {
      return false;
    }
  }
  async function askOther(owner: { guestId: string }): Promise<void> {
    const request = {
      idempotencyKey: 'once',
      email: 'killed@example.com',
      shippingAddress: null,
      expectedTotalMinor: 900n,
    };
    try {
      numbers.push((await service.checkout(owner, request)).id);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push(...error.errors.map(({ code }) => code));
    }
  }
  // The node dies with its first order in hand: others are still on their way.
  const dies = until('the node has placed an order', async () => {
    const [row] = await rowsOf<{ used: number }>(world.db, 'SELECT used FROM promotions WHERE id = $1', [promotion.id]);
    return known(row).used > 0;
  }).then(() => node.child.kill('SIGKILL'));
  const doomed = guests.slice(0, CALLERS / 2);
  const answered = await Promise.all(doomed.map(({ token }) => askDoomed(token)));
  await dies;
  await node.exited;
  const unanswered = doomed.filter((_, index) => answered[index] === false);
  expect(unanswered.length).toBeGreaterThan(0);
  /** The uses as the orders have them. */
  const uses = async () => {
    const [row] = await rowsOf<{ orders: number; spent: number }>(
      world.db,
      `SELECT count(DISTINCT order_id)::int AS orders, coalesce(sum(amount_minor), 0)::int AS spent
         FROM order_discounts WHERE promotion_id = $1`,
      [promotion.id],
    );
    return { used: known(row).orders, spent: known(row).spent };
  };
  const after = await usageOf(world, promotion.id);
  expect(after).toEqual(await uses());
  expect(after.used).toBeLessThanOrEqual(USES);

  // Those who got no answer ask once more, on the other node and with the same key, among all the others.
  await Promise.all([...unanswered, ...guests.slice(CALLERS / 2)].map(askOther));
  expect(await usageOf(world, promotion.id)).toEqual({ used: USES, spent: USES * 100 });
  expect(await uses()).toEqual({ used: USES, spent: USES * 100 });
  expect(numbers).toHaveLength(USES);
  expect(refused).toEqual(Array.from({ length: CALLERS - USES }, () => 'DISCOUNT_LIMIT_REACHED'));
  expect(await findFaults(world.db)).toEqual([]);
});
