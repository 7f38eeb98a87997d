import { once } from 'node:events';
import { connect } from 'node:net';
import { verifyRequest } from '@contentful/node-apps-toolkit';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSigned, isTimely, signedAt } from '../../src/modules/contentful/signature.ts';
import { rowsOf } from '../support/books.ts';
import {
  bodyOf,
  deliver,
  deliveriesOf,
  newEntryId,
  SECRET,
  signedHeaders,
  WEBHOOK_PATH as path,
} from '../support/contentful.ts';
import { ERROR } from '../support/logs.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { createTestShop } from '../support/shop.ts';
import { changingNothing } from '../support/state.ts';
import { until } from '../support/until.ts';
import { ONCE } from '../support/sizes.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ CONTENTFUL_WEBHOOK_SECRET: SECRET });
});
afterAll(() => shop.dispose());

interface Plain {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** What the toolkit says, which throws at what it takes for no request at all. Time is another question. */
function oracle(request: Plain): boolean {
  try {
    return verifyRequest(SECRET, { ...request, method: 'POST' }, 0) && request.method === 'POST';
  } catch {
    return false;
  }
}

const ours = ({ body, ...request }: Plain) => isSigned({ ...request, body: Buffer.from(body) }, SECRET);

const headerName = fc.stringMatching(/^x-[a-z]{1,8}$/);
const headerValue = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
const requests = fc.record({
  path: fc.oneof(
    fc.constantFrom(path, `${path}?a=b&c=d`, `${path}?x=%20y`, `${path}?a?b=1`, `${path}?`, '/ä ö', '/%41'),
    fc.webPath().map((text) => `/${text}`),
  ),
  headers: fc.dictionary(headerName, headerValue, { maxKeys: 5, noNullPrototype: true }),
  body: fc.string({ unit: 'grapheme', maxLength: 200 }),
  at: fc.integer({ min: 1_577_836_800_001, max: 9_999_999_999_999 }),
});

const signed = (request: { path: string; headers: Record<string, string>; body: string; at: number }): Plain => ({
  ...{ method: 'POST', path: request.path, body: request.body },
  headers: signedHeaders(request),
});

/** One thing about a request made otherwise. */
const tamperings: ((request: Plain, text: string) => Plain)[] = [
  (request, text) => ({ ...request, body: request.body + text }),
  (request, text) => ({ ...request, body: text }),
  (request, text) => ({ ...request, path: request.path + text }),
  (request) => ({ ...request, path: request.path.toUpperCase() }),
  (request) => ({ ...request, path: `${request.path}/` }),
  (request) => ({ ...request, method: 'PUT' }),
  ...['x-contentful-signature', 'x-contentful-signed-headers', 'x-contentful-timestamp'].flatMap((name) => [
    (request: Plain, text: string) => ({ ...request, headers: { ...request.headers, [name]: text } }),
    (request: Plain) => ({
      ...request,
      headers: Object.fromEntries(Object.entries(request.headers).filter(([other]) => other !== name)),
    }),
    (request: Plain) => ({
      ...request,
      headers: { ...request.headers, [name]: (request.headers[name] ?? '').toUpperCase() },
    }),
    (request: Plain) => ({ ...request, headers: { ...request.headers, [name]: `${request.headers[name]},x-more` } }),
    (request: Plain) => {
      const parts = (request.headers[name] ?? '').split(',');
      return { ...request, headers: { ...request.headers, [name]: [...parts, ...parts].toReversed().join(',') } };
    },
  ]),
  (request, text) => ({
    ...request,
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        name.startsWith('x-contentful') ? value : `${value}${text}`,
      ]),
    ),
  }),
  (request) => ({
    ...request,
    headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith('x-contentful'))),
  }),
  (request, text) => ({ ...request, headers: { ...request.headers, 'x-unsigned-header': text } }),
];

