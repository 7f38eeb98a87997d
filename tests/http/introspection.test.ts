import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket } from '../support/socket.ts';
import { callerFrom, createThrottledShop } from '../support/throttling.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
});
afterAll(() => shop.dispose());

const DEEP =
  '{ types { name fields { name args { name type { name } } type { name ofType { name ofType { name } } } } } }';
const STANDARD = getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true, oneOf: true });

const tooMuch = {
  'aliases of __schema': `{ ${Array.from({ length: 15 }, (_, i) => `a${i}: __schema ${DEEP}`).join(' ')} }`,
  'two of __schema': '{ a: __schema { queryType { name } } b: __schema { queryType { name } } }',
  '__schema beside a fragment with it':
    '{ a: __schema { queryType { name } } ...F } fragment F on Query { b: __schema { queryType { name } } }',
  'a fragment with __schema, twice':
    '{ ...F ...G } fragment F on Query { a: __schema { queryType { name } } } fragment G on Query { ... on Query { b: __schema { queryType { name } } } }',
  'aliases of __type': `{ ${Array.from({ length: 6 }, (_, i) => `a${i}: __type(name: "Query") { name }`).join(' ')} }`,
  'a deep __type': `{ __type(name: "Query") { fields { type { fields { ...T args { type { possibleTypes { ...T } } } } } } } } fragment T on __Field { ${Array.from({ length: 10 }, (_, i) => `a${i}: args { type { enumValues { name description } inputFields { name type { inputFields { name } } } } }`).join(' ')} }`,
  'aliases inside of __schema': `{ __schema { ${Array.from({ length: 15 }, (_, i) => `a${i}: types { name fields { name args { name type { ...T } } type { ...T } } }`).join(' ')} } } fragment T on __Type { name kind ofType { name kind ofType { name kind ofType { name kind ofType { name kind } } } } }`,
  'in an operation that is not run': `query A { serverTime } query B { a: __schema { queryType { name } } b: __schema { queryType { name } } }`,
};

describe.each(Object.entries(tooMuch))('introspection by %s', (_name, query) => {
  test('is refused over HTTP and WebSocket, before anything is executed', async () => {
    const operationName = query.startsWith('query A') ? 'A' : undefined;
    const { codes, data } = await shop
      .client()
      .execute(query, {}, operationName === undefined ? {} : { operationName });
    // The depth of introspection itself is bounded by graphql-js.
    expect(['TOO_COSTLY', 'GRAPHQL_VALIDATION_FAILED']).toContain(codes[0]);
    expect(data).toBeUndefined();
    const socket = await openSocket(shop.wsUrl);
    await socket.init();
    socket.subscribe('1', query, {}, operationName);
    expect((await socket.messages.take()).type).toBe('error');
    await socket.close();
  });
});

test('the query of the tools passes, and what tools ask of single types', async () => {
  const { data, errors } = await shop.client().execute(STANDARD);
  expect(errors).toBeUndefined();
  expect(data).toHaveProperty('__schema.queryType.name', 'Query');
  const abilities =
    '{ a: __type(name: "__Directive") { fields { name } } b: __type(name: "__Type") { fields { name } } __schema { queryType { name } } }';
  expect((await shop.client().execute(abilities)).codes).toEqual([]);
});

test('a network may introspect so many times a minute, and do everything else meanwhile', async () => {
  const limited = await createThrottledShop({ introspectionsByClient: { points: 2, seconds: 60 } });
  const caller = callerFrom(limited);
  const query = '{ __schema { queryType { name } } }';
  expect((await caller.execute(query)).codes).toEqual([]);
  expect((await caller.execute('{ ...F } fragment F on Query { __type(name: "Query") { name } }')).codes).toEqual([]);
  const { codes, status, headers } = await caller.execute(query);
  expect([codes, status]).toEqual([['RATE_LIMITED'], 429]);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await caller.execute('{ __typename shop { name } }')).codes).toEqual([]);
  await limited.dispose();
});

describe('in production', () => {
  const production = (env: NodeJS.ProcessEnv = {}) =>
    createApiNode({ env: { NODE_ENV: 'production', PUBLIC_URL: 'http://localhost', ...env } });

  /** As `fetch` cannot: under the shop's public name. */
  async function ask(of: TestShop, query: string): Promise<{ status: number; codes: unknown[]; data: unknown }> {
    const headers = {
      host: 'localhost',
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
    };
    const body = JSON.stringify({ query });
    const answer = await of.request({ method: 'POST', path: '/graphql', headers, body });
    const { data, errors = [] } = answer.json() as {
      data?: unknown;
      errors?: { message: string; extensions: { code: string } }[];
    };
    return {
      status: answer.status,
      codes: errors.map(({ message, extensions: { code } }) => `${code}: ${message}`),
      data,
    };
  }

  test('there is none, but for __typename', async () => {
    const real = await production();
    for (const query of [
      STANDARD,
      '{ a: __type(name: "Query") { name } }',
      '{ ...F } fragment F on Query { __schema { queryType { name } } }',
    ]) {
      const codes = ['FORBIDDEN: Introspection is disabled. Set INTROSPECTION=on to enable it.'];
      expect(await ask(real, query)).toEqual({ status: 403, codes, data: undefined });
    }
    expect((await ask(real, '{ __typename shop { __typename name } }')).codes).toEqual([]);
    await real.dispose();
  });

  test.each([{ INTROSPECTION: 'on' }, { GRAPHIQL: 'on' }])('a setting turns it on: %o', async (env) => {
    const real = await production(env);
    expect((await ask(real, STANDARD)).codes).toEqual([]);
    await real.dispose();
  });
});
