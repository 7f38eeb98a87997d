import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { makeVariant } from '../../tests/support/fixtures.ts';
import { createClient } from '../../tests/support/client.ts';
import { startTcpProxy } from '../../tests/support/tcp-proxy.ts';
import { timed, type Claim } from './claim.ts';
import type { Place } from './place.ts';

const READY_WITHIN_MS = 3_000;
const METRICS_WITHIN_MS = 4_000;
const ADDS = 40;
/** What a call that waits for Redis would take at least. */
const REDIS_WAIT_MS = 1_000;

/** A database that takes connections and says nothing: how soon does the process say that it is not ready? */
export async function measureSilentDatabase(place: Place): Promise<Claim[]> {
  const url = new URL(overTcp(await place.newDatabase()));
  const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
  url.hostname = '127.0.0.1';
  url.port = String(proxy.port);
  const shop = await place.openShop(url.href, { ROLES: 'api' });
  try {
    await fetch(`${shop.url}/metrics`);
    proxy.block();
    const ready = await timed(() => fetch(`${shop.url}/health/ready`));
    const metrics = await timed(() => fetch(`${shop.url}/metrics`));
    proxy.open();
    return [
      {
        name: `/health/ready answers within ${READY_WITHIN_MS} ms while the database is silent`,
        passed: ready <= READY_WITHIN_MS,
        detail: `${ready.toFixed(0)} ms`,
      },
      {
        name: `/metrics answers within ${METRICS_WITHIN_MS} ms while the database is silent`,
        passed: metrics <= METRICS_WITHIN_MS,
        detail: `${metrics.toFixed(0)} ms`,
      },
    ];
  } finally {
    proxy.open();
    await shop.dispose();
    await proxy.dispose();
  }
}

const ADD = `mutation BenchAdd($id: ID!) {
  cartLinesAdd(input: { lines: [{ variantId: $id, quantity: 1 }] }) { cart { id } errors { code } } }`;

/** A Redis that takes connections and says nothing: does a mutation wait for it? Needs the address of one that answers. */
export async function measureSilentRedis(place: Place, redisUrl: string): Promise<Claim> {
  const target = new URL(redisUrl);
  const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port) });
  const shop = await place.openShop(await place.newDatabase(), { REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
  try {
    const { globalId } = await makeVariant(shop, { onHand: 1000 });
    const longest = async () => {
      let most = 0;
      for (let index = 0; index < ADDS; index += 1)
        most = Math.max(most, await timed(() => createClient(shop.url).data(ADD, { id: globalId })));
      return most;
    };
    await longest();
    const control = await longest();
    proxy.block();
    const silent = await longest();
    return {
      name: 'no mutation waits for a Redis that is silent',
      passed: silent < control + REDIS_WAIT_MS / 2,
      detail: `the longest of ${ADDS} took ${silent.toFixed(0)} ms, before that ${control.toFixed(0)} ms`,
    };
  } finally {
    proxy.open();
    await shop.dispose();
    await proxy.dispose();
  }
}
