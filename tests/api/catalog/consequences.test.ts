import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { makeCategory, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { choice, merchantOf, variantInput, type Merchant } from '../../support/merchant.ts';
import { crossingsOf, eventsOf } from '../../support/records.ts';
import { createTestShop, type TestShop } from '../../support/shop.ts';
import { enter, rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';
import { until } from '../../support/until.ts';
import type { Client } from '../../support/client.ts';

/** What a change of one thing means for others that show it. */

let shop: TestShop;
let merchant: Merchant;
let staff: Client;
beforeAll(async () => {
  shop = await createTestShop({ env: { BCRYPT_COST: '4' } });
  staff = (await newStaff(shop)).client;
  merchant = merchantOf(staff);
});
afterAll(() => shop.dispose());

const update = async (id: string, fields: string) =>
  (
    await staff.data<{ productVariantUpdate: { variant: object | null; errors: { code: string; path: string[] }[] } }>(
      `mutation { productVariantUpdate(input: { id: "${id}", ${fields} })
         { variant { title selectedOptions { name value } } errors { code path } } }`,
    )
  ).productVariantUpdate;

test('a category that is deleted changes each of its products', async () => {
  const category = await makeCategory(shop.app, 'Going');
  const products = [];
  for (let n = 0; n < 3; n += 1) products.push(await makeProduct(shop.app, { categorySlug: category.slug }));
  const other = await makeProduct(shop.app);
  await merchant.deleteCategory(category.globalId);
  const told = async ({ id }: { id: string }) =>
    (await eventsOf(shop.app, id)).filter(({ type }) => type === 'product_changed').map(({ payload }) => payload);
  for (const product of products) expect(await told(product)).toEqual([{ productId: product.id }]);
  expect(await told(other)).toEqual([]);
  const rows = await rowsOf(
    shop.db,
    'SELECT category_id, updated_at > created_at AS later FROM products WHERE id = $1',
    [known(products[0]).id],
  );
  expect(rows).toEqual([{ category_id: null, later: true }]);
});

describe('another low-stock threshold', () => {
  test('clears the marks of carts whose stock is no longer low, so that their owners are notified again', async () => {
    const { variants } = await makeProduct(shop.app, { variants: [{ onHand: 10 }] });
    const variant = known(variants[0]);
    const shopper = await enter(shop);
    await shopper.add({ variantId: variant.globalId, quantity: 6 });
    const marks = () =>
      rowsOf(shop.db, 'SELECT low_stock_notified_at IS NOT NULL AS marked FROM cart_lines WHERE variant_id = $1', [
        variant.id,
      ]);
    await update(variant.globalId, 'lowStockThreshold: 4');
    await until('the cart has a notice', async () => JSON.stringify(await marks()) === '[{"marked":true}]');
    await update(variant.globalId, 'lowStockThreshold: 2');
    await until('the mark is gone', async () => JSON.stringify(await marks()) === '[{"marked":false}]');
    await update(variant.globalId, 'lowStockThreshold: 3');
    const crossings = await crossingsOf(shop.app, variant.id);
    expect(
      crossings.filter(({ type }) => type !== 'back_in_stock').map(({ type, payload }) => [type, payload.threshold]),
    ).toEqual([
      ['stock_recovered', 3],
      ['low_stock', 4],
      ['stock_recovered', 2],
    ]);
  });
});

describe('a product of one variant without options', () => {
  async function newProduct() {
    const { product } = await merchant.createProduct({ title: 'Plain', variants: [variantInput()] });
    return known(product);
  }

  test('gets options for it, then others', async () => {
    const product = await newProduct();
    const id = known(product.variants[0]).id;
    expect(await update(id, 'selectedOptions: [{ name: "Size", value: "S" }]')).toEqual({
      variant: { title: 'S', selectedOptions: [{ name: 'Size', value: 'S' }] },
      errors: [],
    });
    const second = variantInput({ selectedOptions: choice({ Size: 'M' }) });
    expect((await merchant.createVariant({ productId: product.id, variant: second })).errors).toEqual([]);
    expect(await staff.data(`{ node(id: "${product.id}") { ... on Product { options { name values } } } }`)).toEqual({
      node: { options: [{ name: 'Size', values: ['S', 'M'] }] },
    });

    const faults = await changingNothing(shop.app, async () => [
      (await update(id, 'selectedOptions: [{ name: "Size", value: "M" }]')).errors,
      (await update(id, 'selectedOptions: [{ name: "Colour", value: "S" }]')).errors,
      (await update(id, 'selectedOptions: []')).errors,
      (await update(id, 'selectedOptions: [{ name: "Size", value: "" }]')).errors,
    ]);
    expect(faults.flat().map(({ code, path }) => `${code} ${path.join('.')}`)).toEqual([
      'CONFLICT selectedOptions',
      'CONFLICT selectedOptions',
      'INVALID_INPUT selectedOptions',
      'INVALID_INPUT selectedOptions.0.value',
    ]);
    const record = await rowsOf<{ changes: string }>(
      shop.db,
      `SELECT changes::text FROM staff_actions WHERE subject_id = $1 AND kind = 'PRODUCT_VARIANT_UPDATED'`,
      [rowId(id)],
    );
    expect(record).toHaveLength(1);
  });
});

test('setting the address of a cart makes an event with the new version of the cart', async () => {
  const { variants } = await makeProduct(shop.app);
  const shopper = await enter(shop);
  await shopper.add({ variantId: known(variants[0]).globalId, quantity: 1 });
  const client = shop.client({ cartToken: shopper.token });
  const set = () =>
    client.data<{ cartEmailSet: { cart: { id: string; version: number } } }>(
      'mutation { cartEmailSet(input: { email: "a@example.com" }) { cart { id version } } }',
    );
  const { cart } = (await set()).cartEmailSet;
  // The second time nothing changes.
  expect((await set()).cartEmailSet.cart).toEqual(cart);
  const events = await eventsOf(shop.app, rowId(cart.id));
  expect(events.map(({ payload }) => [payload.kind, payload.version])).toEqual([
    ['LINES', cart.version - 1],
    ['EMAIL', cart.version],
  ]);
});
