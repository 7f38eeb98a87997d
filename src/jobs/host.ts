import type { IncomingMessage } from 'node:http';
import type { Config } from '../config/config.ts';
import type { EventBus } from '../events/bus.ts';
import type { Consumer } from '../events/consumer.ts';
import { startConsumers } from '../events/consumers.ts';
import { startPruning } from '../events/prune.ts';
import type { Database } from '../infra/database.ts';
import type { Logger } from '../infra/logger.ts';
import type { Mailer } from '../infra/mailer.ts';
import { createDueNudges } from '../modules/cart/cart.due.ts';
import { cartExpiryId, createCartExpiryJob } from '../modules/cart/cart.jobs.ts';
import { createMailJob, mailJobId } from '../modules/notifications/mail.jobs.ts';
import { createMailSending } from '../modules/notifications/mail-sending.ts';
import { startMailPruning, startMailSweep } from '../modules/notifications/mail-sweep.ts';
import type { Letters } from '../modules/notifications/mail.types.ts';
import type { Nudges } from '../modules/nudges.ts';
import type { ShopServices } from '../modules/services.ts';
import { createJobBackend } from './backend-choice.ts';
import { createJobQueues } from './queues.ts';
import { createQueuesPage, type Page } from './queues-page.ts';
import { startJobWorkers } from './workers.ts';

/** What a process does beside answering requests: it enqueues jobs; a worker runs them and the consumers, and prunes. */
export interface BackgroundWork extends AsyncDisposable {
  /** Takes nothing new, and waits for what runs. Jobs can still be enqueued. */
  drain(): Promise<void>;
  /** The queues, for an ADMIN to look at. */
  queuesPage: Page;
  /** To be told what waits for a job. */
  nudges: Nudges;
}

/** Starts it; waits for no queue to be reached. */
export function startBackgroundWork(options: {
  config: Pick<Config, 'redisUrl' | 'roles' | 'eventRetentionDays'>;
  core: {
    db: Database;
    bus: EventBus;
    connectionString: string;
    services: ShopServices;
    consumers: readonly Consumer[];
  };
  mailer: Mailer;
  /** Writes the mails. */
  letters: Letters;
  /** Of whoever asks for a page; null where nobody is logged in. */
  roleOf: (req: IncomingMessage) => Promise<string | null>;
  logger: Logger;
}): BackgroundWork {
  const { config, core, mailer, letters, roleOf, logger } = options;
  const { db } = core;
  const backend = createJobBackend({ config, connectionString: core.connectionString, logger });
  const queues = createJobQueues({ backend, logger });
  const cartExpiry = createCartExpiryJob(core.services.cart);
  const nudgeMail = (mailId: string, at: Date, delayMs = 0) =>
    queues.enqueue(mail, { mailId }, { id: mailJobId(mailId, at), delayMs });
  const sending = createMailSending({
    db,
    mailer,
    letters,
    nudges: { mail: (mailId, delayMs, at) => void nudgeMail(mailId, at, delayMs) },
  });
  const mail = createMailJob(sending);
  const jobs = [cartExpiry, mail] as const;
  const works = config.roles.includes('worker');
  const workers = works ? startJobWorkers({ backend, jobs, logger }) : null;
  const consumers = works ? startConsumers({ ...core, logger }) : null;
  const pruning = works ? startPruning({ db, days: config.eventRetentionDays, logger }) : null;
  const sweep = works ? startMailSweep({ db, sending, nudge: nudgeMail, logger }) : null;
  const mailPruning = works ? startMailPruning({ db, eventRetentionDays: config.eventRetentionDays, logger }) : null;
  const board = createQueuesPage({ backend, names: jobs.map((job) => job.name), roleOf });
  return {
    queuesPage: board.page,
    nudges: {
      cart: createDueNudges((second, delayMs) =>
        queues.enqueue(cartExpiry, { second }, { id: cartExpiryId(second), delayMs }),
      ),
      mail: (mailId, delayMs, at) => void nudgeMail(mailId, at, delayMs),
      stockAlerts() {},
      webhookDelivery() {},
    },
    async drain() {
      await Promise.all([
        workers?.drain(),
        ...[consumers, pruning, sweep, mailPruning].map((running) => running?.[Symbol.asyncDispose]()),
      ]);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([queues[Symbol.asyncDispose](), board.close()]);
      await backend[Symbol.asyncDispose]();
    },
  };
}
