import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff } from '../../support/accounts.ts';
import { rowId } from '../../support/shopper.ts';
import { holdBarrier, watchLocks, type LockWatch } from '../../support/barriers.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { archiveVariant, makeCategory, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { choice, faultsOf, merchantOf, newSku, recordOf, variantInput, type Merchant } from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf } from '../../support/records.ts';
import { openServices, type TestServices } from '../../support/services.ts';

// Two callers who write the same at once: one waits for the other, one of them wins, and the other gets the reason.

let shop: QuietShop;
let ada: Merchant;
let bob: Merchant;
let services: TestServices;
let locks: LockWatch;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  ada = merchantOf((await newStaff(shop)).client);
  bob = merchantOf((await newStaff(shop)).client);
  services = openServices(shop.config.database.kind === 'url' ? shop.config.database.url : '');
  locks = await watchLocks(shop.db);
});
afterAll(async () => {
  await locks[Symbol.asyncDispose]();
  await services.dispose();
  await shop.dispose();
});

const PRODUCT = `INSERT INTO products (id, slug, title) VALUES ($1, $2, 'Theirs')`;
const VARIANT = `INSERT INTO product_variants (id, product_id, sku, price_minor, low_stock_threshold) VALUES ($1, $2, $3, 1, 1)`;

/** What came of some payloads, in any order: a slug or a fault each. */
function outcomes(payloads: Awaited<ReturnType<Merchant['createProduct']>>[]): string[] {
  return payloads.map((payload) => payload.product?.slug ?? faultsOf(payload).join()).toSorted();
}

describe('the same slug at once', () => {
  test('given: one gets it, the other CONFLICT; both where somebody else had it after all', async () => {
    for (const [slug, theirs] of [
      ['race-open', false],
      ['race-lost', true],
    ] as const) {
      await using barrier = await holdBarrier(shop.db, PRODUCT, [uuid(), slug]);
      const creates = [ada, bob].map((merchant) =>
        merchant.createProduct({ title: 'Race', slug, variants: [variantInput()] }),
      );
      await locks.untilWaiting(2, 'INSERT INTO products');
      await (theirs ? barrier.release() : barrier.query('ROLLBACK'));
      expect(outcomes(await Promise.all(creates))).toEqual(
        theirs ? ['CONFLICT slug', 'CONFLICT slug'] : ['CONFLICT slug', slug],
      );
      expect(await rowsOf(shop.db, 'SELECT count(*)::int AS n FROM products WHERE slug = $1', [slug])).toEqual([
        { n: 1 },
      ]);
    }
  });

  test('made of the title: each gets one of its own', async () => {
    await using barrier = await holdBarrier(shop.db, PRODUCT, [uuid(), 'made-up']);
    const creates = [ada, bob].map((merchant) =>
      merchant.createProduct({ title: 'Made up', variants: [variantInput()] }),
    );
    await locks.untilWaiting(2, 'INSERT INTO products');
    await barrier.release();
    expect(outcomes(await Promise.all(creates))).toEqual(['made-up-2', 'made-up-3']);
  });

  test('in updates, of products and of categories', async () => {
    const products = [await makeProduct(shop), await makeProduct(shop)];
    await using held = await holdBarrier(shop.db, PRODUCT, [uuid(), 'update-race']);
    const updates = products.map(({ globalId: id }, n) =>
      known([ada, bob][n]).updateProduct({ id, slug: 'update-race' }),
    );
    await locks.untilWaiting(2, 'UPDATE products');
    await held.query('ROLLBACK');
    expect(outcomes(await Promise.all(updates))).toEqual(['CONFLICT slug', 'update-race']);

    const category = await makeCategory(shop, 'Race category');
    await using other = await holdBarrier(
      shop.db,
      `INSERT INTO categories (id, slug, name) VALUES ($1, $2, 'Theirs')`,
      [uuid(), 'category-race'],
    );
    const [create, update] = [
      ada.createCategory({ name: 'Any', slug: 'category-race' }),
      bob.updateCategory({ id: category.globalId, slug: 'category-race' }),
    ];
    await locks.untilWaiting(2, 'categories');
    await other.query('ROLLBACK');
    const codes = (await Promise.all([create, update])).map((payload) => faultsOf(payload).join()).toSorted();
    expect(codes).toEqual(['', 'CONFLICT slug']);
  });
});

