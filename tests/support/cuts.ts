import type { TcpProxy } from './tcp-proxy.ts';

/** Whole numbers below `limit`, the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** Cuts that a test has planned: some at counted events, some at counted writes. */
export interface Cuts {
  /** Call it with each event that arrives. */
  saw(): void;
  /** Call it with each write. */
  wrote(): void;
  readonly done: number;
}

/**
 * Plans cuts at random among so many events and writes. One that finds no connection (the client is on its way) is made up for
 * at the next event.
 */
export function planCuts(proxy: TcpProxy, options: { cuts: number; among: number; seed: number }): Cuts {
  const random = seededRandom(options.seed);
  const pick = (count: number) => {
    const places = new Set<number>();
    while (places.size < count) places.add(1 + random(options.among - 1));
    return places;
  };
  const atEvents = pick(Math.ceil(options.cuts / 2));
  const atWrites = pick(Math.floor(options.cuts / 2));
  let [seen, written, owed, done] = [0, 0, 0, 0];
  const cut = () => {
    if (proxy.cut() > 0) done += 1;
    else owed += 1;
  };
  return {
    saw() {
      seen += 1;
      if (atEvents.has(seen)) cut();
      else if (owed > 0 && proxy.cut() > 0) [owed, done] = [owed - 1, done + 1];
    },
    wrote() {
      written += 1;
      if (atWrites.has(written)) cut();
    },
    get done() {
      return done;
    },
  };
}
