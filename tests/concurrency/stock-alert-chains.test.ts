import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLocalBus } from '../../src/events/bus.ts';
import { startConsumers, type Consumers } from '../../src/events/consumers.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { productChanged } from '../../src/modules/catalog/catalog.events.ts';
import { backInStock } from '../../src/modules/inventory/inventory.events.ts';
import { createStockAlertConsumer } from '../../src/modules/stock-alerts/stock-alert-chains.ts';
import { createStockAlertJob, startStockAlertSweep } from '../../src/modules/stock-alerts/stock-alert.jobs.ts';
import { holdBarrier, holdVariants, watchLocks, type LockWatch } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { archiveVariant, makeVariant, setStatus } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { recordLogs, WARN } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newGuest, openServices, type TestServices } from '../support/services.ts';
import { recordStatements } from '../support/statements.ts';
import { alertsOf, chainsOf, mailsOf, makeDue, restock, signUpMany } from '../support/stock-alerts.ts';
import { until } from '../support/until.ts';

const { logger, logs } = recordLogs();
const bus = { ...createLocalBus(), subscribe: () => Promise.resolve(() => {}) };

let database: TestDatabase;
let shop: TestServices;
let other: TestServices;
let relay: Relay;
let consumers: Consumers;
let locks: LockWatch;
/** The jobs that were enqueued: for which variant, and with which delay in milliseconds. */
let nudges: [string, number][];

