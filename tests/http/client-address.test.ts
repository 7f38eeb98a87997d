import { describe, expect, test } from 'vitest';
import { clientAddress } from '../../src/http/client-address.ts';

const SOCKET = '203.0.113.9';

/** Who a request is from that came over such a socket, with such a header. */
function from(remoteAddress: string | undefined, header?: string, trustedProxies = 0): string {
  const headers = header === undefined ? {} : { 'x-forwarded-for': header };
  return clientAddress({ headers, socket: { remoteAddress } as never }, trustedProxies);
}

describe('without a proxy', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2:0:0:0:7', '2001:db8:1:2::/64'],
    ['2001:db8:1:3::6', '2001:db8:1:3::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:192.0.2.7', '2001:db8:1:2::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    [undefined, 'unknown'],
  ])('%s counts as %s', (remoteAddress, expected) => {
    expect(from(remoteAddress)).toBe(expected);
  });

  test('x-forwarded-for is not believed', () => {
    expect(from(SOCKET, '198.51.100.1')).toBe(SOCKET);
  });
});

describe('behind proxies', () => {
  test.each([
    // One proxy: the last entry is its own; what stands before is what the client said.
    [1, '198.51.100.1', '198.51.100.1'],
    [1, '10.0.0.1, 198.51.100.1', '198.51.100.1'],
    [1, '10.0.0.1,198.51.100.1 ', '198.51.100.1'],
    // Two: the one before the last.
    [2, '10.0.0.1, 198.51.100.1, 192.0.2.1', '198.51.100.1'],
    [3, '10.0.0.1, 198.51.100.1, 192.0.2.1', '10.0.0.1'],
    // Fewer than configured.
    [3, '198.51.100.1, 192.0.2.1', '198.51.100.1'],
    [10, '198.51.100.1', '198.51.100.1'],
    // As proxies write them.
    [1, '198.51.100.1:4711', '198.51.100.1'],
    [1, '[2001:db8:1:2::5]:4711', '2001:db8:1:2::/64'],
    [1, '[2001:db8:1:2::5]', '2001:db8:1:2::/64'],
    [1, '2001:db8:1:2::5', '2001:db8:1:2::/64'],
    [1, '::ffff:198.51.100.1', '198.51.100.1'],
  ])('%i, with %s: %s', (proxies, header, expected) => {
    expect(from(SOCKET, header, proxies)).toBe(expected);
  });

  test.each([
    undefined,
    '',
    'unknown',
    '_hidden',
    '300.1.1.1',
    '198.51.100.1,',
    'example.com',
    '198.51.100.1, junk',
    '1.2.3.4:5:6',
    '[192.0.2.1',
    ':'.repeat(100_000),
    ','.repeat(100_000),
  ])('junk counts as the proxy itself', (header) => {
    expect(from(SOCKET, header, 1)).toBe(SOCKET);
  });
});
