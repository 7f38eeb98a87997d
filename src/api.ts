import type { Config } from './config/config.ts';
import type { EventBus } from './events/bus.ts';
import type { Changes } from './events/changes.ts';
import type { EventLog } from './events/event-log.ts';
import { startFeed, type EventFeed, type EventsRead } from './events/feed.ts';
import type { Replay } from './events/replay.ts';
import type { LiveContext } from './graphql/context/context.ts';
import type { ThrottleOverrides } from './graphql/limits/throttle.ts';
import type { GraphQLServer } from './graphql/server.ts';
import type { HttpServer } from './http/server.ts';
import type { Disposals } from './infra/disposals.ts';
import type { Logger } from './infra/logger.ts';
import type { Metrics } from './infra/metrics.ts';
import type { Database } from './infra/postgres/database.ts';
import { connectRedis } from './infra/redis.ts';
import type { Tracer } from './infra/tracing/tracer.ts';
import type { ShopServices } from './modules/module.ts';

/** What the API needs of the shop. */
export interface ApiParts {
  db: Database;
  services: ShopServices;
  live: LiveContext;
  eventLog: EventLog;
  changes: Changes;
  bus: EventBus;
  replay: Replay;
  metrics: Metrics;
  tracer: Tracer | null;
}

/** Loads GraphQL with the schema: most of the code of the shop, and most of what a start waits for. */
export const loadGraphQL = async () => {
  const [server, { makeSchema }] = await Promise.all([
    import('./graphql/server.ts'),
    import('./graphql/make-schema.ts'),
  ]);
  return { ...server, schema: await makeSchema() };
};

/** Starts what only the nodes of the API have: the feed of events, and GraphQL, which is loaded here. */
export async function openApi(options: {
  config: Config;
  core: ApiParts;
  http: HttpServer;
  throttling: ThrottleOverrides | undefined;
  disposals: Disposals;
  logger: Logger;
}): Promise<{ feed: EventFeed; graphql: GraphQLServer }> {
  const { config, core, http, throttling, disposals, logger } = options;
  const { db, services, live, eventLog, changes, bus, replay, metrics, tracer } = core;
  const redis = config.redisUrl === null ? null : connectRedis(config.redisUrl, logger);
  disposals.add('Redis', async () => redis?.[Symbol.asyncDispose]());
  const onRead = (read: EventsRead) => {
    for (const [where, events] of Object.entries(read)) metrics.eventsRead.inc({ where }, events);
  };
  const feed = await startFeed({ log: eventLog, bus, logger, onRead });
  disposals.add('feed', () => feed[Symbol.asyncDispose]());
  // Before all subscribers: a client that receives an event from this node, and then queries the node, gets no older answer.
  const follow = () => {
    feed.subscribe(
      {
        event: (event) => changes.note([event]),
        reset() {
          changes.forget();
          follow();
        },
      },
      { isCounted: false },
    );
  };
  follow();
  const { createGraphQLServer, schema } = await loadGraphQL();
  const of = { shop: config.shop, publicUrl: http.publicUrl };
  const shared = { ...of, db, services, eventLog, feed, replay };
  const graphql = createGraphQLServer({
    schema,
    config,
    shared,
    live,
    changes,
    redis,
    throttling,
    metrics,
    tracer,
    logger,
  });
  return { feed, graphql };
}
