import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { ProductStatus } from '../../generated/gql/graphql.ts';
import { newPerson, newStaff } from '../../support/accounts.ts';
import type { Client } from '../../support/client.ts';
import { archiveVariant, makeCategory, makeProduct, setStatus, type MadeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { choice } from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter } from '../../support/shopper.ts';
import { recordStatements } from '../../support/statements.ts';

/*
 * Who sees what of products that are not ACTIVE, and of variants that are archived: staff everything where they look for it
 * by name, shoppers only what their carts and orders hold.
 */

const STATUSES = ['DRAFT', 'ACTIVE', 'ARCHIVED'] as const;

let shop: QuietShop;
let viewers: Record<'guest' | 'customer' | 'staff' | 'admin', Client>;
let products: Record<ProductStatus, MadeProduct>;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  await makeCategory(shop, 'Seen');
  const make = async (status: ProductStatus) => {
    const made = await makeProduct(shop, {
      title: `${status} honey`,
      slug: status.toLowerCase(),
      status,
      categorySlug: 'seen',
      tags: ['seen'],
      variants: ['S', 'M'].map((Size) => ({ sku: `${status}-${Size}`, options: choice({ Size }) })),
    });
    await archiveVariant(shop, known(made.variants[1]).id);
    return made;
  };
  products = { DRAFT: await make('DRAFT'), ACTIVE: await make('ACTIVE'), ARCHIVED: await make('ARCHIVED') };
  viewers = {
    guest: (await enter(shop)).client,
    customer: (await newPerson(shop)).client,
    staff: (await newStaff(shop)).client,
    admin: (await newStaff(shop, 'ADMIN')).client,
  };
});
afterAll(() => shop.dispose());

const shoppers = ['guest', 'customer'] as const;
const workers = ['staff', 'admin'] as const;

const StaffCatalogOne = graphql(`
  query StaffCatalogOne($id: ID!, $slug: String!) {
    byId: product(id: $id) {
      ...StaffCatalogSeen
    }
    bySlug: product(slug: $slug) {
      ...StaffCatalogSeen
    }
    node(id: $id) {
      ...StaffCatalogSeen
    }
  }
`);

graphql(`
  fragment StaffCatalogSeen on Product {
    status
    variants {
      sku
    }
  }
`);

const StaffCatalogNodes = graphql(`
  query StaffCatalogNodes($ids: [ID!]!, $variant: ID!) {
    nodes(ids: $ids) {
      ... on Product {
        slug
      }
      ... on ProductVariant {
        sku
      }
    }
    node(id: $variant) {
      ... on ProductVariant {
        sku
        availableForSale
        product {
          status
        }
      }
    }
  }
`);

const StaffCatalogList = graphql(`
  query StaffCatalogList($filter: ProductFilter) {
    products(filter: $filter) {
      totalCount
      nodes {
        slug
        variants {
          sku
        }
      }
    }
    category(slug: "seen") {
      products {
        totalCount
        nodes {
          slug
        }
      }
    }
  }
`);

describe('product, by ID and by slug, and node', () => {
  test.each(STATUSES)('%s', async (status) => {
    const { globalId: id, slug } = products[status];
    const seen = { status, variants: [{ sku: `${status}-S` }] };
    for (const who of workers) {
      expect(await viewers[who].data(StaffCatalogOne, { id, slug })).toEqual({ byId: seen, bySlug: seen, node: seen });
    }
    const shown = status === 'ACTIVE' ? seen : null;
    for (const who of shoppers) {
      const answer = await viewers[who].data(StaffCatalogOne, { id, slug });
      expect([who, answer]).toEqual([who, { byId: shown, bySlug: shown, node: shown }]);
    }
  });
});

describe('nodes, and node of a variant', () => {
  const ids = () =>
    STATUSES.flatMap((status) => [products[status].globalId, ...products[status].variants.map((one) => one.globalId)]);

  test('staff find every product and variant', async () => {
    const variant = known(products.DRAFT.variants[1]).globalId;
    for (const who of workers) {
      expect(await viewers[who].data(StaffCatalogNodes, { ids: ids(), variant })).toEqual({
        nodes: STATUSES.flatMap((status) => [
          { slug: status.toLowerCase() },
          { sku: `${status}-S` },
          { sku: `${status}-M` },
        ]),
        node: { sku: 'DRAFT-M', availableForSale: false, product: { status: 'DRAFT' } },
      });
    }
  });

  test('shoppers find what is ACTIVE and not archived', async () => {
    const variant = known(products.ACTIVE.variants[1]).globalId;
    for (const who of shoppers) {
      expect(await viewers[who].data(StaffCatalogNodes, { ids: ids(), variant })).toEqual({
        nodes: [null, null, null, { slug: 'active' }, { sku: 'ACTIVE-S' }, null, null, null, null],
        node: null,
      });
    }
  });
});