// Nothing here happens by itself: `settle` has events handled, and `notifyNext` does batches.
beforeEach(async () => {
  database = await createTestDatabase();
  nudges = [];
  shop = openServices(database.url, { nudges: { stockAlerts: (...nudge) => void nudges.push(nudge) } });
  other = openServices(database.url);
  relay = startRelay({ db: shop.db, bus, logger });
  const settings = { pollMs: 3_600_000, backoffMs: 1 };
  const consumer = createStockAlertConsumer(shop.stockAlerts);
  consumers = startConsumers({ db: shop.db, bus, logger, settings, consumers: [consumer] });
  await consumers.flush();
  locks = await watchLocks(shop.db);
  logs.length = 0;
});
afterEach(async () => {
  await locks[Symbol.asyncDispose]();
  await consumers[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
  const faults = await findFaults(shop.db);
  await Promise.all([shop.dispose(), other.dispose()]);
  await database.dispose();
  const complaints = logs.filter((line) => line.level >= WARN).map((line) => line.msg);
  if (faults.length + complaints.length > 0) throw new Error([...faults, ...complaints].join('\n'));
});

/** Has all that happened so far taken notice of. */
async function settle(): Promise<void> {
  await relay.flush();
  await consumers.flush();
}

/** A variant that is sold out, and for which so many wait, all of whom signed up in the order of their addresses. */
async function waitedFor(count: number): Promise<string> {
  const { id } = await makeVariant(shop, { onHand: 0 });
  await signUpMany(shop.db, id, count);
  return id;
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `waiter-${String(from + index).padStart(6, '0')}@example.com`);

const signUp = (variantId: string, email: string, by: TestServices = shop) =>
  by.stockAlerts.create({ variantId, email, owner: null });

/** An account with its settings; gives its id. */
async function userWith(email: string, mailsOff: string[]): Promise<string> {
  const [row] = await rowsOf<{ id: string }>(
    shop.db,
    `INSERT INTO users (id, email, name, password_hash, mails_off, created_at, updated_at)
     VALUES (gen_random_uuid(), $1, 'Ada', '$2b$04$' || repeat('x', 53), $2, now(), now()) RETURNING id`,
    [email, mailsOff],
  );
  return known(row).id;
}

describe('when a variant comes back', () => {
  test('as many are notified as there are units, in the order of their alerts, then as many as are left', async () => {
    const id = await waitedFor(10);
    await restock(shop, id, 4);
    await settle();
    expect(nudges).toEqual([[id, 0]]);
    expect(await alertsOf(shop.db, id)).toMatchObject({ notified: [] });
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 4 });
    expect(nudges.slice(1)).toEqual([[id, 300_000]]);
    expect(await alertsOf(shop.db, id)).toEqual({ notified: names(1, 4), waiting: names(5, 10) });
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 4));

    // Too early: nothing. One unit is gone meanwhile.
    const early = await shop.stockAlerts.notifyNext(id);
    expect(early).toEqual({ state: 'NOT_NOW', notified: 0, dueInMs: expect.any(Number) as number });
    expect('dueInMs' in early && known(early.dueInMs) > 290_000 && known(early.dueInMs) <= 300_000).toBe(true);
    await restock(shop, id, -1);
    await makeDue(shop.db, id);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 3 });
    await makeDue(shop.db, id);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 3 });
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 10));
    expect(await chainsOf(shop.db)).toEqual([]);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'NOT_NOW', notified: 0, dueInMs: null });
    expect(
      await rowsOf(shop.db, `SELECT DISTINCT data ? 'alertId' AS "byId", user_id AS "userId", template FROM mails`),
    ).toEqual([{ byId: true, userId: null, template: 'back-in-stock' }]);
  });

  test('the chain ends when it is sold out again; the next restock goes on with the next in turn', async () => {
    const id = await waitedFor(6);
    await restock(shop, id, 2);
    await settle();
    await shop.stockAlerts.notifyNext(id);
    await restock(shop, id, -2);
    await makeDue(shop.db, id);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 0 });
    expect(await chainsOf(shop.db)).toEqual([]);
    expect(await alertsOf(shop.db, id)).toEqual({ notified: names(1, 2), waiting: names(3, 6) });

    await restock(shop, id, 3);
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 3 });
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 5));
  });

  test('units that a cart gives back count as well', async () => {
    const { id } = await makeVariant(shop, { onHand: 1 });
    const owner = await newGuest(shop);
    const line = { variantId: id, quantity: 1, variantPath: [], quantityPath: [] };
    const { cart } = await shop.cart.addLines(owner, [line]);
    await signUp(id, 'ada@example.com');
    await settle();
    expect(await chainsOf(shop.db)).toEqual([]);
    await shop.cart.updateLines(owner, [{ id: known(cart.lines[0]).id, quantity: 0, idPath: [], quantityPath: [] }]);
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 1 });
  });

  test('alerts for other variants, canceled alerts and notified ones are left out', async () => {
    const [id, elsewhere] = [await waitedFor(3), await waitedFor(3)];
    await rowsOf(shop.db, `UPDATE stock_alerts SET status = 'CANCELLED' WHERE variant_id = $1 AND email = $2`, [
      id,
      names(2, 2)[0],
    ]);
    await restock(shop, id, 10);
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 2 });
    expect(await mailsOf(shop.db, id)).toEqual([...names(1, 1), ...names(3, 3)]);
    expect(await alertsOf(shop.db, elsewhere)).toEqual({ notified: [], waiting: names(1, 3) });

    await restock(shop, id, -10);
    await signUp(id, known(names(1, 1)[0]));
    await restock(shop, id, 10);
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 1 });
    expect((await mailsOf(shop.db, id)).filter((email) => email === names(1, 1)[0])).toHaveLength(2);
  });

  test('where nobody waits there is no chain, and no nudge', async () => {
    const { id } = await makeVariant(shop, { onHand: 0 });
    await restock(shop, id, 5);
    await settle();
    expect([await chainsOf(shop.db), nudges]).toEqual([[], []]);
  });

  test('the mail is the account’s where it goes to the account’s address, and nobody’s where it goes elsewhere', async () => {
    const { id } = await makeVariant(shop, { onHand: 0 });
    const ada = await userWith('Ada@example.com', []);
    const owner = { id: ada, email: 'Ada@example.com', emailVerifiedAt: null };
    for (const email of ['ada@example.com', 'elsewhere@example.com']) {
      await shop.stockAlerts.create({ variantId: id, email, owner });
    }
    await restock(shop, id, 5);
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 2 });
    expect(await rowsOf(shop.db, 'SELECT recipient, user_id AS "userId" FROM mails ORDER BY id')).toEqual([
      { recipient: 'ada@example.com', userId: ada },
      { recipient: 'elsewhere@example.com', userId: null },
    ]);
  });

  test('an alert of a user who turned such mails off is marked as notified without a mail', async () => {
    const id = await waitedFor(2);
    const off = (email: string) => userWith(email, ['LOW_STOCK', 'BACK_IN_STOCK']);
    const owner = await off('owner@example.com');
    await off('Owner-Of-Address@example.com');
    await rowsOf(
      shop.db,
      `INSERT INTO mail_opt_outs (email, kind, created_at)
       VALUES ('opted-out@example.com', 'BACK_IN_STOCK', now()), ('other-kind@example.com', 'LOW_STOCK', now())`,
    );
    await rowsOf(
      shop.db,
      `INSERT INTO stock_alerts (id, variant_id, user_id, email, created_at) VALUES
         (gen_random_uuid(), $1, $2, 'elsewhere@example.com', now()),
         (gen_random_uuid(), $1, NULL, 'owner-of-address@Example.com', now()),
         (gen_random_uuid(), $1, NULL, 'Opted-Out@example.com', now()),
         (gen_random_uuid(), $1, NULL, 'other-kind@example.com', now())`,
      [id, owner],
    );
    await restock(shop, id, 100);
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 6 });
    expect(await mailsOf(shop.db, id)).toEqual([...names(1, 2), 'other-kind@example.com']);
    expect((await alertsOf(shop.db, id)).waiting).toEqual([]);
  });
});

