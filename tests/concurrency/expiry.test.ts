import { beforeEach, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/modules/user-error.ts';
import { holdCarts, holdVariants, watchLocks, type LockWatch } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { levelOf, makeOverdue, makeProduct, makeVariant } from '../support/fixtures.ts';
import { fillOverdueCarts } from '../support/overdue-carts.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newGuest, openServices, type TestServices, type TestServicesOptions } from '../support/services.ts';

let database: TestDatabase;
let opened: TestServices[];
let watch: LockWatch;

/** As one more process on the same database. */
function open(options: TestServicesOptions = {}): TestServices {
  const services = openServices(database.url, options);
  opened.push(services);
  return services;
}

// A database for each test: expiry is about all carts that there are.
beforeEach(async () => {
  database = await createTestDatabase();
  opened = [];
  watch = await watchLocks(open().db);
  return async () => {
    await watch[Symbol.asyncDispose]();
    await Promise.all(opened.map((services) => services.dispose()));
    await database.dispose();
  };
});

function wanted(variantId: string, quantity: number) {
  return { variantId, quantity, variantPath: [], quantityPath: ['lines', '0', 'quantity'] };
}

/** The codes with which a command is refused; empty where it is not. */
async function codesOf(command: Promise<unknown>): Promise<string[]> {
  try {
    await command;
    return [];
  } catch (error) {
    if (error instanceof Refusal) return error.errors.map((fault) => fault.code);
    throw error;
  }
}

async function statusesOf({ db }: TestServices, cartIds: readonly string[]): Promise<string[]> {
  const rows = await rowsOf<{ id: string; status: string }>(db, 'SELECT id, status FROM carts');
  return cartIds.map((id) => rows.find((row) => row.id === id)?.status ?? 'none');
}

// With 10,000 of them, and how long that takes: `npm run bench:promises -- --only expiry`.
describe('many overdue carts', () => {
  const CARTS = 1_000;
  const VARIANTS = 40;
  const BATCH = 500;
  /** Of each batch, beside finding it: holds, locks, levels with their ledger, carts, events. */
  const STATEMENTS = 5;

  async function prepare() {
    const services = open();
    const { variants } = await makeProduct(services, {
      variants: Array.from({ length: VARIANTS }, () => ({ onHand: CARTS })),
    });
    const variantIds = variants.map((variant) => variant.id);
    const { cartIds, units } = await fillOverdueCarts(services, CARTS, variantIds);
    expect(await findFaults(services.db)).toEqual([]);
    return { services, cartIds, units };
  }

  async function expectEachReleasedOnce({ db }: TestServices, units: number): Promise<void> {
    expect(
      await rowsOf(db, 'SELECT status, version, count(*)::int AS carts FROM carts GROUP BY status, version'),
    ).toEqual([{ status: 'EXPIRED', version: 3, carts: CARTS }]);
    const releases = `WITH released AS (
        SELECT cart_id, variant_id, count(*) AS times, -sum(held_delta) AS units FROM stock_movements WHERE reason = 'RELEASE' GROUP BY cart_id, variant_id
      )
      SELECT count(*) FILTER (WHERE r.times = 1 AND r.units = l.quantity)::int AS once, count(*)::int AS all, sum(r.units)::int AS units
        FROM cart_lines l FULL JOIN released r ON r.cart_id = l.cart_id AND r.variant_id = l.variant_id`;
    const [released] = await rowsOf<{ once: number; all: number; units: number }>(db, releases);
    expect(released).toEqual({ once: released?.all, all: released?.once, units });
    expect(await rowsOf(db, 'SELECT sum(held)::int AS held FROM product_variants')).toEqual([{ held: 0 }]);
    expect(await findFaults(db)).toEqual([]);
  }

  test.each([1, 2])(
    'are expired by %i at once in batches of 500, with as many statements as for one, each unit released once',
    async (processes) => {
      const { services, units } = await prepare();
      const statements: string[] = [];
      const workers = Array.from({ length: processes }, () => open({ before: (name) => void statements.push(name) }));

      const released = await Promise.all(workers.map((worker) => worker.cart.expireOverdue()));

      // (Each process looks once more and finds nothing. Where they share the carts, the last batches may be smaller.)
      const batches = statements.filter((name) => name === 'cart_expire').length;
      expect(batches).toBeGreaterThanOrEqual(CARTS / BATCH);
      expect(batches).toBeLessThan(CARTS / BATCH + processes);
      const looks = statements.filter((name) => name === 'cart_lock_overdue').length;
      expect(looks).toBe(batches + processes);
      expect((statements.length - looks) / batches).toBe(STATEMENTS);
      expect(released.reduce((sum, share) => sum + share.carts, 0)).toBe(CARTS);
      expect(released.reduce((sum, share) => sum + share.units, 0)).toBe(units);
      await expectEachReleasedOnce(services, units);
      expect(await services.cart.expireOverdue()).toEqual({ carts: 0, units: 0 });
    },
  );
});

describe('a command that finds too few units', () => {
  /** Guests who hold so many units each; in order of their carts' ids. */
  async function holders(services: TestServices, variantId: string, quantities: readonly number[]) {
    const made: { guestId: string; cartId: string }[] = [];
    for (const quantity of quantities) {
      const guest = await newGuest(services);
      const { cart } = await services.cart.addLines(guest, [wanted(variantId, quantity)]);
      made.push({ ...guest, cartId: cart.id });
    }
    return made.toSorted((a, b) => (a.cartId < b.cartId ? -1 : 1));
  }

  test('has as few overdue carts expired as cover the shortage', async () => {
    const services = open();
    const variantId = (await makeVariant(services, { onHand: 11 })).id;
    const cartIds = (await holders(services, variantId, [2, 2, 2, 2, 2])).map((holder) => holder.cartId);
    await makeOverdue(services);

    const { cart } = await services.cart.addLines(await newGuest(services), [wanted(variantId, 4)]);

    expect(cart.lines).toMatchObject([{ variantId, quantity: 4 }]);
    // One unit was free, three were short.
    expect(await statusesOf(services, cartIds)).toEqual(['EXPIRED', 'EXPIRED', 'ACTIVE', 'ACTIVE', 'ACTIVE']);
    expect(await levelOf(services, variantId)).toEqual({ onHand: 11, held: 10, available: 1 });
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('leaves carts alone that are not overdue, and says what is free', async () => {
    const services = open();
    const variantId = (await makeVariant(services, { onHand: 6 })).id;
    const [first, second, third] = await holders(services, variantId, [2, 1, 2]);
    await makeOverdue(services, [second?.cartId ?? '']);

    const refused = services.cart.addLines(await newGuest(services), [wanted(variantId, 3)]);

    await expect(refused).rejects.toMatchObject({
      errors: [{ code: 'INSUFFICIENT_STOCK', variantId, requested: 3, available: 2 }],
    });
    const cartIds = [first, second, third].map((holder) => holder?.cartId ?? '');
    expect(await statusesOf(services, cartIds)).toEqual(['ACTIVE', 'EXPIRED', 'ACTIVE']);
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('takes what it needs of several variants in one go', async () => {
    const services = open();
    const plenty = (await makeVariant(services, { onHand: 5 })).id;
    const scarce = (await makeVariant(services, { onHand: 2 })).id;
    const other = (await makeVariant(services, { onHand: 3 })).id;
    await holders(services, scarce, [2]);
    await holders(services, other, [1, 1, 1]);
    await makeOverdue(services);

    const { cart } = await services.cart.addLines(await newGuest(services), [
      wanted(plenty, 1),
      wanted(scarce, 2),
      wanted(other, 2),
    ]);

    expect(cart.lines.map((line) => line.quantity)).toEqual([1, 2, 2]);
    expect((await levelOf(services, other)).available).toBe(0);
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('serves an update and a reclaim in the same way', async () => {
    const services = open();
    const variantId = (await makeVariant(services, { onHand: 4 })).id;
    const [holder] = await holders(services, variantId, [3]);
    const updater = await newGuest(services);
    const { cart } = await services.cart.addLines(updater, [wanted(variantId, 1)]);
    await makeOverdue(services, [holder?.cartId ?? '']);

    const line = { id: cart.lines[0]?.id ?? '', quantity: 4, idPath: [], quantityPath: [] };
    expect((await services.cart.updateLines(updater, [line])).cart.lines).toMatchObject([{ quantity: 4 }]);
    await makeOverdue(services, [cart.id]);
    const reclaimed = await services.cart.reclaim({ guestId: holder?.guestId ?? '' }, holder?.cartId ?? '', ['cartId']);

    expect(reclaimed).toMatchObject({ notices: [], cart: { status: 'ACTIVE', lines: [{ quantity: 3 }] } });
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('waits for an overdue cart that someone else has locked: nobody is refused for a hold that is over', async () => {
    const services = open();
    const variantId = (await makeVariant(services, { onHand: 2 })).id;
    const [holder] = await holders(services, variantId, [2]);
    await makeOverdue(services);
    await using barrier = await holdCarts(services.db, holder?.cartId ?? '');

    const add = services.cart.addLines(await newGuest(services), [wanted(variantId, 2)]);
    await watch.untilWaiting(1, 'FROM carts');
    await barrier.release();

    expect((await add).cart.lines).toMatchObject([{ quantity: 2 }]);
    expect(await statusesOf(services, [holder?.cartId ?? ''])).toEqual(['EXPIRED']);
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('is not refused where another process expires that very cart meanwhile', async () => {
    const services = open();
    const expirer = open();
    const variantId = (await makeVariant(services, { onHand: 2 })).id;
    const other = (await makeVariant(services, { onHand: 2 })).id;
    const guest = await newGuest(services);
    await services.cart.addLines(guest, [wanted(variantId, 2), wanted(other, 1)]);
    await makeOverdue(services);
    // The expirer has the cart, and gets no further.
    await using barrier = await holdVariants(services.db, other);
    const expiry = expirer.cart.expireOverdue();
    await watch.untilWaiting(1, 'FROM product_variants');

    // It waits for the variant, which the expirer locked on its way, or for the cart: whichever comes first by id.
    const add = services.cart.addLines(await newGuest(services), [wanted(variantId, 2)]);
    await watch.untilWaiting(2);
    await barrier.release();

    expect(await expiry).toEqual({ carts: 1, units: 3 });
    expect((await add).cart.lines).toMatchObject([{ quantity: 2 }]);
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('is not refused where the cart is expired between its look at the stock and its look for overdue carts', async () => {
    const services = open();
    const variantId = (await makeVariant(services, { onHand: 2 })).id;
    await holders(services, variantId, [2]);
    await makeOverdue(services);
    let expiry: Promise<unknown> | undefined;
    const slow = open({
      async before(statement) {
        if (statement !== 'cart_overdue_holding' || expiry !== undefined) return;
        // Another process expires it, or comes as far as the locks that the command has by now let it.
        expiry = services.cart.expireOverdue();
        await Promise.race([expiry, watch.untilWaiting(1).catch(() => {})]);
      },
    });

    const { cart } = await slow.cart.addLines(await newGuest(services), [wanted(variantId, 2)]);

    expect(await expiry).toMatchObject({ carts: expect.any(Number) as number });
    expect(cart.lines).toMatchObject([{ quantity: 2 }]);
    expect(await levelOf(services, variantId)).toEqual({ onHand: 2, held: 2, available: 0 });
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('is not refused in a crowd, where others are as quick: 16 buyers, 16 units in 16 overdue carts', async () => {
    const CROWD = 16;
    const services = open({ poolSize: 10 });
    const variantId = (await makeVariant(services, { onHand: CROWD })).id;
    await holders(
      services,
      variantId,
      Array.from({ length: CROWD }, () => 1),
    );
    const buyers = await Promise.all(Array.from({ length: CROWD }, () => newGuest(services)));
    await makeOverdue(services);

    const codes = await Promise.all(
      buyers.map((buyer) => codesOf(services.cart.addLines(buyer, [wanted(variantId, 1)]))),
    );

    expect(codes.flat()).toEqual([]);
    expect(await levelOf(services, variantId)).toEqual({ onHand: CROWD, held: CROWD, available: 0 });
    expect(await findFaults(services.db)).toEqual([]);
  });
});

describe('a cart past its time', () => {
  async function overdueCart(services: TestServices) {
    const variantId = (await makeVariant(services, { onHand: 5 })).id;
    const guest = await newGuest(services);
    const { cart } = await services.cart.addLines(guest, [wanted(variantId, 2)]);
    await makeOverdue(services);
    return { variantId, guest, cart };
  }

  const order = { idempotencyKey: 'key', email: 'guest@example.com', shippingAddress: null, expectedTotalMinor: null };

  test('is EXPIRED to every reader and writer although its row says ACTIVE', async () => {
    const services = open();
    const { variantId, guest, cart } = await overdueCart(services);
    const line = { id: cart.lines[0]?.id ?? '', quantity: 1, idPath: [], quantityPath: [] };

    expect(await services.cart.find(guest)).toMatchObject({ id: cart.id, status: 'EXPIRED' });
    expect(await services.cart.byIds([cart.id])).toMatchObject([{ status: 'EXPIRED' }]);
    expect(await codesOf(services.orders.checkout(guest, order))).toEqual(['CART_EXPIRED']);
    expect(await codesOf(services.cart.updateLines(guest, [line]))).toEqual(['CART_EXPIRED']);
    expect(await codesOf(services.cart.setEmail(guest, 'guest@example.com'))).toEqual(['CART_EXPIRED']);
    expect(await statusesOf(services, [cart.id])).toEqual(['ACTIVE']);
    expect(await levelOf(services, variantId)).toEqual({ onHand: 5, held: 2, available: 3 });

    const next = await services.cart.addLines(guest, [wanted(variantId, 5)]);
    expect(next.cart.id).not.toBe(cart.id);
    expect(await statusesOf(services, [cart.id, next.cart.id])).toEqual(['EXPIRED', 'ACTIVE']);
    expect(await findFaults(services.db)).toEqual([]);
  });

  /** A cart whose time is nearly up, and a command that waits for the variant's lock until after that. */
  async function overtaken<T>(
    services: TestServices,
    command: (guest: { guestId: string }, lineId: string) => Promise<T>,
  ) {
    const variantId = (await makeVariant(services, { onHand: 5 })).id;
    const guest = await newGuest(services);
    const { cart } = await services.cart.addLines(guest, [wanted(variantId, 2)]);
    await using barrier = await holdVariants(services.db, variantId);
    const [moved] = await rowsOf<{ expiresAt: Date }>(
      services.db,
      `UPDATE carts SET expires_at = date_trunc('milliseconds', clock_timestamp()) + interval '1 second' WHERE id = $1
       RETURNING expires_at AS "expiresAt"`,
      [cart.id],
    );
    if (moved === undefined) throw new Error('no cart');
    const outcome = command(guest, cart.lines[0]?.id ?? '').then(
      (result) => ({ result, codes: [] as string[] }),
      (error: Refusal) => ({ result: null, codes: error.errors.map((fault) => fault.code) }),
    );
    await watch.untilWaiting(1, 'FROM product_variants');
    const [early] = await rowsOf<{ early: boolean }>(services.db, 'SELECT clock_timestamp() < $1 AS early', [
      moved.expiresAt,
    ]);
    expect(early).toEqual({ early: true }); // it found the cart live
    await watch.untilPast(moved.expiresAt);
    await barrier.release();
    return { variantId, cartId: cart.id, ...(await outcome) };
  }

  test('is seen as expired by an update that waited for stock while its time ran out', async () => {
    const services = open();
    const { variantId, cartId, codes } = await overtaken(services, (guest, id) =>
      services.cart.updateLines(guest, [{ id, quantity: 3, idPath: [], quantityPath: [] }]),
    );
    expect(codes).toEqual(['CART_EXPIRED']);
    expect(await levelOf(services, variantId)).toEqual({ onHand: 5, held: 2, available: 3 });
    expect(await services.cart.expireOverdue()).toEqual({ carts: 1, units: 2 });
    expect(await statusesOf(services, [cartId])).toEqual(['EXPIRED']);
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('is seen as expired by a checkout that waited for stock while its time ran out', async () => {
    const services = open();
    const { variantId, codes } = await overtaken(services, (owner) => services.orders.checkout(owner, order));
    expect(codes).toEqual(['CART_EXPIRED']);
    expect(await levelOf(services, variantId)).toEqual({ onHand: 5, held: 2, available: 3 });
    expect(await rowsOf(services.db, 'SELECT id FROM orders')).toEqual([]);
    expect(await services.cart.expireOverdue()).toEqual({ carts: 1, units: 2 });
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('is given back, and another begun, by an add that waited for stock while its time ran out', async () => {
    const services = open();
    let variant = '';
    const { variantId, cartId, codes, result } = await overtaken(services, async (guest) => {
      [{ id: variant }] = (await rowsOf<{ id: string }>(services.db, 'SELECT id FROM product_variants')) as [
        { id: string },
      ];
      return services.cart.addLines(guest, [wanted(variant, 4)]);
    });
    expect(codes).toEqual([]);
    expect(result?.cart).toMatchObject({ status: 'ACTIVE', lines: [{ variantId, quantity: 4 }] });
    expect(result?.cart.id).not.toBe(cartId);
    expect(await statusesOf(services, [cartId])).toEqual(['EXPIRED']);
    expect(await levelOf(services, variantId)).toEqual({ onHand: 5, held: 4, available: 1 });
    expect(await findFaults(services.db)).toEqual([]);
  });
});

describe('a hold', () => {
  const HOLD_MS = 900_000;
  const MAX_MS = 3_600_000;

  /** The instants of a cart as the database has them. */
  async function instantsOf({ db }: TestServices, cartId: string) {
    const [row] = await rowsOf<{ started: Date | null; expires: Date | null; updated: Date; booked: Date }>(
      db,
      `SELECT hold_started_at AS started, expires_at AS expires, updated_at AS updated,
              (SELECT max(occurred_at) FROM stock_movements m WHERE m.cart_id = c.id) AS booked FROM carts c WHERE id = $1`,
      [cartId],
    );
    if (row === undefined) throw new Error('no cart');
    return row;
  }

  function later(instant: Date | null | undefined, ms: number): Date {
    return new Date((instant?.getTime() ?? Number.NaN) + ms);
  }

  test('lasts so long after the last change of its cart, an hour in all', async () => {
    const services = open();
    const variantId = (await makeVariant(services, { onHand: 50 })).id;
    const guest = await newGuest(services);
    const add = () => services.cart.addLines(guest, [wanted(variantId, 1)]);

    const { cart } = await add();
    const first = await instantsOf(services, cart.id);
    expect(first).toMatchObject({
      started: first.booked,
      updated: first.booked,
      expires: later(first.booked, HOLD_MS),
    });
    expect(cart.expiresAt).toEqual(first.expires);

    // Reading changes nothing.
    await services.cart.find(guest);
    await services.cart.byIds([cart.id]);
    expect(await instantsOf(services, cart.id)).toEqual(first);

    // A change extends it, from that change on.
    await add();
    const second = await instantsOf(services, cart.id);
    expect(second.booked.getTime()).toBeGreaterThan(first.booked.getTime());
    expect(second).toMatchObject({ started: first.started, expires: later(second.booked, HOLD_MS) });

    // Not beyond the hour.
    await rowsOf(
      services.db,
      `UPDATE carts SET hold_started_at = date_trunc('milliseconds', hold_started_at - interval '50 minutes') WHERE id = $1`,
      [cart.id],
    );
    const before = await instantsOf(services, cart.id);
    await add();
    const third = await instantsOf(services, cart.id);
    expect(third).toMatchObject({ started: before.started, expires: later(before.started, MAX_MS) });
    expect(third.expires?.getTime()).toBeLessThan(later(third.booked, HOLD_MS).getTime());

    // Emptied, it holds nothing; with the next unit a new hold begins.
    const lines = (await services.cart.byIds([cart.id]))[0]?.lines ?? [];
    const empty = lines.map(({ id }) => ({ id, quantity: 0, idPath: [], quantityPath: [] }));
    expect((await services.cart.updateLines(guest, empty)).cart).toMatchObject({ expiresAt: null, lines: [] });
    expect(await services.cart.expireOverdue()).toEqual({ carts: 0, units: 0 });
    await add();
    const fourth = await instantsOf(services, cart.id);
    expect(fourth).toMatchObject({ started: fourth.booked, expires: later(fourth.booked, HOLD_MS) });
    expect(await findFaults(services.db)).toEqual([]);
  });

  test('lasts as long as the shop says, and begins anew when an expired cart is reclaimed', async () => {
    const services = open({ cart: { holdSeconds: 60, maxHoldSeconds: 90 } });
    const variantId = (await makeVariant(services, { onHand: 5 })).id;
    const guest = await newGuest(services);
    const { cart } = await services.cart.addLines(guest, [wanted(variantId, 1)]);
    expect(cart.expiresAt).toEqual(later((await instantsOf(services, cart.id)).booked, 60_000));
    await rowsOf(
      services.db,
      `UPDATE carts SET hold_started_at = date_trunc('milliseconds', hold_started_at - interval '45 seconds') WHERE id = $1`,
      [cart.id],
    );
    const { started } = await instantsOf(services, cart.id);
    expect((await services.cart.addLines(guest, [wanted(variantId, 1)])).cart.expiresAt).toEqual(
      later(started, 90_000),
    );

    await makeOverdue(services);
    const reclaimed = await services.cart.reclaim(guest, cart.id, ['cartId']);
    const instants = await instantsOf(services, cart.id);
    expect(instants.started).toEqual(instants.booked);
    expect(reclaimed.cart.expiresAt).toEqual(later(instants.booked, 60_000));
    expect(await findFaults(services.db)).toEqual([]);
  });
});
