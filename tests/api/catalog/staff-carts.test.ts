import { afterAll, beforeAll, expect, test } from 'vitest';
import { newStaff } from '../../support/accounts.ts';
import { holdVariants, watchLocks } from '../../support/barriers.ts';
import { findFaults } from '../../support/books.ts';
import { levelOf, makeProduct, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { choice, merchantOf, type Merchant } from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter, linesOf, type Shopper, rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

// What staff do to the catalogue while shoppers have things in their carts.

let shop: QuietShop;
let merchant: Merchant;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  merchant = merchantOf((await newStaff(shop)).client);
});
afterAll(() => shop.dispose());

const codesOf = ({ errors }: Awaited<ReturnType<Shopper['add']>>) =>
  errors.map(({ code, path }) => `${code} ${path?.join('.') ?? '-'}`);

test('a new price leaves the lines of carts as they are; what is put in from now on is a line of its own', async () => {
  const { sku, globalId, id } = await makeVariant(shop, { price: 1000, onHand: 10 });
  const [shopper, other] = [await enter(shop), await enter(shop)];
  await shopper.add({ sku, quantity: 2 });
  await other.add({ sku, quantity: 1 });
  const before = known(await shopper.cart());

  expect((await merchant.updateVariant({ id: globalId, price: '12.34' })).errors).toEqual([]);
  expect(await shopper.cart()).toEqual(before);
  const { cart } = await shopper.add({ sku, quantity: 1 });
  expect(linesOf(cart)).toEqual([
    [sku, 2, '10.00'],
    [sku, 1, '12.34'],
  ]);
  expect(cart?.total.amount).toBe('32.34');
  // The other one pays what was agreed to.
  const { order, errors } = await other.checkout({
    idempotencyKey: 'old price',
    email: 'ada@example.com',
    expectedTotal: '10.00',
  });
  expect([order?.total.amount, errors]).toEqual(['10.00', []]);
  const both = await shopper.checkout({ idempotencyKey: 'both', email: 'ada@example.com', expectedTotal: '32.34' });
  expect(both.order?.lines.map((line) => [line.quantity, line.unitPrice.amount])).toEqual([
    [2, '10.00'],
    [1, '12.34'],
  ]);
  expect(await levelOf(shop, id)).toEqual({ onHand: 6, held: 0, available: 6 });
});

test('units added after a new price cost the new price, also if both waited for the lock of the variant', async () => {
  const { sku, globalId, id } = await makeVariant(shop, { price: 1000 });
  const shopper = await enter(shop);
  await using locks = await watchLocks(shop.db);
  await using barrier = await holdVariants(shop.db, id);
  const update = merchant.updateVariant({ id: globalId, price: '11.00' });
  await locks.untilWaiting(1, 'FOR NO KEY UPDATE');
  const add = shopper.add({ sku, quantity: 1 });
  await locks.untilWaiting(2, 'FOR NO KEY UPDATE');
  await barrier.release();
  expect((await update).errors).toEqual([]);
  expect(linesOf((await add).cart)).toEqual([[sku, 1, '11.00']]);
});

test.each([
  ['a product is archived', (made: Made) => merchant.archiveProduct(made.globalId)],
  ['a product is a draft again', (made: Made) => merchant.updateProduct({ id: made.globalId, status: 'DRAFT' })],
  ['a variant is archived', (made: Made) => merchant.archiveVariant(known(made.variants[0]).globalId)],
])(
  'where %s, carts that hold it can buy it, give back and not raise; nobody can put it in anew',
  async (_what, act) => {
    const made = await makeProduct(shop, {
      title: 'Going',
      variants: ['S', 'M'].map((Size) => ({ onHand: 10, options: choice({ Size }) })),
    });
    const { sku, id } = known(made.variants[0]);
    const [holder, late] = [await enter(shop), await enter(shop)];
    const { cart } = await holder.add({ sku, quantity: 3 });
    const line = known(known(cart).lines[0]).id;
    expect((await act(made)).errors).toEqual([]);

    await changingNothing(shop, async () => {
      expect(codesOf(await holder.add({ sku, quantity: 1 }))).toEqual(['NOT_FOUND lines.0.sku']);
      expect(codesOf(await holder.update({ id: line, quantity: 4 }))).toEqual(['NOT_FOUND lines.0.quantity']);
      expect(codesOf(await late.add({ sku, quantity: 1 }))).toEqual(['NOT_FOUND lines.0.sku']);
    });
    expect(linesOf((await holder.update({ id: line, quantity: 2 })).cart)).toEqual([[sku, 2, '10.00']]);
    const { order, errors } = await holder.checkout({ idempotencyKey: 'going', email: 'ada@example.com' });
    expect(errors).toEqual([]);
    expect(order?.lines.map((one) => [one.title, one.sku, one.quantity])).toEqual([['Going - S', sku, 2]]);
    expect(await levelOf(shop, id)).toEqual({ onHand: 8, held: 0, available: 8 });
  },
);

type Made = Awaited<ReturnType<typeof makeProduct>>;

test('orders keep what things were called; carts show what they are called now', async () => {
  const made = await makeProduct(shop, { title: 'Before' });
  const { sku, globalId } = known(made.variants[0]);
  const shopper = await enter(shop);
  await shopper.add({ sku, quantity: 1 });
  const { order } = await shopper.checkout({ idempotencyKey: 'named', email: 'ada@example.com' });
  await shopper.add({ sku, quantity: 1 });
  await merchant.updateProduct({ id: made.globalId, title: 'After' });
  await merchant.updateVariant({ id: globalId, sku: `${sku}-NEW` });
  expect(linesOf(await shopper.cart())).toEqual([[`${sku}-NEW`, 1, '10.00']]);
  const later = await shopper.checkout({ idempotencyKey: 'renamed', email: 'ada@example.com' });
  const named = [order, later.order].map((one) => one?.lines.map((line) => [line.title, line.sku]));
  expect(named).toEqual([[['Before', sku]], [['After', `${sku}-NEW`]]]);
  const [row] = await shop.db.query<{ title: string }>(
    { name: '', text: 'SELECT title FROM order_lines WHERE order_id = $1' },
    [rowId(known(order).id)],
  );
  expect(row).toEqual({ title: 'Before' });
});

test('the books agree in the end', async () => {
  expect(await findFaults(shop.db)).toEqual([]);
});
