import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { watchChanges } from '../../src/infra/postgres/change-watch.ts';
import { OutcomeUnknownError, isDatabaseTrouble } from '../../src/infra/postgres/database-faults.ts';
import { readBatch } from '../../src/modules/cart/cart-batch.repository.ts';
import type { Networks } from '../../src/modules/cart/network-share.ts';
import type { CartResult } from '../../src/modules/cart/cart.service.ts';
import type { InsufficientStockError } from '../../src/modules/inventory/inventory.errors.ts';
import { Refusal } from '../../src/modules/user-error.ts';
import { holdCarts, holdVariants } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeProduct } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newGuest, openServices, type TestServices } from '../support/services.ts';
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

type Guest = { guestId: string };

async function newGuests(count: number): Promise<Guest[]> {
  const guests: Guest[] = [];
  for (let index = 0; index < count; index += 1) guests.push(await newGuest(services));
  return guests;
}

async function newVariants(...stock: number[]): Promise<string[]> {
  const { variants } = await makeProduct(services, { variants: stock.map((onHand) => ({ onHand })) });
  return variants.map(({ id }) => id);
}

function add(owner: Guest | null, variantId: string, quantity = 1, networks: Networks = []): Promise<CartResult> {
  return services.cart.addLines(owner, [{ variantId, quantity, variantPath: [], quantityPath: [] }], networks);
}

