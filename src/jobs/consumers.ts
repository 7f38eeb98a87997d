import type { Consumer } from '../events/consumer.ts';
import type { EventLog } from '../events/event-log.ts';
import { createLowStockNotices } from '../modules/cart/low-stock.ts';

/** The shop's durable consumers. What they do is the modules'. */
export function createShopConsumers({ eventLog }: { eventLog: EventLog }): Consumer[] {
  return [createLowStockNotices({ eventLog })];
}
