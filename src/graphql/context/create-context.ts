import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../config/config.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Identity } from '../../modules/accounts/session.service.ts';
import type { ShopServices } from '../../modules/module.ts';
import type { Context, Guest, LiveContext, SharedContext, Viewer } from './context.ts';
import { createCookieReader, type Cookies } from './cookies.ts';
import {
  credentialHeadersOf,
  credentialsOf,
  isGiven,
  type CredentialHeaders,
  type Credentials,
} from './credentials.ts';
import { createLoaders } from './loaders.ts';
import { refusedRequest } from './request-error.ts';
import type { Caller } from '../limits/throttle.ts';

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
   * @param entry it asks for nothing but to get in or out: a credential that is not valid counts as none
   * @throws UNAUTHENTICATED where a credential came that is none of ours, or is not valid any more
   */
  forHttp(node: NodeContext, scope: RequestScope, entry: boolean): Promise<Context>;
  /** For an operation over WebSocket: there are no headers to answer with. */
  forSocket(upgrade: CredentialHeaders, connectionParams: unknown, scope: RequestScope): Promise<Context>;
  /** What a socket came with: its access token, valid or not, and the guest that it names where it has no access token. */
  socketCredentials(upgrade: CredentialHeaders, connectionParams: unknown): Promise<SocketCredentials>;
  /** Whether a request names an access token, valid or not. */
  carriesAccessToken(req: WithHeaders): boolean;
  /**
   * A name for a visitor who opens a socket without any credential, with the `Set-Cookie` that hands it over; null for all
   * others.
   */
  offerFor(req: WithHeaders): { token: string; setCookie: string; headers: CredentialHeaders } | null;
  /** Context of an anonymous viewer with a role, for events that are executed once for many subscribers. */
  forAudience(viewer: Viewer): Context;
  /** Context of an anonymous viewer for an answer that anyone may get: it has these services, and no other way to any data. */
  forAnyone(services: Partial<ShopServices>): Context;
  /** For a subscription's start, and for each event: its own connections, and nothing that an earlier event had read. */
  renew(context: Context): Context;
}

/** By what a socket is tied to a session, or to a guest. */
export interface SocketCredentials {
  accessToken: string | null;
  /** Null where there is an access token, or no valid cart token. */
  guest: Guest | null;
}

