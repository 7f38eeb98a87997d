import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { rowId } from '../../support/shopper.ts';
import { rowsOf } from '../../support/books.ts';
import { globalId, makeCategory, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { faultsOf, merchantOf, recordedOf, recordOf, type Merchant } from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf } from '../../support/records.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
let merchant: Merchant;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  merchant = merchantOf(staff.client);
});
afterAll(() => shop.dispose());

const MISSING = '01234567-89ab-7def-8123-456789abcdef';

const StaffCatalogFiled = graphql(`
  query StaffCatalogFiled($slug: String!, $product: ID!) {
    category(slug: $slug) {
      name
    }
    product(id: $product) {
      category {
        slug
      }
      updatedAt
    }
  }
`);

describe('categoryCreate', () => {
  test('makes a category, with a slug of its own or of its name, and a record', async () => {
    const { category, errors } = await merchant.createCategory({ name: ' Honey & Wax ' });
    expect(errors).toEqual([]);
    const { id, ...rest } = known(category);
    expect(rest).toEqual({ name: 'Honey & Wax', slug: 'honey-wax' });
    expect(await recordedOf(shop, rowId(id))).toEqual([
      ['CATEGORY_CREATED', ['name: - → Honey & Wax', 'slug: - → honey-wax']],
    ]);
    expect(await recordOf(shop, rowId(id))).toMatchObject([{ actorId: rowId(staff.userId), subjectType: 'Category' }]);
    expect(await eventsOf(shop, rowId(id))).toEqual([{ type: 'category_changed', payload: { categoryId: rowId(id) } }]);

    const slugs = [];
    for (const input of [
      { name: 'Honey, wax', slug: null },
      { name: 'Honey wax!', slug: 'my-wax' },
      { name: '蜂' },
      { name: '蜜' },
    ]) {
      slugs.push((await merchant.createCategory(input)).category?.slug);
    }
    expect(slugs).toEqual(['honey-wax-2', 'my-wax', 'feng', 'mi']);
    // A product's slug is another matter.
    await makeProduct(shop, { slug: 'of-a-product' });
    expect((await merchant.createCategory({ name: 'Of a product' })).category?.slug).toBe('of-a-product');
  });

  test('takes the longest name and slug', async () => {
    const { errors } = await merchant.createCategory({ name: '蜂'.repeat(200), slug: 's'.repeat(200) });
    expect(errors).toEqual([]);
  });

  test('refuses a slug that is taken or no slug, and a name that is none', async () => {
    await makeCategory(shop, 'Taken');
    const cases: [Parameters<Merchant['createCategory']>[0], string[]][] = [
      [{ name: 'Any', slug: 'taken' }, ['CONFLICT slug']],
      [{ name: 'Any', slug: 'Not a slug' }, ['INVALID_INPUT slug']],
      [{ name: 'Any', slug: '' }, ['INVALID_INPUT slug']],
      [{ name: 'Any', slug: 's'.repeat(201) }, ['INVALID_INPUT slug']],
      [{ name: ' ' }, ['INVALID_INPUT name']],
      [{ name: 'a\nb', slug: '-' }, ['INVALID_INPUT name', 'INVALID_INPUT slug']],
      [{ name: 'n'.repeat(201) }, ['INVALID_INPUT name']],
    ];
    await changingNothing(shop, async () => {
      for (const [input, faults] of cases) {
        const payload = await merchant.createCategory(input);
        expect([input, payload.category, faultsOf(payload)]).toEqual([input, null, faults]);
      }
    });
  });
});

