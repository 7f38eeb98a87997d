import type { Config } from '../config/config.ts';
import type { Consumer } from '../events/consumer.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Logger } from '../infra/logger.ts';
import type { Mailer } from '../infra/mail/mailer.ts';
import type { Database } from '../infra/postgres/database.ts';
import type { RetentionRule } from '../infra/postgres/retention.ts';
import type { Tracer } from '../infra/tracing/tracer.ts';
import type { Job } from '../jobs/define-job.ts';

/*
 * What the rest of the house needs to know of a module. Each module declares it in its own `*.module.ts`, and modules.ts
 * lists the modules; no other file names them. The interfaces below are empty here: each module adds its own members to them
 * by module augmentation (`declare module '../module.ts' { interface ShopServices { … } }`).
 */

/** The use cases of all modules, by name. One of each per process. */
export interface ShopServices {}

/**
 * Functions that say that rows wait for a job. Called after the commit that wrote the rows. A lost call is made up for by a
 * sweep, and an extra one does no harm. None of them blocks or throws.
 */
export interface Nudges {}

/** The jobs of all modules, by what they are for. Each has a row in tests/jobs/duplicates/table.ts. */
export interface ShopJobs {}

/** For tests: parts of a module's background work that take the place of the real ones. */
export interface WorkOverrides {}

/** For tests: parts that a module's services are made of, in place of the real ones. */
export interface ServiceOverrides {}

/** Notes what an answer depends on: the id of a subject of events, or a type of events, if it depends on all of these. */
export type Note = (name: string) => void;

/** What answers that a node keeps in memory may read. */
export interface ModuleMemory {
  /** Types of the events about changes to what is read. Every change must append one of them, in its transaction. */
  events: readonly string[];
  /** The module's services in a form that notes each read. Answers that are kept have no other services. */
  services: (services: ShopServices, note: Note) => Partial<ShopServices>;
}

/** What the services need of the configuration. */
export type ServiceConfig = Pick<
  Config,
  | 'production'
  | 'shop'
  | 'pricing'
  | 'payments'
  | 'secrets'
  | 'cart'
  | 'lowStockThreshold'
  | 'mail'
  | 'stockAlertBatchSeconds'
  | 'contentful'
  | 'tracing'
> & {
  accounts: Pick<Config['accounts'], 'bcryptCost' | 'sessionMaxSeconds'>;
  http: Pick<Config['http'], 'corsOrigins'>;
};

/** What a module makes its services of. */
export interface ServiceDeps {
  config: ServiceConfig;
  db: Database;
  eventLog: EventLog;
  nudges: Nudges;
  /**
   * The services of all modules. While services are being made, only those of modules earlier in the list are there; a service
   * that needs one of a later module keeps this object and reads the member when it is called.
   */
  services: ShopServices;
  late: LateParts;
  logger: Pick<Logger, 'error' | 'warn'>;
  overrides: ServiceOverrides;
}

/**
 * Parts that are made of the services, and that some services need in turn. They are filled in when the process starts; a service
 * keeps this object and reads the member when it is called.
 */
export interface LateParts {
  /** All durable consumers of the shop. */
  consumers?: readonly Consumer[];
}

/** What a module makes its jobs of. */
export interface WorkDeps {
  config: Pick<Config, 'eventRetentionDays' | 'shop'>;
  /** Where the outside reaches the shop, for links in mails. */
  publicUrl: string;
  db: Database;
  services: ShopServices;
  nudges: Nudges;
  mailer: Mailer;
  logger: Logger;
  /** Null: nothing is traced. */
  tracer: Tracer | null;
  overrides: WorkOverrides;
}

/**
 * Puts a job into its queue.
 * @returns whether the queue took it
 */
export type Enqueue = <Payload>(
  job: Job<Payload>,
  payload: Payload,
  options?: { id?: string; delayMs?: number; traceparent?: string | null },
) => Promise<boolean>;

/** What a module does in the background. */
export interface ModuleWork {
  jobs: Partial<ShopJobs>;
  /** The nudges of these jobs, for every process. */
  nudges: (jobs: ShopJobs, enqueue: Enqueue) => Partial<Nudges>;
  /** What each worker does at intervals, until it is disposed of: mostly the rows whose jobs were lost. */
  upkeep?: (jobs: ShopJobs, enqueue: Enqueue) => readonly AsyncDisposable[];
}

/** One noun of the shop, or a few that change together. */
export interface ShopModule {
  /** The name of its folder. */
  name: string;
  services?: (deps: ServiceDeps) => Partial<ShopServices>;
  /** The names of its nudges. */
  nudges?: readonly (keyof Nudges)[];
  consumers?: (deps: { eventLog: EventLog; services: ShopServices }) => readonly Consumer[];
  memory?: ModuleMemory;
  /** Loaded only by processes that enqueue or run jobs. */
  work?: (deps: WorkDeps) => Promise<ModuleWork>;
  retention?: (config: Pick<Config, 'eventRetentionDays' | 'retention'>) => readonly RetentionRule[];
  /** Adds its types, fields, loaders and errors to the API. Called once by processes that serve the API. */
  graphql?: () => Promise<unknown>;
}