describe('the same SKU at once', () => {
  test('one gets it, the other CONFLICT, whichever way they come to it', async () => {
    const holder = await makeProduct(shop);
    const [one, two] = [
      await makeProduct(shop, { variants: [{ options: choice({ Size: 'S' }) }] }),
      await makeProduct(shop, { variants: [{ options: choice({ Size: 'S' }) }] }),
    ];
    const variant = (sku: string) => variantInput({ sku, selectedOptions: choice({ Size: 'L' }) });
    const ways: ((merchant: Merchant, sku: string) => Promise<{ path: string; faults: string[] }>)[] = [
      async (merchant, sku) => ({
        path: 'variants.0.sku',
        faults: faultsOf(await merchant.createProduct({ title: newSku(), variants: [variant(sku)] })),
      }),
      async (merchant, sku) => ({
        path: 'variant.sku',
        faults: faultsOf(await merchant.createVariant({ productId: one.globalId, variant: variant(sku) })),
      }),
      async (merchant, sku) => ({
        path: 'sku',
        faults: faultsOf(await merchant.updateVariant({ id: known(two.variants[0]).globalId, sku })),
      }),
    ];
    for (const [first, second] of [
      [0, 0],
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      // The choice that a variant of an earlier round took is free again.
      await rowsOf(
        shop.db,
        `UPDATE product_variants SET archived_at = clock_timestamp() WHERE product_id = $1 AND selected_options->0->>'value' = 'L'`,
        [one.id],
      );
      const sku = newSku();
      await using barrier = await holdBarrier(shop.db, VARIANT, [uuid(), holder.id, sku]);
      const racing = [known(ways[first])(ada, sku), known(ways[second])(bob, sku)];
      await locks.untilWaiting(2, 'product_variants');
      await barrier.query('ROLLBACK');
      const results = await Promise.all(racing);
      const lost = results.filter(({ faults }) => faults.length > 0);
      expect([first, second, lost.length]).toEqual([first, second, 1]);
      expect(lost.map(({ faults }) => faults)).toEqual(lost.map(({ path }) => [`CONFLICT ${path}`]));
      expect(await rowsOf(shop.db, 'SELECT count(*)::int AS n FROM product_variants WHERE sku = $1', [sku])).toEqual([
        { n: 1 },
      ]);
    }
  });

  test('several SKUs in opposite orders do not deadlock', async () => {
    const holder = await makeProduct(shop);
    const product = (...skus: string[]) => ({
      title: newSku(),
      slug: null,
      description: '',
      vendor: null,
      tags: [],
      categorySlug: null,
      images: [],
      status: 'ACTIVE' as const,
      variants: skus.map((sku) => ({
        sku,
        priceMinor: 1,
        compareAtMinor: null,
        selectedOptions: choice({ Sku: sku }),
        onHand: 1,
        lowStockThreshold: null,
        weightGrams: null,
        requiresShipping: true,
        taxCategoryId: null,
      })),
    });
    const before = services.retries.length;
    // Which of the two goes on first is the database's choice: several rounds see both.
    for (let round = 0; round < 6; round += 1) {
      const [a, b] = [newSku(), newSku()];
      await using barrier = await holdBarrier(shop.db, VARIANT, [uuid(), holder.id, a]);
      const creates = [product(a, b), product(b, a)].map((input) =>
        services.catalogWriting.createProduct(null, input).then(
          () => 'made',
          (error: unknown) => (error as Error).message,
        ),
      );
      await locks.untilWaiting(2, 'INSERT INTO product_variants');
      await barrier.query('ROLLBACK');
      const taken = 'CONFLICT: The SKU is already used by another variant.';
      expect((await Promise.all(creates)).toSorted()).toEqual([`${taken}; ${taken}`, 'made']);
    }
    expect(services.retries.slice(before)).toEqual([]);
  });
});

describe('one product at once', () => {
  const holdProduct = (id: string) =>
    holdBarrier(shop.db, 'SELECT FROM products WHERE id = $1 FOR NO KEY UPDATE', [id]);

  test('of its last two variants, one can be archived', async () => {
    const product = await makeProduct(shop, { variants: ['S', 'M'].map((Size) => ({ options: choice({ Size }) })) });
    await using barrier = await holdProduct(product.id);
    const archives = product.variants.map(({ globalId }, n) => known([ada, bob][n]).archiveVariant(globalId));
    await locks.untilWaiting(2, 'FROM products');
    await barrier.release();
    const faults = (await Promise.all(archives)).map((payload) => faultsOf(payload).join()).toSorted();
    expect(faults).toEqual(['', 'CONFLICT id']);
    const live = 'SELECT count(*)::int AS n FROM product_variants WHERE product_id = $1 AND archived_at IS NULL';
    expect(await rowsOf(shop.db, live, [product.id])).toEqual([{ n: 1 }]);
    expect(await eventsOf(shop, product.id)).toHaveLength(1);
  });

  test('the only variant can be archived by a caller who waited for a second one to be created', async () => {
    const product = await makeProduct(shop, { variants: [{ options: choice({ Size: 'S' }) }] });
    await using barrier = await holdProduct(product.id);
    const input = { productId: product.globalId, variant: variantInput({ selectedOptions: choice({ Size: 'M' }) }) };
    const create = ada.createVariant(input);
    await locks.untilWaiting(1, 'FROM products');
    const archive = bob.archiveVariant(known(product.variants[0]).globalId);
    await locks.untilWaiting(2, 'FROM products');
    await barrier.release();
    expect([(await create).errors, (await archive).errors]).toEqual([[], []]);
  });

  test('the same choice is taken once, and the hundredth place too', async () => {
    const sizes = Array.from({ length: 100 }, (_, n) => `${n}`);
    const full = await makeProduct(shop, { variants: sizes.map((Size) => ({ options: choice({ Size }) })) });
    const few = await makeProduct(shop, { variants: [{ options: choice({ Size: 'S' }) }] });
    await archiveVariant(shop, known(full.variants[0]).id);
    for (const [product, chosen, fault] of [
      [few, ['L', 'L'], 'CONFLICT variant.selectedOptions'],
      [full, ['L', 'M'], 'LIMIT_EXCEEDED variant'],
    ] as const) {
      await using barrier = await holdProduct(product.id);
      const creates = chosen.map((Size, n) =>
        known([ada, bob][n]).createVariant({
          productId: product.globalId,
          variant: variantInput({ selectedOptions: choice({ Size }) }),
        }),
      );
      await locks.untilWaiting(2, 'FROM products');
      await barrier.release();
      const faults = (await Promise.all(creates)).map((payload) => faultsOf(payload).join()).toSorted();
      expect(faults).toEqual(['', fault]);
    }
  });

  test('two updates of different fields both hold, one after the other', async () => {
    const product = await makeProduct(shop, { title: 'Before' });
    await using barrier = await holdProduct(product.id);
    const updates = [
      ada.updateProduct({ id: product.globalId, title: 'After' }),
      bob.updateProduct({ id: product.globalId, vendor: 'Bees' }),
    ];
    await locks.untilWaiting(2, 'FROM products');
    await barrier.release();
    const answers = await Promise.all(updates);
    expect(answers.map(({ errors }) => errors)).toEqual([[], []]);
    const [row] = await rowsOf(shop.db, 'SELECT title, vendor, updated_at AS at FROM products WHERE id = $1', [
      product.id,
    ]);
    expect(row).toMatchObject({ title: 'After', vendor: 'Bees' });
    const times = (await recordOf(shop, product.id)).map((entry) => entry.occurredAt.getTime());
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect((row as { at: Date }).at.getTime()).toBe(times[1]);
  });

  test('archiving it twice at once makes one event and one entry in the record', async () => {
    const product = await makeProduct(shop);
    await using barrier = await holdProduct(product.id);
    const archives = [ada, bob].map((merchant) => merchant.archiveProduct(product.globalId));
    await locks.untilWaiting(2, 'FROM products');
    await barrier.release();
    const answers = await Promise.all(archives);
    expect(answers.map((payload) => [payload.product?.status, payload.errors])).toEqual([
      ['ARCHIVED', []],
      ['ARCHIVED', []],
    ]);
    expect(await eventsOf(shop, product.id)).toHaveLength(1);
    expect(await recordOf(shop, product.id)).toHaveLength(1);
  });
});

describe('a category that is deleted meanwhile', () => {
  test('takes nothing any more: NOT_FOUND, and no deadlock where the product was in it', async () => {
    const category = await makeCategory(shop, 'Going');
    const inside = await makeProduct(shop, { categorySlug: category.slug });
    const outside = await makeProduct(shop);
    const before = services.retries.length;
    await using barrier = await holdBarrier(shop.db, 'SELECT FROM products WHERE id = $1 FOR NO KEY UPDATE', [
      inside.id,
    ]);
    // It has the category, and waits for the product in it.
    const deletion = services.catalogWriting.deleteCategory(null, category.id);
    await locks.untilWaiting(1);
    const works = [
      services.catalogWriting.updateProduct(null, inside.id, { categorySlug: category.slug, title: 'Any' }),
      services.catalogWriting.updateProduct(null, outside.id, { categorySlug: category.slug }),
    ].map((work) =>
      work.then(
        () => 'done',
        (error: unknown) => (error as Error).message,
      ),
    );
    await locks.untilWaiting(3);
    await barrier.release();
    await deletion;
    const refused = 'NOT_FOUND: No category has this slug.';
    expect(await Promise.all(works)).toEqual([refused, refused]);
    expect(services.retries.slice(before)).toEqual([]);
    expect((await ada.updateProduct({ id: inside.globalId })).product).toMatchObject({ category: null });
  });

  test('lets go of what was put in just before', async () => {
    const category = await makeCategory(shop, 'Going too');
    const holder = await makeProduct(shop);
    const sku = newSku();
    await using barrier = await holdBarrier(shop.db, VARIANT, [uuid(), holder.id, sku]);
    const create = ada.createProduct({
      title: 'Just before',
      categorySlug: category.slug,
      variants: [variantInput({ sku })],
    });
    await locks.untilWaiting(1, 'INSERT INTO product_variants');
    const deletion = bob.deleteCategory(category.globalId);
    await locks.untilWaiting(2);
    await barrier.query('ROLLBACK');
    const { product, errors } = await create;
    expect([errors, (await deletion).errors]).toEqual([[], []]);
    expect(await rowsOf(shop.db, 'SELECT category_id FROM products WHERE id = $1', [rowId(known(product).id)])).toEqual(
      [{ category_id: null }],
    );
  });
});

test('the books agree in the end', async () => {
  expect(await findFaults(shop.db)).toEqual([]);
});
