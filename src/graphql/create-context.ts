import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../config/config.ts';
import type { Logger } from '../infra/logger.ts';
import type { Context, Guest, SharedContext } from './context.ts';
import { createLoaders } from './loaders.ts';
import { refusedRequest } from './request-error.ts';

/** What the HTTP side tells of a request; `operation` is told in return, for its log. */
export interface RequestScope {
  readonly id: string;
  readonly logger: Logger;
  operation: string | null;
}

/** What Yoga is started with for a request of node's. */
export interface NodeContext {
  req: IncomingMessage;
  res: ServerResponse;
}

/** Makes what operations are executed with. */
export interface ContextFactory {
  /** @throws UNAUTHENTICATED where a credential came that is none of ours */
  forHttp(node: NodeContext, scope: RequestScope): Promise<Context>;
  /** For an operation over WebSocket: there are no headers to answer with. */
  forSocket(upgrade: IncomingMessage, connectionParams: unknown, scope: RequestScope): Promise<Context>;
  /** For the next event of a subscription: what the last one had read must not be seen again. */
  renew(context: Context): Context;
}

const COOKIE = 'cart_token';
const COOKIE_SECONDS = 180 * 24 * 60 * 60;

/** Wires the factory. */
export function createContextFactory(shared: SharedContext, config: Config): ContextFactory {
  const secure = shared.publicUrl.startsWith('https://') ? '; Secure' : '';
  const sameSite = { lax: 'Lax', strict: 'Strict', none: 'None' }[config.http.cookieSameSite];
  const cookie = (value: string, seconds: number) =>
    `${COOKIE}=${value}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=${sameSite}${secure}`;

  /** Null: a guest without a name yet. */
  async function identify(token: unknown, knownBy: 'header' | 'cookie'): Promise<Guest | null> {
    if (token === undefined || token === null || token === '') return null;
    const id = typeof token === 'string' ? await shared.services.guests.find(token) : null;
    if (id === null) throw refusedRequest('UNAUTHENTICATED', 'The cart token is not one that this shop gave.');
    return { id, token: token as string, knownBy };
  }

  function assemble(guest: Guest | null, scope: RequestScope, setCartCookie: Context['setCartCookie']): Context {
    return {
      ...shared,
      viewer: { guest },
      loaders: createLoaders(shared.services),
      logger: scope.logger,
      requestId: scope.id,
      eventCursor: null,
      orderGrants: new Map(),
      setCartCookie,
    };
  }

  return {
    async forHttp({ req, res }, scope) {
      const header = req.headers['x-cart-token'];
      const setCookie = (value: string, seconds: number) => void res.setHeader('set-cookie', cookie(value, seconds));
      let guest: Guest | null;
      if (header !== undefined && header !== '') {
        guest = await identify(header, 'header');
      } else {
        guest = await identify(cookieOf(req), 'cookie').catch((error: unknown) => {
          // No script can take the cookie away: without this the browser would be shut out for good.
          if (isUnauthenticated(error)) setCookie('', 0);
          throw error;
        });
      }
      return assemble(guest, scope, (token) => setCookie(token, COOKIE_SECONDS));
    },

    async forSocket(upgrade, connectionParams, scope) {
      const params = (connectionParams ?? {}) as { cartToken?: unknown };
      const header = upgrade.headers['x-cart-token'];
      const named = [params.cartToken, header].find((token) => token !== undefined && token !== null && token !== '');
      const guest = named === undefined ? await identify(cookieOf(upgrade), 'cookie') : await identify(named, 'header');
      return assemble(guest, scope, () => {});
    },

    renew: (context) => ({
      ...context,
      loaders: createLoaders(shared.services),
      eventCursor: null,
      orderGrants: new Map(),
    }),
  };
}

function cookieOf(req: IncomingMessage): string | undefined {
  for (const pair of req.headers.cookie?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at !== -1 && pair.slice(0, at).trim() === COOKIE) return pair.slice(at + 1).trim();
  }
  return undefined;
}

function isUnauthenticated(error: unknown): boolean {
  return (error as { extensions?: { code?: unknown } } | null)?.extensions?.code === 'UNAUTHENTICATED';
}
