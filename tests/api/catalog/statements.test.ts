import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { Document } from '../../support/client.ts';
import { makeCategory, makeProduct, type MadeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter, type Shopper } from '../../support/shopper.ts';
import { recordStatements } from '../../support/statements.ts';

// A list costs so many statements, however long it is.

const PRODUCTS = 50;
const CATEGORIES = 10;

let shop: QuietShop;
let products: MadeProduct[];
const skuOf = (index: number) => known(products[index]?.variants[0]).sku;

beforeAll(async () => {
  shop = await openQuietShop();
  const slugs: string[] = [];
  for (let n = 0; n < CATEGORIES; n += 1) slugs.push((await makeCategory(shop, `Category ${n}`)).slug);
  products = [];
  for (let n = 0; n < PRODUCTS; n += 1) {
    const categorySlug = known(slugs[n % CATEGORIES]);
    products.push(await makeProduct(shop, { categorySlug, variants: [{ onHand: 1000 }, { onHand: 1000 }] }));
  }
});
afterAll(() => shop.dispose());

/** How many statements an operation takes, and what it gives. */
async function cost<Data, Variables>(
  client: Shopper['client'],
  document: Document<Data, Variables>,
  variables: Variables,
) {
  const { result, statements } = await recordStatements(() => client.data(document, variables));
  return { data: result, count: statements.length };
}

graphql(`
  fragment CostProduct on Product {
    title
    category {
      name
    }
    images {
      url
    }
    options {
      name
    }
    variants {
      sku
      available
      price {
        amount
      }
      product {
        slug
      }
    }
    priceRange {
      min {
        amount
      }
    }
    availableForSale
  }
`);

describe('the statements of a list', () => {
  const Products = graphql(`
    query CostProducts($first: Int!) {
      products(first: $first) {
        totalCount
        nodes {
          ...CostProduct
        }
      }
    }
  `);

  test('products with variants, prices and category: 4', async () => {
    const few = await cost(shop.client(), Products, { first: 5 });
    const many = await cost(shop.client(), Products, { first: PRODUCTS });
    expect([few, many].map(({ data }) => data.products?.nodes.length)).toEqual([5, PRODUCTS]);
    // The page with variants, its total, categories, and each variant's product.
    expect([few.count, many.count]).toEqual([4, 4]);
  });

  const Categories = graphql(`
    query CostCategories($first: Int!, $products: Int!) {
      categories(first: $first) {
        totalCount
        nodes {
          name
          products(first: $products) {
            totalCount
            nodes {
              title
              category {
                name
              }
              variants {
                sku
                price {
                  amount
                }
              }
            }
          }
        }
      }
    }
  `);

  test('categories with their products and variants: 6', async () => {
    const few = await cost(shop.client(), Categories, { first: 2, products: 1 });
    const many = await cost(shop.client(), Categories, { first: CATEGORIES, products: 5 });
    const sizes = [few, many].map(
      ({ data }) => data.categories?.nodes.flatMap((category) => category.products?.nodes).length,
    );
    expect(sizes).toEqual([2, PRODUCTS]);
    // The categories, their total, pages of products, their totals, variants, and each product's category.
    expect([few.count, many.count]).toEqual([6, 6]);
  });

  const CartLines = graphql(`
    query CostCart {
      cart {
        totalQuantity
        lines {
          total {
            amount
          }
          variant {
            sku
            product {
              ...CostProduct
            }
          }
        }
      }
    }
  `);

  const OrderLines = graphql(`
    query CostOrder($id: ID!) {
      order(id: $id) {
        totalQuantity
        shippingAddress {
          city
        }
        lines {
          unitPrice {
            amount
          }
          total {
            amount
          }
          variant {
            sku
            product {
              title
              category {
                name
              }
            }
          }
        }
        history {
          to
        }
      }
    }
  `);

  /** Someone with so many lines in the cart. */
  async function withLines(count: number) {
    const shopper = await enter(shop);
    await shopper.add(...Array.from({ length: count }, (_, n) => ({ sku: skuOf(n), quantity: 1 })));
    return shopper;
  }

  test('a cart with lines, variants and products, and the viewer: 6', async () => {
    const few = await cost((await withLines(2)).client, CartLines, {});
    const many = await cost((await withLines(PRODUCTS)).client, CartLines, {});
    expect([few, many].map(({ data }) => data.cart?.lines.length)).toEqual([2, PRODUCTS]);
    // The guest, the cart with its lines, variants, their products, those products' variants, and categories.
    expect([few.count, many.count]).toEqual([6, 6]);
  });

  test('an order with lines, variants, products and history, and the viewer: 8', async () => {
    const counts = [];
    for (const size of [2, PRODUCTS]) {
      const shopper = await withLines(size);
      const { order } = await shopper.checkout({ idempotencyKey: 'cost', email: 'cost@example.com' });
      const { data, count } = await cost(shopper.client, OrderLines, { id: known(order).id });
      expect(data.order?.lines).toHaveLength(size);
      counts.push(count);
    }
    // The guest, the order, its lines, their order, its history, then variants, products, categories.
    expect(counts).toEqual([8, 8]);
  });

  const Nodes = graphql(`
    query CostNodes($ids: [ID!]!) {
      nodes(ids: $ids) {
        ... on Product {
          ...CostProduct
        }
        ... on ProductVariant {
          sku
          product {
            slug
          }
        }
      }
    }
  `);

  test('nodes that are products and variants: 4', async () => {
    const client = shop.client();
    const ids = products.flatMap((product) => [product.globalId, known(product.variants[1]).globalId]);
    const few = await cost(client, Nodes, { ids: ids.slice(0, 4) });
    const many = await cost(client, Nodes, { ids });
    expect([few, many].map(({ data }) => data.nodes.filter((node) => node !== null).length)).toEqual([4, 2 * PRODUCTS]);
    expect([few.count, many.count]).toEqual([4, 4]);
  });

  const OrderNodes = graphql(`
    query CostOrderNodes($ids: [ID!]!) {
      nodes(ids: $ids) {
        ... on Order {
          totalQuantity
          total {
            amount
          }
          history {
            to
          }
          lines {
            sku
            unitPrice {
              amount
            }
            variant {
              product {
                title
              }
            }
          }
        }
        ... on OrderLine {
          total {
            amount
          }
          variant {
            sku
          }
        }
        ... on CartLine {
          held: variant {
            sku
          }
        }
        ... on Cart {
          lines {
            quantity
          }
        }
      }
    }
  `);

  test('nodes that are carts, orders and their lines: 13', async () => {
    const shopper = await enter(shop);
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      await shopper.add({ sku: skuOf(n), quantity: 1 }, { sku: skuOf(n + 1), quantity: 2 });
      const { order } = await shopper.checkout({ idempotencyKey: `nodes ${n}`, email: 'cost@example.com' });
      ids.push(known(order).id, ...known(order).lines.map((line) => line.id));
    }
    const { cart } = await shopper.add({ sku: skuOf(0), quantity: 1 }, { sku: skuOf(1), quantity: 2 });
    const cartIds = [known(cart).id, ...known(cart).lines.map((line) => line.id)];
    const few = await cost(shopper.client, OrderNodes, { ids: [...ids.slice(0, 3), ...cartIds.slice(0, 2)] });
    const many = await cost(shopper.client, OrderNodes, { ids: [...ids, ...cartIds] });
    expect([few, many].map(({ data }) => data.nodes.filter((node) => node !== null).length)).toEqual([5, 21]);
    expect([few.count, many.count]).toEqual([13, 13]);
  });
});
