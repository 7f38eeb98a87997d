import { defineConsumer, type Consumer } from '../../events/consumer.ts';
import { onlyIf } from '../../events/only.ts';
import { stockChanged } from './inventory.events.ts';
import type { OutsideStockService } from './outside-stock.service.ts';

/** Takes away the units that an outside catalogue did without while carts held them, as they come free. */
export function createShortfallConsumer(outsideStock: Pick<OutsideStockService, 'settle'>): Consumer {
  return defineConsumer({
    name: 'outside-stock-shortfalls',
    types: [stockChanged.type],
    // Levels change with every cart. Units come free less often.
    only: [onlyIf(stockChanged, ['available', '>', { field: 'previousAvailable' }])],
    async handle(tx, event) {
      const change = stockChanged.read(event);
      if (change === null || change.available <= change.previousAvailable) return 'DONE';
      // Events come in any order of variants, and locks of several may not: each variant's ends with its own transaction.
      return (await outsideStock.settle(tx, change.variantId)) ? 'MORE' : 'DONE';
    },
  });
}
