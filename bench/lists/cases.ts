/** A request whose time is compared between a small shop and a large one. */
export interface ListCase {
  name: string;
  /** The operation of the nth run in a shop with so many products. */
  query: (run: number, size: number) => string;
  staff?: boolean;
}

const FIELDS = 'nodes { id title variants { sku available } } pageInfo { hasNextPage endCursor }';
const products = (filter: string, more = '') => `{ products(filter: { ${filter} }${more}) { ${FIELDS} } }`;
const list = (name: string, filter: string, more = ''): ListCase => ({ name, query: () => products(filter, more) });

/** What is measured; the products and orders are those of `fill.ts`. */
export const cases: readonly ListCase[] = [
  list('products', ''),
  { name: 'products, totalCount', query: () => '{ products { totalCount totalCountPrecision } }' },
  list('search: a word that all have', 'search: "common"'),
  list('search: a word that all have, unfinished', 'search: "comm"'),
  list('search: a word that one in ten has', 'search: "tenth"'),
  list('search: a word that one in a hundred has', 'search: "hundredth"'),
  list('search: a word that one in a thousand has', 'search: "rare"'),
  list('search: a word that none has', 'search: "absent"'),
  list('search: stop words', 'search: "the a s"'),
  list('search: a common word, by price', 'search: "common"', ', sort: { key: PRICE }'),
  list('a tag that all have', 'tags: ["everyone"]'),
  list('a tag that none has', 'tags: ["nobody"]'),
  list('inStock: true', 'inStock: true'),
  list('inStock: false', 'inStock: false'),
  list('a price that none has', 'minPrice: "5000"'),
  list('a narrow range of prices', 'minPrice: "20", maxPrice: "20.50"'),
  list('a wide range of prices', 'minPrice: "20", maxPrice: "90"'),
  list('a range of prices, by price', 'minPrice: "99"', ', sort: { key: PRICE }'),
  {
    name: 'a range of prices, totalCount',
    query: () => '{ products(filter: { minPrice: "20", maxPrice: "30" }) { totalCount } }',
  },
  { name: 'category counts', query: () => '{ categories { nodes { name products(first: 1) { totalCount } } } }' },
  { name: 'orders, totalCount', query: () => '{ orders { totalCount nodes { number } } }', staff: true },
  {
    name: 'orders by status, totalCount',
    query: () => '{ orders(filter: { status: CANCELLED }) { totalCount nodes { number } } }',
    staff: true,
  },
  {
    name: 'orders by search',
    query: (run) => `{ orders(filter: { search: "buyer-${run + 1}@example.com" }) { nodes { number } } }`,
    staff: true,
  },
  { name: 'orders by total', query: () => '{ orders(sort: { key: TOTAL }) { nodes { number } } }', staff: true },
  {
    name: 'checkout',
    query: (run, size) => `mutation {
      cartLinesAdd(input: { lines: [{ sku: "filled-${(run % (size - 10)) + 9}-0", quantity: 1 }] }) { errors { message } }
      checkout(input: { idempotencyKey: "bench", email: "bench@example.com" }) { order { number } errors { message } }
    }`,
  },
];
