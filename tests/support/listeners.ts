import type { TestShop } from './shop.ts';

/**
 * How many hear of events on a node now: each subscription that is live, and the watch on sessions where there is one. Those
 * that are answered together listen through one.
 */
export function listenersOf({ app }: Pick<TestShop, 'app'>): number {
  const { live, listening } = app.fanOut() ?? { live: 0, listening: 0 };
  return (app.feed?.listeners ?? 0) - listening + live;
}
