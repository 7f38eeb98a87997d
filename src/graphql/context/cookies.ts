import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../config/config.ts';
import { REFRESH_SECONDS, type IssuedTokens } from '../../modules/accounts/session.service.ts';

/** The cookies of one request: those that came, and those that go out with the answer. */
export interface Cookies {
  readonly cartToken: string | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  /** Says that somebody has logged in on this device before. */
  readonly deviceToken: string | undefined;
  /** Hands the guest's token over. */
  setCart(token: string): void;
  clearCart(): void;
  /** Hands a session's tokens over. */
  setSession(tokens: IssuedTokens): void;
  clearSession(): void;
  /** Marks the device as one on which somebody has logged in. It stays so after a log-out. */
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

/** Makes the reader for a shop that the outside reaches under this address. */
export function createCookieReader({ production, http }: Config, publicUrl: string): CookieReader {
  const https = publicUrl.startsWith('https://');
  const sameSite = { lax: 'Lax', strict: 'Strict', none: 'None' }[http.cookieSameSite];
  const attributes = `Path=/; HttpOnly; SameSite=${sameSite}${https ? '; Secure' : ''}`;
  // The prefix keeps neighbours under our domain from planting one. Browsers take it with https and Path=/ alone.
  const prefix = production && https ? '__Host-' : '';
  const [cart, access, refresh, device] = ['cart_token', 'access_token', 'refresh_token', 'device_token'].map(
    (name) => `${prefix}${name}`,
  ) as [string, string, string, string];

  const line = (name: string, value: string, seconds: number) => `${name}=${value}; Max-Age=${seconds}; ${attributes}`;

  const read = (req: Pick<IncomingMessage, 'headers'>, res: ServerResponse | null): Cookies => {
    const came = parse(req.headers.cookie);
    const going = new Map<string, string>();

    function write(name: string, value: string, seconds: number): void {
      // Each goes out once, as it was set last.
      going.set(name, line(name, value, seconds));
      res?.setHeader('set-cookie', [...going.values()]);
    }

    /** Only what is there: a client that is no browser is told of no cookies at all. */
    function clear(name: string): void {
      if (came.has(name) || going.has(name)) write(name, '', 0);
    }

    return {
      cartToken: came.get(cart),
      accessToken: came.get(access),
      refreshToken: came.get(refresh),
      deviceToken: came.get(device),
      setDevice: (token) => write(device, token, DEVICE_SECONDS),
      setCart: (token) => write(cart, token, CART_SECONDS),
      clearCart: () => clear(cart),
      setSession(tokens) {
        // As long as the other one, so that its end is seen, and not taken for a guest.
        write(access, tokens.accessToken, REFRESH_SECONDS);
        write(refresh, tokens.refreshToken, REFRESH_SECONDS);
      },
      clearSession() {
        clear(access);
        clear(refresh);
      },
    };
  };

  const cartCookie = (token: string) => ({ pair: `${cart}=${token}`, setCookie: line(cart, token, CART_SECONDS) });
  return Object.assign(read, { cartCookie });
}

function parse(header: string | undefined): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, at).trim();
    // The first of a name is the one with the longest path, which browsers send first.
    if (at !== -1 && !cookies.has(name)) cookies.set(name, pair.slice(at + 1).trim());
  }
  return cookies;
}
