import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createThrottledShop } from '../support/throttling.ts';
import type { TestShop } from '../support/shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createThrottledShop({ operationsByClient: { points: 100, seconds: 60 } });
});
afterAll(() => shop.dispose());

/** The status with which bytes are answered that no client library would send. */
function statusOf(target: string, { host = 'localhost', upgrade = false, more = '' } = {}): Promise<number> {
  const { port } = new URL(shop.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.once('error', reject);
    socket.once('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)));
    const asks = upgrade
      ? 'connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n'
      : 'connection: close\r\n';
    socket.write(`GET ${target} HTTP/1.1\r\nhost: ${host}\r\n${more}${asks}\r\n`, 'latin1');
  });
}

const errorLines = () => shop.logs.filter(({ level }) => level >= 50);

describe('a target that normalisation would change is refused', () => {
  test.each([
    ['an escaped letter', '/%6dail/order'],
    ['an escaped letter in the name of metrics', '/%6Detrics'],
    ['an escaped separator', '/mail%2Forder'],
    ['an escaped dot', '/health/%2E%2E/metrics'],
    ['an escape in small letters', '/images/%c3%a9.svg'],
    ['an escape that is none', '/images/%zz.svg'],
    ['an escape that is cut off', '/images/a%2'],
    ['an escape that is not UTF-8', '/images/%FF.svg'],
    ['an escaped NUL', '/images/%00.svg'],
    ['an escaped NUL in the query', '/mail/order?token=%00'],
    ['an escaped backslash', '/images/..%5C..%5Cpackage.json'],
    ['a backslash', '/images\\..\\metrics'],
    ['dot segments', '/health/../metrics'],
    ['one dot', '/./metrics'],
    ['dot segments at the end', '/health/..'],
    ['two slashes', '//metrics'],
    ['two slashes further on', '/health//ready'],
    ['the form for proxies', 'http://localhost/metrics'],
    ['the form for proxies, with another host', 'http://elsewhere.example/health/live'],
    ['the form of CONNECT', 'localhost:80'],
    ['the form of OPTIONS', '*'],
    ['a fragment', '/metrics#top'],
  ])('%s', async (_name, target) => {
    // 400, whether the parser of node refuses the bytes or we do.
    expect(await statusOf(target)).toBe(400);
    expect(await statusOf(target, { upgrade: true })).toBe(400);
  });

  test('and with it every way around a limit', async () => {
    const limited = await createThrottledShop({ operationsByClient: { points: 2, seconds: 60 } });
    const answer = (path: string) =>
      limited.request({ path, headers: { host: 'localhost', 'x-forwarded-for': '192.0.2.7' } });
    const path = '/mail/order?token=x';
    expect([(await answer(path)).status, (await answer(path)).status, (await answer(path)).status]).toEqual([
      404, 404, 429,
    ]);
    const around = await answer('/%6dail/order?token=x');
    expect(around.status).toBe(400);
    expect(around.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
    await limited.dispose();
  });

  test('what is normal passes', async () => {
    for (const path of ['/health/live', '/images/acacia-honey.svg', '/graphql?query={__typename}']) {
      expect([path, await statusOf(path)]).toEqual([path, 200]);
    }
    expect(await statusOf('/images/caf%C3%A9%20x.svg')).toBe(404);
    expect(await statusOf(`/graphql?query=${encodeURIComponent('{ shop { name } }')}`)).toBe(200);
  });
});

describe('a host that is none is refused', () => {
  test.each([
    ['a port beyond the last', '127.0.0.1:99999'],
    ['a port that is no number', 'localhost:http'],
    ['no port after the colon', 'localhost:'],
    ['an address that is none', '[::1'],
    ['an address that has too many groups', '[1:2:3:4:5:6:7:8:9]'],
    ['an address beyond the last', '999.999.999.999'],
    ['a path', 'localhost/metrics'],
    ['a user', 'a@localhost'],
    ['spaces', 'local host'],
    ['letters that are not ASCII', 'b\xfccher.example'],
    ['nothing', ''],
  ])('%s', async (_name, host) => {
    for (const path of [
      '/health/ready',
      '/graphql?query={__typename}',
      '/metrics',
      '/',
      '/queues',
      '/mail/order',
      '/mailbox',
    ]) {
      expect([path, await statusOf(path, { host })]).toEqual([path, 400]);
    }
    expect(await statusOf('/graphql', { host, upgrade: true })).toBe(400);
    expect(errorLines()).toEqual([]);
  });

  test('two of them', async () => {
    expect(await statusOf('/health/live', { more: 'Host: localhost\r\n' })).toBe(400);
  });
});
