import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeVariant, type World } from '../support/fixtures.ts';
import { readMetrics } from '../support/metrics.ts';
import { openSocket } from '../support/socket.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

const TOKEN = 'a token of sixteen letters';

let shop: TestShop & World;
let guarded: TestShop;
beforeAll(async () => {
  const opened = await createTestShop();
  shop = { ...opened, eventLog: opened.app.eventLog };
  guarded = await createTestShop({ env: { METRICS_TOKEN: TOKEN } });
});
afterAll(async () => {
  await guarded.dispose();
  await shop.dispose();
});

const read = (from: TestShop = shop, headers: Record<string, string> = {}) => readMetrics(from, headers);

const operations = (type: string, field: string, outcome: string) =>
  `vitrine_graphql_operations_total{type="${type}",field="${field}",outcome="${outcome}"}`;

test('operations are counted by type, root field and outcome, whatever clients call them', async () => {
  const client = shop.client();
  await client.execute('query Whatever { shop { name } }');
  await client.execute('query Another { shop { name } }');
  await client.execute('{ shop { name } serverTime }');
  await client.execute('{ orders { totalCount } }');
  await client.execute('{ nonsense }');
  await client.execute('mutation { cartLinesAdd(input: { lines: [] }) { errors { code } } }');
  const values = await read();
  expect(values.get(operations('query', 'shop', 'ok'))).toBe(2);
  expect(values.get(operations('query', 'several', 'ok'))).toBe(1);
  expect(values.get(operations('query', 'orders', 'UNAUTHENTICATED'))).toBe(1);
  expect(values.get(operations('none', 'none', 'GRAPHQL_VALIDATION_FAILED'))).toBe(1);
  expect(values.get(operations('mutation', 'cartLinesAdd', 'ok'))).toBe(1);
  expect(values.get('vitrine_graphql_operation_seconds_count{type="query",field="shop"}')).toBe(2);
  expect([...values.keys()].join(' ')).not.toMatch(/Whatever|Another|nonsense/);
});

test('subscriptions, holds, events and the pool are read as they are', async () => {
  const socket = await openSocket(shop.wsUrl);
  await socket.init();
  socket.subscribe('1', 'subscription { stockChanged(variantIds: []) { available } }');
  await until('it runs', async () => (await read()).get('vitrine_subscriptions') === 1);
  const variant = await makeVariant(shop, { onHand: 5 });
  await shop
    .client()
    .data(`mutation { cartLinesAdd(input: { lines: [{ sku: "${variant.sku}", quantity: 1 }] }) { cart { id } } }`);
  await shop.app.relay.flush();
  await until('the node has it', async () => {
    const values = await read();
    return values.get('vitrine_event_position') === values.get('vitrine_event_log_end');
  });
  const values = await read();
  expect(values.get(operations('subscription', 'stockChanged', 'ok'))).toBe(1);
  expect(values.get('vitrine_carts_holding')).toBe(1);
  expect(values.get('vitrine_units_held')).toBe(1);
  expect(values.get('vitrine_event_log_end')).toBe((await shop.app.eventLog.end()).seq);
  expect(values.get('vitrine_events_unnumbered')).toBe(0);
  expect(values.get('vitrine_relay_lag_seconds')).toBe(0);
  expect(values.get('vitrine_subscriptions_shared')).toBe(1);
  expect(values.get('vitrine_database_connections')).toBeGreaterThan(0);
  expect(values.get('vitrine_process_resident_bytes')).toBeGreaterThan(10_000_000);
  await socket.close();
});

test('are readable from this machine without a proxy, and elsewhere with the token', async () => {
  const status = async (from: TestShop, headers: Record<string, string> = {}) =>
    (await from.request({ path: '/metrics', headers })).status;
  expect(await status(shop)).toBe(200);
  const added =
    'x-forwarded-for x-forwarded-proto x-forwarded-host forwarded x-real-ip via cf-connecting-ip true-client-ip';
  for (const name of [...added.split(' '), 'fastly-client-ip', 'x-amzn-trace-id', 'cdn-loop', 'x-envoy-internal']) {
    expect([name, await status(shop, { [name]: '203.0.113.7' })]).toEqual([name, 404]);
  }
  for (const env of [{ TRUST_PROXY: '1' }, { NODE_ENV: 'production', PUBLIC_URL: 'https://shop.example' }]) {
    const proxied = await createTestShop({ env, overrides: { quiet: true } });
    const host = 'PUBLIC_URL' in env ? { host: 'shop.example' } : {};
    expect([env, await status(proxied, host)]).toEqual([env, 404]);
    await proxied.dispose();
  }
  expect(await status(guarded)).toBe(404);
  expect(await status(guarded, { authorization: `Bearer ${TOKEN}x` })).toBe(404);
  expect(await status(guarded, { authorization: TOKEN })).toBe(404);
  expect((await read(guarded, { authorization: `Bearer ${TOKEN}` })).size).toBeGreaterThan(10);
  expect(await status(guarded, { authorization: `Bearer ${TOKEN}`, 'x-forwarded-for': '203.0.113.7' })).toBe(200);
});
