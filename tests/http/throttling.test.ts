import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openEventStream } from '../support/event-stream.ts';
import { makeProduct } from '../support/fixtures.ts';
import { settled } from '../support/settled.ts';
import { openSocket, type TestSocket } from '../support/socket.ts';
import type { TestShop } from '../support/shop.ts';
import { callerFrom, createThrottledShop, newAddress, times } from '../support/throttling.ts';

const QUERY = '{ shop { name } }';
const WATCH = 'subscription { stockChanged { available } }';

let shop: TestShop;
/** Three operations a minute, for everything. */
let tight: TestShop;
beforeAll(async () => {
  shop = await createThrottledShop();
  tight = await createThrottledShop({ operationsByClient: { points: 3, seconds: 60 } });
});
afterAll(async () => {
  await shop.dispose();
  await tight.dispose();
});

const refusal = (retryAfter: unknown) => ({
  message: expect.stringMatching(/^Too many requests from your network\. Try again in \d+ s\.$/) as string,
  extensions: { code: 'RATE_LIMITED', retryAfter },
});

/** The wait that an error asks for. */
function waitOf(error: { extensions?: Record<string, unknown> } | undefined): number {
  expect(error).toEqual(refusal(expect.any(Number)));
  const wait = error?.extensions?.['retryAfter'] as number;
  expect(wait).toBeLessThanOrEqual(60);
  expect(wait).toBeGreaterThan(0);
  return wait;
}

test('one client sends six hundred operations a minute', async () => {
  const client = callerFrom(shop);
  const answers = (await times(20, () => Promise.all(Array.from({ length: 30 }, () => client.execute(QUERY))))).flat();
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(answers.flatMap(({ codes }) => codes)).toEqual([]);

  const { status, data, errors, headers } = await client.execute(QUERY);
  expect([status, data]).toEqual([429, undefined]);
  expect(errors).toHaveLength(1);
  expect(headers.get('retry-after')).toBe(String(waitOf(errors?.[0])));
  expect((await callerFrom(shop).execute(QUERY)).status).toBe(200);
});

describe('whatever is sent counts', () => {
  const spend = (address: string) => times(3, () => callerFrom(tight, address).execute(QUERY));
  const json = { 'content-type': 'application/json' };

  test.each([
    ['GET', { path: `/graphql?query=${encodeURIComponent(QUERY)}` }],
    ['POST', { method: 'POST', path: '/graphql', headers: json, body: JSON.stringify({ query: QUERY }) }],
    ['a body that is no JSON', { method: 'POST', path: '/graphql', headers: json, body: 'nonsense' }],
    [
      'a body that would be too large',
      { method: 'POST', path: '/graphql', headers: json, body: 'x'.repeat(1_500_000) },
    ],
    [
      'a mutation with a credential that is not valid',
      {
        method: 'POST',
        path: '/graphql',
        headers: { ...json, authorization: 'Bearer nonsense' },
        body: JSON.stringify({ query: 'mutation { cartCreate { errors { code } } }' }),
      },
    ],
  ])('%s', async (_what, request) => {
    const address = newAddress();
    const headers = { ...('headers' in request ? request.headers : {}), 'x-forwarded-for': address };
    const statuses = await times(4, async () => (await tight.request({ ...request, headers })).status);
    expect(statuses[3]).toBe(429);
    expect(statuses.slice(0, 3)).not.toContain(429);
    const other = await tight.request({ ...request, headers: { ...headers, 'x-forwarded-for': newAddress() } });
    expect(other.status).toBe(statuses[0]);
  });

  test.each(['application/json', 'application/graphql-response+json', '*/*'])(
    '429 for who accepts %s',
    async (accept) => {
      const address = newAddress();
      await spend(address);
      const answer = await callerFrom(tight, address, { headers: { accept } }).execute(QUERY);
      expect([answer.status, answer.codes]).toEqual([429, ['RATE_LIMITED']]);
    },
  );

  test('health and preflights do not, and the page does', async () => {
    const headers = { 'x-forwarded-for': newAddress() };
    await times(5, async () => {
      expect((await tight.request({ path: '/health/ready', headers })).status).toBe(200);
      expect((await tight.request({ method: 'OPTIONS', path: '/graphql', headers })).status).toBe(204);
    });
    const page = { path: '/graphql', headers: { 'x-forwarded-for': newAddress(), accept: 'text/html' } };
    expect(await times(4, async () => (await tight.request(page)).status)).toEqual([200, 200, 200, 429]);
    expect(await times(4, async () => (await tight.client({ headers }).execute(QUERY)).status)).toEqual([
      200, 200, 200, 429,
    ]);
  });

  test('pages on another origin may read how long to wait', async () => {
    const address = newAddress();
    await spend(address);
    const { headers } = await callerFrom(tight, address, { headers: { origin: 'http://localhost:3000' } }).execute(
      QUERY,
    );
    expect(headers.get('access-control-expose-headers')).toContain('retry-after');
    expect(headers.get('retry-after')).not.toBeNull();
  });
});

