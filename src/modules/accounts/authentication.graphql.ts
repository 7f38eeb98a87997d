import type { ServerResponse } from 'node:http';
import {
  registerAuthentication,
  type Authentication,
  type AuthenticationDeps,
  type Identification,
  type SocketOpening,
} from '../../graphql/context/authentication.ts';
import { refusedRequest } from '../../graphql/context/request-error.ts';
import { createCookieReader } from './cookies.ts';
import { credentialHeadersOf, credentialsOf, isGiven, type Credentials, type WithHeaders } from './credentials.ts';
import type { Identity } from './session.service.ts';
import { createSessionWatch } from './session-watch.ts';
import { anonymous, ownerAlone, type Guest } from './accounts.viewer.graphql.ts';

/** Identifies users by their access token and guests by their cart token. */
function createAccountAuthentication(deps: AuthenticationDeps): Authentication {
  const { config, publicUrl, feed, logger } = deps;
  const { guests, sessions } = deps.services;
  const readCookies = createCookieReader(config, publicUrl);
  const watch = createSessionWatch({ feed, sessions, logger });

  /** Null: the request has no access token. */
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

  /** Null: the request has no cart token. */
  async function identifyGuest({ token, knownBy }: Credentials['cart']): Promise<Guest | null> {
    if (!isGiven(token)) return null;
    const found = typeof token === 'string' ? await guests.find(token) : null;
    if (found === null) throw refusedRequest('UNAUTHENTICATED', 'The cart token was not issued by this shop.');
    return { ...found, token: token as string, knownBy };
  }

  function read(req: WithHeaders, connectionParams: unknown, res: ServerResponse | null) {
    const cookies = readCookies(req, res);
    return { cookies, ...credentialsOf(req, connectionParams, cookies) };
  }

  const readOpening = ({ headers, connectionParams }: SocketOpening) => read({ headers }, connectionParams, null);

  return {
    async ofRequest(req, res, { isEntry }): Promise<Identification> {
      const { cookies, access, cart } = read(req, null, res);
      const accessToken = tokenOf(access);
      if (isEntry) {
        const user = await orNull(identifyUser(access));
        const entering = await orNull(identifyGuest(cart));
        return { viewer: { user, guest: user === null ? entering : null }, entering, accessToken, cookies };
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
      return { viewer: { user, guest }, entering: null, accessToken, cookies };
    },

    async ofSocket(opening) {
      const { cookies, access, cart } = readOpening(opening);
      const user = await identifyUser(access);
      const guest = user === null ? await identifyGuest(cart) : null;
      // The socket as a whole is tied to the token's session: its operations need not be.
      return { viewer: { user, guest }, entering: null, accessToken: null, cookies };
    },

    anonymous,

    ownerAlone,

    standIn: (viewer) => ({ viewer, entering: null, accessToken: null, cookies: readCookies({ headers: {} }, null) }),

    namesUser: (req) => isGiven(read(req, null, null).access),

    openingHeadersOf: credentialHeadersOf,

    offerFor(req) {
      const { access, cart } = read(req, null, null);
      if (isGiven(access) || isGiven(cart.token)) return null;
      const { pair, setCookie } = readCookies.cartCookie(guests.offer().token);
      const { cookie } = req.headers;
      const headers = { ...credentialHeadersOf(req), cookie: cookie === undefined ? pair : `${cookie}; ${pair}` };
      return { setCookie, headers };
    },

    async watch({ accessToken, viewer: { guest } }, over) {
      if (accessToken !== null) return watch.watch(accessToken, over);
      return guest === null
        ? { valid: true, userId: null, release: () => {} }
        : watch.watchGuest(guest.id, guest.knownBy === 'cookie', over);
    },

    async watchSocket(opening, over) {
      const { access, cart } = readOpening(opening);
      const accessToken = tokenOf(access);
      if (accessToken !== null) return watch.watch(accessToken, over);
      const guest = isGiven(access) ? null : await orNull(identifyGuest(cart));
      return guest === null ? null : watch.watchGuest(guest.id, guest.knownBy === 'cookie', over);
    },

    async hasNewer(opening) {
      const accessToken = tokenOf(readOpening(opening).access);
      return accessToken !== null && sessions.isRefreshed(accessToken);
    },

    dispose: () => watch.dispose(),
  };
}

registerAuthentication(createAccountAuthentication);

function tokenOf(credential: unknown): string | null {
  return typeof credential === 'string' ? credential : null;
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
