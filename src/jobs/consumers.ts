import type { Consumer } from '../events/consumer.ts';
import type { EventLog } from '../events/event-log.ts';

/** The shop's durable consumers. What they do is the modules'. */
export function createShopConsumers(_: { eventLog: EventLog }): Consumer[] {
  return [];
}
