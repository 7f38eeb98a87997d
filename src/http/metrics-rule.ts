import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../config/config.ts';
import { isSameSecret } from '../infra/same-secret.ts';
import { hasProxyHeader } from './proxy-headers.ts';

/** What is configured of the way on which requests come. */
export interface Approach {
  trustedProxies: number;
  /** The origin under which the outside reaches the shop. */
  publicUrl: string;
}

/** Whether a request may read the metrics: with the token, or from this machine itself if no token is set. */
export function mayReadMetrics(req: IncomingMessage, token: string | null, approach: Approach): boolean {
  if (token === null) return isFromHere(req, approach);
  return isSameSecret(req.headers.authorization ?? '', `Bearer ${token}`);
}

/**
 * Whether a request comes from this machine itself, and not through a proxy on it. A proxy may add no header at all: so nobody
 * comes from here where one is configured (TRUST_PROXY), or where the shop is reached under a name that is not this machine's, for
 * which something must pass requests on. HTTP/1.0 is used by proxies (by default nginx) and by no client of today.
 */
function isFromHere(req: IncomingMessage, { trustedProxies, publicUrl }: Approach): boolean {
  const address = (req.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return (
    trustedProxies === 0 &&
    isLoopback(hostOf(publicUrl)) &&
    isLoopback(address) &&
    req.httpVersion !== '1.0' &&
    !hasProxyHeader(req)
  );
}

function hostOf(origin: string): string {
  return new URL(origin).hostname.replace(/^\[|\]$/g, '');
}
