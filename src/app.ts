import { loadGraphQL, openApi } from './api.ts';
import { loadBackground, startBackground } from './background.ts';
import type { Config } from './config/config.ts';
import type { EventBus } from './events/bus.ts';
import type { Consumer } from './events/consumer.ts';
import { registerConsumers } from './events/consumers.ts';
import { createChanges, type Changes } from './events/changes.ts';
import { createEventBus } from './events/create-bus.ts';
import { createEventLog, type EventLog } from './events/event-log.ts';
import { settleLogHome } from './events/log-home.ts';
import type { EventFeed } from './events/feed.ts';
import { createReplay, type Replay } from './events/replay.ts';
import { startRelay, type Relay } from './events/relay.ts';
import { createPageViewer } from './modules/accounts/page-viewer.ts';
import type { FanOutState } from './graphql/live/fan-out.ts';
import type { GraphQLServer } from './graphql/server.ts';
import type { ThrottleOverrides } from './graphql/limits/throttle.ts';
import { createExportPages } from './http/export-pages.ts';
import { createWebhookPages } from './http/webhooks.ts';
import { createMailPages } from './http/mail-pages.ts';
import { createPayPages } from './http/pay-pages.ts';
import { openWeb } from './http/web/open-web.ts';
import { startHttpServer, type HttpOverrides } from './http/server.ts';
import type { TimeLimits } from './infra/postgres/connection.ts';
import type { Database } from './infra/postgres/database.ts';
import { findDatabase, prepareDatabase, type DatabasePlace } from './infra/postgres/database-place.ts';
import { Disposals } from './infra/disposals.ts';
import type { Logger } from './infra/logger.ts';
import { createMetrics, type Metrics } from './infra/metrics.ts';
import { openTracer } from './infra/tracing/open-tracer.ts';
import type { Tracer } from './infra/tracing/tracer.ts';
import { openPools } from './infra/postgres/pools.ts';
import { addGauges } from './infra/shop-gauges.ts';
import { createDatabaseProbes } from './infra/postgres/write-probe.ts';
import type { JobPlace } from './jobs/backend-choice.ts';
import { firstAdmin, type FirstAdmin } from './modules/accounts/first-admin.ts';
import { startCartExpiry } from './modules/cart/cart.expiry.ts';
import { checkShopCurrency } from './modules/currency/shop-currency.ts';
import type { LateParts, ServiceOverrides, Nudges, ShopJobs, ShopServices, WorkOverrides } from './modules/module.ts';
import { memoryEvents } from './modules/memory.ts';
import { createNudges } from './modules/nudges.ts';
import { createConsumers, createServices } from './modules/services.ts';
import { seed } from './seed.ts';

/** The shop without any edge: what the server, the workers and the commands have in common. */
export interface Core {
  db: Database;
  bus: EventBus;
  relay: Relay;
  metrics: Metrics;
  tracer: Tracer | null;
  eventLog: EventLog;
  /** What this process knows to have changed. */
  changes: Changes;
  replay: Replay;
  services: ShopServices;
  /** Services over a separate pool, for the execution of events. */
  live: { db: Database; services: ShopServices };
  consumers: readonly Consumer[];
  /** Parts of the services that are made after them. */
  late: LateParts;
  connectionString: string;
  /** Names the database in Redis. */
  home: string;
  jobPlace: JobPlace;
  /** Where the data is, for people. */
  data: string;
  /** Resolves where the database is gone for good and the process should end: with what to say of it. */
  lost: Promise<Error>;
  /** Registers a listener that is called with what waits for a job. */
  connectNudges(target: Nudges): void;
  dispose(): Promise<void>;
}

/** For tests: parts that take the place of the real ones, which they are given. */
export interface Overrides extends WorkOverrides, ServiceOverrides {
  eventLog?: (real: EventLog) => EventLog;
  services?: (real: ShopServices) => ShopServices;
  throttling?: ThrottleOverrides;
  http?: HttpOverrides;
  consumers?: (real: readonly Consumer[]) => readonly Consumer[];
  jobs?: (real: ShopJobs) => ShopJobs;
  /** Neither jobs nor consumers are run, and no timer expires carts. */
  quiet?: true;
  limits?: Partial<TimeLimits>;
  /** Where the database is, if that is known already: the start does not inspect it then. */
  place?: DatabasePlace;
}

