import { createCartExpiryJob } from '../modules/cart/cart.jobs.ts';
import { createWebhookDeliveryJob } from '../modules/contentful/contentful.jobs.ts';
import { createMailJob } from '../modules/mail/mail.jobs.ts';
import type { MailSending } from '../modules/mail/mail-sending.ts';
import { createStockAlertJob } from '../modules/stock-alerts/stock-alert.jobs.ts';
import type { ShopServices } from '../modules/services.ts';

/**
 * The shop's jobs, by what they are for; the workers run all of them, and staff and metrics see the queues of all. What they
 * do is the modules'. Each has a row in tests/jobs/duplicates/table.ts.
 */
export function createShopJobs({
  services,
  sending,
}: {
  services: Pick<ShopServices, 'cart' | 'stockAlerts' | 'contentful'>;
  sending: MailSending;
}) {
  return {
    cartExpiry: createCartExpiryJob(services.cart),
    stockAlerts: createStockAlertJob(services.stockAlerts),
    mail: createMailJob(sending),
    webhookDelivery: createWebhookDeliveryJob(services.contentful),
  };
}

export type ShopJobs = ReturnType<typeof createShopJobs>;
