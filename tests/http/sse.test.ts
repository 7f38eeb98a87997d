import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openEventStream } from '../support/event-stream.ts';
import { makeProduct } from '../support/fixtures.ts';
import { settled } from '../support/settled.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
});
afterAll(() => shop.dispose());

const WATCH = 'subscription { stockChanged { available variant { sku } } }';

test('events come over SSE, and when the client goes away nobody listens any more', async () => {
  await settled(shop);
  const feed = shop.app.feed ?? expect.fail();
  const { subscribe } = feed;
  const ended = vi.fn();
  const spy = vi.spyOn(feed, 'subscribe').mockImplementation((listener) => {
    const unsubscribe = subscribe(listener);
    return () => {
      ended();
      unsubscribe();
    };
  });
  const stream = await openEventStream(shop.url, WATCH);
  expect(stream.status).toBe(200);
  expect(stream.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const product = await makeProduct(shop.app, { variants: [{ onHand: 4 }] });
  expect(await stream.events.take()).toEqual({
    event: 'next',
    id: expect.any(String) as string,
    data: { data: { stockChanged: { available: 4, variant: { sku: product.variants[0]?.sku } } } },
  });
  stream.close();
  await until('the stream is let go', () => ended.mock.calls.length > 0);
  spy.mockRestore();
});

test('a fault before the start comes as an event, then the end', async () => {
  const stream = await openEventStream(shop.url, 'subscription { stockChanged(variantIds: ["x"]) { available } }');
  expect(await stream.events.take()).toMatchObject({
    event: 'next',
    data: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] },
  });
  expect(await stream.events.take()).toEqual({ event: 'complete', data: null });
  expect(await stream.ended).toBe(true);
});

test('a subscription without a stream to send it in is refused', async () => {
  const answer = await shop.request({
    path: `/graphql?query=${encodeURIComponent(WATCH)}`,
    headers: { accept: 'application/json' },
  });
  expect(answer.status).toBe(406);
});

test('when the shop closes, streams end as they should, and the shop does not wait for them', async () => {
  const closing = await createApiNode();
  const stream = await openEventStream(closing.url, WATCH);
  await closing.dispose();
  expect(await stream.events.take()).toEqual({ event: 'complete', data: null });
  expect(await stream.ended).toBe(true);
});
