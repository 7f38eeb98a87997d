import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { holdBarrier, holdVariants, watchLocks, type LockWatch } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { deliver, deliverAndApply, deliveriesOf, newEntryId, productOf, SECRET } from '../support/contentful.ts';
import { globalId } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { ERROR } from '../support/logs.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter } from '../support/shopper.ts';

let shop: QuietShop;
let watch: LockWatch;
beforeAll(async () => {
  shop = await openQuietShop({ CONTENTFUL_WEBHOOK_SECRET: SECRET });
  watch = await watchLocks(shop.db);
});
afterAll(async () => {
  await watch[Symbol.asyncDispose]();
  await shop.dispose();
});
afterEach(async () => {
  const faults = [...(await findFaults(shop.db)), ...shop.logs.filter((line) => line.level >= ERROR)];
  if (faults.length > 0) throw new Error(JSON.stringify(faults));
});

const fieldsOf = (revision: number, slug: string) => ({
  title: `Revision ${revision}`,
  slug,
  price: 1,
  stock: revision,
});

/** Delivers a revision, and gives what applies it. */
async function delivered(id: string, revision: number): Promise<() => Promise<void>> {
  await deliver(shop, { id, revision, minute: revision, fields: fieldsOf(revision, id) });
  const delivery = known((await deliveriesOf(shop, id)).at(-1));
  return () => shop.app.services.webhooks.apply(delivery.id);
}

/** Starts one thing and, when it waits for a lock, the next; then lets them go in that order. */
async function inOrder(
  barrier: Awaited<ReturnType<typeof holdBarrier>>,
  first: () => Promise<unknown>,
  second: () => Promise<unknown>,
): Promise<void> {
  await using held = barrier;
  const one = first();
  await watch.untilWaiting(1);
  const other = second();
  await watch.untilWaiting(2);
  await held.release();
  await Promise.all([one, other]);
}

const holdEntry = (id: string) => holdBarrier(shop.db, 'SELECT FROM contentful_entries WHERE id = $1 FOR UPDATE', [id]);

describe('two deliveries of one entry at once', () => {
  test.each([
    ['the older one first', [2, 3], ['APPLIED', 'APPLIED', 'APPLIED']],
    ['the newer one first', [3, 2], ['APPLIED', 'APPLIED', 'SKIPPED']],
  ] as const)('%s: what is newer is there in the end', async (_what, [first, second], outcomes) => {
    const id = newEntryId();
    await deliverAndApply(shop, { id, revision: 1, fields: { ...fieldsOf(1, id), stock: 10 } });
    const [one, other] = [await delivered(id, first), await delivered(id, second)];
    await inOrder(await holdEntry(id), one, other);
    expect((await deliveriesOf(shop, id)).map(({ status }) => status)).toEqual(outcomes);
    expect(await productOf(shop, id)).toMatchObject({ title: 'Revision 3', onHand: 3, quantity: 3, shortfall: 0 });
  });

  test('of one that is new: there is one product', async () => {
    const id = newEntryId();
    const revisions = [3, 1, 5, 2, 4];
    const works = [];
    for (const revision of revisions) works.push(await delivered(id, revision));
    await Promise.all(works.map((work) => work()));
    expect(await productOf(shop, id)).toMatchObject({ title: 'Revision 5', onHand: 5, quantity: 5 });
    expect(
      await rowsOf(shop.db, `SELECT FROM products WHERE title LIKE 'Revision %' AND slug LIKE $1 || '%'`, [id]),
    ).toHaveLength(1);
    const statuses = (await deliveriesOf(shop, id)).map(({ status }) => status);
    expect(statuses.every((status) => status === 'APPLIED' || status === 'SKIPPED')).toBe(true);
  });

  test('the same delivery by two workers is applied once', async () => {
    const id = newEntryId();
    await deliverAndApply(shop, { id, revision: 1, fields: { ...fieldsOf(1, id), stock: 10 } });
    const work = await delivered(id, 12);
    await inOrder(await holdEntry(id), work, work);
    expect(await productOf(shop, id)).toMatchObject({ onHand: 12, quantity: 12 });
    expect((await deliveriesOf(shop, id)).at(-1)).toMatchObject({ status: 'APPLIED', attempts: 1 });
  });

  test('two entries of one slug: one of them is it', async () => {
    const [one, other] = [newEntryId(), newEntryId()];
    const fields = { title: 'Twin', slug: `twin-${one}`, price: 1, stock: 1 };
    const works = [];
    for (const id of [one, other]) {
      await deliver(shop, { id, fields });
      const delivery = known((await deliveriesOf(shop, id)).at(-1));
      works.push(() => shop.app.services.webhooks.apply(delivery.id));
    }
    await Promise.all(works.map((work) => work()));
    const statuses = (await Promise.all([one, other].map((id) => deliveriesOf(shop, id)))).map(
      (rows) => rows[0]?.status,
    );
    expect(new Set(statuses)).toEqual(new Set(['APPLIED', 'FAILED']));
  });
});

describe('a level that is lowered while a shopper', () => {
  async function setScene() {
    const id = newEntryId();
    await deliverAndApply(shop, { id, revision: 1, fields: { ...fieldsOf(1, id), stock: 10 } });
    const { variantId } = known(await productOf(shop, id));
    const shopper = await enter(shop);
    const put = () => shopper.add({ variantId: globalId('ProductVariant', variantId), quantity: 8 });
    return { id, variantId, shopper, put, lower: await delivered(id, 4) };
  }

  test.each(['first', 'second'] as const)('checks out, %s', async (turn) => {
    const { id, variantId, shopper, put, lower } = await setScene();
    await put();
    const buy = async () => {
      const { order } = await shopper.checkout({ idempotencyKey: 'k', email: 'a@example.com' });
      expect(order?.totalQuantity).toBe(8);
    };
    const [one, other] = turn === 'first' ? [lower, buy] : [buy, lower];
    await inOrder(await holdVariants(shop.db, variantId), one, other);
    // 10 less 6 that were not there, less 8 that were sold: four too many, which are owed either way.
    expect(await productOf(shop, id)).toMatchObject({ onHand: 0, held: 0, quantity: 4, shortfall: 4 });
  });

  test('adds more units than are left: the first of them gets the units', async () => {
    const { id, variantId, put, lower } = await setScene();
    const answers: unknown[] = [];
    const add = async () => answers.push((await put()).errors.map(({ code }) => code));
    await inOrder(await holdVariants(shop.db, variantId), lower, add);
    expect(answers).toEqual([['INSUFFICIENT_STOCK']]);
    expect(await productOf(shop, id)).toMatchObject({ onHand: 4, held: 0, quantity: 4, shortfall: 0 });
  });

  test('puts it in the cart first: the units are theirs, and owed', async () => {
    const { id, variantId, put, lower } = await setScene();
    await inOrder(await holdVariants(shop.db, variantId), put, lower);
    expect(await productOf(shop, id)).toMatchObject({ onHand: 8, held: 8, quantity: 4, shortfall: 4 });
  });
});
