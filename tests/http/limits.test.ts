import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket } from '../support/socket.ts';

let shop: TestShop;
let production: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
  production = await createApiNode({ env: { NODE_ENV: 'production', PUBLIC_URL: 'http://localhost' } });
});
afterAll(async () => {
  await shop.dispose();
  await production.dispose();
});

/** category → products → nodes → category → …: fields to a given depth. */
function deep(depth: number): string {
  const steps = ['category', 'products(first: 1)', 'nodes'];
  const path = Array.from({ length: depth - 1 }, (_, i) => steps[i % 3]);
  const leaf = path.at(-1) === 'products(first: 1)' ? 'totalCount' : 'id';
  return `${path.join(' { ').replace('category', 'category(slug: "x")')} { ${leaf} ${'}'.repeat(depth - 1)}`;
}

const aliases = (count: number) => Array.from({ length: count }, (_, i) => `a${i}: serverTime`).join(' ');
/** A document of exactly so many tokens: 14 around a list of strings. */
const tokens = (count: number) => `{ products(filter: { tags: [${'"x" '.repeat(count - 16)}] }) { totalCount } }`;

const within = {
  depth: `{ ${deep(12)} }`,
  'depth in fragments': `{ ...F } fragment F on Query { ${deep(12)} }`,
  aliases: `{ ${aliases(15)} }`,
  tokens: tokens(2000),
};

const TOO_DEEP = 'Query depth limit of 12 exceeded, found 13.';
const TOO_MANY_ALIASES = 'Aliases limit of 15 exceeded, found 16.';
const beyond = {
  depth: [`query A { ${deep(13)} }`, TOO_DEEP],
  'depth in a fragment': [`query A { ...F } fragment F on Query { ${deep(13)} }`, TOO_DEEP],
  'depth in an inline fragment': [`query A { ... on Query { ${deep(13)} } }`, TOO_DEEP],
  'depth in an operation that is not run': [`query A { serverTime } query B { ${deep(13)} }`, TOO_DEEP],
  aliases: [`query A { ${aliases(16)} }`, TOO_MANY_ALIASES],
  'aliases in fragments': [
    `query A { ...F ...G } fragment F on Query { ${aliases(8)} } fragment G on Query { ${aliases(8)} }`,
    TOO_MANY_ALIASES,
  ],
  tokens: [`query A ${tokens(1999)}`, 'Token limit of 2000 exceeded.'],
} as const;

describe.each(Object.entries(within))('%s at the limit', (_name, query) => {
  test('passes', async () => {
    const { codes } = await shop.client().execute(query);
    expect(codes).not.toContain('TOO_COSTLY');
    expect(codes).not.toContain('GRAPHQL_VALIDATION_FAILED');
  });
});

describe.each(Object.entries(beyond))('%s beyond the limit', (_name, [query, message]) => {
  test('is TOO_COSTLY over HTTP, the second time too', async () => {
    for (let i = 0; i < 2; i += 1) {
      const headers = { accept: 'application/graphql-response+json' };
      const { errors, status } = await shop.client({ headers }).execute(query, {}, { operationName: 'A' });
      expect(errors).toEqual([{ message, extensions: { code: 'TOO_COSTLY' } }]);
      expect(status).toBe(400);
    }
  });

  test('is TOO_COSTLY over WebSocket', async () => {
    const socket = await openSocket(shop.wsUrl);
    await socket.init();
    socket.subscribe('1', query, {}, 'A');
    expect(await socket.messages.take()).toEqual({
      type: 'error',
      id: '1',
      payload: [{ message, extensions: { code: 'TOO_COSTLY' } }],
    });
    await socket.close();
  });
});

describe('cost', () => {
  // 100 products with 100 products each of their category.
  const costly = '{ products(first: 100) { nodes { category { products(first: 100) { nodes { title vendor } } } } } }';

  test('beyond the ceiling is refused', async () => {
    const { codes, errors } = await shop.client().execute(costly);
    expect(codes).toEqual(['TOO_COSTLY']);
    expect(errors?.[0]?.message).toMatch(/^The operation costs \d+, but the maximum is 20000\./);
  });

  test('counts what variables ask for', async () => {
    const query = costly.replace('{ products(first: 100)', 'query ($n: Int!) { products(first: $n)');
    expect((await shop.client().execute(query, { n: 100 })).codes).toEqual(['TOO_COSTLY']);
    expect((await shop.client().execute(query, { n: 1 })).codes).toEqual([]);
  });

  test('of a subscription is known before it starts', async () => {
    const event =
      'variant { product { category { products(first: 100) { nodes { category { products(first: 100) { nodes { title slug vendor } } } } } } } }';
    const socket = await openSocket(shop.wsUrl);
    await socket.init();
    socket.subscribe('1', `subscription { stockChanged { ${event} } }`);
    const message = await socket.messages.take();
    expect(message).toMatchObject({ type: 'next', payload: { errors: [{ extensions: { code: 'TOO_COSTLY' } }] } });
    expect(await socket.messages.take()).toEqual({ type: 'complete', id: '1' });
    await socket.close();
  });
});

test('tools may look at the whole schema', async () => {
  const { errors, data } = await shop
    .client()
    .execute(getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true }));
  expect(errors).toBeUndefined();
  expect(data).toHaveProperty('__schema.queryType.name', 'Query');
});

test('but not for ever: introspection that feeds on itself is refused', async () => {
  const { codes } = await shop
    .client()
    .execute('{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }');
  expect(codes).toEqual(['GRAPHQL_VALIDATION_FAILED']);
});

test('similar names are suggested in development and not in production', async () => {
  const misspelt = [
    '{ shop { nam } }',
    '{ shop { name } } fragment F on Shoo { name }',
    '{ product(slag: "x") { id } }',
  ];
  for (const query of misspelt) {
    expect((await shop.client().execute(query)).errors?.some(({ message }) => message.includes('Did you mean'))).toBe(
      true,
    );
    const { errors } = await production.client({ headers: { host: 'localhost' } }).execute(query);
    expect(errors?.length).toBeGreaterThan(0);
    expect(JSON.stringify(errors)).not.toContain('Did you mean');
  }
});
