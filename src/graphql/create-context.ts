import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Logger } from '../infra/logger.ts';
import type { Identity } from '../modules/accounts/session.service.ts';
import type { Context, Guest, LiveContext, SharedContext, Viewer } from './context.ts';
import { createCookieReader, type Cookies } from './cookies.ts';
import { createLoaders } from './loaders.ts';
import { refusedRequest } from './request-error.ts';
import type { Caller } from './throttle.ts';

/** What the HTTP side tells of a request; `operation` is told in return, for its log. */
export interface RequestScope extends Caller {
  readonly id: string;
  operation: string | null;
  /** Called where the answer is a stream of events, which has a place of its own. */
  onStream?: () => void;
}

/** What Yoga is started with for a request of node's. */
export interface NodeContext {
  req: IncomingMessage;
  res: ServerResponse;
}

type WithHeaders = Pick<IncomingMessage, 'headers'>;

/** What has to be known of the request that became a socket: who asks, and nothing else of it. */
export type CredentialHeaders = Partial<Record<(typeof CREDENTIALS)[number], string>>;

const CREDENTIALS = ['cookie', 'authorization', 'x-cart-token', 'last-event-id'] as const;
const NO_HEADERS: CredentialHeaders = {};

/** Takes them out of a request. */
export function credentialHeadersOf({ headers }: WithHeaders): CredentialHeaders {
  const given = CREDENTIALS.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]]));
  return given.length === 0 ? NO_HEADERS : (Object.fromEntries(given) as CredentialHeaders);
}

/** Makes what operations are executed with. */
export interface ContextFactory {
  /**
   * @param entry it asks for nothing but to get in or out: a credential that is not valid counts as none
   * @throws UNAUTHENTICATED where a credential came that is none of ours, or is not valid any more
   */
  forHttp(node: NodeContext, scope: RequestScope, entry: boolean): Promise<Context>;
  /** For an operation over WebSocket: there are no headers to answer with. */
  forSocket(upgrade: CredentialHeaders, connectionParams: unknown, scope: RequestScope): Promise<Context>;
  /** The access token with which a socket came, valid or not; null where it came with none. */
  accessTokenOf(upgrade: CredentialHeaders, connectionParams: unknown): string | null;
  /** For somebody of a role who is nobody in particular: what is executed for all who subscribed to the same. */
  forAudience(viewer: Viewer): Context;
  /** For a subscription's start, and for each event: its own connections, and nothing that an earlier event had read. */
  renew(context: Context): Context;
}

/** Credentials as they came, none of them looked at yet. */
interface Credentials {
  access: unknown;
  cart: { token: unknown; knownBy: 'header' | 'cookie' };
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

  /** What was named first wins; a header, or a parameter of the connection, over the cookie. */
  function credentialsOf(req: WithHeaders, params: Record<string, unknown>, cookies: Cookies): Credentials {
    const named = [params.cartToken, req.headers['x-cart-token']].find(isGiven);
    return {
      access: [params.accessToken, bearerOf(req), cookies.accessToken].find(isGiven),
      cart: named === undefined ? { token: cookies.cartToken, knownBy: 'cookie' } : { token: named, knownBy: 'header' },
    };
  }

  /** Null: nobody said who is asking. */
  async function identifyUser(token: unknown): Promise<Identity | null> {
    if (!isGiven(token)) return null;
    const identity = typeof token === 'string' ? await sessions.identify(token) : null;
    if (identity === null) {
      throw refusedRequest(
        'UNAUTHENTICATED',
        'The access token is not valid, or not any more: refresh the session, or log in.',
      );
    }
    return identity;
  }

  /** Null: a guest without a name yet. */
  async function identifyGuest({ token, knownBy }: Credentials['cart']): Promise<Guest | null> {
    if (!isGiven(token)) return null;
    const id = typeof token === 'string' ? await guests.find(token) : null;
    if (id === null) throw refusedRequest('UNAUTHENTICATED', 'The cart token is not one that this shop gave.');
    return { id, token: token as string, knownBy };
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
      orderGrants: new Map(),
      sink: null,
      eventCost: 0,
      onStream: () => scope.onStream?.(),
      cookies,
    };
  }

  return {
    async forHttp({ req, res }, scope, entry) {
      const cookies = readCookies(req, res);
      const { access, cart } = credentialsOf(req, {}, cookies);
      if (entry) {
        const user = await orNull(identifyUser(access));
        const entering = await orNull(identifyGuest(cart));
        const viewer = { user, guest: user === null ? entering : null };
        return assemble({ viewer, entering, accessToken: tokenOf(access) }, { req, res, cookies, scope });
      }
      const user = await identifyUser(access);
      const guest =
        user !== null
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
      const { access, cart } = credentialsOf(upgrade, paramsOf(connectionParams), cookies);
      const user = await identifyUser(access);
      const guest = user === null ? await identifyGuest(cart) : null;
      // The socket as a whole is tied to the token's session: its operations need not be.
      const who = { viewer: { user, guest }, entering: null, accessToken: null };
      return assemble(who, { req: upgrade, res: null, cookies, scope });
    },

    accessTokenOf(headers, connectionParams) {
      const upgrade = { headers };
      const cookies = readCookies(upgrade, null);
      return tokenOf(credentialsOf(upgrade, paramsOf(connectionParams), cookies).access);
    },

    forAudience(viewer) {
      const nobody = { clientAddress: 'none', limiterWait: { ms: 0 } };
      const scope = { ...nobody, id: randomUUID(), logger, operation: null };
      const req = { headers: {} };
      const who = { viewer, entering: null, accessToken: null };
      const context = assemble(who, { req, res: null, cookies: readCookies(req, null), scope });
      return { ...context, ...live, loaders: createLoaders(live.services) };
    },

    renew: (context) => ({
      ...context,
      ...live,
      loaders: createLoaders(live.services),
      eventCursor: null,
      orderGrants: new Map(),
    }),
  };
}

function isGiven(credential: unknown): boolean {
  return credential !== undefined && credential !== null && credential !== '';
}

function tokenOf(credential: unknown): string | null {
  return typeof credential === 'string' ? credential : null;
}

function paramsOf(connectionParams: unknown): Record<string, unknown> {
  return (connectionParams ?? {}) as Record<string, unknown>;
}

/** The token in `Authorization`. Another scheme's credential is none of ours: it is given back whole, and is not valid. */
function bearerOf({ headers: { authorization } }: WithHeaders): string | undefined {
  return authorization === undefined ? undefined : (/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? authorization);
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