/** Wires the factory. */
export function createContextFactory(deps: {
  shared: SharedContext;
  live: LiveContext;
  config: Config;
  logger: Logger;
}): ContextFactory {
  const { shared, live, config, logger } = deps;
  const { guests, sessions } = shared.services;
  const readCookies = createCookieReader(config, shared.publicUrl);

  /** Null: the request has no credentials. */
  async function identifyUser(token: unknown): Promise<Identity | null> {
    if (!isGiven(token)) return null;
    const identity = typeof token === 'string' ? await sessions.identify(token) : null;
    if (identity === null) {
      throw refusedRequest(
        'UNAUTHENTICATED',
        'The access token is invalid or has expired. Refresh the session or log in.',
      );
    }
    return identity;
  }

  /** Null: a visitor without a name yet. */
  async function identifyGuest({ token, knownBy }: Credentials['cart']): Promise<Guest | null> {
    if (!isGiven(token)) return null;
    const found = typeof token === 'string' ? await guests.find(token) : null;
    if (found === null) throw refusedRequest('UNAUTHENTICATED', 'The cart token was not issued by this shop.');
    return { ...found, token: token as string, knownBy };
  }

  function assemble(
    who: Pick<Context, 'viewer' | 'entering' | 'accessToken'>,
    from: { req: WithHeaders; res: ServerResponse | null; cookies: Cookies; scope: RequestScope },
  ): Context {
    const { req, res, cookies, scope } = from;
    return {
      ...shared,
      ...who,
      loaders: createLoaders(shared.services),
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
      onStream: () => scope.onStream?.(),
      cookies,
    };
  }

  function ofNobody(viewer: Viewer): Context {
    const nobody = { clientAddress: 'none', limiterWait: { ms: 0 } };
    const scope = { ...nobody, id: randomUUID(), logger, operation: null };
    const req = { headers: {} };
    const who = { viewer, entering: null, accessToken: null };
    return assemble(who, { req, res: null, cookies: readCookies(req, null), scope });
  }

  return {
    async forHttp({ req, res }, scope, entry) {
      const cookies = readCookies(req, res);
      const { access, cart } = credentialsOf(req, null, cookies);
      if (entry) {
        const user = await orNull(identifyUser(access));
        const entering = await orNull(identifyGuest(cart));
        const viewer = { user, guest: user === null ? entering : null };
        return assemble({ viewer, entering, accessToken: tokenOf(access) }, { req, res, cookies, scope });
      }
      // Most requests of visitors have neither, and need not wait for anything.
      const user = isGiven(access) ? await identifyUser(access) : null;
      const guest =
        user !== null || !isGiven(cart.token)
          ? null
          : await identifyGuest(cart).catch((error: unknown) => {
              // No script can take the cookie away: without this the browser would be shut out for good.
              if (isUnauthenticated(error) && cart.knownBy === 'cookie') cookies.clearCart();
              throw error;
            });
      return assemble(
        { viewer: { user, guest }, entering: null, accessToken: tokenOf(access) },
        { req, res, cookies, scope },
      );
    },

    async forSocket(headers, connectionParams, scope) {
      const upgrade = { headers };
      const cookies = readCookies(upgrade, null);
      const { access, cart } = credentialsOf(upgrade, connectionParams, cookies);
      const user = await identifyUser(access);
      const guest = user === null ? await identifyGuest(cart) : null;
      // The socket as a whole is tied to the token's session: its operations need not be.
      const who = { viewer: { user, guest }, entering: null, accessToken: null };
      return assemble(who, { req: upgrade, res: null, cookies, scope });
    },

    async socketCredentials(headers, connectionParams) {
      const upgrade = { headers };
      const { access, cart } = credentialsOf(upgrade, connectionParams, readCookies(upgrade, null));
      if (isGiven(access)) return { accessToken: tokenOf(access), guest: null };
      return { accessToken: null, guest: await orNull(identifyGuest(cart)) };
    },

    carriesAccessToken: (req) => isGiven(credentialsOf(req, null, readCookies(req, null)).access),

    offerFor(req) {
      const { access, cart } = credentialsOf(req, null, readCookies(req, null));
      if (isGiven(access) || isGiven(cart.token)) return null;
      const { token } = guests.offer();
      const { pair, setCookie } = readCookies.cartCookie(token);
      const { cookie } = req.headers;
      return {
        token,
        setCookie,
        headers: { ...credentialHeadersOf(req), cookie: cookie === undefined ? pair : `${cookie}; ${pair}` },
      };
    },

    forAudience(viewer) {
      return { ...ofNobody(viewer), ...live, loaders: createLoaders(live.services) };
    },

    forAnyone(given) {
      const services = given as ShopServices;
      const { db: _db, ...context } = ofNobody({ user: null, guest: null });
      return { ...context, services, loaders: createLoaders(services) } as Context;
    },

    renew: (context) => ({
      ...context,
      ...live,
      loaders: createLoaders(live.services),
      eventCursor: null,
    }),
  };
}

function tokenOf(credential: unknown): string | null {
  return typeof credential === 'string' ? credential : null;
}

/** As EventSource sends it; empty where it had none. */
function lastEventIdOf({ headers }: WithHeaders): string | null {
  const given = headers['last-event-id'];
  return typeof given === 'string' && given !== '' ? given : null;
}

/** Null where the credential is not valid. */
async function orNull<T>(identification: Promise<T>): Promise<T | null> {
  try {
    return await identification;
  } catch (error) {
    if (isUnauthenticated(error)) return null;
    throw error;
  }
}

function isUnauthenticated(error: unknown): boolean {
  return (error as { extensions?: { code?: unknown } } | null)?.extensions?.code === 'UNAUTHENTICATED';
}
