import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { createHealth } from '../../src/http/health.ts';
import { startHttpServer } from '../../src/http/server.ts';
import { sendRaw } from '../support/http.ts';
import { recordLogs } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { freePort } from '../support/redis.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { upgradeStatus } from '../support/socket.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let shop: TestShop;
beforeAll(async () => {
  database = await createTestDatabase();
  const address = new URL(overTcp(database.url));
  proxy = await startTcpProxy({ host: address.hostname, port: Number(address.port) });
  address.hostname = '127.0.0.1';
  address.port = String(proxy.port);
  shop = await createTestShop({ database, env: { DATABASE_URL: address.href } });
});
afterAll(async () => {
  await shop.dispose();
  await proxy.dispose();
  await database.dispose();
});

const ready = async () => {
  const { status, json } = await shop.request({ path: '/health/ready' });
  return { status, body: json() };
};

test('a shop that works is alive and ready', async () => {
  expect((await shop.request({ path: '/health/live' })).json()).toEqual({ status: 'ok' });
  expect(await ready()).toEqual({ status: 200, body: { status: 'ready' } });
});

test('a load balancer that speaks HTTP/1.0 and names no host gets an answer', async () => {
  const socket = connect(Number(new URL(shop.url).port), '127.0.0.1');
  socket.write('GET /health/ready HTTP/1.0\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*\{"status":"ready"\}$/);
});

test('without its database it is alive, not ready, and says so without waiting for it; with it, it is ready again', async () => {
  proxy.block();
  try {
    expect(await ready()).toEqual({ status: 503, body: { status: 'not ready', notReady: ['database'] } });
    expect((await shop.request({ path: '/health/live' })).status).toBe(200);
  } finally {
    proxy.open();
  }
  expect(await ready()).toEqual({ status: 200, body: { status: 'ready' } });
});

test('without its Redis it is ready and says why it is degraded; without its database too it is not ready', async () => {
  const { database: given } = shop.config;
  if (given.kind !== 'url') throw new Error('the shop has its own database');
  const env = { DATABASE_URL: given.url, REDIS_URL: `redis://:hunter2@127.0.0.1:${await freePort()}` };
  const apart = await createTestShop({ database, env });
  const look = async () => {
    const { status, json } = await apart.request({ path: '/health/ready' });
    return { status, body: json() };
  };
  try {
    const degraded = {
      status: 200,
      body: { status: 'degraded', degraded: { redis: 'not connected', jobs: expect.any(String) as string } },
    };
    // The queue's connection finds out a little after the shop is open.
    await expect.poll(look, { timeout: PATIENCE_MS }).toEqual(degraded);
    proxy.block();
    expect(await look()).toEqual({ status: 503, body: { status: 'not ready', notReady: ['database'] } });
    proxy.open();
    await expect.poll(look, { timeout: PATIENCE_MS }).toEqual(degraded);
    expect(JSON.stringify(apart.logs)).not.toContain('hunter2');
  } finally {
    proxy.open();
    await apart.dispose();
  }
});

test('dispensable services are waited for a second at most, and probed once for requests at the same time', async () => {
  let looks = 0;
  const health = createHealth({ logger: recordLogs().logger });
  health.opened(
    {},
    {
      silent: () => {
        looks += 1;
        return new Promise(() => {});
      },
      well: async () => {},
    },
  );
  const degraded = { silent: 'no answer within 1000 ms' };
  expect(await Promise.all([health.degraded(), health.degraded()])).toEqual([degraded, degraded]);
  expect(looks).toBe(1);
  expect(await health.notReady()).toEqual([]);
});

test('requests at the same time share one probe', async () => {
  let looks = 0;
  const health = createHealth({ logger: recordLogs().logger });
  health.opened({
    database: async () => {
      looks += 1;
    },
  });
  expect(await Promise.all([health.notReady(), health.notReady(), health.notReady()])).toEqual([[], [], []]);
  expect(looks).toBe(1);
});

describe('a shop that is', () => {
  test('starting listens, and answers 503', async () => {
    const { logger } = recordLogs();
    const http = await startHttpServer({ config: shop.config, logger });
    const url = `http://localhost:${http.port}`;
    try {
      const health = await sendRaw(url, { path: '/health/ready' });
      expect([health.status, health.json()]).toEqual([503, { status: 'not ready', notReady: ['starting'] }]);
      const answer = await sendRaw(url, { path: '/graphql?query={__typename}' });
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
      expect(answer.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] });
      for (const path of ['/mail/unsubscribe?token=x', '/webhooks/contentful']) {
        const page = await sendRaw(url, { method: 'POST', path });
        expect([path, page.status, page.headers['retry-after']]).toEqual([path, 503, '1']);
      }
      expect(await upgradeStatus(`ws://localhost:${http.port}/graphql`)).toBe(503);
    } finally {
      await http.close(0);
    }
  });

  test('stopping is not ready, whatever its database says', async () => {
    const health = createHealth({ logger: recordLogs().logger });
    health.opened({ database: async () => {} });
    health.stopping();
    expect(await health.notReady()).toEqual(['stopping']);
    health.opened({});
    expect(await health.notReady()).toEqual(['stopping']);
  });
});

test('a worker serves its health and nothing else', async () => {
  const worker = await createTestShop({ database, env: { ROLES: 'worker' } });
  try {
    expect((await worker.request({ path: '/health/ready' })).json()).toEqual({ status: 'ready' });
    for (const path of ['/graphql?query={__typename}', '/', '/images/acacia-honey.svg']) {
      expect((await worker.request({ path })).status).toBe(404);
    }
    expect(await upgradeStatus(worker.wsUrl)).toBe(404);
    expect(worker.app.feed).toBeNull();
  } finally {
    await worker.dispose();
  }
});
