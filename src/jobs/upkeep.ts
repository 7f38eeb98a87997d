import type { Config } from '../config/config.ts';
import type { Consumer } from '../events/consumer.ts';
import { startPruning } from '../events/prune.ts';
import type { Database } from '../infra/database.ts';
import type { Logger } from '../infra/logger.ts';
import { startRetention } from '../infra/retention.ts';
import { accountRetention } from '../modules/accounts/account.retention.ts';
import { startDeliveryUpkeep } from '../modules/contentful/upkeep.ts';
import type { MailSending } from '../modules/notifications/mail-sending.ts';
import { startMailPruning, startMailSweep } from '../modules/notifications/mail-sweep.ts';
import { startStockAlertSweep } from '../modules/notifications/stock-alert.jobs.ts';
import type { ShopServices } from '../modules/services.ts';

/** What each worker does by the clock: it sees to rows whose jobs were lost, and deletes what is old. */
export function startUpkeep(options: {
  config: Pick<Config, 'eventRetentionDays'>;
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
    startRetention({ db, rules: accountRetention, logger }),
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