describe("the signature, with Contentful's own toolkit as the oracle", ONCE, () => {
  test('what it signs is accepted', () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect([ours(signed(request)), oracle(signed(request))]).toEqual([true, true]);
      }),
      { numRuns: 300 },
    );
  });

  test('what is tampered with is judged as it judges it', () => {
    const verdicts = new Set<boolean>();
    fc.assert(
      fc.property(requests, fc.constantFrom(...tamperings), headerValue, (request, tamper, text) => {
        const tampered = tamper(signed(request), text);
        const verdict = ours(tampered);
        verdicts.add(verdict);
        // The toolkit reads over what stands behind a number; the shop does not.
        const isNumber = /^\d{13}$/.test(tampered.headers['x-contentful-timestamp'] ?? '');
        expect(verdict).toBe(oracle(tampered) && isNumber);
      }),
      { numRuns: 1500 },
    );
    // An unsigned header more, or the list in another order, is no tampering.
    expect(verdicts).toEqual(new Set([true, false]));
  });

  test('a time with something behind it, which the toolkit reads over, is refused', () => {
    const request = signed({ path, headers: {}, body: '{}', at: Date.now() });
    const odd = {
      ...request,
      headers: { ...request.headers, 'x-contentful-timestamp': `${request.headers['x-contentful-timestamp']}x` },
    };
    expect([ours(odd), oracle(odd)]).toEqual([false, true]);
  });

  test('another secret is another signature', () => {
    const request = signed({ path, headers: {}, body: '{}', at: Date.now() });
    const plain = { ...request, body: Buffer.from('{}') };
    expect([isSigned(plain, SECRET), isSigned(plain, SECRET.replace('a', 'b'))]).toEqual([true, false]);
  });

  test('five minutes, either way, is too long ago', () => {
    const now = new Date('2026-11-20T12:00:00Z');
    const verdicts = [-300_000, -299_999, 0, 299_999, 300_000].map((ms) => isTimely(now.getTime() + ms, now));
    expect(verdicts).toEqual([false, true, true, true, false]);
    expect(signedAt({ method: 'POST', path, headers: {}, body: Buffer.alloc(0) })).toBeNull();
  });
});

const send = (
  delivery: { body?: string; at?: number; headers?: Record<string, string>; change?: Record<string, string> } = {},
) => {
  const { body = JSON.stringify(bodyOf({ id: newEntryId() })), at, change = {} } = delivery;
  const headers = { 'x-contentful-topic': 'ContentManagement.Entry.publish', ...delivery.headers };
  return shop.request({
    method: 'POST',
    path,
    headers: { ...signedHeaders({ headers, body, ...(at === undefined ? {} : { at }) }), ...change },
    body,
  });
};

const stored = async () => (await rowsOf<{ id: string }>(shop.db, 'SELECT id FROM webhook_deliveries')).length;

/** Refused with 401, and nothing is stored. */
async function expectRefusal(request: () => ReturnType<typeof send>): Promise<void> {
  const before = await stored();
  const answer = await changingNothing(shop, request);
  expect([answer.status, answer.json()]).toEqual([401, { error: 'The request is not signed as it should be.' }]);
  expect(await stored()).toBe(before);
}

