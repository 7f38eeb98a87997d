import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import type { Client } from '../../support/client.ts';
import { makeCategory, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { merchantOf, recordedOf } from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { changingNothing } from '../../support/state.ts';

// Two people edit the same thing: each says which version the changes are based on, and the second is refused.

const VERSIONS = graphql(`
  query EditVersions($product: ID!, $variant: ID!, $category: ID!) {
    product(id: $product) {
      updatedAt
    }
    variant: node(id: $variant) {
      ... on ProductVariant {
        updatedAt
      }
    }
    category(id: $category) {
      updatedAt
    }
  }
`);
const UPDATE_PRODUCT = graphql(`
  mutation EditProduct($input: ProductUpdateInput!) {
    productUpdate(input: $input) {
      product {
        title
        updatedAt
        images {
          url
        }
      }
      errors {
        ...EditFault
      }
    }
  }
`);
const UPDATE_VARIANT = graphql(`
  mutation EditVariant($input: ProductVariantUpdateInput!) {
    productVariantUpdate(input: $input) {
      variant {
        sku
        updatedAt
      }
      errors {
        ...EditFault
      }
    }
  }
`);
const UPDATE_CATEGORY = graphql(`
  mutation EditCategory($input: CategoryUpdateInput!) {
    categoryUpdate(input: $input) {
      category {
        name
        updatedAt
      }
      errors {
        ...EditFault
      }
    }
  }
`);
graphql(`
  fragment EditFault on UserError {
    code
    path
    ... on EditConflictError {
      expectedUpdatedAt
      updatedAt
      subject {
        id
        ... on Product {
          title
        }
        ... on ProductVariant {
          sku
        }
        ... on Category {
          name
        }
      }
    }
  }
`);

let shop: QuietShop;
let ada: Client;
let bob: Client;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  [ada, bob] = [(await newStaff(shop)).client, (await newStaff(shop)).client];
});
afterAll(() => shop.dispose());

let count = 0;

/** A product with one variant in a category, and the versions of all three. */
async function made() {
  count += 1;
  const category = await makeCategory(shop, `Edited ${count}`);
  const product = await makeProduct(shop, { categorySlug: category.slug, variants: [{ onHand: 5 }] });
  const ids = {
    product: product.globalId,
    variant: known(product.variants[0]).globalId,
    category: category.globalId,
  };
  const versions = async () => {
    const { product: one, variant, category: filed } = await ada.data(VERSIONS, ids);
    const variantAt = known(variant) as { updatedAt?: string };
    return { product: known(one).updatedAt, variant: known(variantAt.updatedAt), category: known(filed).updatedAt };
  };
  return { ids, rowId: product.id, versions, before: await versions() };
}

