import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { login, newPerson, newStaff, PASSWORD, type Person } from '../support/accounts.ts';
import { holdBarrier, holdVariants, watchLocks, type LockWatch } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { inCrowd } from '../support/buyer.ts';
import { levelOf, makeProduct, makeVariant, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { ERROR } from '../support/logs.ts';
import { buy, confirmAddress, guestWithOrder, orderLifeOf, type OrderLifeCaller } from '../support/order-life.ts';
import { openServices, type TestServices, type TestServicesOptions } from '../support/services.ts';
import { enter, shopperOf, rowId } from '../support/shopper.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: TestShop & World;
let watch: LockWatch;
let staff: Person;
let life: OrderLifeCaller;
beforeAll(async () => {
  const opened = await createTestShop({ env: { DATABASE_POOL_SIZE: '20' } });
  shop = { ...opened, eventLog: opened.app.eventLog };
  watch = await watchLocks(shop.db);
  staff = await newStaff(shop);
  life = orderLifeOf(staff.client);
});
afterEach(async () => {
  const faults = await findFaults(shop.db);
  const errors = shop.logs.filter((line) => line.level >= ERROR);
  if (faults.length + errors.length > 0) throw new Error(JSON.stringify({ faults, errors }, null, 2));
});
afterAll(async () => {
  await watch[Symbol.asyncDispose]();
  await shop.dispose();
});

const UNITS = 10;
let variant: Awaited<ReturnType<typeof makeVariant>>;
beforeEach(async () => {
  variant = await makeVariant(shop, { onHand: UNITS });
});

const placed = (quantity = 2) => guestWithOrder(shop, [{ sku: variant.sku, quantity }]);

const logIn = ({ email }: Person, token?: string) =>
  login(shop.client(token === undefined ? {} : { cartToken: token }), { email });

const holdOrder = (id: string) =>
  holdBarrier(shop.db, 'SELECT FROM orders WHERE id = $1 FOR NO KEY UPDATE', [rowId(id)]);

/** Use cases over a pool of their own, on the same database: one more process. */
function openProcess(options: TestServicesOptions = {}): TestServices {
  const { database } = shop.config;
  if (database.kind !== 'url') throw new Error('the shop has its own database');
  return openServices(database.url, options);
}

/** Sends one command, and when it waits at the order's lock the next one; then lets them go in that order. */
async function inOrder<A, B>(id: string, first: () => Promise<A>, second: () => Promise<B>): Promise<[A, B]> {
  await using barrier = await holdOrder(id);
  const one = first();
  await watch.untilWaiting(1, 'FROM orders');
  const other = second();
  await watch.untilWaiting(2, 'FROM orders');
  await barrier.release();
  return await Promise.all([one, other]);
}

/** A gate before a statement: whoever comes to it waits until it is opened. */
function gateAt(statement: string) {
  let arrive: () => void = () => {};
  let open: () => void = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const before = async (name: string) => {
    if (name !== statement) return;
    arrive();
    await opened;
  };
  return { arrived, before, open };
}

describe('a cancellation and a step of staff on one order', () => {
  test('the cancellation first: the step finds it cancelled', async () => {
    const { id, client } = await placed();
    const [cancelled, updated] = await inOrder(
      id,
      () => orderLifeOf(client).cancel({ id }),
      () => life.update({ id, status: 'FULFILLED' }),
    );
    expect(cancelled).toMatchObject({ order: { status: 'CANCELLED' }, errors: [] });
    expect(updated).toMatchObject({
      order: null,
      errors: [{ __typename: 'InvalidTransitionError', from: 'CANCELLED', to: 'FULFILLED' }],
    });
    expect(await levelOf(shop, variant.id)).toEqual({ onHand: UNITS, held: 0, available: UNITS });
  });

  test('the step first: the cancellation finds it sent, and nothing comes back', async () => {
    const { id, client } = await placed();
    const [updated, cancelled] = await inOrder(
      id,
      () => life.update({ id, status: 'FULFILLED' }),
      () => orderLifeOf(client).cancel({ id }),
    );
    expect(updated).toMatchObject({ order: { status: 'FULFILLED' }, errors: [] });
    expect(cancelled).toMatchObject({
      order: null,
      errors: [{ __typename: 'InvalidTransitionError', from: 'FULFILLED', to: 'CANCELLED' }],
    });
    expect(await levelOf(shop, variant.id)).toEqual({ onHand: UNITS - 2, held: 0, available: UNITS - 2 });
  });

  test('the cancellation in the midst of its work: the step waits for it', async () => {
    const { id, client } = await placed();
    await using barrier = await holdVariants(shop.db, variant.id);
    const cancelled = orderLifeOf(client).cancel({ id });
    await watch.untilWaiting(1, 'FROM product_variants');
    const updated = life.update({ id, status: 'FULFILLED' });
    await watch.untilWaiting(2);
    await barrier.release();
    expect((await cancelled).errors).toEqual([]);
    expect((await updated).errors).toMatchObject([{ from: 'CANCELLED', to: 'FULFILLED' }]);
  });

  test('have the time at which they got the lock, not that at which they asked for it', async () => {
    const { id, client } = await placed();
    await using barrier = await holdOrder(id);
    const updated = life.update({ id, status: 'FULFILLED' });
    await watch.untilWaiting(1, 'FROM orders');
    const [row] = await barrier.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    await barrier.release();
    expect(Date.parse(known((await updated).order).updatedAt)).toBeGreaterThanOrEqual(known(row).now.getTime());
    expect(await orderLifeOf(client).read({ id })).toMatchObject({ status: 'FULFILLED' });
  });

  test('a race of nine rounds: exactly one wins each time, and units come back at most once', async () => {
    const { id: variantId, sku } = await makeVariant(shop, { onHand: 100 });
    let cancelled = 0;
    for (let round = 0; round < 9; round += 1) {
      const { id, client } = await guestWithOrder(shop, [{ sku, quantity: 1 }]);
      const send = [
        () => orderLifeOf(client).cancel({ id }),
        () => life.update({ id, status: 'FULFILLED' }),
        () => life.cancel({ id }),
      ];
      // Each goes first now and then.
      const turned = [...send.slice(round % 3), ...send.slice(0, round % 3)];
      const answers = await Promise.all(turned.map((one) => one()));
      const winners = answers.filter((answer) => answer.errors.length === 0);
      expect(winners).toHaveLength(1);
      const status = known(winners[0]?.order).status;
      for (const { order, errors } of answers.filter((answer) => !winners.includes(answer))) {
        expect({ order, errors }).toMatchObject({
          order: null,
          errors: [{ code: 'INVALID_TRANSITION', from: status }],
        });
      }
      expect((await orderLifeOf(client).read({ id }))?.status).toBe(status);
      if (status === 'CANCELLED') cancelled += 1;
      expect(await levelOf(shop, variantId)).toMatchObject({ onHand: 100 - round - 1 + cancelled, held: 0 });
    }
  });
});

describe('the same cancellation', () => {
  test('sent twice at once: one is done, the other finds it done', async () => {
    const { id, client } = await placed(3);
    const send = () => orderLifeOf(client).cancel({ id });
    const [one, other] = await inOrder(id, send, send);
    expect(one.errors).toEqual([]);
    expect(other.errors).toMatchObject([{ code: 'INVALID_TRANSITION', from: 'CANCELLED', to: 'CANCELLED' }]);
    expect(await levelOf(shop, variant.id)).toEqual({ onHand: UNITS, held: 0, available: UNITS });
  });

  test('sent ten times at once: the units come back once', async () => {
    const { id, client } = await placed(3);
    const answers = await Promise.all(Array.from({ length: 10 }, () => orderLifeOf(client).cancel({ id })));
    expect(answers.filter((answer) => answer.errors.length === 0)).toHaveLength(1);
    expect(await levelOf(shop, variant.id)).toEqual({ onHand: UNITS, held: 0, available: UNITS });
  });
});

test('two payments at once are recorded once, and a payment after a cancellation is rejected', async () => {
  const { id, client } = await placed();
  const [one, other] = await inOrder(
    id,
    () => life.pay({ id }),
    () => life.pay({ id }),
  );
  expect([one.errors, other.errors]).toMatchObject([[], [{ code: 'INVALID_TRANSITION' }]]);
  const next = await placed();
  const [cancelled, paid] = await inOrder(
    next.id,
    () => orderLifeOf(next.client).cancel({ id: next.id }),
    () => life.pay({ id: next.id }),
  );
  expect(cancelled.errors).toEqual([]);
  expect(paid).toMatchObject({ order: null, errors: [{ code: 'INVALID_TRANSITION' }] });
  expect((await orderLifeOf(client).read({ id }))?.paymentStatus).toBe('PAID');
});

test('many cancellations over the same variants, beside checkouts of them: no deadlock, not even one that is retried', async () => {
  const { variants } = await makeProduct(shop, { variants: Array.from({ length: 5 }, () => ({ onHand: 1000 })) });
  const lines = (index: number) => {
    const all = variants.map(({ sku }) => ({ sku, quantity: 1 + (index % 3) }));
    // Some name the variants in the opposite order.
    return index % 2 === 0 ? all : all.toReversed();
  };
  const orders = await inCrowd(Array.from({ length: 20 }), 5, (_item, index) => guestWithOrder(shop, lines(index)));
  const guests = await inCrowd(Array.from({ length: 10 }), 5, async (_item, index) => {
    const guest = await enter(shop);
    expect((await guest.add(...lines(index))).errors).toEqual([]);
    return guest;
  });
  const processes = [openProcess(), openProcess()];
  try {
    const cancelling = inCrowd(orders, 20, async ({ id }, index) => {
      const { orders: service } = known(processes[index % 2]);
      await service.cancel(rowId(id), { by: 'VIEWER', owner: null, grantedOrderId: rowId(id), staffId: null }, null);
    });
    const buying = inCrowd(guests, 10, (guest) => guest.checkout({ idempotencyKey: 'one', email: 'g@example.com' }));
    await cancelling;
    expect((await buying).flatMap((answer) => answer.errors)).toEqual([]);
    expect(processes.flatMap(({ retries }) => retries)).toEqual([]);
  } finally {
    for (const process of processes) await process.dispose();
  }
  // 10 checkouts of 1 + index % 3 units of each variant: 4 × 1 + 3 × 2 + 3 × 3.
  for (const { id } of variants) {
    expect(await levelOf(shop, id)).toEqual({ onHand: 1000 - 19, held: 0, available: 1000 - 19 });
  }
});

describe('a log-in by which guests’ orders join', () => {
  async function confirmed() {
    const ada = await newPerson(shop);
    await confirmAddress(shop, ada);
    return ada;
  }
  const enterAs = (services: TestServices, { email }: Person, guestId: string | null = null) =>
    services.accounts.login({ email, password: PASSWORD }, { userAgent: null, guestId });
  const ownerOf = async (id: string) => {
    const [row] = await rowsOf<{ userId: string | null; guestId: string | null }>(
      shop.db,
      'SELECT user_id AS "userId", guest_id AS "guestId" FROM orders WHERE id = $1',
      [rowId(id)],
    );
    return known(row);
  };

  test('takes the locks of orders before those of variants, as a cancellation does', async () => {
    const ada = await confirmed();
    const order = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], { email: ada.email });
    // The guest's cart does not fit the user's: two units go back to stock in the log-in.
    await shopperOf(ada.client).add({ sku: variant.sku, quantity: 3 });
    await shopperOf(order.client).add({ sku: variant.sku, quantity: 2 });
    const { guestId } = await ownerOf(order.id);
    const process = openProcess({ cart: { maxUnitsPerVariant: 3 } });
    try {
      await using barrier = await holdVariants(shop.db, variant.id);
      const cancelled = orderLifeOf(order.client).cancel({ id: order.id });
      await watch.untilWaiting(1, 'FROM product_variants');
      const entered = enterAs(process, ada, guestId);
      // The log-in waits for the order, which the cancellation has, and has no variant that the other one wants.
      const waiting = async (table: string) =>
        (await watch.waiters()).filter((query) => query.includes(`FROM ${table}`));
      await until('the log-in waits for the order', async () => (await waiting('orders')).length === 1);
      expect(await waiting('product_variants')).toHaveLength(1);
      await barrier.release();
      expect((await cancelled).errors).toEqual([]);
      expect((await entered).cartNotices).toMatchObject([{ code: 'LIMIT_EXCEEDED' }]);
      expect(process.retries).toEqual([]);
    } finally {
      await process.dispose();
    }
    expect(await ownerOf(order.id)).toEqual({ userId: rowId(ada.userId), guestId: null });
    expect(await levelOf(shop, variant.id)).toEqual({ onHand: UNITS, held: 3, available: UNITS - 3 });
  });

  test('before the guest’s cancellation: the order is not the guest’s any more', async () => {
    const ada = await confirmed();
    const { id, client } = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], { email: ada.email });
    const gate = gateAt('session_insert');
    const process = openProcess({ before: gate.before });
    try {
      const entered = enterAs(process, ada);
      await gate.arrived;
      const cancelled = orderLifeOf(client).cancel({ id });
      await watch.untilWaiting(1, 'FROM orders');
      gate.open();
      await entered;
      expect(await cancelled).toMatchObject({ order: null, errors: [{ code: 'NOT_FOUND', path: ['id'] }] });
    } finally {
      gate.open();
      await process.dispose();
    }
    expect((await life.read({ id }))?.status).toBe('PLACED');
  });

  test('twice at once: each order joins once', async () => {
    const ada = await confirmed();
    const orders = [
      await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], { email: ada.email }),
      await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], { email: ada.email }),
    ];
    await using barrier = await holdOrder(known(orders[0]).id);
    const both = Promise.all([logIn(ada), logIn(ada)]);
    // One waits for the order, the other one for the user.
    await watch.untilWaiting(2);
    await barrier.release();
    expect((await both).flatMap((auth) => auth.errors)).toEqual([]);
    for (const { id } of orders) expect((await ownerOf(id)).userId).toBe(rowId(ada.userId));
  });

  test('beside the guest’s own checkout: it waits for the cart, and the new order joins', async () => {
    const ada = await confirmed();
    const guest = await enter(shop);
    await guest.add({ sku: variant.sku, quantity: 1 });
    await using barrier = await holdVariants(shop.db, variant.id);
    const buying = guest.checkout({ idempotencyKey: 'a key', email: ada.email });
    await watch.untilWaiting(1, 'FROM product_variants');
    const entering = logIn(ada, guest.token);
    await watch.untilWaiting(2);
    await barrier.release();
    const { order } = await buying;
    expect((await entering).errors).toEqual([]);
    expect((await ownerOf(known(order).id)).userId).toBe(rowId(ada.userId));
  });

  test('beside another guest’s checkout: it waits for nothing, and the order joins at the next', async () => {
    const ada = await confirmed();
    const guest = await enter(shop);
    await guest.add({ sku: variant.sku, quantity: 1 });
    await using barrier = await holdVariants(shop.db, variant.id);
    const buying = guest.checkout({ idempotencyKey: 'a key', email: ada.email });
    await watch.untilWaiting(1, 'FROM product_variants');
    expect((await logIn(ada)).errors).toEqual([]);
    await barrier.release();
    const { id } = known((await buying).order);
    expect((await ownerOf(id)).userId).toBeNull();
    expect((await logIn(ada)).errors).toEqual([]);
    expect((await ownerOf(id)).userId).toBe(rowId(ada.userId));
  });

  test('while the user checks out under a guest’s key: the guest’s order gets another one', async () => {
    const ada = await confirmed();
    const idempotencyKey = 'one and the same';
    const theirs = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], {
      email: ada.email,
      idempotencyKey,
    });
    await shopperOf(ada.client).add({ sku: variant.sku, quantity: 2 });
    // The order is inserted, and not committed yet.
    const gate = gateAt('inventory_apply');
    const [buyer, enterer] = [openProcess({ before: gate.before }), openProcess()];
    try {
      const request = { idempotencyKey, email: ada.email, shippingAddress: null, expectedTotalMinor: null };
      const buying = buyer.orders.checkout({ userId: rowId(ada.userId) }, request);
      await gate.arrived;
      const entering = enterAs(enterer, ada);
      await watch.untilWaiting(1, 'joining');
      gate.open();
      const [own] = await Promise.all([buying, entering]);
      expect(enterer.retries).toEqual(['RetryTransaction']);
      const keys = await rowsOf<{ id: string; key: string }>(
        shop.db,
        'SELECT id, idempotency_key AS key FROM orders WHERE user_id = $1 ORDER BY placed_at',
        [rowId(ada.userId)],
      );
      expect(keys).toEqual([
        { id: rowId(theirs.id), key: expect.stringMatching(/^joined /) },
        { id: own.id, key: idempotencyKey },
      ]);
    } finally {
      gate.open();
      await buyer.dispose();
      await enterer.dispose();
    }
  });

  test('just before the user checks out with the key of the guest: the checkout gets IDEMPOTENCY_KEY_REUSED', async () => {
    const ada = await confirmed();
    const idempotencyKey = 'one and the same';
    const theirs = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], {
      email: ada.email,
      idempotencyKey,
    });
    await shopperOf(ada.client).add({ sku: variant.sku, quantity: 2 });
    const gate = gateAt('session_insert');
    const [enterer, buyer] = [openProcess({ before: gate.before }), openProcess()];
    try {
      const entering = enterAs(enterer, ada);
      await gate.arrived;
      const request = {
        idempotencyKey,
        email: null,
        accountEmail: ada.email,
        shippingAddress: null,
        expectedTotalMinor: null,
      };
      const buying = buyer.orders.checkout({ userId: rowId(ada.userId) }, request);
      const refused = buying.catch((error: unknown) => error);
      await watch.untilWaiting(1, 'INSERT INTO orders');
      gate.open();
      await entering;
      expect(await refused).toMatchObject({ errors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
      expect(buyer.retries).toEqual(['RetryTransaction']);
    } finally {
      gate.open();
      await enterer.dispose();
      await buyer.dispose();
    }
    expect((await ownerOf(theirs.id)).userId).toBe(rowId(ada.userId));
    expect((await shopperOf(ada.client).cart())?.totalQuantity).toBe(2);
  });
});

test('the confirmation of an address beside a log-in: both are done, one after the other', async () => {
  const ada = await newPerson(shop);
  const order = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], { email: ada.email });
  const own = await buy(ada.client, [{ sku: variant.sku, quantity: 1 }]);
  const token = await shop.app.services.accounts.emailConfirmationToken(rowId(ada.userId));
  await using barrier = await holdBarrier(shop.db, 'SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [
    rowId(ada.userId),
  ]);
  const confirming = shop
    .client()
    .data('mutation ($token: String!) { emailVerify(input: { token: $token }) { errors { code } } }', {
      token,
    });
  await watch.untilWaiting(1, 'FROM users');
  const entering = logIn(ada, order.token);
  await watch.untilWaiting(2, 'FROM users');
  await barrier.release();
  expect(await confirming).toEqual({ emailVerify: { errors: [] } });
  expect((await entering).user).toMatchObject({ emailVerified: true });
  const query = '{ me { orders { nodes { id } } } }';
  expect(await ada.client.data(query)).toEqual({ me: { orders: { nodes: [{ id: own.id }, { id: order.id }] } } });
});
