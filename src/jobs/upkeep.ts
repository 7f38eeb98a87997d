import type { Config } from '../config/config.ts';
import type { Consumer } from '../events/consumer.ts';
import { parkedEventRetention } from '../events/parked-event.retention.ts';
import { startPruning } from '../events/prune.ts';
import type { Database } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import { startRetention, type RetentionRule } from '../infra/postgres/retention.ts';
import { accountRetention, guestRetention } from '../modules/accounts/account.retention.ts';
import { cartRetention } from '../modules/cart/cart.retention.ts';
import { startDeliveryUpkeep } from '../modules/contentful/upkeep.ts';
import type { MailSending } from '../modules/mail/mail-sending.ts';
import { startMailPruning, startMailSweep } from '../modules/mail/mail-sweep.ts';
import { startStockAlertSweep } from '../modules/stock-alerts/stock-alert.jobs.ts';
import { stockAlertRetention } from '../modules/stock-alerts/stock-alert.retention.ts';
import type { ShopServices } from '../modules/services.ts';

/** What goes by itself, in the order in which it goes: a guest follows the last of its carts. */
export function createRetentionRules({
  eventRetentionDays,
  retention,
}: Pick<Config, 'eventRetentionDays' | 'retention'>): RetentionRule[] {
  return [
    ...accountRetention,
    // Subscribers who come back to an event of a cart are shown the cart.
    ...cartRetention(Math.max(retention.cartDays, eventRetentionDays + 1)),
    guestRetention(retention.guestDays),
    stockAlertRetention(retention.stockAlertDays),
    parkedEventRetention(retention.parkedEventDays),
  ];
}

/** What each worker does by the clock: it sees to rows whose jobs were lost, and deletes what is old. */
export function startUpkeep(options: {
  config: Pick<Config, 'eventRetentionDays' | 'retention'>;
  core: { db: Database; services: ShopServices; consumers: readonly Consumer[] };
  sending: MailSending;
  /** Tells the queue of a mail; false where it does not take it. */
  nudgeMail: (mailId: string, at: Date) => Promise<boolean>;
  logger: Logger;
}): AsyncDisposable {
  const { config, core, sending, nudgeMail, logger } = options;
  const { db, services } = core;
  const { eventRetentionDays } = config;
  const consumers = core.consumers.map((consumer) => consumer.name);
  const running = [
    startPruning({ db, days: eventRetentionDays, consumers, logger }),
    startRetention({ db, rules: createRetentionRules(config), logger }),
    startDeliveryUpkeep({ contentful: services.contentful, logger }),
    startStockAlertSweep({ chains: services.stockAlerts, logger }),
    startMailSweep({ db, sending, nudge: nudgeMail, logger }),
    startMailPruning({ db, eventRetentionDays, logger }),
  ];
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((work) => work[Symbol.asyncDispose]()));
    },
  };
}