describe('a variant that is not for sale', () => {
  test('notifies nobody although there are units; its alerts stay, and are notified when it is for sale again', async () => {
    const id = await waitedFor(3);
    const [row] = await rowsOf<{ productId: string }>(
      shop.db,
      'SELECT product_id AS "productId" FROM product_variants WHERE id = $1',
      [id],
    );
    const { productId } = known(row);
    await setStatus(shop, productId, 'DRAFT');
    await restock(shop, id, 2);
    await settle();
    expect([await chainsOf(shop.db), nudges]).toEqual([[], []]);
    expect(await alertsOf(shop.db, id)).toEqual({ notified: [], waiting: names(1, 3) });
    expect(await mailsOf(shop.db, id)).toEqual([]);

    await shop.catalogWriting.updateProduct(null, productId, { status: 'ACTIVE' });
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 2 });
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 2));
  });

  test('ends a chain that is going on: of an archived variant', async () => {
    const id = await waitedFor(3);
    await restock(shop, id, 2);
    await settle();
    await shop.stockAlerts.notifyNext(id);
    await archiveVariant(shop, id);
    await makeDue(shop.db, id);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 0 });
    expect(await alertsOf(shop.db, id)).toEqual({ notified: names(1, 2), waiting: names(3, 3) });
  });
});

describe('a batch of more than one transaction', () => {
  test('is as large as the number of free units, also if another process continues it', async () => {
    const id = await waitedFor(1300);
    await restock(shop, id, 1100);
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'MORE', notified: 500 });
    expect(await chainsOf(shop.db)).toEqual([{ variantId: id, batchLeft: 600 }]);
    // Whoever was at it is gone: another process goes on, right away.
    expect(await other.stockAlerts.notifyDue()).toBe(600);
    expect(await chainsOf(shop.db)).toEqual([{ variantId: id, batchLeft: 0 }]);
    expect(await other.stockAlerts.notifyDue()).toBe(0);
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 1100));
    await makeDue(shop.db, id);
    expect(await other.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 200 });
  });

  test('is cut short where units are sold meanwhile', async () => {
    const id = await waitedFor(1300);
    await restock(shop, id, 1100);
    await settle();
    await shop.stockAlerts.notifyNext(id);
    await restock(shop, id, -1050);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 50 });
    await makeDue(shop.db, id);
    await restock(shop, id, -50);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 0 });
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 550));
  });
});

