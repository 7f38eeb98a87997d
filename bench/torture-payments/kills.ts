import { setTimeout as delay } from 'node:timers/promises';
import type { Place } from '../torture-faults/place.ts';
import type { Random } from '../torture-faults/random.ts';

/** A process that was killed, and how long the shop took to be ready again. */
export interface Kill {
  name: string;
  /** Null: not within its time. */
  recoveredMs: number | null;
}

type Victim = 'API node' | 'worker' | 'PostgreSQL' | 'Redis';

/** Kills one thing after the other with SIGKILL, and waits until the shop is ready again. */
export async function killParts(
  place: Place,
  options: {
    kills: number;
    random: Random;
    recoverWithin: number;
    signal: AbortSignal;
    onKill: (count: number) => void;
  },
): Promise<Kill[]> {
  const { kills, random, recoverWithin, signal, onKill } = options;
  const victims: Victim[] = [
    'API node',
    'API node',
    'worker',
    'worker',
    'PostgreSQL',
    ...(place.redis === null ? [] : (['Redis'] as const)),
  ];
  const done: Kill[] = [];
  while (done.length < kills && !signal.aborted) {
    await delay(random.between(200, 2_000));
    const name = random.oneOf(victims);
    await kill(place, name, random);
    const over = performance.now();
    let recoveredMs: number | null = null;
    while (recoveredMs === null && performance.now() - over < recoverWithin * 1000 && !signal.aborted) {
      if (await isReady(place)) recoveredMs = Math.round(performance.now() - over);
      else await delay(100);
    }
    done.push({ name, recoveredMs });
    onKill(done.length);
    console.log(
      `  ${String(done.length).padStart(4)}  ${name.padEnd(12)}${recoveredMs === null ? 'NOT READY AGAIN' : `${recoveredMs} ms`}`,
    );
  }
  return done;
}

async function kill(place: Place, name: Victim, random: Random): Promise<void> {
  const pause = () => delay(random.between(50, 1_500));
  if (name === 'PostgreSQL') {
    // Whoever watches over it starts it again.
    const pid = place.postmaster();
    if (pid !== null) process.kill(pid, 'SIGKILL');
    return pause();
  }
  if (name === 'Redis') {
    await place.redis?.kill();
    await pause();
    await place.redis?.restart();
    return;
  }
  const victim = random.oneOf(name === 'worker' ? place.workers : place.nodes);
  victim.signal('SIGKILL');
  await pause();
  victim.revive();
}

async function isReady({ nodes, workers }: Place): Promise<boolean> {
  return (await Promise.all([...nodes, ...workers].map((one) => one.isReady()))).every(Boolean);
}
