import type { Watched } from './shelf.ts';
import type { Random } from '../fuzz/random.ts';

export interface Query {
  query: string;
  variables: Record<string, unknown>;
}

const PRODUCT = `slug title status updatedAt tags category { slug name } availableForSale priceRange { min { amount } }
  variants { id sku available availableForSale price { amount } taxCategory { code } }`;

const LIST = `query List($first: Int, $filter: ProductFilter, $sort: ProductSort) {
  eventCursor products(first: $first, filter: $filter, sort: $sort) { asOf totalCount nodes { ${PRODUCT} } pageInfo { endCursor hasNextPage } } }`;
const ONE = `query One($slug: String!) { eventCursor product(slug: $slug) { asOf ${PRODUCT} } }`;
const VARIANT = `query Variant($sku: String!) { eventCursor productVariant(sku: $sku) { id sku available price { amount } product { ${PRODUCT} } } }`;
const CATEGORIES = `{ eventCursor categories(first: 50) { totalCount nodes { slug name updatedAt products(first: 3) { totalCount nodes { slug title status } } } } }`;
const CATEGORY = `query Category($slug: String!) { eventCursor category(slug: $slug) { name products { nodes { ${PRODUCT} } } } }`;

/** A query about the catalogue as shops send them: few at a time that are many times the same. */
export function someQuery(shelf: readonly Watched[], random: Random): Query {
  const roll = random.next();
  if (roll < 0.4) {
    const filters = [
      null,
      { inStock: true },
      { inStock: false },
      { tags: ['fresh'] },
      { search: 'jar' },
      { maxPrice: '10.05' },
    ];
    const sort = random.chance(0.3)
      ? { key: random.pick(['TITLE', 'PRICE', 'NEWEST']), reverse: random.chance(0.5) }
      : null;
    return { query: LIST, variables: { first: random.pick([3, 20]), filter: random.pick(filters), sort } };
  }
  if (roll < 0.7) {
    const slug = random.chance(0.1) ? `stirred-product-${random.below(5)}` : random.pick(shelf).slug;
    return { query: ONE, variables: { slug } };
  }
  if (roll < 0.85) {
    const sku = random.chance(0.2) ? `STIRRED-${random.below(5)}` : random.pick(shelf).variant.sku;
    return { query: VARIANT, variables: { sku } };
  }
  if (roll < 0.93) return { query: CATEGORIES, variables: {} };
  return { query: CATEGORY, variables: { slug: `stirred-${random.below(5)}` } };
}
