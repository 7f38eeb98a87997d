import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApiNode, type TestShop } from '../support/shop.ts';

const PUBLIC = 'https://shop.example';
const PARTNER = 'https://front.example';

let shop: TestShop;
let local: TestShop;
beforeAll(async () => {
  shop = await createApiNode({ env: { NODE_ENV: 'production', PUBLIC_URL: PUBLIC, CORS_ORIGINS: PARTNER } });
  local = await createApiNode();
});
afterAll(async () => {
  await shop.dispose();
  await local.dispose();
});

const ask = (headers: Record<string, string>) =>
  shop.request({
    method: 'POST',
    path: '/graphql',
    headers: { host: 'shop.example', 'content-type': 'application/json', ...headers },
    body: '{"query":"{ __typename }"}',
  });

describe('CORS', () => {
  const corsOf = (headers: NodeJS.Dict<string | string[]>) =>
    Object.keys(headers).filter((name) => name.startsWith('access-control-'));

  test('a page in CORS_ORIGINS may read answers and send cookies', async () => {
    const { headers, status } = await ask({ origin: PARTNER });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'access-control-allow-origin': PARTNER,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'retry-after, x-request-id',
      vary: 'Origin',
    });
  });

  test('other origins get no CORS headers, and every answer varies by Origin', async () => {
    const { headers } = await ask({ origin: 'https://evil.example' });
    expect(corsOf(headers)).toEqual([]);
    expect(headers.vary).toBe('Origin');
    expect(corsOf((await ask({})).headers)).toEqual([]);
  });

  const preflight = (origin: string) =>
    shop.request({
      method: 'OPTIONS',
      path: '/graphql',
      headers: {
        host: 'shop.example',
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, x-cart-token',
      },
    });

  test('the preflight of a page in CORS_ORIGINS passes', async () => {
    const { status, headers, body } = await preflight(PARTNER);
    expect([status, body]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': PARTNER,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'content-type, x-cart-token',
      vary: 'Origin, Access-Control-Request-Headers',
    });
  });

  test('the preflight of another page does not', async () => {
    const { status, headers } = await preflight('https://evil.example');
    expect(status).toBe(403);
    expect(corsOf(headers)).toEqual([]);
  });

  test('a front end on localhost may use a shop that is being developed', async () => {
    const { headers } = await local.request({
      path: '/graphql?query={__typename}',
      headers: { origin: 'http://localhost:3000' },
    });
    expect(headers['access-control-allow-origin']).toBe('http://localhost:3000');
  });
});

describe('security headers', () => {
  const ON_EVERYTHING = {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  };

  test.each([
    '/graphql?query={__typename}',
    '/health/live',
    '/health/ready',
    '/',
    '/images/acacia-honey.svg',
    '/nothing',
  ])('are on %s', async (path) => {
    const { headers } = await shop.request({ path, headers: { host: 'shop.example' } });
    expect(headers).toMatchObject({ ...ON_EVERYTHING, 'strict-transport-security': 'max-age=31536000' });
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';.*frame-ancestors 'none'$/);
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers.server).toBeUndefined();
  });

  test('answers of the API are kept by no cache, and run nothing', async () => {
    const { headers } = await ask({});
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'");
  });

  test('refusals have them too', async () => {
    expect((await ask({ origin: 'https://evil.example' })).headers).toMatchObject(ON_EVERYTHING);
  });

  test('without TLS there is no HSTS: it would lock localhost out', async () => {
    const { headers } = await local.request({ path: '/health/live' });
    expect(headers['strict-transport-security']).toBeUndefined();
  });
});

describe('the request id', () => {
  test.each(['abc-123', 'a.b_c', 'x'.repeat(64)])('%s is kept', async (id) => {
    expect((await ask({ 'x-request-id': id })).headers['x-request-id']).toBe(id);
  });

  test.each(['', 'x'.repeat(65), 'a b', '<script>', 'a,b'])('%j is replaced', async (id) => {
    const given = (await ask({ 'x-request-id': id })).headers['x-request-id'];
    expect(given).toMatch(/^[\w-]{36}$/);
  });

  test('each request has one line, with the operation but without its values', async () => {
    const { headers } = await shop.request({
      path: `/graphql?query=${encodeURIComponent('query Named($t: String) { shop { name } order(accessToken: $t) { id } }')}&variables=${encodeURIComponent('{"t":"secret"}')}`,
      headers: { host: 'shop.example' },
    });
    const lines = shop.logs.filter((record) => record.requestId === headers['x-request-id']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      method: 'GET',
      path: '/graphql',
      status: 200,
      operation: 'query Named',
      msg: 'request',
    });
    expect(lines[0]?.ms).toBeGreaterThan(0);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });
});

describe('pictures', () => {
  test('are served with their type, to be kept, and can run nothing', async () => {
    const { status, headers, body } = await local.request({ path: '/images/acacia-honey.svg' });
    expect(status).toBe(200);
    expect(body).toMatch(/^<svg/);
    expect(headers).toMatchObject({
      'content-type': 'image/svg+xml',
      'cache-control': 'public, max-age=86400',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'cross-origin',
    });
    const again = await local.request({
      path: '/images/acacia-honey.svg',
      headers: { 'if-none-match': String(headers.etag) },
    });
    expect([again.status, again.body]).toEqual([304, '']);
  });

  test.each(['/images/', '/images/nothing.svg', '/images/.hidden.svg', '/images/acacia-honey.svg/'])(
    '%s leads nowhere',
    async (path) => {
      const { status, body } = await local.request({ path });
      expect(status).toBe(404);
      expect(body).toBe('{"error":"Not found."}');
    },
  );
});