describe('twice', () => {
  test('two restocks at once make one chain, and each alert is notified once', async () => {
    const id = await waitedFor(10);
    await restock(shop, id, 2);
    await restock(shop, id, -2);
    await restock(shop, id, 3);
    await settle();
    expect(await chainsOf(shop.db)).toEqual([{ variantId: id, batchLeft: 0 }]);
    const results = await Promise.all(
      [shop, other, shop, other, shop].map((process) => process.stockAlerts.notifyNext(id)),
    );
    expect(results.map((result) => result.notified).toSorted((a, b) => a - b)).toEqual([0, 0, 0, 0, 3]);
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 3));
  });

  test('an event that comes twice or late notifies no more alerts than there are units', async () => {
    const id = await waitedFor(4);
    await restock(shop, id, 1);
    await settle();
    const consumer = createStockAlertConsumer(other.stockAlerts);
    const [event] = await rowsOf<{ seq: bigint; type: string; subjectId: string; payload: unknown; occurredAt: Date }>(
      shop.db,
      `SELECT seq, type, subject_id AS "subjectId", payload, occurred_at AS "occurredAt" FROM event_log
        WHERE type = 'back_in_stock' AND subject_id = $1`,
      [id],
    );
    const again = async () =>
      other.db.transaction((tx) => consumer.handle(tx, { ...known(event), seq: Number(event?.seq) }));
    expect([await again(), await again()]).toEqual(['DONE', 'DONE']);
    expect(await chainsOf(shop.db)).toHaveLength(1);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 1 });
    await again();
    expect(await shop.stockAlerts.notifyNext(id)).toMatchObject({ state: 'NOT_NOW' });
    await restock(shop, id, -1);
    await makeDue(shop.db, id);
    await shop.stockAlerts.notifyNext(id);
    await again();
    expect(await chainsOf(shop.db)).toEqual([]);
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 1));
  });

  test('events about many variants and products take one statement, and begin the chains of all that can be bought', async () => {
    const back = [await waitedFor(1), await waitedFor(1)];
    const changed = [await waitedFor(1), await waitedFor(1)];
    const soldOut = await waitedFor(1);
    for (const id of [...back, ...changed]) await restock(shop, id, 1);
    const rows = await rowsOf<{ id: string; productId: string }>(
      shop.db,
      'SELECT id, product_id AS "productId" FROM product_variants',
    );
    const productOf = (id: string) => known(rows.find((row) => row.id === id)).productId;
    const common = { seq: 1, occurredAt: new Date() };
    const events = [
      ...back.map((variantId) => {
        const of = { variantId, productId: productOf(variantId), available: 1 };
        return { ...common, ...backInStock.of(variantId, of) };
      }),
      ...[...changed, soldOut].map((id) => {
        const productId = productOf(id);
        return { ...common, ...productChanged.of(productId, { productId }) };
      }),
    ];
    const consumer = createStockAlertConsumer(shop.stockAlerts);
    const { statements } = await recordStatements(() =>
      shop.db.transaction(async (tx) => consumer.handleTogether?.(tx, events)),
    );
    expect(statements).toEqual([expect.stringMatching(/^BEGIN/), 'stock_alert_chains_start', 'COMMIT']);
    expect((await chainsOf(shop.db)).map(({ variantId }) => variantId).toSorted()).toEqual(
      [...back, ...changed].toSorted(),
    );
  });

  test('a job that runs twice, and in two processes, does a batch once', async () => {
    const id = await waitedFor(1200);
    await restock(shop, id, 1100);
    await settle();
    const run = { signal: new AbortController().signal, logger };
    const jobs = [shop, other].map((process) => createStockAlertJob(process.stockAlerts));
    await Promise.all(jobs.flatMap((job) => [job.run({ variantId: id }, run), job.run({ variantId: id }, run)]));
    expect((await mailsOf(shop.db, id)).toSorted()).toEqual(names(1, 1100));
    expect(await alertsOf(shop.db, id)).toEqual({ notified: names(1, 1100), waiting: names(1101, 1200) });
  });
});

