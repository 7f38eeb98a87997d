import { createKeyedSemaphore, type KeyedSemaphore } from './keyed-semaphore.ts';
import { networksAround } from './networks.ts';

/**
 * Makes a semaphore for networks, as `networkOf` gives them. A place in an IPv6 network counts in the wider networks around it, too,
 * which have a multiple of places: otherwise the holder of a /48 would have 65,536 times as many.
 * @param most for an IPv4 address or a /64
 */
export function createNetworkSemaphore(most: number): KeyedSemaphore {
  const byTimes = new Map<number, KeyedSemaphore>();
  const seatsOf = (times: number) => {
    const seats = byTimes.get(times) ?? createKeyedSemaphore(most * times);
    byTimes.set(times, seats);
    return seats;
  };
  return {
    take(key) {
      const all = networksAround(key);
      for (const [index, { network, times }] of all.entries()) {
        if (seatsOf(times).take(network)) continue;
        for (const taken of all.slice(0, index)) seatsOf(taken.times).leave(taken.network);
        return false;
      }
      return true;
    },
    leave(key) {
      for (const { network, times } of networksAround(key)) seatsOf(times).leave(network);
    },
  };
}