/** Holds the first commands up right before their locks, and begins the given ones meanwhile: these share a transaction. */
async function together<T>(begin: () => Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
  const [filler] = await newVariants(10);
  const busy = await newGuests(2);
  let arrive = () => {};
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first: Promise<unknown>[] = [];
  hook = async (statement) => {
    if (statement !== 'cart_batch_lock' || first.length === 0) return;
    arrive();
    await gate;
  };
  // One after the other: what arrives together shares a transaction.
  for (const guest of busy) {
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    first.push(add(guest, filler ?? ''));
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

const HELD = `SELECT held, available FROM product_variants WHERE id = $1`;
const levelOf = async (variantId: string) =>
  (await rowsOf<{ held: number; available: number }>(services.db, HELD, [variantId]))[0];

test('50 callers at once take three transactions: two that were under way, and one for all the others', async () => {
  const variants = await newVariants(...Array.from({ length: 20 }, () => 100));
  const guests = await newGuests(50);
  let settled: PromiseSettledResult<CartResult>[] = [];
  const { statements } = await recordStatements(async () => {
    settled = await together(() => guests.map((guest, index) => add(guest, variants[index % variants.length] ?? '')));
  });
  expect(settled.filter(ok)).toHaveLength(50);
  const ofCarts = statements.slice(statements.indexOf('cart_batch_lock'));
  const counts = new Map<string, number>();
  for (const statement of ofCarts) counts.set(statement, (counts.get(statement) ?? 0) + 1);
  expect(Object.fromEntries(counts)).toMatchObject({
    cart_batch_lock: 3,
    cart_batch_read: 3,
    inventory_apply: 3,
    cart_batch_write: 3,
    COMMIT: 3,
  });
  expect(ofCarts.length).toBeLessThan(30);
});

test('the lines of all carts of a batch are looked up at once', async () => {
  const variants = await newVariants(...Array.from({ length: 5 }, () => 100));
  const guests = await newGuests(20);
  for (const guest of guests) for (const variantId of variants) await add(guest, variantId);
  const [lines] = await rowsOf<{ n: number }>(services.db, 'SELECT count(*)::int AS n FROM cart_lines');
  const looked = await services.db.transaction(async (tx) => {
    // As PostgreSQL reads tables that are small.
    for (const sql of ['SET LOCAL enable_indexscan = off', 'SET LOCAL enable_bitmapscan = off', 'DISCARD PLANS'])
      await rowsOf(tx, sql);
    // Of this connection: also what it has not reported yet of transactions before this one.
    const soFar = async () => {
      const sql = `SELECT (seq_tup_read + idx_tup_fetch)::int AS n FROM pg_stat_xact_user_tables WHERE relname = 'cart_lines'`;
      return (await rowsOf<{ n: number }>(tx, sql))[0]?.n ?? 0;
    };
    const before = await soFar();
    const { carts } = await readBatch(tx, { guestIds: guests.map(({ guestId }) => guestId), userIds: [] });
    expect(carts.flatMap((cart) => cart.lines)).toHaveLength(100);
    return (await soFar()) - before;
  });
  expect(looked).toBeGreaterThanOrEqual(100);
  expect(looked).toBeLessThanOrEqual(lines?.n ?? 0);
});

test('commands that arrive together share the first transaction, too', async () => {
  const [variantId = ''] = await newVariants(10);
  const guests = await newGuests(5);
  const { statements } = await recordStatements(() => Promise.all(guests.map((guest) => add(guest, variantId))));
  expect(statements.filter((statement) => statement === 'cart_batch_lock')).toHaveLength(1);
  expect(await levelOf(variantId)).toEqual({ held: 5, available: 5 });
});

test('a command that fails alone changed nothing, although it came first and the others are carried out', async () => {
  const [variantId = ''] = await newVariants(10);
  const guests = await newGuests(2);
  const carts = await Promise.all(guests.map((guest) => services.cart.create(guest)));
  await using _held = await holdCarts(services.db, carts[0]?.cart.id ?? '');
  const watches = guests.map(() => watchChanges());
  const settled = await together(() => {
    const gate = hook;
    hook = async (statement) => {
      if (statement.startsWith('cart_lock_live')) throw Object.assign(new Error('too long'), { code: '55P03' });
      await gate?.(statement);
    };
    return guests.map((guest, index) => known(watches[index]).during(() => add(guest, variantId)));
  });
  expect(settled[0]).toMatchObject({ status: 'rejected', reason: { code: '55P03' } });
  expect(settled.map(ok)).toEqual([false, true]);
  expect(watches.map((watch) => watch.made())).toEqual([false, true]);
});

test('the answer is what the database has, without being read again', async () => {
  const [one, other] = await newVariants(10, 10);
  const [guest] = await newGuests(1);
  if (guest === undefined || one === undefined || other === undefined) throw new Error('nothing to add');
  const answers = [await add(guest, one, 2), await add(guest, other), await add(guest, one)];
  for (const { cart, variants } of answers.slice(-1)) {
    const [stored] = await services.cart.byIds([cart.id]);
    const { readAt: _then, ...given } = cart;
    const { readAt: _now, ...found } = stored ?? cart;
    expect(given).toEqual(found);
    expect(variants).toEqual(await services.catalog.variantsByIds([one]));
  }
  const { statements } = await recordStatements(() => add(guest, other));
  expect(statements).toEqual([
    expect.stringMatching(/^BEGIN/),
    'cart_batch_lock',
    'cart_batch_read',
    'catalog_variants_by_ids',
    // Statements on the log are not counted; see `recordStatements`.
    'inventory_apply',
    'cart_batch_write',
    'COMMIT',
  ]);
});

test('of many who want the last units at once, the first get them, and the others get the number that was available', async () => {
  const [variantId = ''] = await newVariants(5);
  const guests = await newGuests(12);
  const settled = await together(() => guests.map((guest) => add(guest, variantId)));
  expect(settled.map(codesOf)).toEqual([...Array(5).fill('ok'), ...Array(7).fill('INSUFFICIENT_STOCK')]);
  const refused = settled.flatMap((each) => (each.status === 'rejected' ? [each.reason as Refusal] : []));
  expect(refused.flatMap(({ errors }) => errors.map((error) => (error as InsufficientStockError).available))).toEqual(
    Array(7).fill(0),
  );
  expect(await levelOf(variantId)).toEqual({ held: 5, available: 0 });
});

test('units of an overdue cart go to commands of the batch that lacks them', async () => {
  const [variantId = ''] = await newVariants(4);
  const [late, ...guests] = await newGuests(5);
  if (late === undefined) throw new Error('no guest');
  await add(late, variantId, 3);
  await rowsOf(
    services.db,
    `UPDATE carts SET hold_started_at = clock_timestamp() - interval '1 hour', expires_at = clock_timestamp() - interval '1 second'
      WHERE guest_id = $1`,
    [late.guestId],
  );
  const settled = await together(() => guests.map((guest) => add(guest, variantId)));
  expect(settled.map(codesOf)).toEqual(['ok', 'ok', 'ok', 'ok']);
  expect(await levelOf(variantId)).toEqual({ held: 4, available: 0 });
});

test('two commands on one cart are carried out in order', async () => {
  const [variantId = ''] = await newVariants(10);
  const [guest] = await newGuests(1);
  if (guest === undefined) throw new Error('no guest');
  const { cart } = await add(guest, variantId);
  const id = cart.lines[0]?.id ?? '';
  const settled = await together(() => [
    services.cart.updateLines(guest, [{ id, quantity: 0, idPath: [], quantityPath: [] }]),
    add(guest, variantId, 3),
    services.cart.updateLines(guest, [{ id, quantity: 5, idPath: [], quantityPath: [] }]),
  ]);
  expect(settled.map(codesOf)).toEqual(['ok', 'ok', 'NOT_FOUND']);
  const last = await services.cart.find(guest);
  expect([last?.version, last?.lines.map(({ quantity }) => quantity)]).toEqual([4, [3]]);
});

test('visitors without a guest get one, unless they are refused', async () => {
  const [variantId = ''] = await newVariants(2);
  const count = async () => (await rowsOf<{ n: number }>(services.db, 'SELECT count(*)::int AS n FROM guests'))[0]?.n;
  const before = (await count()) ?? 0;
  const settled = await together(() => [1, 2, 3].map(() => add(null, variantId)));
  expect(settled.map(codesOf)).toEqual(['ok', 'ok', 'INSUFFICIENT_STOCK']);
  // Two more keep the others waiting.
  expect(await count()).toBe(before + 2 + 2);
  for (const each of settled) {
    if (each.status === 'rejected') continue;
    const { guest, cart } = each.value;
    expect(cart.guestId).toBe(guest?.id);
    expect(await services.guests.find(guest?.token ?? '')).toMatchObject({ id: guest?.id });
  }
});

test('the share of a network counts what the batch itself has given to it', async () => {
  const [variantId = ''] = await newVariants(12);
  const guests = await newGuests(9);
  await add(guests[0] ?? null, variantId, 2, ['192.0.2.1']);
  const settled = await together(() =>
    guests.map((guest, index) => add(guest, variantId, 1, index < 7 ? ['192.0.2.1'] : ['198.51.100.7'])),
  );
  // Half of twelve for one network, of which the first guest has two.
  expect(settled.map(codesOf)).toEqual([...Array(4).fill('ok'), ...Array(3).fill('LIMIT_EXCEEDED'), 'ok', 'ok']);
});

describe('what somebody else has locked', () => {
  test('a cart keeps its own command waiting, and no other', async () => {
    const [variantId = ''] = await newVariants(10);
    const guests = await newGuests(3);
    const { cart } = await add(guests[0] ?? null, variantId);
    await using held = await holdCarts(services.db, cart.id);
    const [waiting, ...others] = guests.map((guest) => add(guest, variantId));
    let isOver = false;
    void waiting?.finally(() => {
      isOver = true;
    });
    await Promise.all(others);
    expect(isOver).toBe(false);
    await held.release();
    expect((await waiting)?.cart.lines.map(({ quantity }) => quantity)).toEqual([2]);
  });

  test('a variant keeps those waiting who want it, and nobody else', async () => {
    const [busy = '', free = ''] = await newVariants(10, 10);
    const [one = null, other = null] = await newGuests(2);
    await using held = await holdVariants(services.db, busy);
    let isOver = false;
    const [waiting] = await together(() => {
      const first = add(one, busy).finally(() => {
        isOver = true;
      });
      // Not what the batch waits for: only the second one is.
      return [Promise.resolve(first), add(other, free)].slice(1).map(async (second) => {
        await second;
        expect(isOver).toBe(false);
        await held.release();
        return first;
      });
    });
    expect(waiting?.status).toBe('fulfilled');
    expect(await levelOf(busy)).toEqual({ held: 1, available: 9 });
  });
});

/**
 * Puts another statement in the place of one that a batch of several commands sends, once.
 * @returns what the work gives
 */
async function instead<T>(name: string, text: string, work: () => Promise<T>): Promise<T> {
  const real = pg.Client.prototype.query;
  const batches = new WeakSet<pg.Client>();
  let isDone = false;
  pg.Client.prototype.query = function query(this: pg.Client, ...args: unknown[]): unknown {
    const [config] = args as [string | { name?: string; values?: unknown[] }];
    const sent = typeof config === 'string' ? config : config.name;
    const [owners] = typeof config === 'object' && sent === 'cart_batch_lock' ? (config.values ?? []) : [];
    if (Array.isArray(owners) && owners.length > 1) batches.add(this);
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
  'cart_batch_lock',
  'cart_batch_read',
  'catalog_variants_by_ids',
  'inventory_apply',
  'event_log_append',
  'cart_batch_write',
];
const raise = (code: string) => `DO $$ BEGIN RAISE EXCEPTION 'broken by a test' USING ERRCODE = '${code}'; END $$`;
const END = 'SELECT pg_terminate_backend(pg_backend_pid())';

describe('a batch that breaks', () => {
  /** Three commands that can be served, and one that cannot, in one batch of which a statement is replaced. */
  async function broken(statement: string, text: string) {
    const [variantId = '', sold = ''] = await newVariants(10, 1);
    const guests = await newGuests(4);
    const settled = await instead(statement, text, () =>
      together(() => guests.map((guest, index) => (index === 1 ? add(guest, sold, 2) : add(guest, variantId)))),
    );
    return { settled, held: (await levelOf(variantId))?.held };
  }
  const isRetryable = (each: PromiseSettledResult<unknown>) =>
    each.status === 'rejected' && !(each.reason instanceof Refusal) && isDatabaseTrouble(each.reason);
  const isUnknown = (each: PromiseSettledResult<unknown>) =>
    each.status === 'rejected' && each.reason instanceof OutcomeUnknownError;
  const OWN = ['ok', 'INSUFFICIENT_STOCK', 'ok', 'ok'];

  test.each([...STATEMENTS, 'COMMIT'])('by an error of %s: each command has its own answer', async (statement) => {
    const { settled, held } = await broken(statement, raise('22012'));
    expect([settled.map(codesOf), held]).toEqual([OWN, 3]);
  });

  test.each(STATEMENTS)('by a deadlock at %s: it runs again', async (statement) => {
    const { settled, held } = await broken(statement, raise('40P01'));
    expect([settled.map(codesOf), held]).toEqual([OWN, 3]);
  });

  test.each(STATEMENTS)(
    'by a connection that is lost at %s: all may try again, and nothing was done',
    async (statement) => {
      const { settled, held } = await broken(statement, END);
      expect([settled.every(isRetryable), held]).toEqual([true, 0]);
    },
  );

  test('by a connection that is lost at COMMIT: every caller gets the error that the outcome is unknown', async () => {
    const { settled, held } = await broken('COMMIT', `COMMIT; ${END}`);
    expect([settled.every(isUnknown), held]).toEqual([true, 3]);
  });
});

/** A small shop of its own, and what becomes of it. */
interface Twin {
  variants: string[];
  guests: Guest[];
}

type Plan =
  | { kind: 'add'; guest: number; variant: number; quantity: number }
  | { kind: 'set'; guest: number; line: number; quantity: number };

const plans: fc.Arbitrary<Plan[]> = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      guest: fc.nat(5),
      variant: fc.nat(2),
      quantity: fc.constantFrom(1, 1, 2, 3, 120),
    }),
    fc.record({
      kind: fc.constant('set' as const),
      // Those who have a cart: without one the command runs alone, and the owner's next one comes a turn later.
      guest: fc.constantFrom(0, 2, 4),
      line: fc.nat(1),
      quantity: fc.nat(4),
    }),
  ),
  { minLength: 2, maxLength: 14, size: 'max' },
);

