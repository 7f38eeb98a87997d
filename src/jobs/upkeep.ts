import type { Config } from '../config/config.ts';
import type { Consumer } from '../events/consumer.ts';
import { parkedEventRetention } from '../events/parked-event.retention.ts';
import { startPruning } from '../events/prune.ts';
import type { Database } from '../infra/postgres/database.ts';
import type { Logger } from '../infra/logger.ts';
import { startRetention, type RetentionRule } from '../infra/postgres/retention.ts';
import { modules } from '../modules/modules.ts';

/**
 * What is deleted when it is old, in the order in which it goes: modules in the reverse of their order, so that a guest goes
 * after the last of its carts.
 */
export function createRetentionRules(config: Pick<Config, 'eventRetentionDays' | 'retention'>): RetentionRule[] {
  const ofModules = modules.toReversed().flatMap((module) => module.retention?.(config) ?? []);
  return [...ofModules, parkedEventRetention(config.retention.parkedEventDays)];
}

/** Periodic work of each worker: deletes expired rows and runs the upkeep of the modules. */
export function startUpkeep(options: {
  config: Pick<Config, 'eventRetentionDays' | 'retention'>;
  core: { db: Database; consumers: readonly Consumer[] };
  /** What the modules started. */
  ofModules: readonly AsyncDisposable[];
  logger: Logger;
}): AsyncDisposable {
  const { config, core, ofModules, logger } = options;
  const { db } = core;
  const consumers = core.consumers.map((consumer) => consumer.name);
  const running = [
    startPruning({ db, days: config.eventRetentionDays, consumers, logger }),
    startRetention({ db, rules: createRetentionRules(config), logger }),
    ...ofModules,
  ];
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((work) => work[Symbol.asyncDispose]()));
    },
  };
}
