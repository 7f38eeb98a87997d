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

/** So many are killed at once, at most. */
const AT_ONCE = 3;

/**
 * Kills one to three things at once with SIGKILL, waits until the shop is ready again, and goes on.
 * @param options.duration seconds after which no further one is killed; null: all of them are
 */
export async function killParts(
  place: Place,
  options: {
    kills: number;
    duration: number | null;
    random: Random;
    recoverWithin: number;
    signal: AbortSignal;
    onKill: (count: number) => void;
  },
): Promise<Kill[]> {
  const { kills, duration, random, recoverWithin, signal, onKill } = options;
  const kinds: Victim[] = ['API node', 'worker', 'PostgreSQL', ...(place.redis === null ? [] : (['Redis'] as const))];
  const done: Kill[] = [];
  const began = performance.now();
  const isTimeOver = () => duration !== null && performance.now() - began > duration * 1000;
  while (done.length < kills && !signal.aborted && !isTimeOver()) {
    await delay(random.between(200, 2_000));
    const names = chooseSome(kinds, Math.min(random.between(1, AT_ONCE), kills - done.length), random);
    await Promise.all(names.map((name) => kill(place, name, random)));
    const over = performance.now();
    let recoveredMs: number | null = null;
    while (recoveredMs === null && performance.now() - over < recoverWithin * 1000 && !signal.aborted) {
      if (await isReady(place)) recoveredMs = Math.round(performance.now() - over);
      else await delay(100);
    }
    for (const name of names) {
      done.push({ name, recoveredMs });
      console.log(
        `  ${String(done.length).padStart(4)}  ${name.padEnd(12)}${recoveredMs === null ? 'NOT READY AGAIN' : `${recoveredMs} ms`}`,
      );
    }
    onKill(done.length);
  }
  // Ends the wait for the next kill.
  onKill(Infinity);
  return done;
}

/** Different ones, at random. */
function chooseSome<T>(items: readonly T[], count: number, random: Random): T[] {
  const left = [...items];
  const chosen: T[] = [];
  while (chosen.length < count && left.length > 0) {
    const one = random.oneOf(left);
    left.splice(left.indexOf(one), 1);
    chosen.push(one);
  }
  return chosen;
}

async function kill(place: Place, name: Victim, random: Random): Promise<void> {
  const pause = random.between(50, 1_500);
  if (name === 'PostgreSQL') {
    // The run watches over it, and starts it again.
    const pid = place.postmaster();
    if (pid !== null) process.kill(pid, 'SIGKILL');
    await delay(pause);
  } else if (name === 'Redis') {
    await place.redis?.kill();
    await delay(pause);
    await place.redis?.restart();
  } else {
    const victim = random.oneOf(name === 'worker' ? place.workers : place.nodes);
    victim.signal('SIGKILL');
    await delay(pause);
    victim.revive();
  }
}

async function isReady({ nodes, workers }: Place): Promise<boolean> {
  return (await Promise.all([...nodes, ...workers].map((one) => one.isReady()))).every(Boolean);
}
