import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { GraphQLError, type GraphQLSchema } from 'graphql';
import type { Config } from '../config/config.ts';
import type { Changes } from '../events/changes.ts';
import { ReadingFailedError } from '../events/patience.ts';
import { LaggedError } from '../events/stream.ts';
import type { Logger } from '../infra/logger.ts';
import type { Metrics } from '../infra/metrics.ts';
import type { RedisConnection } from '../infra/redis.ts';
import type { Tracer } from '../infra/tracing/tracer.ts';
import { createAuthentication } from './context/authentication.ts';
import type { Context, LiveContext, SharedContext } from './context/context.ts';
import { createContextFactory, type RequestScope } from './context/create-context.ts';
import { ofEvent } from './live/event-id.ts';
import { createEventQueue, EVENT_QUEUE_LIMITS } from './live/event-queue.ts';
import { createFanOut, type FanOutState } from './live/fan-out.ts';
import { createGraphiQL } from './graphiql/graphiql.ts';
import { limitsDeclaredIn } from './schema/limited-fields.ts';
import { NO_BUDGET } from './limits/live-budget.ts';
import type { Refused } from './limits/connection-limits.ts';
import { createSharedSubscriptions } from './live/shared-subscriptions.ts';
import { createSharing } from './live/sharing.ts';
import { createSubscriptions } from './live/subscribe.ts';
import {
  createThrottle,
  type Caller,
  type PageVerdict,
  type Throttle,
  type ThrottleOverrides,
} from './limits/throttle.ts';
import { createWebSockets } from './live/websocket.ts';
import { notingServices } from '../modules/memory.ts';
import { createKeptAnswers } from './operations/kept-answers.ts';
import { traceRequest } from './operations/tracing.ts';
import { createEngine, type RequestScopes } from './operations/yoga.ts';

/** GraphQL over HTTP, SSE and WebSocket. Host and origin have been checked before. */
export interface GraphQLServer {
  handle(req: IncomingMessage, res: ServerResponse, scope: RequestScope): void;
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, scope: RequestScope): Refused | null;
  /** Counts a request to a page: see `Throttle.admitPage`. Null: nothing is limited. */
  admitPage(caller: Caller, more: Parameters<Throttle['admitPage']>[1]): Promise<PageVerdict | null>;
  /** GraphiQL; null where it is off. */
  page: ((req: IncomingMessage, res: ServerResponse) => void) | null;
  /** Subscriptions that run. */
  subscriptions(): number;
  /** Who shares what. */
  fanOut(): FanOutState;
  /** Answers in memory; null where none are kept. */
  memory(): { answers: number; bytes: number } | null;
  /** Closes sockets and ends streams; requests that are executed are not touched. */
  dispose(): Promise<void>;
}

/** Puts the parts together. */
export function createGraphQLServer(options: {
  schema: GraphQLSchema;
  config: Config;
  shared: Omit<SharedContext, 'throttle'>;
  /** What events are executed with, apart from requests. */
  live: LiveContext;
  /** What this node knows to have changed. */
  changes: Changes;
  redis: RedisConnection | null;
  throttling?: ThrottleOverrides | undefined;
  metrics: Metrics;
  tracer: Tracer | null;
  logger: Logger;
}): GraphQLServer {
  const { config, redis, metrics, tracer, logger } = options;
  const onRefused = (limit: string) => metrics.refused.inc({ limit });
  const declared = limitsDeclaredIn(options.schema);
  const throttle = createThrottle({ config, declared, redis, logger, onRefused, overrides: options.throttling });
  const shared: SharedContext = { ...options.shared, throttle };
  const { feed, eventLog, services, publicUrl } = shared;
  const authentication = createAuthentication({ config, publicUrl, services, feed, logger });
  const contexts = createContextFactory({ shared, live: options.live, authentication, logger });
  const queue = createEventQueue({
    ...EVENT_QUEUE_LIMITS,
    // Without limits all networks are one lane.
    ...(throttle === null ? { waiting: Number.POSITIVE_INFINITY } : {}),
  });
  const budget = throttle?.presence.budget ?? NO_BUDGET;
  const fanOut = createFanOut({ contextFor: contexts.forAudience, queue, laneOf: budget.laneOf });
  const failed = (error: unknown) => {
    if (error instanceof LaggedError) metrics.lagged.inc();
    if (error instanceof ReadingFailedError)
      logger.error({ err: error.cause }, 'the fields of an event could not be resolved');
  };
  const subscriptions = createSubscriptions<Context>({
    renew: contexts.renew,
    begin: contexts.renew,
    share: createSharedSubscriptions({ fanOut, audienceOf: createSharing(options.schema, authentication), budget }),
    charge({ clientAddress, eventCost: cost, logger: log }) {
      const charge = budget.charge({ clientAddress, cost, key: null, logger: log });
      return charge instanceof GraphQLError ? charge : () => charge.release();
    },
    execute: ({ clientAddress, eventCost }, work) => queue.run(throttle === null ? '' : clientAddress, eventCost, work),
    mark: ofEvent,
    // A socket has its place already.
    seat({ sink, onStream, clientAddress, viewer, logger: log }) {
      if (sink !== null || throttle === null) return () => {};
      const leave = throttle.presence.stream({ clientAddress, userId: viewer.user?.userId ?? null, logger: log });
      if (typeof leave === 'function') onStream();
      return leave;
    },
    whenGone: (context, end) => context.onGone(end),
    failed,
    // A socket is watched as a whole.
    watch: async (context, over) =>
      context.sink === null ? authentication.watch(context, over) : { valid: true, release: () => {} },
  });
  const scopes: RequestScopes = new WeakMap();
  const answers =
    config.readCacheBytes === 0
      ? null
      : createKeptAnswers({
          maxBytes: config.readCacheBytes,
          changes: options.changes,
          feed,
          contextOf: (note) => contexts.forAnyone(notingServices(services, note)),
          endOfLog: () => eventLog.end(),
          onEvicted: () => metrics.memoryEvictions.inc(),
        });
  const yoga = createEngine({ ...options, shared, authentication, contexts, answers, subscriptions, scopes });
  const sockets = createWebSockets({ yoga, contexts, authentication, throttle, logger, failed });

  return {
    handle(req, res, scope) {
      scopes.set(req, scope);
      traceRequest({ tracer, req, scope }, () => yoga(req, res));
    },
    upgrade: (req, socket, head, scope) => sockets.upgrade(req, socket, head, scope),
    admitPage: async (caller, more) => (throttle === null ? null : throttle.admitPage(caller, more)),
    page: config.http.graphiql ? createGraphiQL({ title: `${shared.shop.name} · GraphiQL`, logger }) : null,
    subscriptions: () => subscriptions.count() + sockets.subscriptions(),
    fanOut: () => fanOut.state(),
    memory: () => answers?.state() ?? null,
    async dispose() {
      const closed = sockets.dispose();
      subscriptions.endAll();
      await closed;
      authentication.dispose();
    },
  };
}
