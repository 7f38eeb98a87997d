import type { IncomingMessage } from 'node:http';
import type { Cookies } from './cookies.ts';

/*
 * Where credentials stand in a request or in the parameters of a WebSocket, and under which names. Nothing found here has been
 * checked yet. The caller refuses a credential that is present and not valid, whatever its name is.
 */

/** A request, or the headers that are kept of it. */
export type WithHeaders = Pick<IncomingMessage, 'headers'>;

/** What is kept of the request that became a socket. */
export type CredentialHeaders = Partial<Record<(typeof HEADERS)[number], string>>;

/** Credentials as they came; `undefined` where none came. */
export interface Credentials {
  access: unknown;
  cart: { token: unknown; knownBy: 'header' | 'cookie' };
}

const HEADERS = ['cookie', 'authorization', 'x-cart-token', 'last-event-id'] as const;
const NO_HEADERS: CredentialHeaders = {};

/** Names in `connectionParams`, without case, `-` and `_`. */
const ACCESS_NAMES: ReadonlySet<string> = new Set(['accesstoken', 'authorization', 'authtoken', 'token', 'jwt']);
const CART_NAMES: ReadonlySet<string> = new Set(['carttoken', 'xcarttoken']);

/** Takes the headers with credentials out of a request. */
export function credentialHeadersOf({ headers }: WithHeaders): CredentialHeaders {
  const given = HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]]));
  return given.length === 0 ? NO_HEADERS : (Object.fromEntries(given) as CredentialHeaders);
}

/**
 * Finds the credentials of a request. `connectionParams` take precedence over headers, and headers over cookies.
 * @param connectionParams null over HTTP
 */
export function credentialsOf(req: WithHeaders, connectionParams: unknown, cookies: Cookies): Credentials {
  const { authorization } = req.headers;
  const access = [
    namedIn(connectionParams, ACCESS_NAMES),
    authorization === undefined ? undefined : withoutScheme(authorization),
    cookies.accessToken,
  ].find(isGiven);
  const cart = [namedIn(connectionParams, CART_NAMES), req.headers['x-cart-token']].find(isGiven);
  return {
    access,
    cart: isGiven(cart) ? { token: cart, knownBy: 'header' } : { token: cookies.cartToken, knownBy: 'cookie' },
  };
}

/** Whether a credential came at all. */
export function isGiven(credential: unknown): boolean {
  return credential !== undefined && credential !== null && credential !== '';
}

/**
 * The credential under one of the names, at the top of `connectionParams` or in its `headers`. Different values under several
 * names contradict each other: they are given back as a list, which is not a valid credential.
 */
function namedIn(connectionParams: unknown, names: ReadonlySet<string>): unknown {
  const found = new Set<unknown>();
  for (const [name, value] of entriesOf(connectionParams)) {
    const nested = name.toLowerCase() === 'headers' ? entriesOf(value) : [[name, value] as const];
    for (const [key, credential] of nested) {
      if (names.has(key.toLowerCase().replaceAll(/[-_]/g, '')) && isGiven(credential)) {
        found.add(typeof credential === 'string' ? withoutScheme(credential) : credential);
      }
    }
  }
  const values = [...found];
  return values.length > 1 ? values : values[0];
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** The token of `Bearer …`. Anything else is given back whole: a credential of another scheme is not valid here. */
function withoutScheme(credential: string): string {
  return /^bearer +(\S+) *$/i.exec(credential)?.[1] ?? credential;
}