describe('over SSE', () => {
  test('each subscription counts when it starts, and not for its events', async () => {
    const headers = { 'x-forwarded-for': newAddress() };
    await settled(tight);
    const stream = await openEventStream(tight.url, WATCH, headers);
    onTestFinished(() => stream.close());
    for (let onHand = 1; onHand <= 5; onHand += 1) {
      await makeProduct(tight.app, { variants: [{ onHand }] });
      expect((await stream.events.take()).data?.data).toEqual({ stockChanged: { available: onHand } });
    }
    expect(await times(3, async () => (await tight.client({ headers }).execute(QUERY)).status)).toEqual([
      200, 200, 429,
    ]);

    const refused = await openEventStream(tight.url, WATCH, headers);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await refused.events.take()).data?.errors).toEqual([refusal(expect.any(Number))]);
    expect(await refused.ended).toBe(true);
  });
});

describe('over WebSocket', () => {
  async function socketFrom(address: string): Promise<TestSocket> {
    const socket = await openSocket(tight.wsUrl, { headers: { 'x-forwarded-for': address } });
    onTestFinished(() => socket.close());
    await socket.init();
    return socket;
  }

  test('each operation counts when it starts, together with those over HTTP', async () => {
    await settled(tight);
    const address = newAddress();
    const socket = await socketFrom(address);
    socket.subscribe('1', WATCH);
    socket.subscribe('2', QUERY);
    expect(await socket.messages.take()).toMatchObject({ type: 'next', id: '2' });
    expect(await socket.messages.take()).toEqual({ type: 'complete', id: '2' });
    expect((await callerFrom(tight, address).execute(QUERY)).status).toBe(200);

    socket.subscribe('3', QUERY);
    const { payload, ...rest } = await socket.messages.take();
    expect(rest).toEqual({ type: 'error', id: '3' });
    expect(payload).toEqual([refusal(expect.any(Number))]);
    expect((await callerFrom(tight, address).execute(QUERY)).status).toBe(429);

    // The socket stays, and so does what runs on it.
    await makeProduct(tight.app, { variants: [{ onHand: 7 }] });
    expect(await socket.messages.take()).toMatchObject({
      type: 'next',
      id: '1',
      payload: { data: { stockChanged: { available: 7 } } },
    });
  });

  test('a second socket of the same client does not help, one of another client is free', async () => {
    const address = newAddress();
    const first = await socketFrom(address);
    for (const id of ['1', '2', '3']) {
      first.subscribe(id, QUERY);
      expect((await first.messages.take()).type).toBe('next');
      expect((await first.messages.take()).type).toBe('complete');
    }
    const second = await socketFrom(address);
    second.subscribe('1', WATCH);
    expect((await second.messages.take()).type).toBe('error');
    const other = await socketFrom(newAddress());
    other.subscribe('1', QUERY);
    expect((await other.messages.take()).type).toBe('next');
  });
});

test('a minute later all is well again', async () => {
  const brief = await createThrottledShop({ operationsByClient: { points: 1, seconds: 60 } });
  onTestFinished(() => brief.dispose());
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const client = callerFrom(brief);
  const statuses = await Promise.all(Array.from({ length: 5 }, async () => (await client.execute(QUERY)).status));
  expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 429, 429, 429, 429]);
  vi.advanceTimersByTime(59_999);
  expect((await client.execute(QUERY)).status).toBe(429);
  vi.advanceTimersByTime(1);
  expect((await client.execute(QUERY)).status).toBe(200);
});
