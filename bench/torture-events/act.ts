import { setTimeout as delay } from 'node:timers/promises';
import type { Nodes } from './nodes.ts';
import type { Subscribers } from './subscribers.ts';
import type { Acts } from './verdict.ts';

const NOTICE_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 100;
/** Stock moves for at least so long once every node has Redis again. */
const WHOLE_FOR_MS = 1000;

/**
 * Lets the time pass. Where the nodes are the run's own, Redis is killed; while it is away one of the nodes is killed, too,
 * and starts again without it; then Redis comes back.
 */
export async function act(run: {
  subscribers: Pick<Subscribers, 'drops' | 'connectionsTo'>;
  seconds: number;
  nodes: Nodes | null;
  signal: AbortSignal;
  print: (line: string) => void;
}): Promise<Acts> {
  const { subscribers, seconds, nodes, signal, print } = run;
  const began = performance.now();
  const until = (share: number) =>
    delay(Math.max(0, began + 1000 * seconds * share - performance.now()), undefined, { signal }).catch(() => {});
  const acts: Acts = { usedAfterKill: null, redis: null };
  const victim = nodes?.urls[1];
  if (nodes === null || victim === undefined) {
    await until(1);
    return acts;
  }
  const log = (what: string) => print(`  ${what}, after ${subscribers.drops} drops`);
  const { redis, urls } = nodes;

  await until(0.3);
  if (signal.aborted) return acts;
  if (redis !== null) {
    await redis.kill();
    log(`killed   Redis`);
    acts.redis = { missed: await countOf(urls, isWithoutRedis, signal), met: 0, nodes: urls.length };
  }
  await until(0.4);
  if (signal.aborted) return acts;
  await nodes.kill(victim);
  log(`killed   ${victim}`);
  await until(0.55);
  if (signal.aborted) return acts;
  await nodes.restart(victim);
  const before = subscribers.connectionsTo(victim);
  log(`started  ${victim} again`);
  await until(0.7);
  if (signal.aborted) return acts;
  if (redis !== null && acts.redis !== null) {
    await redis.restart();
    log('started  Redis again');
    acts.redis.met = await countOf(urls, isWithRedis, signal);
    await delay(WHOLE_FOR_MS, undefined, { signal }).catch(() => {});
  }
  await until(1);
  // On a busy machine the node may be back just now: it has the time that it takes until somebody is cut off again.
  const deadline = performance.now() + NOTICE_WITHIN_MS;
  while (subscribers.connectionsTo(victim) === before && !signal.aborted && performance.now() < deadline) {
    await delay(50, undefined, { signal }).catch(() => {});
  }
  return { ...acts, usedAfterKill: subscribers.connectionsTo(victim) - before };
}

/** How many of the nodes come to say so within a while. */
async function countOf(
  urls: readonly string[],
  isSo: (health: unknown) => boolean,
  signal: AbortSignal,
): Promise<number> {
  const deadline = performance.now() + NOTICE_WITHIN_MS;
  const found = urls.map(async (url) => {
    while (!signal.aborted && performance.now() < deadline) {
      if (isSo(await readHealth(url))) return true;
      await delay(LOOK_EVERY_MS);
    }
    return false;
  });
  return (await Promise.all(found)).filter(Boolean).length;
}

async function readHealth(url: string): Promise<unknown> {
  try {
    return await (await fetch(`${url}/health/ready`)).json();
  } catch {
    return null;
  }
}

/** The bus has Redis. The job queue, which is looked at every five seconds, may not know yet that it has Redis again. */
function isWithRedis(health: unknown): boolean {
  const { status, degraded = {} } = (health ?? {}) as { status?: unknown; degraded?: object };
  return status === 'ready' || (status === 'degraded' && !('redis' in degraded));
}

function isWithoutRedis(health: unknown): boolean {
  const { status, degraded = {} } = (health ?? {}) as { status?: unknown; degraded?: object };
  return status === 'degraded' && 'redis' in degraded;
}
