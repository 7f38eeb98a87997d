import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../config/config.ts';
import { REFRESH_SECONDS, type IssuedTokens } from './session.service.ts';

/** The cookies of one request: those that came, and those that go out with the answer. */
export interface Cookies {
  readonly cartToken: string | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** Marks the device as one on which a user has logged in before. */
  readonly deviceToken: string | undefined;
  /** Hands the guest's token over. */
  setCart(token: string): void;
  clearCart(): void;
  /** Hands a session's tokens over. */
  setSession(tokens: IssuedTokens): void;
  clearSession(): void;
  /** Marks the device as one on which a user has logged in. It remains marked after a log-out. */
  setDevice(token: string): void;
}

/** Reads the cookies of a request, and writes those of its answer; without an answer nothing is written. */
export interface CookieReader {
  (req: Pick<IncomingMessage, 'headers'>, res: ServerResponse | null): Cookies;
  /** The cookie with a guest's token, as it comes in `Cookie` and as it goes out in `Set-Cookie`. */
  cartCookie(token: string): { pair: string; setCookie: string };
}

const DEVICE_SECONDS = 365 * 24 * 60 * 60;
const CART_SECONDS = 180 * 24 * 60 * 60;

/*
 * Without COOKIE_DOMAIN cookies are the host's own (`__Host-`), and no other host can plant one. With it they belong to the domain
 * (`__Secure-`), so that www. and api. share a session. The names differ, so a browser that has cookies of both settings has no two
 * of one name.
 */

/** Makes the reader for a shop that the outside reaches under this address. */
export function createCookieReader({ production, http }: Config, publicUrl: string): CookieReader {
  const https = publicUrl.startsWith('https://');
  const sameSite = { lax: 'Lax', strict: 'Strict', none: 'None' }[http.cookieSameSite];
  const { cookieDomain: domain } = http;
  const attributes = `Path=/; HttpOnly; SameSite=${sameSite}${https ? '; Secure' : ''}`;
  const shared = domain === null ? attributes : `Domain=${domain}; ${attributes}`;
  const isPrefixed = production && https;
  // The prefix keeps neighbours under our domain from planting one. Browsers take it with https and Path=/ alone, and no Domain.
  const hostPrefix = isPrefixed ? '__Host-' : '';
  const prefix = domain === null || !isPrefixed ? hostPrefix : '__Secure-';
  const nameOf = (name: string) => `${prefix}${name}`;
  const [cart, access, refresh, device] = (
    ['cart_token', 'access_token', 'refresh_token', 'device_token'] as const
  ).map(nameOf) as [string, string, string, string];
  const seconds = new Map([
    [cart, CART_SECONDS],
    // As long as the other one, so that its end is seen, and not taken for a guest.
    [access, REFRESH_SECONDS],
    [refresh, REFRESH_SECONDS],
    [device, DEVICE_SECONDS],
  ]);

  /** Other domains for which this host may have set a cookie of the same name, under an earlier setting. */
  const { hostname } = new URL(publicUrl);
  const rivals = hostname
    .split('.')
    .slice(0, -1)
    .map((_, index) => hostname.split('.').slice(index).join('.'))
    .filter((rival) => rival !== domain);

  const line = (name: string, value: string, age: number) => `${name}=${value}; Max-Age=${age}; ${shared}`;

  /** The cookie that the same browser has from the time before COOKIE_DOMAIN, for this host alone. */
  const hostNameOf = (name: string) => `${hostPrefix}${name.slice(prefix.length)}`;

  // Made for each request: methods of a class cost nothing there, a function for each method does.
  class RequestCookies implements Cookies {
    readonly #res: ServerResponse | null;
    readonly #going = new Map<string, string>();
    readonly #values = new Map<string, string>();

    constructor(req: Pick<IncomingMessage, 'headers'>, res: ServerResponse | null) {
      this.#res = res;
      if (req.headers.cookie !== undefined) this.#take(parse(req.headers.cookie));
    }

    #take(came: ReadonlyMap<string, string[]>): void {
      for (const name of seconds.keys()) {
        const sent = came.get(name) ?? [];
        // The first of a name is the one with the longest path, else the oldest. With a domain the one that the setting of today
        // made is the last.
        const value = domain === null ? sent[0] : sent.at(-1);
        if (value !== undefined) this.#values.set(name, value);
        if (domain === null) continue;
        const ofHost = isPrefixed ? came.get(hostNameOf(name))?.[0] : undefined;
        // No other host can have planted it. It is moved to the domain, unless there is one of the domain already.
        if (ofHost !== undefined && value === undefined) {
          this.#values.set(name, ofHost);
          this.#write(name, ofHost);
        }
        // What contradicts it must go, or the browser sends both for ever: cookies of the host alone, and of an earlier domain.
        if (ofHost !== undefined || sent.length > 1)
          this.#send(`host ${name}`, `${hostNameOf(name)}=; Max-Age=0; ${attributes}`);
        if (sent.length > 1) {
          for (const rival of rivals)
            this.#send(`${rival} ${name}`, `${name}=; Max-Age=0; Domain=${rival}; ${attributes}`);
        }
      }
    }

    #send(key: string, setCookie: string): void {
      // Each goes out once, as it was set last.
      this.#going.set(key, setCookie);
      this.#res?.setHeader('set-cookie', [...this.#going.values()]);
    }

    #write(name: string, value: string, age = seconds.get(name) ?? 0): void {
      this.#send(name, line(name, value, age));
    }

    /** Deletes only cookies that were sent: clients without cookies receive no `set-cookie` header. */
    #clear(name: string): void {
      if (this.#values.has(name) || this.#going.has(name)) this.#write(name, '', 0);
    }

    get cartToken() {
      return this.#values.get(cart);
    }

    get accessToken() {
      return this.#values.get(access);
    }

    get refreshToken() {
      return this.#values.get(refresh);
    }

    get deviceToken() {
      return this.#values.get(device);
    }

    setDevice(token: string): void {
      this.#write(device, token);
    }

    setCart(token: string): void {
      this.#write(cart, token);
    }

    clearCart(): void {
      this.#clear(cart);
    }

    setSession(tokens: IssuedTokens): void {
      this.#write(access, tokens.accessToken);
      this.#write(refresh, tokens.refreshToken);
    }

    clearSession(): void {
      this.#clear(access);
      this.#clear(refresh);
    }
  }

  const read = (req: Pick<IncomingMessage, 'headers'>, res: ServerResponse | null): Cookies =>
    new RequestCookies(req, res);
  const cartCookie = (token: string) => ({ pair: `${cart}=${token}`, setCookie: line(cart, token, CART_SECONDS) });
  return Object.assign(read, { cartCookie });
}

/** The values of each name, in the order in which they came. */
function parse(header: string | undefined): Map<string, string[]> {
  const cookies = new Map<string, string[]>();
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    if (at === -1) continue;
    const values = cookies.get(name) ?? [];
    if (values.length === 0) cookies.set(name, values);
    values.push(pair.slice(at + 1).trim());
  }
  return cookies;
}
