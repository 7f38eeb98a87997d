import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { watchChanges } from '../../src/infra/postgres/change-watch.ts';
import { OutcomeUnknownError, isDatabaseTrouble } from '../../src/infra/postgres/database-faults.ts';
import type { NamedGuest } from '../../src/modules/accounts/guest.service.ts';
import type { CheckoutRequest } from '../../src/modules/orders/order.service.ts';
import { Refusal } from '../../src/modules/user-error.ts';
import { holdCarts, holdVariants, watchLocks } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeProduct } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { makePromotion, usageOf } from '../support/pricing.ts';
import { openServices, type TestServices } from '../support/services.ts';
import { sized } from '../support/sizes.ts';
import { recordStatements } from '../support/statements.ts';

let database: TestDatabase;
let services: TestServices;
let hook: ((statement: string) => Promise<void> | void) | null = null;

beforeAll(async () => {
  database = await createTestDatabase();
  services = openServices(database.url, { before: (statement) => hook?.(statement) });
});
afterEach(async () => {
  hook = null;
  const faults = await findFaults(services.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
});
afterAll(async () => {
  await services.dispose();
  await database.dispose();
});

const PRICE = 1000;
const paths = { variantPath: [], quantityPath: [] };

async function newVariants(...stock: number[]): Promise<string[]> {
  const { variants } = await makeProduct(services, { variants: stock.map((onHand) => ({ onHand, price: PRICE })) });
  return variants.map(({ id }) => id);
}

/** Guests, each with one unit of the variants in turn in the cart. */
async function newBuyers(count: number, variants: readonly string[]): Promise<NamedGuest[]> {
  const guests: NamedGuest[] = [];
  for (let index = 0; index < count; index += 1) {
    const variantId = known(variants[index % variants.length]);
    const { guest } = await services.cart.addLines(null, [{ ...paths, variantId, quantity: 1 }]);
    guests.push(known(guest));
  }
  return guests;
}

function requestOf(guest: NamedGuest, more: Partial<CheckoutRequest> = {}): CheckoutRequest {
  const email = `${guest.id}@example.com`;
  return { idempotencyKey: 'once', email, shippingAddress: null, expectedTotalMinor: null, ...more };
}

const buy = async (guest: NamedGuest, more: Partial<CheckoutRequest> = {}): Promise<string> =>
  (await services.orders.checkout({ guestId: guest.id }, requestOf(guest, more))).id;

const buyRenewing = (guest: NamedGuest, more: Partial<CheckoutRequest> = {}) =>
  services.orders.checkoutRenewing({ ...guest, former: null }, requestOf(guest, more));

const LOCK = 'cart_lock_all_for_checkout';

/** Holds the first checkouts up right before their locks, and begins the given ones meanwhile: these share a transaction. */
async function together<T>(begin: () => Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
  const busy = await newBuyers(2, await newVariants(10));
  let arrive = () => {};
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first: Promise<unknown>[] = [];
  hook = async (statement) => {
    if (statement !== LOCK || first.length === 0) return;
    arrive();
    await gate;
  };
  // One after the other: what arrives together shares a transaction.
  for (const guest of busy) {
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    first.push(buy(guest));
    await arrived;
  }
  const settled = Promise.allSettled(begin());
  open();
  await Promise.all(first);
  return settled;
}

const ok = ({ status }: PromiseSettledResult<unknown>) => status === 'fulfilled';
const codesOf = (settled: PromiseSettledResult<unknown>) =>
  settled.status === 'fulfilled'
    ? 'ok'
    : settled.reason instanceof Refusal
      ? settled.reason.errors.map(({ code }) => code).join(' ')
      : String(settled.reason);

const ordersOf = (guests: readonly NamedGuest[]) =>
  rowsOf<{ guestId: string; id: string }>(
    services.db,
    `SELECT c.guest_id AS "guestId", o.id FROM orders o JOIN carts c ON c.id = o.cart_id
      WHERE c.guest_id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], c.guest_id)`,
    [guests.map(({ id }) => id)],
  );

test('50 checkouts at once take four transactions: two that were under way, and two for all the others', async () => {
  const guests = await newBuyers(50, await newVariants(...Array.from({ length: 20 }, () => 100)));
  let settled: PromiseSettledResult<string>[] = [];
  const { statements } = await recordStatements(async () => {
    settled = await together(() => guests.map((guest) => buy(guest)));
  });
  expect(settled.filter(ok)).toHaveLength(50);
  const counts = new Map<string, number>();
  for (const statement of statements.slice(statements.indexOf(LOCK)))
    counts.set(statement, (counts.get(statement) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toMatchObject({
    [LOCK]: 4,
    order_has_keys: 4,
    catalog_variants_by_ids: 4,
    orders_insert: 4,
    inventory_apply: 4,
    money_insert: 4,
    cart_check_out: 4,
    COMMIT: 4,
  });
  expect(await ordersOf(guests)).toEqual(
    guests.map(({ id: guestId }, index) => {
      const each = known(settled[index]);
      return { guestId, id: each.status === 'fulfilled' ? each.value : null };
    }),
  );
});

test('a checkout by itself takes ten statements, beside those on the log', async () => {
  const [guest, earlier] = await newBuyers(2, await newVariants(3));
  // It reads the terms of prices, which others then find in memory.
  await buy(known(earlier));
  const { statements } = await recordStatements(() => buy(known(guest)));
  expect(statements).toEqual([
    expect.stringMatching(/^BEGIN/),
    LOCK,
    'cart_batch_read',
    'order_has_keys',
    'catalog_variants_by_ids',
    'orders_insert',
    'inventory_apply',
    'money_insert',
    'cart_check_out',
    'COMMIT',
  ]);
});

test('while traces are recorded, each checkout has a transaction of its own, and waits for no other', async () => {
  const guests = await newBuyers(5, await newVariants(10, 10, 10, 10, 10));
  let arrived = 0;
  let open = () => {};
  const allThere = new Promise<void>((resolve) => {
    open = resolve;
  });
  const traced = openServices(database.url, {
    traced: true,
    async before(statement) {
      if (statement !== LOCK) return;
      arrived += 1;
      if (arrived === guests.length) open();
      await allThere;
    },
  });
  try {
    const checkout = (guest: NamedGuest) => traced.orders.checkout({ guestId: guest.id }, requestOf(guest));
    const { statements } = await recordStatements(() => Promise.all(guests.map(checkout)));
    const inserts = statements.filter((statement) => statement === 'orders_insert');
    expect([arrived, inserts.length]).toEqual([5, 5]);
  } finally {
    await traced.dispose();
  }
});

describe('each checkout of a batch has an answer of its own', () => {
  test('what is refused is refused, and the others are served', async () => {
    const variants = await newVariants(20);
    const [one, wrong, nameless, empty, other] = await newBuyers(5, variants);
    const lines = known(await services.cart.find({ guestId: known(empty).id })).lines;
    const update = { id: known(lines[0]).id, quantity: 0, idPath: [], quantityPath: [] };
    await services.cart.updateLines({ guestId: known(empty).id }, [update]);
    const settled = await together(() => [
      buy(known(one), { expectedTotalMinor: BigInt(PRICE) }),
      buy(known(wrong), { expectedTotalMinor: 1n }),
      buy(known(nameless), { email: null }),
      buy(known(empty)),
      buy(known(other)),
    ]);
    expect(settled.map(codesOf)).toEqual(['ok', 'TOTAL_CHANGED', 'INVALID_INPUT', 'CART_EMPTY', 'ok']);
    expect((await ordersOf([known(wrong), known(nameless), known(empty)])).length).toBe(0);
  });

  test('a key that was used before gives the order of that time, or is refused for another input; the new cart stays', async () => {
    const [variantId = ''] = await newVariants(20);
    const guests = await newBuyers(3, [variantId]);
    const [again, changed, fresh] = [known(guests[0]), known(guests[1]), known(guests[2])];
    const before = [await buy(again), await buy(changed)];
    for (const { id: guestId } of [again, changed])
      await services.cart.addLines({ guestId }, [{ ...paths, variantId, quantity: 1 }]);
    const settled = await together(() => [buy(again), buy(changed, { email: 'else@example.com' }), buy(fresh)]);
    expect(settled.map(codesOf)).toEqual(['ok', 'IDEMPOTENCY_KEY_REUSED', 'ok']);
    expect(settled[0]).toMatchObject({ value: before[0] });
    expect((await services.cart.find({ guestId: again.id }))?.lines).toHaveLength(1);
    expect((await ordersOf(guests)).length).toBe(3);
  });

  test('the same checkout twice at once makes one order', async () => {
    const guests = await newBuyers(3, await newVariants(20));
    const settled = await together(() => [...guests, ...guests].map((guest) => buy(guest)));
    expect(settled.map(codesOf)).toEqual(Array.from({ length: 6 }, () => 'ok'));
    const ids = settled.map((each) => (each.status === 'fulfilled' ? each.value : ''));
    expect(ids.slice(3)).toEqual(ids.slice(0, 3));
    expect((await ordersOf(guests)).map(({ id }) => id)).toEqual(ids.slice(0, 3));
  });

  test('each guest whose token is replaced gets its own new one, and by the old one the order once more', async () => {
    const guests = await newBuyers(4, await newVariants(20));
    const settled = await together(() => guests.map((guest) => buyRenewing(guest)));
    for (const [index, guest] of guests.entries()) {
      const each = known(settled[index]);
      if (each.status === 'rejected') throw each.reason;
      const renewed = known(each.value.guest);
      expect(renewed.id).toBe(guest.id);
      expect(renewed.token).not.toBe(guest.token);
      expect(await services.guests.find(renewed.token)).toMatchObject({ id: guest.id, former: null });
      const former = known(await services.guests.find(guest.token)).former;
      expect(former).toMatchObject({ id: guest.id, mayRetry: true });
      const stale = known(await services.guests.find(guest.token));
      const repeated = await services.orders.checkoutRenewing(
        { id: stale.id, token: guest.token, former },
        requestOf(guest),
      );
      expect([repeated.value.id, repeated.guest]).toEqual([each.value.value.id, each.value.guest]);
    }
    expect((await ordersOf(guests)).length).toBe(4);
  });

  test('a checkout that fails alone changed nothing, although it came first and the others are placed', async () => {
    const guests = await newBuyers(2, await newVariants(20));
    const cart = known(await services.cart.find({ guestId: known(guests[0]).id }));
    await using _held = await holdCarts(services.db, cart.id);
    const watches = guests.map(() => watchChanges());
    const settled = await together(() => {
      const gate = hook;
      hook = async (statement) => {
        if (statement.startsWith('cart_lock_live')) throw Object.assign(new Error('too long'), { code: '55P03' });
        await gate?.(statement);
      };
      return guests.map((guest, index) => known(watches[index]).during(() => buy(guest)));
    });
    expect(settled[0]).toMatchObject({ status: 'rejected', reason: { code: '55P03' } });
    expect(settled.map(ok)).toEqual([false, true]);
    expect(watches.map((watch) => watch.made())).toEqual([false, true]);
  });

  test('limits of promotions hold', async () => {
    const promotion = await makePromotion(services, { codes: ['TWO'], usage_limit: 2 });
    const guests = await newBuyers(6, await newVariants(20));
    for (const { id: guestId } of guests.slice(0, 5)) await services.cart.setDiscountCodes({ guestId }, ['TWO']);
    const settled = await together(() => guests.map((guest) => buy(guest)));
    expect(settled.map(codesOf).toSorted()).toEqual([
      ...Array.from({ length: 3 }, () => 'DISCOUNT_LIMIT_REACHED'),
      ...['ok', 'ok', 'ok'],
    ]);
    expect((await usageOf(services, promotion.id)).used).toBe(2);
  });
});

describe('what somebody else has locked', () => {
  test('a cart keeps its own checkout waiting, and no other', async () => {
    const guests = await newBuyers(3, await newVariants(10));
    const cart = known(await services.cart.find({ guestId: known(guests[0]).id }));
    await using held = await holdCarts(services.db, cart.id);
    const [waiting, ...others] = guests.map((guest) => buy(guest));
    let isOver = false;
    void waiting?.finally(() => {
      isOver = true;
    });
    await Promise.all(others);
    expect(isOver).toBe(false);
    await held.release();
    await waiting;
    expect((await ordersOf(guests)).length).toBe(3);
  });

  test('a variant keeps those waiting who buy it, and nobody else', async () => {
    const [busy = '', free = ''] = await newVariants(10, 10);
    const [one, other] = await newBuyers(2, [busy, free]);
    await using held = await holdVariants(services.db, busy);
    let isOver = false;
    const [waiting] = await together(() => {
      const first = buy(known(one)).finally(() => {
        isOver = true;
      });
      return [buy(known(other))].map(async (second) => {
        await second;
        expect(isOver).toBe(false);
        await held.release();
        return first;
      });
    });
    expect(waiting?.status).toBe('fulfilled');
  });
});

test('a guest whose token is to be replaced elsewhere waits for the batch, and the batch does not wait for the guest', async () => {
  const [guest] = await newBuyers(1, await newVariants(10));
  const { id, token } = known(guest);
  const otherNode = openServices(database.url, { unbatched: true });
  await using watch = await watchLocks(services.db);
  let reached = () => {};
  let goOn = () => {};
  const locked = new Promise<void>((resolve) => (reached = resolve));
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  hook = async (statement) => {
    if (statement !== 'orders_insert') return;
    reached();
    await gate;
  };
  const retries = services.retries.length;
  try {
    const { result, statements } = await recordStatements(async () => {
      const batched = buy(known(guest));
      await locked;
      const renewing = otherNode.orders.checkoutRenewing({ id, token, former: null }, requestOf(known(guest)));
      await watch.untilWaiting(1);
      goOn();
      return Promise.all([batched, renewing]);
    });
    const [orderId, renewed] = result;
    expect(renewed.value.id).toBe(orderId);
    expect(statements.filter((statement) => statement === LOCK || statement === 'orders_insert')).toHaveLength(2);
    expect([services.retries.slice(retries), otherNode.retries]).toEqual([[], []]);
  } finally {
    goOn();
    await otherNode.dispose();
  }
});

/**
 * Puts another statement in the place of one that a batch of several checkouts sends, once.
 * @returns what the work gives
 */
async function instead<T>(name: string, text: string, work: () => Promise<T>): Promise<T> {
  const real = pg.Client.prototype.query;
  const batches = new WeakSet<pg.Client>();
  let isDone = false;
  pg.Client.prototype.query = function query(this: pg.Client, ...args: unknown[]): unknown {
    const [config] = args as [string | { name?: string; values?: unknown[] }];
    const sent = typeof config === 'string' ? config : config.name;
    const begins = sent === 'guest_lock_all_for_renewal' || sent === LOCK;
    const [subjects] = typeof config === 'object' && begins ? (config.values ?? []) : [];
    if (Array.isArray(subjects) && subjects.length > 1) batches.add(this);
    if (isDone || sent !== name || !batches.has(this)) return Reflect.apply(real, this, args);
    isDone = true;
    return Reflect.apply(real, this, [text]);
  } as typeof real;
  try {
    return await work();
  } finally {
    pg.Client.prototype.query = real;
    expect(isDone).toBe(true);
  }
}

const STATEMENTS = [
  'guest_lock_all_for_renewal',
  LOCK,
  'cart_batch_read',
  'order_has_keys',
  'catalog_variants_by_ids',
  'orders_insert',
  'inventory_apply',
  'money_insert',
  'event_log_append',
  'guest_renew',
  'cart_check_out',
];
const raise = (code: string) => `DO $$ BEGIN RAISE EXCEPTION 'broken by a test' USING ERRCODE = '${code}'; END $$`;
const END = 'SELECT pg_terminate_backend(pg_backend_pid())';

describe('a batch that breaks', () => {
  /** Three checkouts that can be served, and one that cannot, in one batch of which a statement is replaced. */
  async function broken(statement: string, text: string) {
    const guests = await newBuyers(4, await newVariants(10));
    const begin = (guest: NamedGuest, index: number) =>
      buyRenewing(guest, index === 1 ? { expectedTotalMinor: 1n } : {});
    const settled = await instead(statement, text, () => together(() => guests.map(begin)));
    return { guests, settled, begin, orders: await ordersOf(guests) };
  }
  const isRetryable = (each: PromiseSettledResult<unknown>) =>
    each.status === 'rejected' && !(each.reason instanceof Refusal) && isDatabaseTrouble(each.reason);
  const isUnknown = (each: PromiseSettledResult<unknown>) =>
    each.status === 'rejected' && each.reason instanceof OutcomeUnknownError;
  const OWN = ['ok', 'TOTAL_CHANGED', 'ok', 'ok'];

  test.each([...STATEMENTS, 'COMMIT'])('by an error of %s: each checkout has its own answer', async (statement) => {
    const { settled, orders } = await broken(statement, raise('22012'));
    expect([settled.map(codesOf), orders.length]).toEqual([OWN, 3]);
  });

  test.each(STATEMENTS)('by a deadlock at %s: it runs again', async (statement) => {
    const { settled, orders } = await broken(statement, raise('40P01'));
    expect([settled.map(codesOf), orders.length]).toEqual([OWN, 3]);
  });

  test.each(STATEMENTS)(
    'by a connection that is lost at %s: all may try again, and nothing was done',
    async (statement) => {
      const { settled, orders } = await broken(statement, END);
      expect([settled.every(isRetryable), orders.length]).toEqual([true, 0]);
    },
  );

  test('by a connection that is lost at COMMIT: no caller hears that anything failed, and the key leads to what was done', async () => {
    const { guests, settled, begin, orders } = await broken('COMMIT', `COMMIT; ${END}`);
    expect([settled.every(isUnknown), orders.length]).toEqual([true, 3]);
    const again = guests.map(async (guest, index) => {
      const { id, former } = known(await services.guests.find(guest.token));
      return former === null
        ? begin(guest, index)
        : services.orders.checkoutRenewing({ id, token: guest.token, former }, requestOf(guest));
    });
    const repeated = await Promise.allSettled(again);
    expect(repeated.map(codesOf)).toEqual(OWN);
    expect(repeated.flatMap((each) => (each.status === 'fulfilled' ? [each.value.value.id] : []))).toEqual(
      orders.map(({ id }) => id),
    );
    expect(await ordersOf(guests)).toEqual(orders);
  });
});

/** What each of the guests of a plan has in the cart, and asks for. */
const plans = fc.array(
  fc.record({
    lines: fc.array(fc.record({ variant: fc.nat(2), quantity: fc.integer({ min: 1, max: 2 }) }), { maxLength: 3 }),
    codes: fc.constantFrom<string[][]>([], ['TENTH'], ['TWICE'], ['TENTH', 'NOTHING']),
    expected: fc.constantFrom(null, null, null, 1n),
    email: fc.constantFrom('own', 'own', 'cart', 'none'),
  }),
  { minLength: 2, maxLength: 6, size: 'max' },
);
type Plan = typeof plans extends fc.Arbitrary<(infer One)[]> ? One : never;

test('checkouts that share a transaction come to what they come to one by one, each in a transaction of its own', async () => {
  const unbatched = openServices(database.url, { unbatched: true });
  await makePromotion(services, { codes: ['TENTH'] });

  async function begin(given: readonly Plan[]) {
    const variants = await newVariants(40, 40, 40);
    // The limit is the twin's own.
    const { id: limited } = await makePromotion(services, { codes: [`TWICE-${variants[0]}`], usage_limit: 2 });
    const guests: NamedGuest[] = [];
    for (const { lines, codes, email } of given) {
      const guest = await services.db.transaction((tx) => services.guests.create(tx));
      const owner = { guestId: guest.id };
      await services.cart.create(owner);
      for (const { variant, quantity } of lines)
        await services.cart.addLines(owner, [{ ...paths, variantId: known(variants[variant]), quantity }]);
      await services.cart.setDiscountCodes(
        owner,
        codes.map((code) => (code === 'TWICE' ? `TWICE-${variants[0]}` : code)),
      );
      if (email === 'cart') await services.cart.setEmail(owner, `cart-${guests.length}@example.com`);
      guests.push(guest);
    }
    return { variants, guests, limited };
  }
  type Twin = Awaited<ReturnType<typeof begin>>;

  const send = (of: TestServices, { guests }: Twin, { email, expected }: Plan, index: number) =>
    of.orders.checkout(
      { guestId: known(guests[index]).id },
      {
        idempotencyKey: 'once',
        email: email === 'own' ? `own-${index}@example.com` : null,
        shippingAddress: null,
        expectedTotalMinor: expected,
      },
    );

  async function describeTwin({ variants, guests, limited }: Twin) {
    const guestIds = guests.map(({ id }) => id);
    const orders = await rowsOf<object>(
      services.db,
      `SELECT array_position($1::uuid[], o.guest_id) AS guest, o.email, subtotal_minor::text, discount_minor::text, total_minor::text,
              payment_status, regexp_replace(discount_codes::text, '-[-0-9a-f]+', '', 'g') AS codes, placed_at = updated_at AS fresh,
              (SELECT jsonb_agg(jsonb_build_array(array_position($2::uuid[], l.variant_id), l.quantity, l.unit_price_minor,
                                                  l.discount_minor, l.position) ORDER BY l.position)
                 FROM order_lines l WHERE l.order_id = o.id) AS lines,
              (SELECT jsonb_agg(jsonb_build_array(account, amount_minor) ORDER BY m.id) FROM money_entries m
                WHERE m.order_id = o.id) AS money,
              (SELECT jsonb_agg(jsonb_build_array(from_status, to_status)) FROM order_status_changes s
                WHERE s.order_id = o.id) AS history,
              (SELECT count(*)::int FROM event_log e WHERE e.subject_id = o.id) AS told
         FROM orders o WHERE o.guest_id = ANY($1::uuid[]) ORDER BY guest`,
      [guestIds, variants],
    );
    const carts = await rowsOf<object>(
      services.db,
      `SELECT array_position($1::uuid[], guest_id) AS guest, status, version,
              (SELECT jsonb_agg(payload->>'kind' ORDER BY e.id) FROM event_log e WHERE e.subject_id = c.id) AS told
         FROM carts c WHERE guest_id = ANY($1::uuid[]) ORDER BY guest`,
      [guestIds],
    );
    const levels = await rowsOf<object>(
      services.db,
      `SELECT on_hand, held, (SELECT jsonb_agg(jsonb_build_array(reason, on_hand_delta, held_delta) ORDER BY reason, on_hand_delta, held_delta)
                                FROM stock_movements m WHERE m.variant_id = v.id) AS ledger
         FROM product_variants v WHERE id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], id)`,
      [variants],
    );
    return { orders, carts, levels, usage: await usageOf(services, limited) };
  }

  const property = fc.asyncProperty(plans, async (given) => {
    // Of those who want the last uses of a code, the first ones get them; who that is, is not settled where they run side by side.
    const inOrder = given.map((plan, index) =>
      given.slice(0, index).filter(({ codes }) => codes.includes('TWICE')).length >= 2
        ? { ...plan, codes: plan.codes.filter((code) => code !== 'TWICE') }
        : plan,
    );
    const [one, other] = [await begin(inOrder), await begin(inOrder)];
    const settled = await together(() => inOrder.map((plan, index) => send(services, one, plan, index)));
    const expected: string[] = [];
    for (const [index, plan] of inOrder.entries()) {
      const [each] = await Promise.allSettled([send(unbatched, other, plan, index)]);
      expected.push(codesOf(known(each)));
    }
    expect(settled.map(codesOf)).toEqual(expected);
    expect(await describeTwin(one)).toEqual(await describeTwin(other));
  });
  await fc.assert(property, { numRuns: sized({ inCi: 8, daily: 3 }) });
  await unbatched.dispose();
});