describe('no restock is lost', () => {
  /** Somebody is just about to end a chain: the row is locked, and what there is has been looked at. */
  const ending = (id: string) =>
    holdBarrier(shop.db, 'SELECT FROM stock_alert_chains WHERE variant_id = $1 FOR UPDATE', [id]);

  test('that comes while the chain is ending', async () => {
    const id = await waitedFor(4);
    await restock(shop, id, 1);
    await settle();
    await shop.stockAlerts.notifyNext(id);
    await restock(shop, id, -1);
    await settle();
    nudges.length = 0;

    await using barrier = await ending(id);
    await restock(shop, id, 2);
    const noticed = settle();
    await locks.untilWaiting(1, 'INSERT INTO stock_alert_chains');
    await barrier.query('DELETE FROM stock_alert_chains WHERE variant_id = $1', [id]);
    await barrier.release();
    await noticed;
    expect(nudges).toEqual([[id, 0]]);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 2 });
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 3));
  });

  test('that comes when the chain is deleted, but not yet for others', async () => {
    const id = await waitedFor(4);
    await restock(shop, id, 1);
    await settle();
    await using barrier = await ending(id);
    await barrier.query('DELETE FROM stock_alert_chains WHERE variant_id = $1', [id]);
    await restock(shop, id, -1);
    await restock(shop, id, 2);
    const noticed = settle();
    await locks.untilWaiting(1, 'INSERT INTO stock_alert_chains');
    await barrier.release();
    await noticed;
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 2 });
  });

  test('that comes while the chain goes on after all: it goes on as it did', async () => {
    const id = await waitedFor(4);
    await restock(shop, id, 1);
    await settle();
    await shop.stockAlerts.notifyNext(id);
    const before = await rowsOf(shop.db, 'SELECT * FROM stock_alert_chains');
    await restock(shop, id, -1);
    await using barrier = await ending(id);
    await restock(shop, id, 2);
    const noticed = settle();
    await locks.untilWaiting(1, 'INSERT INTO stock_alert_chains');
    await barrier.release();
    await noticed;
    expect(await rowsOf(shop.db, 'SELECT * FROM stock_alert_chains')).toEqual(before);
  });

  test('a job that finds the consumer at the row does nothing, and is nudged again after its commit', async () => {
    const id = await waitedFor(2);
    await using barrier = await holdBarrier(
      shop.db,
      `INSERT INTO stock_alert_chains (variant_id, started_at, next_batch_at) VALUES ($1, now(), now())`,
      [id],
    );
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'NOT_NOW', notified: 0, dueInMs: null });
    await barrier.release();
    await restock(shop, id, 1);
    await settle();
    expect(nudges).toEqual([[id, 0]]);
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'WAITS', notified: 1 });
  });
});

describe('an alert that is created during a restock', () => {
  test('just before: the restock waits for the sign-up, and the chain sees it', async () => {
    const { id } = await makeVariant(shop, { onHand: 0 });
    // The sign-up has the variant and is about to write; what it waits for is not the variant's lock.
    const stop = await holdBarrier(shop.db, 'LOCK TABLE stock_alerts IN EXCLUSIVE MODE');
    const signedUp = signUp(id, 'ada@example.com');
    await locks.untilWaiting(1, 'stock_alerts');
    const restocked = restock(other, id, 1);
    await locks.untilWaiting(2);
    expect((await locks.waiters()).some((query) => query.includes('product_variants'))).toBe(true);
    await stop.release();
    await Promise.all([signedUp, restocked]);
    await settle();
    expect(await shop.stockAlerts.notifyNext(id)).toEqual({ state: 'ENDED', notified: 1 });
  });

  test('just after: it is in stock, and nobody waits for ever', async () => {
    const { id } = await makeVariant(shop, { onHand: 0 });
    const signedUp = await other.db.transaction(async (tx) => {
      const at = await other.inventory.lock(tx, [id]);
      await other.inventory.apply(tx, at, [{ variantId: id, reason: 'RESTOCK', onHandDelta: 1 }]);
      const outcome = signUp(id, 'ada@example.com').catch((error: Error) => error.message);
      await locks.untilWaiting(1, 'product_variants');
      return [outcome];
    });
    expect(await signedUp[0]).toBe('ALREADY_IN_STOCK: The variant is available now.');
    expect(await alertsOf(shop.db, id)).toEqual({ notified: [], waiting: [] });
  });

  test('with the same address, from many places at once: waits once', async () => {
    const { id } = await makeVariant(shop, { onHand: 0 });
    await using barrier = await holdVariants(shop.db, id);
    const emails = ['ada@example.com', 'ADA@example.com', 'Ada@Example.com', 'ada@EXAMPLE.com'];
    const alerts = Promise.all(emails.map((email, n) => signUp(id, email, n % 2 === 0 ? shop : other)));
    await locks.untilWaiting(4);
    await barrier.release();
    expect(new Set((await alerts).map((alert) => alert.id)).size).toBe(1);
    expect((await alertsOf(shop.db, id)).waiting).toHaveLength(1);
  });

  test('for many things at once with one address: twenty wait', async () => {
    const variants: string[] = [];
    for (let n = 0; n < 23; n += 1) variants.push((await makeVariant(shop, { onHand: 0 })).id);
    const before = variants.splice(0, 17);
    for (const id of before) await signUp(id, 'ada@example.com');
    await using barrier = await holdVariants(shop.db, ...variants);
    const outcomes = Promise.allSettled(
      variants.map((id, n) => signUp(id, 'Ada@example.com', n % 2 === 0 ? shop : other)),
    );
    await locks.untilWaiting(6);
    await barrier.release();
    const refused = (await outcomes).flatMap((outcome) =>
      outcome.status === 'rejected' ? [(outcome.reason as Error).message] : [],
    );
    expect(refused).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('LIMIT_EXCEEDED') as string));
    const [row] = await rowsOf(shop.db, 'SELECT count(*)::int AS waiting FROM stock_alerts');
    expect(row).toEqual({ waiting: 20 });
  });
});