test('commands that share transactions come to what they come to one by one, each in a transaction of its own', async () => {
  const unbatched = openServices(database.url, { unbatched: true });
  const networks = (guest: number) => (guest < 3 ? ['192.0.2.9', '192.0.2.0/24'] : []);

  async function begin(): Promise<Twin> {
    const twin = { variants: await newVariants(4, 9, 3), guests: await newGuests(6) };
    for (const [index, guest] of twin.guests.entries()) {
      if (index % 2 === 0) await add(guest, twin.variants[1] ?? '', 1, networks(index));
    }
    return twin;
  }

  async function linesOf({ guests }: Twin): Promise<string[][]> {
    const carts = await Promise.all(guests.map((guest) => services.cart.find(guest)));
    return carts.map((cart) => cart?.lines.map(({ id }) => id) ?? []);
  }

  async function describeTwin({ variants, guests }: Twin) {
    const carts = await Promise.all(guests.map((guest) => services.cart.find(guest)));
    const ledger = await rowsOf<object>(
      services.db,
      `SELECT array_position($1::uuid[], variant_id) AS variant, reason, held_delta, held_after FROM stock_movements
        WHERE variant_id = ANY($1::uuid[]) ORDER BY variant, id`,
      [variants],
    );
    const told = await rowsOf<object>(
      services.db,
      `SELECT type, array_position($1::uuid[], subject_id) AS variant, payload->'available' AS available FROM event_log
        WHERE subject_id = ANY($1::uuid[]) ORDER BY variant, id`,
      [variants],
    );
    const held = await Promise.all(variants.map((id) => levelOf(id)));
    return {
      carts: carts.map(
        (cart) => cart && [cart.version, cart.lines.map((l) => [variants.indexOf(l.variantId), l.quantity])],
      ),
      ledger,
      // Events of crossed thresholds follow those of the steps, in one transaction.
      told: told.map((row) => JSON.stringify(row)).toSorted(),
      held,
    };
  }

  const send = (
    { cart }: TestServices,
    { guests, variants }: Twin,
    lines: string[][],
    plan: Plan,
  ): Promise<CartResult> => {
    const owner = guests[plan.guest] ?? null;
    const path = { variantPath: [], quantityPath: [], idPath: [] };
    if (plan.kind === 'add') {
      const { variant, quantity, guest } = plan;
      return cart.addLines(owner, [{ ...path, variantId: variants[variant] ?? '', quantity }], networks(guest));
    }
    const id = lines[plan.guest]?.[plan.line] ?? variants[0] ?? '';
    return cart.updateLines(owner, [{ ...path, id, quantity: plan.quantity }], networks(plan.guest));
  };

  /** One command of each owner at a time shares a transaction with those of others. */
  function inTurns(given: Plan[]): Plan[] {
    const left = [...given];
    const order: Plan[] = [];
    while (left.length > 0) {
      const owners = new Set<number>();
      for (const plan of [...left]) {
        if (owners.has(plan.guest)) continue;
        owners.add(plan.guest);
        order.push(...left.splice(left.indexOf(plan), 1));
      }
    }
    return order;
  }

  const property = fc.asyncProperty(plans, async (given) => {
    const [one, other] = [await begin(), await begin()];
    const [lines, otherLines] = [await linesOf(one), await linesOf(other)];
    const order = inTurns(given);
    const settled = await together(() => given.map((plan) => send(services, one, lines, plan)));
    const answers = new Map(given.map((plan, index) => [plan, settled[index]]));
    const expected: string[] = [];
    for (const plan of order) {
      const [each] = await Promise.allSettled([send(unbatched, other, otherLines, plan)]);
      expected.push(codesOf(each));
    }
    const found = order.map((plan) => answers.get(plan)).map((each) => (each === undefined ? '' : codesOf(each)));
    expect(found).toEqual(expected);
    expect(await describeTwin(one)).toEqual(await describeTwin(other));
  });
  await fc.assert(property, { numRuns: sized({ inCi: 25, daily: 8 }) });
  await unbatched.dispose();
});
