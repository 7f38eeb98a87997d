import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';

/**
 * Who a request comes from, as far as limits are concerned: an IPv4 address, or the /64 of an IPv6 one, which is what a
 * household or a machine is given.
 * @param trustedProxies how many proxies stand before the shop, each of which adds whom it heard from to
 * `x-forwarded-for`. What stands before their entries is the client's own say, and is not believed
 */
export function clientAddress(req: Pick<IncomingMessage, 'headers' | 'socket'>, trustedProxies: number): string {
  const forwarded = trustedProxies === 0 ? null : forwardedFor(req.headers['x-forwarded-for'], trustedProxies);
  return forwarded ?? network(req.socket.remoteAddress ?? '') ?? 'unknown';
}

/** The entry of the outermost proxy that we believe; the first one where there are fewer. Null where it is no address. */
function forwardedFor(header: string | string[] | undefined, trustedProxies: number): string | null {
  // Node joins headers that came several times.
  const entries = String(header ?? '').split(',');
  return network(withoutPort(entries[Math.max(0, entries.length - trustedProxies)]?.trim() ?? ''));
}

/** Some proxies name the port, too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(entry) ?? [];
  return bracketed ?? entry.replace(/^([\d.]+):\d+$/, '$1');
}

function network(address: string): string | null {
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return null;
  const groups = groupsOf(address);
  const [g4 = 0, g5 = 0, g6 = 0, g7 = 0] = groups.slice(4);
  // An IPv4 address as a socket for both kinds has it (`::ffff:192.0.2.1`).
  if (groups.slice(0, 4).every((group) => group === 0) && g4 === 0 && g5 === 0xffff) {
    return [g6 >> 8, g6 & 255, g7 >> 8, g7 & 255].join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of an IPv6 address, however it is written. */
function groupsOf(address: string): number[] {
  // A zone (`fe80::1%eth0`) names an interface of ours; the tail may be written as IPv4.
  const plain = address
    .replace(/%.*$/, '')
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) =>
      [0, 2].map((at) => (Number(bytes[at]) * 256 + Number(bytes[at + 1])).toString(16)).join(':'),
    );
  const [head = '', tail] = plain.split('::');
  const read = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [read(head), read(tail ?? '')];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}