describe('POST /webhooks/contentful', () => {
  test('stores what is signed, and answers 202', async () => {
    const id = newEntryId();
    const answer = await deliver(shop, { id, fields: { title: 'Honey', price: 1 } });
    expect([answer.status, answer.json(), answer.headers['cache-control']]).toEqual([202, {}, 'no-store']);
    expect(await deliveriesOf(shop, id)).toMatchObject([{ status: 'PENDING', attempts: 0, reason: null }]);
  });

  test('refuses what is not: without a signature, tampered with, too old, too far ahead', async () => {
    await expectRefusal(() => shop.request({ method: 'POST', path, body: '{}' }));
    await expectRefusal(() => send({ change: { 'x-contentful-topic': 'ContentManagement.Entry.delete' } }));
    await expectRefusal(() => send({ change: { 'x-contentful-signature': '0'.repeat(64) } }));
    await expectRefusal(() => send({ at: Date.now() - 301_000 }));
    await expectRefusal(() => send({ at: Date.now() + 301_000 }));
    expect((await send({ at: Date.now() - 290_000 })).status).toBe(202);
    expect((await send({ at: Date.now() + 290_000 })).status).toBe(202);
    await expectRefusal(() => {
      const body = JSON.stringify(bodyOf({ id: newEntryId() }));
      const headers = signedHeaders({ path: `${path}?a=1`, headers: {}, body });
      return shop.request({ method: 'POST', path: `${path}?a=2`, headers, body });
    });
  });

  test('refuses a topic or an idempotency key that the signature does not cover, and a replay changes nothing', async () => {
    const id = newEntryId();
    const body = JSON.stringify(bodyOf({ id }));
    const topic = { 'x-contentful-topic': 'ContentManagement.Entry.publish' };
    const key = { 'x-contentful-idempotency-key': 'a-key' };
    const post = (headers: Record<string, string>) => shop.request({ method: 'POST', path, headers, body });
    const both = signedHeaders({ headers: { ...topic, ...key }, body });
    for (const headers of [
      { ...signedHeaders({ headers: key, body }), ...topic },
      { ...signedHeaders({ headers: topic, body }), ...key },
      { ...signedHeaders({ headers: {}, body }), ...topic, ...key },
      { ...both, 'x-contentful-idempotency-key': 'another-key' },
      Object.fromEntries(Object.entries(both).filter(([name]) => name !== 'x-contentful-idempotency-key')),
    ]) {
      await expectRefusal(() => post(headers));
    }
    expect((await post(both)).status).toBe(202);
    const answers = await changingNothing(shop, () => Promise.all(Array.from({ length: 5 }, () => post(both))));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(await deliveriesOf(shop, id)).toHaveLength(1);
  });

  test('takes the query as it was called, and the path behind a proxy that is trusted', async () => {
    const id = newEntryId();
    expect((await deliver(shop, { id, path: `${path}?shop=one&x=%20` })).status).toBe(202);
    const body = JSON.stringify(bodyOf({ id }));
    const topic = { 'x-contentful-topic': 'ContentManagement.Entry.publish' };
    const headers = { ...signedHeaders({ path: `/shop${path}`, headers: topic, body }), 'x-forwarded-prefix': '/shop' };
    await expectRefusal(() => shop.request({ method: 'POST', path, headers, body }));
    const proxied = await openQuietShop({ CONTENTFUL_WEBHOOK_SECRET: SECRET, TRUST_PROXY: '1' });
    try {
      expect((await proxied.request({ method: 'POST', path, headers, body })).status).toBe(202);
    } finally {
      await proxied.dispose();
    }
  });

  test('stores a repeated delivery once, by its key or by what it is', async () => {
    const id = newEntryId();
    for (const fields of [{}, { title: 'Other' }])
      expect((await deliver(shop, { id, key: 'same', fields })).status).toBe(202);
    expect(await deliveriesOf(shop, id)).toHaveLength(1);
    const body = JSON.stringify(bodyOf({ id }));
    for (let i = 0; i < 2; i += 1) expect((await send({ body })).status).toBe(202);
    expect(await deliveriesOf(shop, id)).toHaveLength(2);
    await Promise.all(Array.from({ length: 10 }, () => deliver(shop, { id, key: 'at once' })));
    expect(await deliveriesOf(shop, id)).toHaveLength(3);
    const [{ events } = { events: 0 }] = await rowsOf<{ events: number }>(
      shop.db,
      `SELECT count(*)::int AS events FROM event_log e JOIN webhook_deliveries d ON d.id = e.subject_id WHERE d.subject = $1`,
      [id],
    );
    expect(events).toBe(3);
  });

  test.each([
    ['nothing', ''],
    ['what is no JSON', '{"sys":'],
    ['a list', '[]'],
    ['no entry', '{"fields":{}}'],
    ['an entry whose ID is none', '{"sys":{"id":"a b"}}'],
    ['what is very deep', '['.repeat(200_000)],
  ])('answers 400 to %s', async (_what, body) => {
    const before = await stored();
    const answer = await changingNothing(shop, () => send({ body }));
    expect([answer.status, await stored()]).toEqual([400, before]);
  });

  test('answers 202 to other topics, and does not keep them', async () => {
    const id = newEntryId();
    expect((await deliver(shop, { id, topic: 'save' })).status).toBe(202);
    expect(await deliveriesOf(shop, id)).toEqual([]);
  });

  test('accepts at most a megabyte, with and without content-length', async () => {
    const id = newEntryId();
    const padded = (size: number) => {
      const body = JSON.stringify(bodyOf({ id, fields: { title: '' } }));
      return body.replace('"en-US":""', `"en-US":"${'x'.repeat(size - body.length)}"`);
    };
    expect((await deliver(shop, { id, body: padded(1_000_000) })).status).toBe(202);
    expect((await send({ body: padded(1_000_001) })).status).toBe(413);
    const chunked = await shop.request({ method: 'POST', path, headers: {}, body: [padded(600_000), padded(600_000)] });
    expect(chunked.status).toBe(413);
    expect(await deliveriesOf(shop, id)).toHaveLength(1);
  });

  test('takes it for no fault of its own that somebody breaks off in the middle of a body', async () => {
    const { hostname, port } = new URL(shop.url);
    const broken = () => shop.logs.filter((line) => line.path === path && line.status === 'aborted').length;
    const before = broken();
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write(`POST ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Length: 100\r\n\r\n{"sys":`);
    // It is there, and waits for the rest: whatever is sent after it on another connection is answered.
    await send();
    socket.destroy();
    await until('the shop noticed', () => Promise.resolve(broken() > before));
    // What it says of it comes right after.
    await send();
    expect(shop.logs.filter((line) => line.level >= ERROR)).toEqual([]);
  });

  test('answers 405 to other methods, whatever the origin', async () => {
    const answer = await shop.request({ path });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    const body = JSON.stringify(bodyOf({ id: newEntryId() }));
    expect((await send({ body, change: { origin: 'https://app.contentful.com' } })).status).toBe(202);
  });

  test('is not there where no secret is set', async () => {
    const plain = await createTestShop({ overrides: { quiet: true } });
    try {
      expect((await deliver(plain, { id: newEntryId() })).status).toBe(404);
      expect((await plain.request({ path })).status).toBe(404);
      expect(await rowsOf(plain.db, 'SELECT FROM webhook_deliveries')).toEqual([]);
    } finally {
      await plain.dispose();
    }
  });
});

