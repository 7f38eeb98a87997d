import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../config/config.ts';

/**
 * Whether somebody may read the metrics: by the token, or from this machine itself where no token is set. What comes through
 * a proxy comes from this machine only as far as the proxy does.
 */
export function mayReadMetrics(req: IncomingMessage, token: string | null): boolean {
  return token === null ? isFromHere(req) : isSame(req.headers.authorization ?? '', `Bearer ${token}`);
}

/** Whether somebody asks from this machine itself, and not through a proxy on it. */
export function isFromHere({ headers, socket }: IncomingMessage): boolean {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return isLoopback(address) && headers['x-forwarded-for'] === undefined && headers.forwarded === undefined;
}

/** Takes as long for a wrong one as for the right one. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
