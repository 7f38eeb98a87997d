import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeVariant } from '../../support/fixtures.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter } from '../../support/shopper.ts';
import { recordStatements } from '../../support/statements.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const BEGIN = expect.stringMatching(/^BEGIN/) as string;
// The cart, its lines and the levels of the variants are answered from memory.
// (Statements on the log are not counted; see `recordStatements`.)
const WRITES = ['inventory_apply', 'cart_batch_write', 'COMMIT'];

test('a command on lines takes eight statements, and none after its commit', async () => {
  const { sku } = await makeVariant(shop, { onHand: 10 });
  const shopper = await enter(shop);
  await shopper.add({ sku, quantity: 1 });

  const added = await recordStatements(() => shopper.add({ sku, quantity: 1 }));
  const id = added.result.cart?.lines[0]?.id ?? '';
  const changed = await recordStatements(() => shopper.update({ id, quantity: 5 }));
  const removed = await recordStatements(() => shopper.remove(id));
  expect(added.result.cart?.totalQuantity).toBe(2);
  expect(changed.result.cart?.totalQuantity).toBe(5);
  expect(removed.result.cart?.totalQuantity).toBe(0);

  const reads = ['cart_batch_lock', 'cart_batch_read', 'catalog_variants_by_ids'];
  // The SKU is looked up before.
  expect(added.statements).toEqual(['guest_find', 'catalog_variant_ids_by_skus', BEGIN, ...reads, ...WRITES]);
  expect(changed.statements.filter((name) => name !== 'cart_latest')).toEqual([
    'guest_find',
    BEGIN,
    ...reads,
    ...WRITES,
  ]);
  expect(removed.statements).toEqual(['guest_find', BEGIN, ...reads, ...WRITES]);
});
