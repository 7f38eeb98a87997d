import type { IncomingMessage } from 'node:http';
import type { Config } from '../config/config.ts';
import type { EventBus } from '../events/bus.ts';
import type { Consumer } from '../events/consumer.ts';
import { startConsumers, type ConsumerObserver } from '../events/consumers.ts';
import { readEnd } from '../events/event-log.ts';
import { redisName } from '../events/log-home.ts';
import type { Database } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import type { Mailer } from '../infra/mail/mailer.ts';
import type { Metrics } from '../infra/metrics.ts';
import { createDueNudges } from '../modules/cart/cart.due.ts';
import { cartExpiryId } from '../modules/cart/cart.jobs.ts';
import { mailJobId } from '../modules/mail/mail.jobs.ts';
import { createMailSending } from '../modules/mail/mail-sending.ts';
import type { Letters } from '../modules/mail/mail.types.ts';
import type { Nudges } from '../modules/nudges.ts';
import type { ShopServices } from '../modules/services.ts';
import { createFailedJobService, type FailedJobService } from '../modules/staff/failed-jobs.service.ts';
import type { JobState } from './backend.ts';
import { createJobBackend, type JobPlace } from './backend-choice.ts';
import { createFailedJobStore } from './failed-jobs.ts';
import { createJobQueues } from './queues.ts';
import { watchQueue } from './queue-watch.ts';
import { createQueuesPage, type Page } from './queues-page.ts';
import { createShopJobs, type ShopJobs } from './shop-jobs.ts';
import { startUpkeep } from './upkeep.ts';
import { startJobWorkers } from './workers.ts';

/** What a process does beside answering requests: it enqueues jobs; a worker runs them and the consumers, and tidies up. */
export interface BackgroundWork extends AsyncDisposable {
  /** Takes nothing new, and waits for what runs. Jobs can still be enqueued. */
  drain(): Promise<void>;
  /** The queues, for an ADMIN to look at. */
  queuesPage: Page;
  /** To be told what waits for a job. */
  nudges: Nudges;
  /** For staff. */
  failedJobs: FailedJobService;
  /** Rejects with the cause where jobs cannot be enqueued. The shop goes on without them, more slowly. */
  checks: Record<string, () => Promise<void>>;
  /** Jobs by queue and state, of the queues that answer. */
  countJobs(): Promise<{ queue: string; state: JobState; jobs: number }[]>;
}

const STATES: readonly JobState[] = ['waiting', 'delayed', 'active', 'failed'];

/** Starts it; waits for no queue to be reached. */
export function startBackgroundWork(options: {
  config: Pick<Config, 'redisUrl' | 'roles' | 'eventRetentionDays' | 'retention'>;
  core: {
    db: Database;
    bus: EventBus;
    connectionString: string;
    home: string;
    jobPlace?: JobPlace | undefined;
    services: ShopServices;
    consumers: readonly Consumer[];
  };
  mailer: Mailer;
  /** Writes the mails. */
  letters: Letters;
  /** Of whoever asks for a page; null where nobody is logged in. */
  roleOf: (req: IncomingMessage) => Promise<string | null>;
  logger: Logger;
  metrics?: Pick<Metrics, 'consumerRuns' | 'consumerEvents' | 'jobRuns'>;
  /** Whether to look now and then if jobs can be enqueued. */
  watchQueue?: boolean;
  /** For tests: others in the place of the shop's. */
  overrideJobs?: ((real: ShopJobs) => ShopJobs) | undefined;
}): BackgroundWork {
  const { config, core, mailer, letters, roleOf, logger, metrics, overrideJobs = (real) => real } = options;
  const { db, services } = core;
  const backend = createJobBackend({
    config,
    connectionString: core.connectionString,
    place: core.jobPlace,
    // Its log names a shop, here as on the bus of events.
    shop: async () => redisName({ epoch: (await readEnd(db)).epoch, home: core.home }),
    logger,
  });
  const queues = createJobQueues({ backend, logger });

  const nudgeMail = (mailId: string, at: Date, delayMs = 0) =>
    queues.enqueue(shopJobs.mail, { mailId }, { id: mailJobId(mailId, at), delayMs });
  const nudges: Nudges = {
    cart: createDueNudges((second, delayMs) =>
      queues.enqueue(shopJobs.cartExpiry, { second }, { id: cartExpiryId(second), delayMs }),
    ),
    mail: (mailId, delayMs, at) => void nudgeMail(mailId, at, delayMs),
    stockAlerts: (variantId, delayMs) => void queues.enqueue(shopJobs.stockAlerts, { variantId }, { delayMs }),
    webhookDelivery: (deliveryId) => void queues.enqueue(shopJobs.webhookDelivery, { deliveryId }),
  };
  const sending = createMailSending({ db, mailer, letters, nudges });
  const shopJobs = overrideJobs(createShopJobs({ services, sending }));
  const jobs = Object.values(shopJobs);
  const names = jobs.map((job) => job.name);

  const works = config.roles.includes('worker');
  const onRun = (job: string, outcome: string, seconds: number) => metrics?.jobRuns.observe({ job, outcome }, seconds);
  const observer: ConsumerObserver = {
    ran: (consumer, outcome) => metrics?.consumerRuns.inc({ consumer, outcome }),
    events: (consumer, outcome, events) => metrics?.consumerEvents.inc({ consumer, outcome }, events),
  };
  const workers = works ? startJobWorkers({ backend, jobs, logger, onRun }) : null;
  const consumers = works ? startConsumers({ ...core, logger, observer }) : null;
  const upkeep = works ? startUpkeep({ config, core, sending, nudgeMail, logger }) : null;
  const board = createQueuesPage({ backend, names, roleOf });
  const store = createFailedJobStore({ queues, names });
  const watch = options.watchQueue === true ? watchQueue(backend, logger) : null;
  let draining: Promise<void> | undefined;

  async function drain(): Promise<void> {
    await Promise.all([workers?.drain(), consumers?.[Symbol.asyncDispose](), upkeep?.[Symbol.asyncDispose]()]);
  }

  return {
    queuesPage: board.page,
    nudges,
    checks: watch === null ? {} : { jobs: () => watch.check() },
    failedJobs: createFailedJobService({ db, staff: services.staff, store }),
    async countJobs() {
      const counts = names.map((queue) =>
        queues
          .use(queue, (opened) => opened.getJobCounts(...STATES))
          .then((found) => STATES.map((state) => ({ queue, state, jobs: found[state] ?? 0 })))
          // One that is away is left out.
          .catch(() => []),
      );
      return (await Promise.all(counts)).flat();
    },
    drain: () => (draining ??= drain()),
    async [Symbol.asyncDispose]() {
      await Promise.all([queues[Symbol.asyncDispose](), board.close(), watch?.[Symbol.asyncDispose]()]);
      await backend[Symbol.asyncDispose]();
    },
  };
}
