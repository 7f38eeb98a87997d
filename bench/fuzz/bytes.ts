import { connect } from 'node:net';
import { broken, bytes, text, wellFormed, type Random } from './random.ts';

/** Every path that the shop serves, some of them with what they take. */
const PATHS = [
  '/',
  '/graphql',
  '/graphql?query={__typename}',
  '/graphql?query={shop{name}}&variables={}&operationName=&extensions={}',
  '/health/live',
  '/health/ready',
  '/metrics',
  '/queues',
  '/queues/api/queues',
  '/mailbox',
  '/mailbox/1',
  '/mail/order?token=x',
  '/mail/unsubscribe?token=x',
  '/mail/stock-alert?token=x',
  '/mail/confirm?token=x',
  '/mail/password-reset?token=x',
  '/webhooks/contentful',
  '/images/acacia-honey.svg',
  '/images/x',
  '/nothing',
];

const METHODS = [
  'GET',
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'get',
  'X',
];

const HEADERS = [
  'accept',
  'accept-encoding',
  'accept-language',
  'access-control-request-headers',
  'access-control-request-method',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'forwarded',
  'if-none-match',
  'last-event-id',
  'origin',
  'range',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'te',
  'transfer-encoding',
  'upgrade',
  'x-cart-token',
  'x-contentful-signature',
  'x-contentful-topic',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-prefix',
];

const VALUES = [
  'application/json',
  'application/json; charset=utf-16',
  'text/html',
  'text/event-stream',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  '*/*',
  'gzip',
  'chunked',
  'close',
  'keep-alive, upgrade',
  'websocket',
  'h2c',
  '13',
  'graphql-transport-ws',
  'dGhlIHNhbXBsZSBub25jZQ==',
  'permessage-deflate; client_max_window_bits=99',
  'Bearer x',
  'Basic eDp5',
  'null',
  'http://localhost:4000',
  'access_token=%; cart_token=%E0%A4%A; __proto__=x; =; ;;',
  '-1',
  '0',
  '99999999999999999999',
  '100-continue',
  'bytes=0-0,-1',
  'navigate',
  'cross-site',
  '::ffff:1.2.3.4, [::1]:99, x',
  '"x", W/"y"',
];

const HOSTS = [
  'localhost',
  'localhost',
  'localhost',
  '127.0.0.1:4000',
  '127.0.0.1:99999',
  '[::1]',
  '[::1',
  'evil.example',
  '',
  'a b',
  'x:y',
  'localhost:',
];

const BODIES = [
  '{"query":"{ __typename }"}',
  '{"query":"{ shop { name } }","variables":{},"operationName":null}',
  '[{"query":"{ __typename }"}]',
  '{"query":1}',
  'query=%7B__typename%7D',
  'token=x&newPassword=%00',
  '{"sys":{"id":"x"}}',
];

/** A request as bytes, most of it in order. */
export function requestBytes(random: Random, id: string): Buffer {
  const path = random.chance(0.5) ? random.pick(PATHS) : broken(random, random.pick(PATHS)).replaceAll(/[\r\n]/g, '');
  const target = random.chance(0.2)
    ? random.pick([
        '*',
        'http://localhost/metrics',
        '//x',
        '/%6detrics',
        '/health/../metrics',
        '/..',
        '/%',
        '/%00',
        `/${encodeURIComponent(wellFormed(text(random))).slice(0, 200)}`,
      ])
    : path;
  const lines = [
    `${random.pick(METHODS)} ${target} HTTP/${random.chance(0.95) ? '1.1' : random.pick(['1.0', '2.0', '0.9', 'x'])}`,
  ];
  if (random.chance(0.97)) lines.push(`host: ${random.pick(HOSTS)}`);
  lines.push(`x-request-id: ${id}`);
  for (let count = random.below(6); count > 0; count -= 1) {
    const value = random.chance(0.8)
      ? random.pick(VALUES)
      : text(random)
          .replaceAll(/[\r\n]/g, ' ')
          .slice(0, 4000);
    lines.push(`${random.pick(HEADERS)}: ${value}`);
  }
  const body = random.chance(0.5) ? '' : random.chance(0.6) ? random.pick(BODIES) : broken(random, random.pick(BODIES));
  if (body !== '' && random.chance(0.8))
    lines.push(`content-type: application/json`, `content-length: ${Buffer.byteLength(body)}`);
  if (random.chance(0.9)) lines.push('connection: close');
  const whole = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, random.chance(0.5) ? 'latin1' : 'utf8');
  if (random.chance(0.9)) return whole;
  const noise = bytes(random, 60);
  return random.chance(0.5) ? noise : Buffer.concat([whole.subarray(0, random.below(whole.length)), noise]);
}

/** Sends bytes, says that there are no more, and gives what came back until the server closed, or said nothing for a while. */
export function sendBytes(port: number, request: Buffer, quietMs = 1_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      if (answer.length < 100_000) answer += chunk;
    });
    socket.setTimeout(quietMs, () => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => resolve(answer));
    socket.end(request);
  });
}
