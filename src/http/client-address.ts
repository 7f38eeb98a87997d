import type { IncomingMessage } from 'node:http';
import { networkOf } from '../infra/limits/networks.ts';

/**
 * Who a request comes from, as far as limits are concerned: an IPv4 address, or the /64 of an IPv6 one, which is what a
 * household or a machine is given.
 * @param trustedProxies how many proxies stand before the shop, each of which adds whom it heard from to
 * `x-forwarded-for`. What stands before their entries is the client's own say, and is not believed
 */
export function clientAddress(req: Pick<IncomingMessage, 'headers' | 'socket'>, trustedProxies: number): string {
  const forwarded = trustedProxies === 0 ? null : forwardedFor(req.headers['x-forwarded-for'], trustedProxies);
  return forwarded ?? networkOf(req.socket.remoteAddress ?? '') ?? 'unknown';
}

/** The entry of the outermost proxy that we believe; the first one where there are fewer. Null where it is no address. */
function forwardedFor(header: string | string[] | undefined, trustedProxies: number): string | null {
  // Node joins headers that came several times.
  const entries = String(header ?? '').split(',');
  return networkOf(withoutPort(entries[Math.max(0, entries.length - trustedProxies)]?.trim() ?? ''));
}

/** Some proxies name the port, too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(entry) ?? [];
  return bracketed ?? entry.replace(/^([\d.]+):\d+$/, '$1');
}
