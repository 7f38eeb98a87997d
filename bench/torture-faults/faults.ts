import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { childrenOf, pidOf } from '../../src/infra/process-identity.ts';
import type { Mood } from './mail-server.ts';
import type { Place } from './place.ts';
import type { ShopProcess } from './processes.ts';
import type { Random } from './random.ts';

/** One thing that is done to a shop; it resolves when the cause of the fault is over. */
export interface Fault {
  name: string;
  inflict(random: Random): Promise<void>;
}

/** How long PostgreSQL takes to notice a client that vanished, by the keep-alive that the shop sets. */
const NOTICED_AFTER_MS = 90_000;

/** All that can be done to this shop. */
export function faultsOf(place: Place): Fault[] {
  const { nodes, workers, fronts, databaseProxy, redis, mail } = place;
  const faults: Fault[] = [];
  const add = (name: string, inflict: Fault['inflict']) => faults.push({ name, inflict });
  const a = (random: Random, least: number, most: number) => delay(random.between(least, most));

  function killAndFreeze(what: string, processes: readonly ShopProcess[]): void {
    if (processes.length === 0) return;
    add(`${what} killed`, async (random) => {
      const victim = random.oneOf(processes);
      victim.signal('SIGKILL');
      await a(random, 100, 1_500);
      victim.revive();
    });
    add(`${what} frozen`, async (random) => {
      const victim = random.oneOf(processes);
      victim.signal('SIGSTOP');
      await a(random, 500, 4_000);
      victim.signal('SIGCONT');
    });
  }
  killAndFreeze(place.way === 'embedded' ? 'shop' : 'API node', nodes);
  killAndFreeze('worker', workers);

  add('PostgreSQL killed', async () => {
    const pid = place.postmaster();
    if (pid !== null) process.kill(pid, 'SIGKILL');
  });
  add('session of PostgreSQL killed', async (random) => {
    const pids = await sessionsOf(place);
    if (pids.length > 0) process.kill(random.oneOf(pids), 'SIGKILL');
  });
  add('session of PostgreSQL frozen', async (random) => {
    const pids = await sessionsOf(place);
    if (pids.length === 0) return;
    const pid = random.oneOf(pids);
    process.kill(pid, 'SIGSTOP');
    await a(random, 500, 4_000);
    resume(pid);
  });
  add('PostgreSQL frozen', async (random) => {
    const pid = place.postmaster();
    if (pid === null) return;
    const pids = [pid, ...(await sessionsOf(place))];
    for (const one of pids) signal(one, 'SIGSTOP');
    await a(random, 500, 4_000);
    for (const one of pids) resume(one);
  });

  add('clients cut off', async (random) => {
    random.oneOf(fronts).proxy.cut();
  });
  add('clients held up', async (random) => {
    const { proxy } = random.oneOf(fronts);
    proxy.block();
    await a(random, 500, 3_000);
    proxy.open();
  });
  add('clients forgotten', async (random) => {
    const { proxy } = random.oneOf(fronts);
    proxy.forget();
    await a(random, 500, 2_000);
    // A client whose connection is forgotten finds out by its own time-outs; ours have none for HTTP connections that are kept alive.
    proxy.cut();
  });

  if (databaseProxy !== null) {
    add('database connections cut', async () => void databaseProxy.cut());
    add('database connections delayed', async (random) => {
      databaseProxy.delay(random.between(20, 150));
      await a(random, 500, 3_000);
      databaseProxy.delay(0);
    });
    add('database connections held up', async (random) => {
      databaseProxy.block();
      await a(random, 500, 4_000);
      databaseProxy.open();
    });
    add('database connections forgotten', async () => databaseProxy.forget(NOTICED_AFTER_MS));
  }
  if (redis !== null) {
    add('Redis killed', async (random) => {
      await redis.kill();
      await a(random, 100, 3_000);
      await redis.restart();
    });
    add('Redis connections cut', async () => void redis.proxy.cut());
    add('Redis connections delayed', async (random) => {
      redis.proxy.delay(random.between(20, 300));
      await a(random, 500, 3_000);
      redis.proxy.delay(0);
    });
    add('Redis frozen', async (random) => {
      redis.proxy.block();
      await a(random, 500, 4_000);
      redis.proxy.open();
    });
    add('Redis connections forgotten', async () => redis.proxy.forget());
  }
  if (mail !== null) {
    for (const mood of ['refuses', 'slow', 'hangs up'] satisfies Mood[]) {
      add(`mail server ${mood}`, async (random) => {
        mail.mood = mood;
        await a(random, 1_000, 4_000);
        mail.mood = 'well';
      });
    }
  }
  return faults;
}

/** The shop's sessions, asked of PostgreSQL; none where it does not answer. */
async function sessionsOf(place: Place): Promise<number[]> {
  const client = new pg.Client({ connectionString: place.databaseUrl(), connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'vitrine%' AND datname = current_database()`,
    );
    return rows.map(({ pid }) => pid);
  } catch {
    return [];
  } finally {
    await client.end().catch(() => undefined);
  }
}

function resume(pid: number): void {
  signal(pid, 'SIGCONT');
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

/** Lets nothing stay frozen that was frozen when a run is interrupted. */
export function wakeAll(place: Place): void {
  for (const one of [...place.nodes, ...place.workers]) one.signal('SIGCONT');
  const pid = place.postmaster();
  if (pid === null) return;
  for (const one of [pid, ...childrenOf(pid).map(pidOf)]) resume(one);
}
