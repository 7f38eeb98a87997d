import type { IncomingMessage } from 'node:http';
import type { Config } from '../config/config.ts';
import type { EventBus } from '../events/bus.ts';
import type { Consumer } from '../events/consumer.ts';
import { startConsumers } from '../events/consumers.ts';
import { startPruning } from '../events/prune.ts';
import type { Database } from '../infra/database.ts';
import type { Logger } from '../infra/logger.ts';
import { createDueNudges } from '../modules/cart/cart.due.ts';
import { cartExpiryId, createCartExpiryJob } from '../modules/cart/cart.jobs.ts';
import { createWebhookDeliveryJob } from '../modules/contentful/contentful.jobs.ts';
import { startDeliveryUpkeep } from '../modules/contentful/upkeep.ts';
import type { Nudges } from '../modules/nudges.ts';
import type { ShopServices } from '../modules/services.ts';
import { createJobBackend } from './backend-choice.ts';
import { createJobQueues } from './queues.ts';
import { createQueuesPage, type Page } from './queues-page.ts';
import { startJobWorkers } from './workers.ts';

/** What a process does beside answering requests: it enqueues jobs; a worker runs them and the consumers, and prunes the log. */
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
  /** Of whoever asks for a page; null where nobody is logged in. */
  roleOf: (req: IncomingMessage) => Promise<string | null>;
  logger: Logger;
}): BackgroundWork {
  const { config, core, roleOf, logger } = options;
  const backend = createJobBackend({ config, connectionString: core.connectionString, logger });
  const queues = createJobQueues({ backend, logger });
  const cartExpiry = createCartExpiryJob(core.services.cart);
  const webhookDelivery = createWebhookDeliveryJob(core.services.contentful);
  const works = config.roles.includes('worker');
  const workers = works ? startJobWorkers({ backend, jobs: [cartExpiry, webhookDelivery], logger }) : null;
  const consumers = works ? startConsumers({ ...core, logger }) : null;
  const pruning = works ? startPruning({ db: core.db, days: config.eventRetentionDays, logger }) : null;
  const deliveries = works ? startDeliveryUpkeep({ contentful: core.services.contentful, logger }) : null;
  const board = createQueuesPage({ backend, names: [cartExpiry.name, webhookDelivery.name], roleOf });
  return {
    queuesPage: board.page,
    nudges: {
      cart: createDueNudges((second, delayMs) =>
        queues.enqueue(cartExpiry, { second }, { id: cartExpiryId(second), delayMs }),
      ),
      mail() {},
      stockAlerts() {},
      webhookDelivery: (deliveryId) => void queues.enqueue(webhookDelivery, { deliveryId }),
    },
    async drain() {
      const running = [consumers, pruning, deliveries];
      await Promise.all([workers?.drain(), ...running.map((work) => work?.[Symbol.asyncDispose]())]);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([queues[Symbol.asyncDispose](), board.close()]);
      await backend[Symbol.asyncDispose]();
    },
  };
}
