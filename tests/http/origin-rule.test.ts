import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEventStream } from '../support/event-stream.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { WARN } from '../support/logs.ts';
import { upgradeStatus } from '../support/socket.ts';

const PUBLIC = 'https://shop.example';
const PARTNER = 'https://front.example';
const METRICS_TOKEN = 'a-token-for-prometheus';

// In production, at its public address; and as a developer runs it.
let production: TestShop;
let local: TestShop;
beforeAll(async () => {
  production = await createApiNode({
    env: {
      NODE_ENV: 'production',
      PUBLIC_URL: PUBLIC,
      CORS_ORIGINS: `${PARTNER}, https://*.preview.example`,
      ALLOWED_HOSTS: 'api,10.0.0.7:4000',
      METRICS_TOKEN,
      GRAPHIQL: 'on',
    },
  });
  local = await createApiNode();
});
afterAll(async () => {
  await production.dispose();
  await local.dispose();
});

type Headers = Record<string, string>;
type Way = (shop: TestShop, headers: Headers) => Promise<number>;

const QUERY = '{ shop { name } }';
const SUBSCRIPTION = 'subscription { stockChanged { available } }';

/** Each gives the HTTP status with which it is met. */
const ways: Record<string, Way> = {
  POST: async (shop, headers) => {
    const body = JSON.stringify({ query: QUERY });
    const answer = await shop.request({
      method: 'POST',
      path: '/graphql',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return answer.status;
  },
  GET: async (shop, headers) => {
    const answer = await shop.request({ path: `/graphql?query=${encodeURIComponent(QUERY)}`, headers });
    return answer.status;
  },
  SSE: async (shop, headers) => {
    const stream = await openEventStream(shop.url, SUBSCRIPTION, headers);
    stream.close();
    return stream.status;
  },
  WebSocket: async (shop, headers) => {
    const status = await upgradeStatus(shop.wsUrl, { headers });
    return status === 101 ? 200 : status;
  },
};

interface Case {
  who: string;
  headers: Headers;
  inProduction: boolean;
  onLoopback: boolean;
}

const cases: Case[] = [
  { who: 'no browser', headers: {}, inProduction: true, onLoopback: true },
  {
    who: 'our own page',
    headers: { origin: PUBLIC, 'sec-fetch-site': 'same-origin' },
    inProduction: true,
    onLoopback: false,
  },
  {
    who: 'our own page, without Origin',
    headers: { 'sec-fetch-site': 'same-origin' },
    inProduction: true,
    onLoopback: true,
  },
  { who: 'typed by hand', headers: { 'sec-fetch-site': 'none' }, inProduction: true, onLoopback: true },
  {
    who: 'a page in CORS_ORIGINS',
    headers: { origin: PARTNER, 'sec-fetch-site': 'cross-site' },
    inProduction: true,
    onLoopback: false,
  },
  {
    who: 'a page of a subdomain that a pattern in CORS_ORIGINS covers',
    headers: { origin: 'https://branch-7.preview.example', 'sec-fetch-site': 'cross-site' },
    inProduction: true,
    onLoopback: false,
  },
  ...[
    'https://preview.example',
    'https://a.b.preview.example',
    'https://.preview.example',
    'https://a.previewXexample',
    'https://evil.example/.preview.example',
    'https://evil.example#.preview.example',
    'http://a.preview.example',
    'https://a.preview.example:8443',
    'https://a.preview.example.evil.example',
  ].map((origin) => ({
    who: `${origin}, which the pattern does not cover`,
    headers: { origin },
    inProduction: false,
    onLoopback: false,
  })),
  {
    who: 'a foreign page',
    headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    inProduction: false,
    onLoopback: false,
  },
  {
    who: 'a foreign page, without Origin',
    headers: { 'sec-fetch-site': 'cross-site' },
    inProduction: false,
    onLoopback: false,
  },
  { who: 'a page of no origin', headers: { origin: 'null' }, inProduction: false, onLoopback: false },
  {
    who: 'our name with another scheme',
    headers: { origin: 'http://shop.example' },
    inProduction: false,
    onLoopback: false,
  },
  {
    who: 'our name with another port',
    headers: { origin: 'https://shop.example:8443' },
    inProduction: false,
    onLoopback: false,
  },
  {
    who: 'a name that begins like ours',
    headers: { origin: 'https://shop.example.evil.example' },
    inProduction: false,
    onLoopback: false,
  },
  {
    who: 'a front end on localhost',
    headers: { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
    inProduction: false,
    onLoopback: true,
  },
  {
    who: 'a front end on 127.0.0.1',
    headers: { origin: 'http://127.0.0.1:5173' },
    inProduction: false,
    onLoopback: true,
  },
  {
    who: 'a name that begins like localhost',
    headers: { origin: 'http://localhost.evil.example' },
    inProduction: false,
    onLoopback: false,
  },
  {
    who: 'localhost over TLS, which is not ours',
    headers: { origin: 'https://localhost:3000' },
    inProduction: false,
    onLoopback: false,
  },
];

for (const [name, way] of Object.entries(ways)) {
  describe(`over ${name}`, () => {
    test.each(cases)('$who', async ({ headers, inProduction, onLoopback }) => {
      expect(await way(production, { host: 'shop.example', ...headers })).toBe(inProduction ? 200 : 403);
      expect(await way(local, headers)).toBe(onLoopback ? 200 : 403);
    });
  });
}

test('a refusal is a GraphQL error, and the log says which setting would let it in', async () => {
  const answer = await production.request({
    method: 'POST',
    path: '/graphql',
    headers: { host: 'shop.example', origin: 'https://evil.example', 'content-type': 'application/json' },
    body: JSON.stringify({ query: QUERY }),
  });
  expect(answer.json()).toEqual({
    errors: [{ message: 'Pages of this origin may not use the shop.', extensions: { code: 'FORBIDDEN' } }],
  });
  const line = production.logs.find(
    (record) => record.requestId === answer.headers['x-request-id'] && record.level === WARN,
  );
  expect(line).toMatchObject({ given: 'https://evil.example', setting: 'CORS_ORIGINS' });
});

describe('the host', () => {
  const status = async (shop: TestShop, host: string, path = '/graphql?query={__typename}') =>
    (await shop.request({ path, headers: { host } })).status;

  test.each(['api', 'API:4000', 'api:80', '10.0.0.7:4000'])('%s is one of ALLOWED_HOSTS', async (host) => {
    expect(await status(production, host)).toBe(200);
  });

  test.each(['10.0.0.7', '10.0.0.7:4001', 'api.evil.example', 'api:99999'])(
    '%s is none of ALLOWED_HOSTS',
    async (host) => {
      expect(await status(production, host)).toBeGreaterThanOrEqual(400);
    },
  );

  test('a page that was served under one of ALLOWED_HOSTS may use the shop there, and nowhere else', async () => {
    const from = (host: string) => ways.POST?.(production, { host, origin: 'https://api' });
    expect(await from('api')).toBe(200);
    expect(await from('shop.example')).toBe(403);
  });

  test('is not asked for where a token or a signature is: metrics, webhooks and health', async () => {
    const get = async (path: string, headers: Headers) =>
      (await production.request({ path, headers: { host: '10.1.2.3:4000', ...headers } })).status;
    expect(await get('/metrics', { authorization: `Bearer ${METRICS_TOKEN}` })).toBe(200);
    expect(await get('/metrics', { authorization: 'Bearer another-token-entirely' })).toBe(404);
    expect(await get('/health/live', {})).toBe(200);
    expect(await get('/webhooks/contentful', {})).toBe(404);
    expect(await get('/', {})).toBe(403);
  });

  test.each(['shop.example', 'SHOP.example', 'shop.example:443'])('%s is ours in production', async (host) => {
    expect(await status(production, host)).toBe(200);
  });

  test.each(['evil.example', 'shop.example:80', 'shop.example.evil.example', 'localhost', '127.0.0.1'])(
    '%s is not',
    async (host) => {
      expect(await status(production, host)).toBe(403);
      expect(await status(production, host, '/')).toBe(403);
    },
  );

  test.each(['localhost', 'localhost:8080', '127.0.0.1:4000', '[::1]:4000'])('%s is ours on loopback', async (host) => {
    expect(await status(local, host)).toBe(200);
  });

  test('a name that was pointed at us is refused on loopback too, whatever its Origin', async () => {
    const answer = await local.request({
      method: 'POST',
      path: '/graphql',
      headers: { host: 'evil.example', origin: 'http://evil.example', 'content-type': 'application/json' },
      body: JSON.stringify({ query: QUERY }),
    });
    expect(answer.status).toBe(403);
    expect(await upgradeStatus(local.wsUrl, { headers: { host: 'evil.example' }, origin: 'http://evil.example' })).toBe(
      403,
    );
    expect(local.logs.findLast((record) => record.level === WARN)).toMatchObject({
      given: 'evil.example',
      setting: 'ALLOWED_HOSTS',
    });
  });

  test('health is answered under every host, also under an IP address', async () => {
    expect(await status(production, '10.0.0.7:4000', '/health/ready')).toBe(200);
    expect(await status(production, '10.0.0.7:4000', '/health/live')).toBe(200);
  });
});

test("GraphiQL's page opens from a link on another site, and executes nothing", async () => {
  const headers = {
    host: 'shop.example',
    accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
    'accept-encoding': 'gzip',
    'sec-fetch-site': 'cross-site',
  };
  const path = `/graphql?query=${encodeURIComponent(QUERY)}`;
  const visit = await production.request({ path, headers: { ...headers, 'sec-fetch-mode': 'navigate' } });
  expect(visit.status).toBe(200);
  expect(visit.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(visit.headers['access-control-allow-origin']).toBeUndefined();
  const script = await production.request({ path, headers: { ...headers, 'sec-fetch-mode': 'no-cors' } });
  expect(script.status).toBe(403);
});

test('a page of ours outside production may be on any port that was mapped to us', async () => {
  const headers = { host: 'localhost:8080', origin: 'http://localhost:8080' };
  expect(await upgradeStatus(local.wsUrl, { headers })).toBe(101);
});
