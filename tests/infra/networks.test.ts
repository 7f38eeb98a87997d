import { describe, expect, test } from 'vitest';
import { networkOf, widerNetworks } from '../../src/infra/limits/networks.ts';

describe('the network of an address', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['nonsense', null],
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('the networks around a network', () => {
  const around = (address: string) => widerNetworks(networkOf(address) ?? '').map(({ network }) => network);

  test('an IPv6 network has a /56 and a /48', () => {
    expect(around('2001:db8:1:22ff::1')).toEqual(['2001:db8:1:2200::/56', '2001:db8:1:0::/48']);
    expect(around('2001:db8:ffff:ff01::1')).toEqual(['2001:db8:ffff:ff00::/56', '2001:db8:ffff:0::/48']);
  });

  test('neighbours in a /56 share it, strangers do not', () => {
    expect(around('2001:db8:1:2200::1')[0]).toBe(around('2001:db8:1:22ff::1')[0]);
    expect(around('2001:db8:1:2200::1')[0]).not.toBe(around('2001:db8:1:2300::1')[0]);
  });

  test.each(['192.0.2.1', 'unknown', 'none'])('%s has none', (network) => {
    expect(widerNetworks(network)).toEqual([]);
  });
});
