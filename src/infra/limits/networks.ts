import { isIPv4, isIPv6 } from 'node:net';

/*
 * Networks as limits count them. A customer of an Internet provider gets one IPv4 address, or an IPv6 prefix: a /64 at least,
 * often a /56, sometimes a /48. The holder of a wide prefix has all /64 networks in it.
 */

/** The prefix lengths of the IPv6 networks around a /64 that limits count, too. */
export const WIDER_PREFIXES = [56, 48] as const;

export type WiderPrefix = (typeof WIDER_PREFIXES)[number];

/**
 * How many times the limit of a /64 the networks around it may use: wide enough for the many households that may share a prefix, too
 * narrow to multiply a limit by thousands.
 */
export const WIDER: Readonly<Record<WiderPrefix, number>> = { 56: 4, 48: 16 };

/** The network of an address: an IPv4 address itself, or the /64 of an IPv6 address. Null if the text is not an address. */
export function networkOf(address: string): string | null {
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return null;
  const groups = groupsOf(address);
  const [g4 = 0, g5 = 0, g6 = 0, g7 = 0] = groups.slice(4);
  // An IPv4 address as a socket for both kinds has it (`::ffff:192.0.2.1`).
  if (groups.slice(0, 4).every((group) => group === 0) && g4 === 0 && g5 === 0xffff) {
    return [g6 >> 8, g6 & 255, g7 >> 8, g7 & 255].join('.');
  }
  return prefixOf(groups, 64);
}

/** The wider networks around one that `networkOf` gave, the narrowest first. Empty for IPv4. */
export function widerNetworks(network: string): { prefix: WiderPrefix; network: string }[] {
  const [, address] = /^(.+)\/64$/.exec(network) ?? [];
  if (address === undefined || !isIPv6(address)) return [];
  const groups = groupsOf(address);
  return WIDER_PREFIXES.map((prefix) => ({ prefix, network: prefixOf(groups, prefix) }));
}

/** A network and those around it, each with how many times a limit of the first it may use. */
export function networksAround(network: string): { network: string; times: number }[] {
  return [
    { network, times: 1 },
    ...widerNetworks(network).map((wide) => ({ network: wide.network, times: WIDER[wide.prefix] })),
  ];
}

function prefixOf(groups: readonly number[], length: 64 | WiderPrefix): string {
  const kept = groups.slice(0, 4).map((group, index) => {
    const bits = Math.min(16, Math.max(0, length - 16 * index));
    return (group & (0xffff << (16 - bits)) & 0xffff).toString(16);
  });
  return `${kept.join(':')}::/${length}`;
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
