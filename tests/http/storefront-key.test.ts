import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { openEventStream } from '../support/event-stream.ts';
import type { TestShop } from '../support/shop.ts';
import { openSocket } from '../support/socket.ts';
import { createThrottledShop, times } from '../support/throttling.ts';

const KEYS = ['the-first-storefront-key-of-a-test-0001', 'the-second-storefront-key-of-a-test-0002'] as const;
const QUERY = '{ shop { name } }';

let shop: TestShop;
beforeAll(async () => {
  shop = await createThrottledShop(
    { operationsByClient: { points: 3, seconds: 60 } },
    {
      env: { STOREFRONT_KEYS: KEYS.join(','), TRUST_PROXY: 'off' },
      overrides: { throttling: { presence: { connectionsByClient: 1 } } },
    },
  );
});
afterAll(() => shop.dispose());

const headersFor = (address: string | null, key: string = KEYS[0]) => ({
  'x-storefront-key': key,
  ...(address === null ? {} : { 'x-shopper-address': address }),
});
const ask = (headers: Record<string, string>) => shop.client({ headers }).execute(QUERY);

describe('a storefront with a key', () => {
  test.each(KEYS)('asks for shoppers, each of whom has limits of their own: %s', async (key) => {
    const [one, other] = key === KEYS[0] ? ['192.0.2.1', '192.0.2.2'] : ['192.0.2.3', '192.0.2.4'];
    const statuses = await times(4, async () => (await ask(headersFor(one, key))).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await ask(headersFor(other, key))).status).toBe(200);
  });

  test('names IPv6 shoppers, who count by their /64 network', async () => {
    const statuses = await times(4, async (i) => (await ask(headersFor(`2001:db8:5:6::${i + 1}`))).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  test('opens streams and sockets for shoppers, each with the limit of a client', async () => {
    const watch = 'subscription { stockChanged { available } }';
    const first = await openEventStream(shop.url, watch, headersFor('198.51.100.1'));
    const second = await openEventStream(shop.url, watch, headersFor('198.51.100.1'));
    const other = await openEventStream(shop.url, watch, headersFor('198.51.100.2'));
    expect([first.status, second.status, other.status]).toEqual([200, 429, 200]);
    const socket = await openSocket(shop.wsUrl, { headers: headersFor('198.51.100.3') });
    await expect(openSocket(shop.wsUrl, { headers: headersFor('198.51.100.3') })).rejects.toThrow('429');
    await socket.close();
    first.close();
    other.close();
  });

  test.each([
    ['a key that is none', headersFor('192.0.2.9', 'x'.repeat(40)), 401, 'UNAUTHENTICATED'],
    ['an empty key', headersFor('192.0.2.9', ''), 401, 'UNAUTHENTICATED'],
    ['both keys as they are set', headersFor('192.0.2.9', KEYS.join(',')), 401, 'UNAUTHENTICATED'],
    ['an address that is none', headersFor('shopper'), 400, 'BAD_REQUEST'],
    ['several addresses', headersFor('192.0.2.9, 192.0.2.10'), 400, 'BAD_REQUEST'],
  ])('is refused with %s', async (_what, headers, status, code) => {
    const answer = await ask(headers);
    expect([answer.status, answer.codes]).toEqual([status, [code]]);
    await expect(openSocket(shop.wsUrl, { headers })).rejects.toThrow(String(status));
  });

  test('an address without a key is nobody’s, and neither is x-forwarded-for', async () => {
    const statuses = await times(5, async (i) => {
      const { status } = await ask({ 'x-shopper-address': `203.0.113.${i}`, 'x-forwarded-for': `203.0.113.${i}` });
      return status;
    });
    expect(statuses).toContain(429);
  });
});

test.each([
  ['too short', /STOREFRONT_KEYS must have at least 32 characters/],
  [`${KEYS[0]},short`, /STOREFRONT_KEYS must have at least 32 characters/],
  [',', /STOREFRONT_KEYS is empty/],
])('STOREFRONT_KEYS=%s stops the start', (STOREFRONT_KEYS, message) => {
  expect(() => loadConfig({ STOREFRONT_KEYS })).toThrow(message);
});