/**
 * Opens the database, starting or attaching to the embedded one, brings it up to date, and wires log and services.
 * @param options.meanwhile called while the embedded database starts, for what takes this process some time
 * @param options.signal gives it up at the next step, and rejects with its reason once what was opened is closed
 */
export async function openCore(
  config: Config,
  logger: Logger,
  overrides: Overrides = {},
  { meanwhile, signal }: { meanwhile?: () => void; signal?: AbortSignal | undefined } = {},
): Promise<Core> {
  const disposals = new Disposals(logger);
  try {
    const tracer = await openTracer(config.tracing, logger);
    disposals.add('traces', async () => tracer?.[Symbol.asyncDispose]());
    const place = overrides.place ?? (await findDatabase(config, logger, disposals, { meanwhile, signal }));
    signal?.throwIfAborted();
    await prepareDatabase(place, logger, signal);
    signal?.throwIfAborted();
    const { limits } = overrides;
    const { db, live: liveDb, reader, jobs } = openPools({ place, config, limits, disposals, tracer, logger });
    await checkShopCurrency(db, config.shop.currency, logger);
    const { home } = await settleLogHome(db, logger);
    const bus = createEventBus({ config, db, home, logger });
    disposals.add('bus', () => bus[Symbol.asyncDispose]());
    const metrics = createMetrics({ logger });
    const onBatch = (events: number) => {
      metrics.relayBatches.observe(events);
      metrics.eventsNumbered.inc(events);
    };
    const relay = startRelay({ db, bus, logger, onBatch });
    disposals.add('relay', () => relay[Symbol.asyncDispose]());
    // The relay works for all requests, and outlives the one that wakes it.
    const wake = () => relay.wake();
    const changes = createChanges(memoryEvents());
    const onCommitted = changes.note;
    const log = createEventLog({ db, wake: tracer === null ? wake : () => tracer.apart(wake), onCommitted });
    const eventLog = overrides.eventLog?.(log) ?? log;
    const nudges = createNudges();
    const late: LateParts = {};
    const real = createServices({ config, db, eventLog, nudges, late, overrides, logger });
    real.cart.onReleased(({ carts, units }) => {
      metrics.cartsExpired.inc(carts);
      metrics.unitsReleased.inc(units);
    });
    const services = overrides.services?.(real) ?? real;
    const ofEvents = createServices({ config, db: liveDb, eventLog, late, overrides, logger });
    const live = { db: liveDb, services: overrides.services?.(ofEvents) ?? ofEvents };
    const consumers = createConsumers({ eventLog, services });
    const given = overrides.consumers?.(consumers) ?? consumers;
    late.consumers = given;
    return {
      db,
      bus,
      relay,
      metrics,
      tracer,
      eventLog,
      changes,
      replay: createReplay(reader),
      services,
      live,
      consumers: given,
      late,
      connectionString: place.direct.connectionString,
      jobPlace: { session: place.direct.session, schema: place.schema, connections: jobs },
      home,
      data: place.data,
      lost: place.lost,
      connectNudges: (target) => nudges.connect(target),
      dispose: () => disposals.run(),
    };
  } catch (error) {
    await disposals.run();
    throw error;
  }
}

/** The shop, open. */
export interface App extends Pick<Core, 'db' | 'services' | 'live' | 'eventLog' | 'relay' | 'data' | 'lost'> {
  /** Where this process is reached on its own machine. */
  url: string;
  /** The ADMIN that this start made, or the demo's; `passwordFile` holds the password that the shop made for it. */
  admin: FirstAdmin | null;
  /** The events of this node; null without the role `api`. */
  feed: EventFeed | null;
  /** Subscriptions that run on this node. */
  subscriptions(): number;
  /** Those that are answered together; null without the role `api`. */
  fanOut(): FanOutState | null;
  /** Goes on answering, but `/health/ready` says 503 from now on: load balancers look only every few seconds. */
  drain(): void;
  /** Bytes of responses and messages that clients have not read yet. */
  unsentBytes(): number;
  /** Stops the shop: accepts nothing new, finishes requests in progress, and disposes parts in reverse order of their start. */
  dispose(): Promise<void>;
}

/** Loads what the process will need once its database is there. A module that cannot be loaded shows then. */
function loadAhead(roles: Config['roles']): void {
  for (const load of roles.includes('api') ? [loadBackground, loadGraphQL] : [loadBackground]) load().catch(() => {});
}

