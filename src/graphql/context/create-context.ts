import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../../infra/logger.ts';
import type { ShopServices } from '../../modules/module.ts';
import type { Caller } from '../limits/throttle.ts';
import type { Authentication, Identification, SocketOpening, Viewer } from './authentication.ts';
import type { Context, LiveContext, SharedContext } from './context.ts';
import { createLoaders } from './loaders.ts';

/** What the HTTP layer knows of a request; `operation` is filled in by the GraphQL layer, for the log. */
export interface RequestScope extends Caller {
  readonly id: string;
  operation: string | null;
  /** Trace of a caller whose headers are trusted; null or absent otherwise. */
  readonly traceparent?: string | null;
  /** Called where the answer is a stream of events, which has a place of its own. */
  onStream?: () => void;
}

/** What Yoga is started with for a request of node's. */
export interface NodeContext {
  req: IncomingMessage;
  res: ServerResponse;
}

type WithHeaders = Pick<IncomingMessage, 'headers'>;

/** Makes what operations are executed with. */
export interface ContextFactory {
  /**
   * @param isEntry the operation only logs in or out: credentials that are not valid count as none
   * @throws UNAUTHENTICATED if credentials are present and not valid
   */
  forHttp(node: NodeContext, scope: RequestScope, isEntry: boolean): Promise<Context>;
  /** For an operation over WebSocket: there are no headers to answer with. @throws UNAUTHENTICATED as `forHttp` does */
  forSocket(opening: SocketOpening, scope: RequestScope): Promise<Context>;
  /** Context of a viewer who stands for many, for events that are executed once for many subscribers. */
  forAudience(viewer: Viewer): Context;
  /** Context of an anonymous viewer for an answer that anyone may get: it has these services, and no other way to any data. */
  forAnyone(services: Partial<ShopServices>): Context;
  /** For a subscription's start, and for each event: its own connections, and nothing that an earlier event had read. */
  renew(context: Context): Context;
}

/** Wires the factory. */
export function createContextFactory(deps: {
  shared: SharedContext;
  live: LiveContext;
  authentication: Authentication;
  logger: Logger;
}): ContextFactory {
  const { shared, live, authentication, logger } = deps;
  const sharedLive: SharedContext = { ...shared, ...live };
  const { db: _db, ...sharedWithoutDatabase } = shared;

  // A request makes one context or two. V8 makes an object with these properties at once; each one that is added to the
  // copy of another object (`{ ...caller, db }`) would take as long as the rest together.
  function assemble(
    caller: Identification,
    from: { req: WithHeaders; res: ServerResponse | null; scope: RequestScope },
    { db, services, eventLog, feed, replay, shop, publicUrl, throttle }: SharedContext = shared,
  ): Context {
    const { req, res, scope } = from;
    return {
      db,
      services,
      eventLog,
      feed,
      replay,
      shop,
      publicUrl,
      throttle,
      loaders: createLoaders(services),
      logger: scope.logger,
      requestId: scope.id,
      clientAddress: scope.clientAddress,
      limiterWait: scope.limiterWait,
      retryAfter(seconds) {
        const before = Number(res?.getHeader('retry-after') ?? 0);
        if (seconds > before) res?.setHeader('retry-after', String(seconds));
      },
      userAgent: req.headers['user-agent'] ?? null,
      lastEventId: lastEventIdOf(req),
      eventCursor: null,
      sink: null,
      eventCost: 0,
      onStream() {
        scope.onStream?.();
      },
      onGone(callback) {
        if (res?.closed === true) callback();
        else res?.once('close', callback);
      },
      ...caller,
    };
  }

  function ofNobody(viewer: Viewer, base: SharedContext): Context {
    const scope = { clientAddress: 'none', limiterWait: { ms: 0 }, id: randomUUID(), logger, operation: null };
    return assemble(authentication.standIn(viewer), { req: { headers: {} }, res: null, scope }, base);
  }

  return {
    async forHttp({ req, res }, scope, isEntry) {
      return assemble(await authentication.ofRequest(req, res, { isEntry }), { req, res, scope });
    },

    async forSocket(opening, scope) {
      return assemble(await authentication.ofSocket(opening), { req: opening, res: null, scope });
    },

    forAudience: (viewer) => ofNobody(viewer, sharedLive),

    forAnyone(given) {
      const services = given as ShopServices;
      return ofNobody(authentication.anonymous(null), { ...sharedWithoutDatabase, services } as SharedContext);
    },

    renew: (context) => ({
      ...context,
      ...live,
      loaders: createLoaders(live.services),
      eventCursor: null,
    }),
  };
}

/** As EventSource sends it; empty where it had none. */
function lastEventIdOf({ headers }: WithHeaders): string | null {
  const given = headers['last-event-id'];
  return typeof given === 'string' && given !== '' ? given : null;
}