describe('products, and those of a category', () => {
  const inCategory = { products: { totalCount: 1, nodes: [{ slug: 'active' }] } };
  const listOf = (status: ProductStatus) => ({
    products: { totalCount: 1, nodes: [{ slug: status.toLowerCase(), variants: [{ sku: `${status}-S` }] }] },
    category: inCategory,
  });

  test.each([...shoppers, ...workers])('for %s are ACTIVE unless asked for', async (who) => {
    for (const filter of [{}, { status: null }, { status: 'ACTIVE' as const }, { tags: ['seen'] }]) {
      expect(await viewers[who].data(StaffCatalogList, { filter })).toEqual(listOf('ACTIVE'));
    }
  });

  test.each(STATUSES)('for staff of the status %s where asked for, with every other filter', async (status) => {
    for (const also of [{}, { search: 'honey' }, { categorySlug: 'seen', tags: ['seen'] }, { inStock: true }]) {
      expect(await viewers.staff.data(StaffCatalogList, { filter: { status, ...also } })).toEqual(listOf(status));
    }
    const none = { totalCount: 0, nodes: [] };
    const others = STATUSES.filter((other) => other !== status);
    for (const other of others) {
      const filter = { status, search: other };
      expect((await viewers.staff.data(StaffCatalogList, { filter })).products).toEqual(none);
    }
  });

  test.each(['DRAFT', 'ARCHIVED'] as const)(
    'of the status %s are not for others, in that place alone',
    async (status) => {
      const expected = { guest: 'UNAUTHENTICATED', customer: 'FORBIDDEN' };
      for (const who of shoppers) {
        const answer = await viewers[who].execute(StaffCatalogList, { filter: { status } });
        expect([answer.status, answer.codes]).toEqual([200, [expected[who]]]);
        expect(answer.data).toEqual({ products: null, category: inCategory });
      }
    },
  );

  test('cost staff as many statements as shoppers', async () => {
    const count = async (client: Client, status: ProductStatus) => {
      const filter = { status };
      return (await recordStatements(() => client.data(StaffCatalogList, { filter }))).statements.length;
    };
    // Each of them has a row that says who it is.
    const counts = [await count(viewers.customer, 'ACTIVE'), await count(viewers.staff, 'ACTIVE')];
    expect([...counts, await count(viewers.staff, 'DRAFT')]).toEqual(Array.from({ length: 3 }, () => counts[0]));
  });
});

describe('lines of carts and orders', () => {
  const Lines = graphql(`
    query StaffCatalogLines($order: ID!) {
      cart {
        lines {
          variant {
            sku
            availableForSale
            product {
              status
              variants {
                sku
              }
            }
          }
        }
      }
      order(id: $order) {
        lines {
          sku
          variant {
            sku
            availableForSale
            product {
              status
              variants {
                sku
              }
            }
          }
        }
      }
    }
  `);

  test('show what they hold, to shopper and staff, whatever became of it', async () => {
    const made = await makeProduct(shop, {
      variants: ['S', 'M'].map((Size) => ({ sku: `HELD-${Size}`, options: choice({ Size }) })),
    });
    const shopper = await enter(shop);
    await shopper.add({ sku: 'HELD-S', quantity: 1 });
    const { order } = await shopper.checkout({ idempotencyKey: 'one', email: 'ada@example.com' });
    await shopper.add({ sku: 'HELD-S', quantity: 1 });
    await archiveVariant(shop, known(made.variants[0]).id);
    await setStatus(shop, made.id, 'ARCHIVED');

    const variant = {
      sku: 'HELD-S',
      availableForSale: false,
      product: { status: 'ARCHIVED', variants: [{ sku: 'HELD-M' }] },
    };
    const variables = { order: known(order).id };
    expect(await shopper.client.data(Lines, variables)).toEqual({
      cart: { lines: [{ variant }] },
      order: { lines: [{ sku: 'HELD-S', variant }] },
    });
    expect(await viewers.staff.data(Lines, variables)).toEqual({
      cart: null,
      order: { lines: [{ sku: 'HELD-S', variant }] },
    });
    // By itself the shopper finds neither.
    const nodes = { ids: [made.globalId], variant: known(made.variants[0]).globalId };
    expect(await shopper.client.data(StaffCatalogNodes, nodes)).toEqual({ nodes: [null], node: null });
  });
});