describe('an edit of what somebody else has changed meanwhile', () => {
  test('of a product is refused, with the present version; the one of an unchanged product is not', async () => {
    const { ids, rowId, before } = await made();
    const edit = (client: Client, title: string, expectedUpdatedAt: string | null) =>
      client.data(UPDATE_PRODUCT, { input: { id: ids.product, title, expectedUpdatedAt } });
    const first = known((await edit(ada, 'By Ada', before.product)).productUpdate);
    expect(first).toMatchObject({ product: { title: 'By Ada' }, errors: [] });
    const second = await changingNothing(shop, () => edit(bob, 'By Bob', before.product));
    const at = known(first.product).updatedAt;
    expect(known(second.productUpdate)).toEqual({
      product: null,
      errors: [
        {
          code: 'EDIT_CONFLICT',
          path: ['expectedUpdatedAt'],
          expectedUpdatedAt: before.product,
          updatedAt: at,
          subject: { id: ids.product, title: 'By Ada' },
        },
      ],
    });
    expect((await edit(bob, 'By Bob', at)).productUpdate).toMatchObject({ product: { title: 'By Bob' }, errors: [] });
    expect((await edit(ada, 'Whichever', null)).productUpdate).toMatchObject({ errors: [] });
    expect((await recordedOf(shop, rowId)).map(([kind]) => kind)).toEqual(Array(3).fill('PRODUCT_UPDATED'));
  });

  test('is refused though it would change nothing, and though it is an older version that is named', async () => {
    const { ids, before } = await made();
    await ada.data(UPDATE_PRODUCT, { input: { id: ids.product, title: 'Same' } });
    for (const expectedUpdatedAt of [before.product, '1999-12-31T23:59:59Z', '2999-12-31T23:59:59Z']) {
      const { productUpdate } = await bob.data(UPDATE_PRODUCT, {
        input: { id: ids.product, title: 'Same', expectedUpdatedAt },
      });
      expect(known(productUpdate).errors.map(({ code }) => code)).toEqual(['EDIT_CONFLICT']);
    }
  });

  test('of a variant and of a category is refused, too', async () => {
    const { ids, before } = await made();
    const sku = `EDIT-${ids.variant}`.slice(0, 100);
    const variant = (expectedUpdatedAt: string) =>
      ada.data(UPDATE_VARIANT, { input: { id: ids.variant, sku, price: '7.00', expectedUpdatedAt } });
    const category = (expectedUpdatedAt: string) =>
      ada.data(UPDATE_CATEGORY, { input: { id: ids.category, name: 'Renamed', expectedUpdatedAt } });
    const done = [
      known((await variant(before.variant)).productVariantUpdate),
      known((await category(before.category)).categoryUpdate),
    ];
    expect(done).toMatchObject([
      { variant: { sku }, errors: [] },
      { category: { name: 'Renamed' }, errors: [] },
    ]);
    const refused = await changingNothing(shop, async () => [
      known((await variant(before.variant)).productVariantUpdate).errors[0],
      known((await category(before.category)).categoryUpdate).errors[0],
    ]);
    expect(refused).toMatchObject([
      { code: 'EDIT_CONFLICT', expectedUpdatedAt: before.variant, subject: { id: ids.variant, sku } },
      { code: 'EDIT_CONFLICT', expectedUpdatedAt: before.category, subject: { id: ids.category, name: 'Renamed' } },
    ]);
  });

  test('at the same moment: one of them is saved', async () => {
    const { ids, rowId, before } = await made();
    const results = await Promise.all(
      [ada, bob, ada, bob].map((client, n) =>
        client.data(UPDATE_PRODUCT, {
          input: { id: ids.product, title: `Title ${n}`, expectedUpdatedAt: before.product },
        }),
      ),
    );
    const codes = results.map(({ productUpdate }) => known(productUpdate).errors[0]?.code ?? 'saved');
    expect(codes.toSorted()).toEqual(['EDIT_CONFLICT', 'EDIT_CONFLICT', 'EDIT_CONFLICT', 'saved']);
    expect(await recordedOf(shop, rowId)).toHaveLength(1);
  });
});

test('every change has a version of its own, a variant is part of its product, and stock is part of neither', async () => {
  const { ids, rowId, versions, before } = await made();
  await rowsOf(shop.db, `UPDATE products SET updated_at = clock_timestamp() + interval '1 hour' WHERE id = $1`, [
    rowId,
  ]);
  const seen = [(await versions()).product];
  for (const price of ['1.00', '2.00', '3.00']) {
    await ada.data(UPDATE_VARIANT, { input: { id: ids.variant, price } });
    seen.push((await versions()).product);
  }
  // Ascending, though the clock is behind the first of them.
  expect([...new Set(seen)].toSorted()).toEqual(seen);
  const { variant, product } = await versions();
  expect(Date.parse(variant)).toBeGreaterThan(Date.parse(before.variant));
  await merchantOf(ada).client.data(
    graphql(`
      mutation EditRestock($id: ID!) {
        stockAdjust(input: { variantId: $id, delta: 3, reason: RESTOCK, idempotencyKey: "edit-restock" }) {
          errors {
            code
          }
        }
      }
    `),
    { id: ids.variant },
  );
  expect(await versions()).toMatchObject({ variant, product });
});

test('a picture of the shop that is sent back as the API shows it is stored as its path', async () => {
  const { ids, rowId } = await made();
  const stored = () => rowsOf(shop.db, 'SELECT images FROM products WHERE id = $1', [rowId]);
  const save = async (urls: string[]) =>
    known(
      (await ada.data(UPDATE_PRODUCT, { input: { id: ids.product, images: urls.map((url) => ({ url })) } }))
        .productUpdate,
    );
  const { product } = await save(['/images/honey.svg', 'https://example.com/images/honey.svg']);
  const shown = known(product).images.map(({ url }) => url);
  expect(shown[0]).toMatch(/^http:\/\/.+\/images\/honey\.svg$/);
  expect((await save(shown.toReversed())).errors).toEqual([]);
  expect(await stored()).toEqual([
    {
      images: [
        { url: 'https://example.com/images/honey.svg', altText: null },
        { url: '/images/honey.svg', altText: null },
      ],
    },
  ]);
});
