import type { IncomingMessage } from 'node:http';
import type { Config } from '../config/config.ts';
import type { EventBus } from '../events/bus.ts';
import type { Consumer, ConsumerObserver } from '../events/consumer.ts';
import { startConsumers } from '../events/consumers.ts';
import { readEnd } from '../events/event-log.ts';
import { redisName } from '../events/log-home.ts';
import type { Database } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import type { Mailer } from '../infra/mail/mailer.ts';
import type { Metrics } from '../infra/metrics.ts';
import type { Tracer } from '../infra/tracing/tracer.ts';
import type { Enqueue, Nudges, ShopJobs, ShopServices, WorkOverrides } from '../modules/module.ts';
import { modules } from '../modules/modules.ts';
import type { FailedJobStore } from '../modules/staff/failed-jobs.service.ts';
import type { JobState } from './backend.ts';
import { createJobBackend, type JobPlace } from './backend-choice.ts';
import type { Job } from './define-job.ts';
import { createFailedJobStore } from './failed-jobs.ts';
import { createJobQueues } from './queues.ts';
import { watchQueue } from './queue-watch.ts';
import { createQueuesPage, type Page } from './queues-page.ts';
import { startUpkeep } from './upkeep.ts';
import { startJobWorkers } from './workers.ts';

/** What a process does beside answering requests: it enqueues jobs; a worker runs them and the consumers, and tidies up. */
export interface BackgroundWork extends AsyncDisposable {
  /** Takes nothing new, and waits for what runs. Jobs can still be enqueued. */
  drain(): Promise<void>;
  /** The queues, for an ADMIN to look at. */
  queuesPage: Page;
  /** Receives what waits for a job. */
  nudges: Nudges;
  /** Failed jobs of all queues, for the service of the staff. */
  failedJobs: FailedJobStore;
  /** Rejects with the cause where jobs cannot be enqueued. The shop goes on without them, more slowly. */
  checks: Record<string, () => Promise<void>>;
  /** Jobs by queue and state, of the queues that answer. */
  countJobs(): Promise<{ queue: string; state: JobState; jobs: number }[]>;
}

const STATES: readonly JobState[] = ['waiting', 'delayed', 'active', 'failed'];

/** Starts it; waits for no queue to be reached. */
export async function startBackgroundWork(options: {
  config: Pick<Config, 'redisUrl' | 'roles' | 'eventRetentionDays' | 'retention' | 'shop'>;
  /** Where the outside reaches the shop, for links in mails. */
  publicUrl: string;
  core: {
    db: Database;
    bus: EventBus;
    connectionString: string;
    home: string;
    jobPlace?: JobPlace | undefined;
    services: ShopServices;
    consumers: readonly Consumer[];
    tracer?: Tracer | null;
  };
  mailer: Mailer;
  /** Role of the user who requests a page; null if no user is logged in. */
  roleOf: (req: IncomingMessage) => Promise<string | null>;
  logger: Logger;
  metrics?: Pick<Metrics, 'consumerRuns' | 'consumerEvents' | 'jobRuns'>;
  /** Whether to look now and then if jobs can be enqueued. */
  watchQueue?: boolean;
  /** For tests: parts that take the place of the real ones. */
  overrides?: WorkOverrides & { jobs?: (real: ShopJobs) => ShopJobs };
}): Promise<BackgroundWork> {
  const { config, publicUrl, core, mailer, roleOf, logger, metrics, overrides = {} } = options;
  const { db, services, tracer = null } = core;
  const backend = createJobBackend({
    config,
    connectionString: core.connectionString,
    place: core.jobPlace,
    // Its log names a shop, here as on the bus of events.
    shop: async () => redisName({ epoch: (await readEnd(db)).epoch, home: core.home }),
    logger,
  });
  const queues = createJobQueues({ backend, logger, tracer });

  // Filled below: what a module makes may say at once that rows wait.
  const nudges = {} as Nudges;
  const deps = { config, publicUrl, db, services, nudges, mailer, logger, tracer, overrides };
  const modulesWork = (await Promise.all(modules.map(async (module) => module.work?.(deps)))).filter(
    (work) => work !== undefined,
  );
  const ofModules = Object.assign({}, ...modulesWork.map((work) => work.jobs)) as ShopJobs;
  const shopJobs = overrides.jobs?.(ofModules) ?? ofModules;
  const enqueue: Enqueue = (job, payload, enqueueing) => queues.enqueue(job, payload, enqueueing);
  for (const work of modulesWork) Object.assign(nudges, work.nudges(shopJobs, enqueue));
  const jobs = Object.values(shopJobs) as readonly Job<unknown>[];
  const names = jobs.map((job) => job.name);

  const works = config.roles.includes('worker');
  const onRun = (job: string, outcome: string, seconds: number) => metrics?.jobRuns.observe({ job, outcome }, seconds);
  const observer: ConsumerObserver = {
    ran: (consumer, outcome) => metrics?.consumerRuns.inc({ consumer, outcome }),
    events: (consumer, outcome, events) => metrics?.consumerEvents.inc({ consumer, outcome }, events),
  };
  const workers = works ? startJobWorkers({ backend, jobs, logger, onRun, tracer }) : null;
  const consumers = works ? startConsumers({ ...core, logger, observer }) : null;
  const ofModulesUpkeep = () => modulesWork.flatMap((work) => work.upkeep?.(shopJobs, enqueue) ?? []);
  const upkeep = works ? startUpkeep({ config, core, ofModules: ofModulesUpkeep(), logger }) : null;
  const board = createQueuesPage({ backend, names, roleOf });
  const watch = options.watchQueue === true ? watchQueue(backend, logger) : null;
  let draining: Promise<void> | undefined;

  async function drain(): Promise<void> {
    await Promise.all([workers?.drain(), consumers?.[Symbol.asyncDispose](), upkeep?.[Symbol.asyncDispose]()]);
  }

  return {
    queuesPage: board.page,
    nudges,
    checks: watch === null ? {} : { jobs: () => watch.check() },
    failedJobs: createFailedJobStore({ queues, names }),
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