describe('categoryUpdate', () => {
  test('changes name and slug; products follow, and are not changed themselves', async () => {
    const made = await makeCategory(shop, 'Old name');
    const product = await makeProduct(shop, { categorySlug: made.slug });
    const read = (slug: string) => merchant.client.data(StaffCatalogFiled, { slug, product: product.globalId });
    const before = await read('old-name');

    const renamed = await merchant.updateCategory({ id: made.globalId, name: ' New name ' });
    expect(renamed).toEqual({ category: { id: made.globalId, slug: 'old-name', name: 'New name' }, errors: [] });
    const moved = await merchant.updateCategory({ id: made.globalId, slug: 'new-name' });
    expect(moved).toEqual({ category: { id: made.globalId, slug: 'new-name', name: 'New name' }, errors: [] });
    expect(await read('old-name')).toMatchObject({ category: null });
    expect(await read('new-name')).toEqual({
      category: { name: 'New name' },
      product: { category: { slug: 'new-name' }, updatedAt: before.product?.updatedAt },
    });
    expect(await eventsOf(shop, product.id)).toEqual([]);
    expect(await recordedOf(shop, made.id)).toEqual([
      ['CATEGORY_UPDATED', ['name: Old name → New name']],
      ['CATEGORY_UPDATED', ['slug: old-name → new-name']],
    ]);
    const [row] = await rowsOf(shop.db, 'SELECT updated_at AS at FROM categories WHERE id = $1', [made.id]);
    expect((await recordOf(shop, made.id))[1]?.occurredAt).toEqual((row as { at: Date }).at);
  });

  test('that changes nothing succeeds, and leaves no trace', async () => {
    const { globalId: id, slug, name } = await makeCategory(shop, 'Steady');
    await changingNothing(shop, async () => {
      for (const input of [{ id }, { id, slug, name: ` ${name}` }]) {
        expect(await merchant.updateCategory(input)).toEqual({ category: { id, slug, name }, errors: [] });
      }
    });
  });

  test('refuses a slug that is taken, null, and a category that is not there', async () => {
    const { globalId: id } = await makeCategory(shop, 'One');
    await makeCategory(shop, 'Another');
    const cases: [Parameters<Merchant['updateCategory']>[0], string[]][] = [
      [{ id, name: 'Any', slug: 'another' }, ['CONFLICT slug']],
      [{ id, name: null, slug: null }, ['INVALID_INPUT name', 'INVALID_INPUT slug']],
      [{ id, name: '', slug: 'A' }, ['INVALID_INPUT name', 'INVALID_INPUT slug']],
      [{ id: globalId('Category', MISSING), name: 'Any' }, ['NOT_FOUND id']],
      [{ id: globalId('Product', MISSING), name: 'Any' }, ['INVALID_INPUT id']],
    ];
    await changingNothing(shop, async () => {
      for (const [input, faults] of cases) {
        const payload = await merchant.updateCategory(input);
        expect([input, payload.category, faultsOf(payload)]).toEqual([input, null, faults]);
      }
    });
  });
});

describe('categoryDelete', () => {
  test('deletes a category; its products stay, without one, and are otherwise as they were', async () => {
    const made = await makeCategory(shop, 'Doomed');
    const product = await makeProduct(shop, { categorySlug: made.slug });
    const variables = { slug: made.slug, product: product.globalId };
    const before = await merchant.client.data(StaffCatalogFiled, variables);
    expect(before.product?.category).toEqual({ slug: 'doomed' });

    expect(await merchant.deleteCategory(made.globalId)).toEqual({ deletedId: made.globalId, errors: [] });
    expect(await merchant.client.data(StaffCatalogFiled, variables)).toEqual({
      category: null,
      product: { category: null, updatedAt: expect.any(String) as string },
    });
    expect(await eventsOf(shop, product.id)).toEqual([{ type: 'product_changed', payload: { productId: product.id } }]);
    expect(await recordedOf(shop, made.id)).toEqual([['CATEGORY_DELETED', ['name: Doomed → -', 'slug: doomed → -']]]);
    await changingNothing(shop, async () => {
      const again = await merchant.deleteCategory(made.globalId);
      expect([again.deletedId, faultsOf(again)]).toEqual([null, ['NOT_FOUND id']]);
    });
    // Its slug is free again.
    expect((await merchant.createCategory({ name: 'Doomed' })).category?.slug).toBe('doomed');
  });

  test('rejects an ID that is not of a category', async () => {
    await changingNothing(shop, async () => {
      const payload = await merchant.deleteCategory(globalId('Product', MISSING));
      expect([payload.deletedId, faultsOf(payload)]).toEqual([null, ['INVALID_INPUT id']]);
    });
  });
});
