import type { TestShop } from './shop.ts';
import { until } from './until.ts';

/** Waits until the shop's feed has delivered all that is committed: who subscribes now gets nothing of before. */
export async function settled({ app }: TestShop): Promise<void> {
  await app.relay.flush();
  const { seq } = await app.eventLog.end();
  await until('the feed is at the end of the log', () => app.feed !== null && app.feed.position().seq >= seq);
}
