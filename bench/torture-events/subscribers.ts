import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeCursor } from '../../src/events/cursor.ts';
import { followOverSocket } from './over-socket.ts';
import { followOverSse } from './over-sse.ts';
import type { Change, Shelf } from './shelf.ts';
import type { Followed } from './verdict.ts';

/** Those who follow stock and are dropped at random places. */
export interface Subscribers {
  followed: readonly Followed[];
  readonly drops: number;
  readonly faults: readonly string[];
  /** Connections so far, by node. */
  connectionsTo(url: string): number;
  /** Drops nobody any more; waits until each has seen the number that is its last, but not for ever. */
  finish(lastOf: (variantIds: ReadonlySet<string>) => number): Promise<void>;
  close(): Promise<void>;
}

const AWAY_MS = 800;
const STAY_MS = 3000;
const STAY_EVENTS = 150;
const PATIENCE_MS = 20_000;
/** Repeated events would have arrived after this time. */
const AFTERMATH_MS = 500;

/** Lets them begin, all after the same cursor; every other one over SSE. */
export function subscribe(shelf: Shelf, urls: readonly string[], count: number): Subscribers {
  const connections = new Map<string, number>();
  const faults: string[] = [];
  let drops = 0;
  let calm = false;
  const all = Array.from({ length: count }, (_, index) => begin(index));

  function begin(index: number) {
    const { watched: variantIds, ...wanted } = wantedBy(shelf, Math.floor(index / 2));
    const seen: Change[] = [];
    const transport = index % 2 === 0 ? 'WebSocket' : 'SSE';
    const name = `subscriber ${index + 1} over ${transport}`;
    let onEvent = () => {};
    const follow = transport === 'SSE' ? followOverSse : followOverSocket;
    const close = follow({
      variables: { ...wanted, after: shelf.after },
      url: () => urls[randomInt(urls.length)] ?? '',
      // Half of them are back at once.
      away: () => delay(randomInt(2) * randomInt(AWAY_MS)),
      opened(url, drop) {
        connections.set(url, (connections.get(url) ?? 0) + 1);
        if (calm) return () => {};
        const plan = planDrop(() => {
          if (calm) return;
          drops += 1;
          drop();
        });
        onEvent = plan.onEvent;
        return plan.cancel;
      },
      next({ cursor, available }) {
        const seq = decodeCursor(cursor)?.seq;
        if (seq === undefined) faults.push(`${name}: ${cursor} is no cursor`);
        else seen.push({ seq, available });
        onEvent();
      },
      fault: (what) => faults.push(`${name}: ${what}`),
    });
    return { name, variantIds, seen, close };
  }

  return {
    followed: all,
    get drops() {
      return drops;
    },
    faults,
    connectionsTo: (url) => connections.get(url) ?? 0,
    async finish(lastOf) {
      calm = true;
      const deadline = performance.now() + PATIENCE_MS;
      const isThere = ({ variantIds, seen }: Followed) => (seen.at(-1)?.seq ?? 0) >= lastOf(variantIds);
      while (!all.every(isThere) && performance.now() < deadline) await delay(20);
      await delay(AFTERMATH_MS);
    },
    async close() {
      await Promise.all(all.map((subscriber) => subscriber.close()));
    },
  };
}

/** What to watch: one product, all of them, one variant, or some of each product. */
function wantedBy({ products }: Shelf, index: number) {
  const product = products.slice(index % products.length).slice(0, 1);
  const [own, whole] = (
    [
      [[], product],
      [[], products],
      [product.flatMap(({ variants }) => variants.slice(index % variants.length).slice(0, 1)), []],
      [products.flatMap(({ variants }) => variants.slice(index % variants.length)), []],
    ] as const
  )[index % 4] ?? [[], products];
  const watched = [...own, ...whole.flatMap(({ variants }) => variants)];
  return {
    watched: new Set(watched.map(({ id }) => id)),
    variantIds: own.length === 0 ? null : own.map(({ globalId }) => globalId),
    productIds: whole.length === 0 ? null : whole.map(({ globalId }) => globalId),
  };
}

/** At once, after so many events, or after a while. */
function planDrop(drop: () => void): { onEvent: () => void; cancel: () => void } {
  const chance = randomInt(20);
  let left = chance < 10 ? 1 + randomInt(STAY_EVENTS) : Infinity;
  const timer = chance < 10 ? undefined : setTimeout(drop, chance < 12 ? 0 : randomInt(STAY_MS));
  return {
    onEvent() {
      left -= 1;
      if (left === 0) drop();
    },
    cancel() {
      clearTimeout(timer);
      left = Infinity;
    },
  };
}