test('two hundred odd bodies: none is a fault of the server, none changes stock', async () => {
  const levels = () => rowsOf(shop.db, 'SELECT id, on_hand, held FROM product_variants ORDER BY id');
  const id = newEntryId();
  const fields = { title: 'Odd', slug: 'odd', price: 1, stock: 5 };
  await deliver(shop, { id, fields });
  const applyAll = async () => {
    const rows = await rowsOf<{ id: string }>(shop.db, `SELECT id FROM webhook_deliveries WHERE status = 'PENDING'`);
    for (const row of rows) await shop.app.services.webhooks.apply(row.id);
  };
  await applyAll();
  const before = await levels();
  expect(before).toContainEqual(expect.objectContaining({ on_hand: 5 }));

  const sys = { id, contentType: { sys: { id: 'product' } }, updatedAt: '2026-06-01T00:00:00Z' };
  const value = fc.oneof(
    fc.jsonValue(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\0', '\ud800', 1e308, -1, '<b>', {}),
  );
  const odd = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc
      .record({ sys: fc.oneof(value, fc.record({ id: fc.oneof(fc.constant(id), value) })), fields: value })
      .map((body) => JSON.stringify(body)),
    // A known entry, with everything in it that does not belong: a title of the wrong type among it.
    fc
      .record({
        revision: fc.oneof(fc.integer(), value),
        contentType: fc.oneof(fc.constant(sys.contentType), value),
        updatedAt: fc.oneof(fc.constant(sys.updatedAt), value),
      })
      .chain((own) =>
        fc
          .dictionary(
            fc.constantFrom('slug', 'description', 'price', 'images', 'stock', 'inStock', '__proto__', 'other'),
            fc.oneof(value, fc.record({ 'en-US': value })),
          )
          .map((rest) => JSON.stringify({ sys: { ...sys, ...own }, fields: { ...rest, title: { 'en-US': 5 } } })),
      ),
  );
  const topic = fc.constantFrom('publish', 'save');
  const statuses = new Set<number>();
  await fc.assert(
    fc.asyncProperty(odd, topic, async (body, of) => {
      // What cannot be sent as UTF-8 is not what was signed.
      const { status } = await deliver(shop, { topic: of, body: Buffer.from(body).toString() });
      statuses.add(status);
      expect([202, 400]).toContain(status);
    }),
    { numRuns: 200 },
  );
  await applyAll();
  expect(statuses).toEqual(new Set([202, 400]));
  expect(await levels()).toEqual(before);
  const outcomes = await rowsOf<{ status: string }>(
    shop.db,
    `SELECT DISTINCT status FROM webhook_deliveries WHERE subject = $1 ORDER BY 1`,
    [id],
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['APPLIED', 'FAILED']);
  expect(shop.logs.filter((line) => line.level >= 50)).toEqual([]);
});
