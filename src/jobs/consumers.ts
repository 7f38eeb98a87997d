import type { Consumer } from '../events/consumer.ts';
import type { EventLog } from '../events/event-log.ts';
import { createLowStockNotices } from '../modules/cart/low-stock.consumer.ts';
import { createStockAlertConsumer } from '../modules/stock-alerts/stock-alert-chains.ts';
import { createShortfallConsumer } from '../modules/inventory/shortfall.consumer.ts';
import { createMailNotices } from '../modules/mail/mail-notices.consumer.ts';
import type { ShopServices } from '../modules/services.ts';

/** The shop's durable consumers. What they do is the modules'. */
export function createShopConsumers({
  eventLog,
  services,
}: {
  eventLog: EventLog;
  services: ShopServices;
}): Consumer[] {
  return [
    createLowStockNotices({ eventLog }),
    createMailNotices(services),
    createStockAlertConsumer(services.stockAlerts),
    createShortfallConsumer(services.outsideStock),
  ];
}