/** Part of the ten seconds after which supervisors kill the process; the rest is for closing, PostgreSQL above all. */
const ANSWER_WITHIN_MS = 7_000;

/**
 * Opens the shop in the roles that the configuration gives this process.
 * @param signal as for `openCore`
 */
export async function createApp(
  config: Config,
  logger: Logger,
  overrides: Overrides = {},
  signal?: AbortSignal,
): Promise<App> {
  const disposals = new Disposals(logger);
  try {
    // First of all, so that a port that is taken shows at once.
    const http = await startHttpServer({ config, logger, overrides: overrides.http });
    let graphql: GraphQLServer | null = null;
    disposals.add('HTTP', () => http.close(0));
    const makeWebPages = openWeb(config, logger);
    const meanwhile = () => loadAhead(config.roles);
    const core = await openCore(config, logger, overrides, { meanwhile, signal });
    disposals.add('core', () => core.dispose());
    if (config.seed === 'demo') await seed(core, config, logger);
    signal?.throwIfAborted();
    // Meanwhile the rest is opened: the hash of a password takes a quarter of a second in a thread of its own.
    const makingAdmin = firstAdmin(core.services.admin, config, logger);
    makingAdmin.catch(() => {});
    const { metrics } = core;
    const quiet = overrides.quiet === true;
    // By each process, before it takes orders: there may be no worker yet.
    if (!quiet) await registerConsumers(core.db, core.consumers);
    const background = await startBackground({ config, core, http, overrides, logger });
    core.late.failedJobStore = background.failedJobs;
    // Drained by then, but where the start fails after this.
    disposals.add('jobs', () => background.drain().then(() => background[Symbol.asyncDispose]()));
    let feed: EventFeed | null = null;
    if (config.roles.includes('api')) {
      const { throttling } = overrides;
      ({ feed, graphql } = await openApi({ config, core, http, throttling, disposals, logger }));
    }
    const expiry = quiet ? null : startCartExpiry({ cart: core.services.cart, logger });
    disposals.add('expiry of carts', async () => expiry?.[Symbol.asyncDispose]());
    disposals.add('requests', async () => {
      await Promise.all([http.close(ANSWER_WITHIN_MS), graphql?.dispose(), background.drain()]);
    });
    const subscriptions = () => graphql?.subscriptions() ?? 0;
    const fanOut = () => graphql?.fanOut() ?? null;
    addGauges(metrics, {
      db: core.db,
      position: () => feed?.position().seq ?? null,
      subscriptions,
      unsentBytes: () => http.unsentBytes(),
      fanOut,
      memory: () => graphql?.memory() ?? null,
      jobs: () => (quiet ? Promise.resolve([]) : background.countJobs()),
    });
    const { catalog, paymentProviders } = core.services;
    const stripe = config.payments.stripe?.publishableKey != null;
    const admin = await makingAdmin;
    const web = await makeWebPages({ catalog, shop: config.shop, publicUrl: http.publicUrl, stripe });
    http.open({
      graphql,
      metrics,
      probes: createDatabaseProbes(core.db),
      dispensable: { ...core.bus.checks, ...background.checks },
      pages: {
        web,
        queues: background.queuesPage,
        mailbox: background.mailboxPage,
        exports: createExportPages({
          exports: core.services.exports,
          publicUrl: http.publicUrl,
          roleOf: createPageViewer({ config, publicUrl: http.publicUrl, sessions: core.services.sessions }),
        }),
        mail: createMailPages({ shopName: config.shop.name, services: core.services }),
        pay: createPayPages({ shopName: config.shop.name, payments: paymentProviders.test?.page ?? null }),
        webhooks: createWebhookPages({
          webhooks: core.services.webhooks,
          bodyLimit: config.http.webhookBodyLimit,
          trustedProxies: config.http.trustedProxies,
          tracer: core.tracer,
        }),
      },
    });

    const { db, services, live, eventLog, relay, data, lost } = core;
    return {
      ...{ admin, db, services, live, eventLog, relay, feed, data, lost },
      url: `http://localhost:${http.port}`,
      subscriptions,
      fanOut,
      drain: () => http.drain(),
      unsentBytes: () => http.unsentBytes(),
      dispose: () => disposals.run(),
    };
  } catch (error) {
    await disposals.run();
    throw error;
  }
}
