/** Cursors nine tenths down the lists. */
export interface Deep {
  products: string;
  productsByTitle: string;
  orders: string;
}

/** A request whose time is compared between a small shop and a large one. */
export interface ListCase {
  name: string;
  /** The operation of the nth run in a shop with so many products. */
  query: (run: number, size: number, deep: Deep) => string;
  staff?: boolean;
}

const FIELDS = 'nodes { id title variants { sku available } } pageInfo { hasNextPage endCursor }';
const products = (filter: string, more = '') => `{ products(filter: { ${filter} }${more}) { ${FIELDS} } }`;
const list = (name: string, filter: string, more = ''): ListCase => ({ name, query: () => products(filter, more) });

/** What is measured; the products and orders are those of `fill.ts`. */
export const cases: readonly ListCase[] = [
  list('products', ''),
  { name: 'products, a deep page', query: (_run, _size, deep) => products('', `, after: "${deep.products}"`) },
  {
    name: 'products by title, a deep page',
    query: (_run, _size, deep) => products('', `, sort: { key: TITLE }, after: "${deep.productsByTitle}"`),
  },
  { name: 'products, the last page', query: () => `{ products(last: 20) { ${FIELDS} } }` },
  { name: 'products, totalCount', query: () => '{ products { totalCount totalCountPrecision } }' },
  list('search: a word that all have', 'search: "common"'),
  list('search: a word that all have, unfinished', 'search: "comm"'),
  list('search: a word that one in ten has', 'search: "tenth"'),
  list('search: a word that one in a hundred has', 'search: "hundredth"'),
  list('search: a word that one in a thousand has', 'search: "rare"'),
  list('search: a word that none has', 'search: "absent"'),
  list('search: a rare word and an unfinished common one', 'search: "rare comm"'),
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
  {
    name: 'a price that few have, totalCount',
    query: () => '{ products(filter: { minPrice: "20", maxPrice: "20" }) { totalCount } }',
  },
  list('a range of prices in stock and a tag', 'minPrice: "20", maxPrice: "30", inStock: true, tags: ["rare"]'),
  list('lowStock: true', 'lowStock: true'),
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
  {
    name: 'orders by search, a word that all have',
    query: () => '{ orders(filter: { search: "buyer" }) { totalCount nodes { number } } }',
    staff: true,
  },
  {
    name: 'orders, a deep page',
    query: (_run, _size, deep) => `{ orders(after: "${deep.orders}") { nodes { number } } }`,
    staff: true,
  },
  {
    name: 'me.orders',
    query: () => '{ me { orders { totalCount nodes { number total { amount } } } } }',
    staff: true,
  },
  { name: 'users, totalCount', query: () => '{ users { totalCount nodes { email } } }', staff: true },
  {
    name: 'users by search',
    query: (run) => `{ users(search: "customer-${run + 1}@") { totalCount nodes { email } } }`,
    staff: true,
  },
  {
    name: 'users by search, a text that all have',
    query: () => '{ users(search: "customer") { totalCount nodes { email } } }',
    staff: true,
  },
  { name: 'variants by stock', query: () => '{ productVariants { totalCount nodes { sku } } }', staff: true },
  {
    name: 'variants low in stock',
    query: () => '{ productVariants(filter: { states: [LOW] }) { totalCount nodes { sku } } }',
    staff: true,
  },
  {
    name: 'variants by search',
    query: () => '{ productVariants(filter: { search: "common" }) { totalCount nodes { sku } } }',
    staff: true,
  },
  {
    name: 'counts of orders by status',
    query: () => '{ shopActivity { orderCounts { status count } } }',
    staff: true,
  },
  {
    name: 'summary of the stock',
    query: () => '{ shopActivity { stock { heldUnits soldOutCount lowCount } } }',
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
