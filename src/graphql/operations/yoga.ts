import type { IncomingMessage } from 'node:http';
import { getOperationAST, type GraphQLSchema } from 'graphql';
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import type { Config } from '../../config/config.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Metrics } from '../../infra/metrics.ts';
import type { Tracer } from '../../infra/tracing/tracer.ts';
import type { Authentication } from '../context/authentication.ts';
import type { Context, SharedContext } from '../context/context.ts';
import type { ContextFactory, NodeContext, RequestScope } from '../context/create-context.ts';
import { describeOperation } from '../context/describe-operation.ts';
import { isEntry } from './entry-operations.ts';
import { useEventCursor } from './event-cursor.ts';
import { useEventIds } from '../live/event-id.ts';
import type { KeptAnswers } from './kept-answers.ts';
import { useMemory } from './memory.ts';
import { limitPlugins } from './query-limits.ts';
import { useMasking } from './masking.ts';
import { useMetrics } from './metrics.ts';
import { useTracing } from './tracing.ts';
import { useRequestParams } from './request-params.ts';
import type { Subscriptions } from '../live/subscribe.ts';

export type Yoga = YogaServerInstance<NodeContext, Context>;

/** Where the scopes of requests in flight are kept; a request that is gone takes its own with it. */
export type RequestScopes = WeakMap<IncomingMessage, RequestScope>;

/** Makes the engine behind HTTP, SSE and WebSocket alike: what it refuses on one, it refuses on all of them. */
export function createEngine(options: {
  schema: GraphQLSchema;
  config: Config;
  shared: SharedContext;
  authentication: Authentication;
  contexts: ContextFactory;
  /** Null: every query is executed. */
  answers: KeptAnswers | null;
  subscriptions: Subscriptions;
  scopes: RequestScopes;
  metrics: Metrics;
  tracer: Tracer | null;
  logger: Logger;
}): Yoga {
  const { schema, config, shared, authentication, contexts, answers, subscriptions, scopes, metrics, tracer, logger } =
    options;
  const scopeOf = ({ req }: NodeContext): RequestScope =>
    scopes.get(req) ?? { id: 'none', logger, clientAddress: 'unknown', limiterWait: { ms: 0 }, operation: null };
  const masking = useMasking(scopeOf);
  const entries = new WeakSet<IncomingMessage>();

  return createYoga<NodeContext, Context>({
    schema,
    graphqlEndpoint: '/graphql',
    context: (initial) => contexts.forHttp(initial, scopeOf(initial), entries.has(initial.req)),
    maskedErrors: masking.maskedErrors,
    // The HTTP side sees to origins, to bodies and to the page.
    cors: false,
    graphiql: false,
    landingPage: false,
    // No URL ends so: Yoga looks for it at the end of queries too.
    healthCheckEndpoint: '/ none /',
    batching: false,
    multipart: false,
    maxRequestBodySize: false,
    logging: quietLogging(logger),
    plugins: [
      useThrottle({ throttle: shared.throttle, scopeOf }),
      useRequestParams({ bodyLimit: config.http.bodyLimit, namesUser: authentication.namesUser }),
      masking.plugin,
      useOperation({ schema, scopeOf, entries }),
      ...limitPlugins({ schema, suggestions: !config.production, introspection: config.http.introspection }),
      ...(answers === null ? [] : [useMemory({ schema, answers, feed: shared.feed, reads: metrics.memoryReads })]),
      useEventCursor({ eventLog: shared.eventLog }),
      useEventIds(),
      useMetrics(metrics),
      ...(tracer === null ? [] : [useTracing(tracer)]),
      { onSubscribe: ({ setSubscribeFn }) => setSubscribeFn(subscriptions.subscribe) } satisfies Plugin,
    ],
  });
}

/** Counts each request, before its body is read. */
function useThrottle(options: {
  throttle: SharedContext['throttle'];
  scopeOf: (node: NodeContext) => RequestScope;
}): Plugin<object, NodeContext> {
  const { throttle, scopeOf } = options;
  return throttle === null
    ? {}
    : {
        async onRequestParse({ serverContext }) {
          await throttle.admit(scopeOf(serverContext));
        },
      };
}

/** Adds the operation to the request's log entry. The context, which is made next, learns whether it is a sign-in operation. */
function useOperation({
  schema,
  scopeOf,
  entries,
}: {
  schema: GraphQLSchema;
  scopeOf: (node: NodeContext) => RequestScope;
  entries: WeakSet<IncomingMessage>;
}): Plugin<NodeContext> {
  return {
    onParse:
      ({ context }) =>
      ({ result }) => {
        if (context.req === undefined || !('kind' in result)) return;
        const operation = getOperationAST(result, context.params.operationName);
        if (operation == null) return;
        scopeOf(context).operation = describeOperation(operation);
        if (isEntry(schema, result, operation)) entries.add(context.req);
      },
  };
}

/** Yoga reports every error that it masks; ours are logged where the request's id is known. */
function quietLogging(logger: Logger) {
  const debug = (...args: unknown[]) => logger.debug({ yoga: args }, 'yoga');
  return { debug: () => {}, info: debug, warn: debug, error: debug };
}