describe('an alert that is canceled during a batch', () => {
  test('just before its transaction: is not notified, and the next alert is', async () => {
    const id = await waitedFor(4);
    await restock(shop, id, 2);
    await settle();
    await using barrier = await holdBarrier(
      shop.db,
      `UPDATE stock_alerts SET status = 'CANCELLED' WHERE variant_id = $1 AND email = $2`,
      [id, names(1, 1)[0]],
    );
    const batch = shop.stockAlerts.notifyNext(id);
    await locks.untilWaiting(1, 'stock_alerts');
    await barrier.release();
    expect(await batch).toEqual({ state: 'WAITS', notified: 2 });
    expect(await mailsOf(shop.db, id)).toEqual(names(2, 3));
  });

  test('just after its transaction: stays notified', async () => {
    const { id } = await makeVariant(shop, { onHand: 0 });
    const { id: alertId } = await signUp(id, 'ada@example.com');
    await using barrier = await holdBarrier(
      shop.db,
      `UPDATE stock_alerts SET status = 'NOTIFIED', notified_at = clock_timestamp() WHERE id = $1`,
      [alertId],
    );
    const cancelled = shop.stockAlerts.cancelByToken(shop.stockAlerts.cancelToken(alertId));
    await locks.untilWaiting(1, 'stock_alerts');
    await barrier.release();
    expect((await cancelled).status).toBe('NOTIFIED');
  });
});

describe('the sweep', () => {
  test('goes on where the job was lost after a batch, at the time that the row says', async () => {
    const id = await waitedFor(5);
    await restock(shop, id, 2);
    await settle();
    await shop.stockAlerts.notifyNext(id);
    await using sweep = startStockAlertSweep({ chains: other.stockAlerts, logger, intervalMs: 20 });
    expect(sweep).toBeDefined();
    expect(await other.stockAlerts.notifyDue()).toBe(0);
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 2));
    await makeDue(shop.db, id);
    await until('the next ones are notified', async () => (await mailsOf(shop.db, id)).length > 2);
    expect(await mailsOf(shop.db, id)).toEqual(names(1, 4));
  });

  test('does the other chains where an alert of one cannot be sent, and keeps that one waiting', async () => {
    const [bad, good] = [await waitedFor(0), await waitedFor(2)];
    await signUp(bad, 'nobody@example.com');
    await rowsOf(
      shop.db,
      `ALTER TABLE mails ADD CONSTRAINT in_the_way CHECK (recipient <> 'nobody@example.com') -- as a fault would be`,
    );
    for (const id of [bad, good]) await restock(shop, id, 2);
    await settle();
    await rowsOf(
      shop.db,
      `UPDATE stock_alert_chains SET next_batch_at = next_batch_at - interval '1 hour' WHERE variant_id = $1`,
      [bad],
    );
    expect(await other.stockAlerts.notifyDue()).toBe(2);
    expect(await mailsOf(shop.db, good)).toEqual(names(1, 2));
    expect(await alertsOf(shop.db, bad)).toEqual({ notified: [], waiting: ['nobody@example.com'] });
    expect(await chainsOf(shop.db)).toEqual([{ variantId: bad, batchLeft: 0 }]);
  });
});
