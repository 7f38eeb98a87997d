import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../config/config.ts';
import { originMatcher } from '../config/origins.ts';

/*
 * One rule against forged requests, for POST, GET, SSE and WebSocket alike: a browser that comes from a page of another
 * origin says so in `Origin` or in `Sec-Fetch-Site`, and is refused unless that origin is ours or was named in
 * CORS_ORIGINS. Who sends neither header is no browser, and has no cookies of anyone's to misuse. The check of `Host` goes
 * with it: it stops pages whose own name was pointed at our address (DNS rebinding), to which we would look like their own
 * origin.
 */

/** Why a request is rejected, for the client and for the log. */
export interface Refusal {
  message: string;
  /** What came, and the variable that would let it in. */
  given: string;
  setting: 'ALLOWED_HOSTS' | 'CORS_ORIGINS';
}

/** The rule of one shop. */
export interface OriginRule {
  /** For every path that a browser may ask: whether `Host` names this shop. */
  checkHost(req: IncomingMessage): Refusal | null;
  /** For all that executes operations. Takes for granted that the host was checked. */
  checkOrigin(req: IncomingMessage): Refusal | null;
  /** Whether a page of this origin may read answers, and send cookies. */
  allows(origin: string, req: IncomingMessage): boolean;
}

const LOOPBACK_ORIGIN = /^http:\/\/(localhost|127\.0\.0\.1)(:\d{1,5})?$/;
const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i;

/**
 * Makes the rule.
 * @param options.host what the server listens on
 * @param options.publicUrl the origin under which the outside reaches it
 * @param options.allowedHosts further host names under which it may be asked, for example inside a cluster
 */
export function createOriginRule(options: {
  production: boolean;
  host: string;
  publicUrl: string;
  corsOrigins: readonly string[];
  allowedHosts: readonly string[];
}): OriginRule {
  const { production, publicUrl } = options;
  const { host: publicHost, protocol } = new URL(publicUrl);
  const isKnown = originMatcher([publicUrl, ...options.corsOrigins]);
  const allowedHosts = new Set(options.allowedHosts);
  const loopbackPages = !production && isLoopback(options.host);

  /** Listed with its port, or without one and then under any port. */
  function isAllowedHost(host: string): boolean {
    const given = host.toLowerCase();
    return allowedHosts.has(given) || allowedHosts.has(given.replace(/:\d+$/, ''));
  }

  function isOurHost(host: string): boolean {
    if (host === publicHost) return true;
    const name = HOST.exec(host)?.[1]?.toLowerCase();
    if (name === undefined) return false;
    if (isAllowedHost(host)) return true;
    if (!production && isLoopback(name.replace(/^\[|\]$/g, ''))) return true;
    // Capitals, and a port that is the scheme's own, do not make it another host.
    const address = `${protocol}//${host}`;
    return URL.canParse(address) && new URL(address).host === publicHost;
  }

  function allows(origin: string, req: IncomingMessage): boolean {
    if (isKnown(origin)) return true;
    const { host = '' } = req.headers;
    if (isAllowedHost(host) && origin === `${protocol}//${host.toLowerCase()}`) return true;
    if (production) return false;
    // The host was checked, so a page of this very host is our own, whatever the port was mapped to.
    return (loopbackPages && LOOPBACK_ORIGIN.test(origin)) || origin === `http://${req.headers.host}`;
  }

  return {
    allows,
    checkHost(req) {
      const host = req.headers.host ?? '';
      if (isOurHost(host)) return null;
      return { message: 'The shop does not serve this host name.', given: host, setting: 'ALLOWED_HOSTS' };
    },
    checkOrigin(req) {
      const { origin } = req.headers;
      const given = origin ?? (req.headers['sec-fetch-site'] === 'cross-site' ? 'another site' : null);
      if (given === null || (origin !== undefined && allows(origin, req))) return null;
      return { message: 'Pages of this origin may not use the shop.', given, setting: 'CORS_ORIGINS' };
    },
  };
}

/** Default public URL: a wildcard or loopback address becomes localhost. */
export function defaultPublicUrl(host: string, port: number): string {
  const anywhere = host === '0.0.0.0' || host === '::' || isLoopback(host);
  const name = anywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return new URL(`http://${name}:${port}`).origin;
}
