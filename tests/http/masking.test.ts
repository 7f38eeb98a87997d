import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeProduct } from '../support/fixtures.ts';
import { openEventStream } from '../support/event-stream.ts';
import { ERROR } from '../support/logs.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket } from '../support/socket.ts';

const SECRET = 'duplicate key value violates unique constraint "guests_token_hash_key" at 10.1.2.3';
const MASKED = 'Internal server error. If it persists, report the request ID to the operator of the shop.';
const LEAKS = /duplicate|constraint|guests|10\.1\.2\.3|node_modules|\.ts|stack/i;

let shop: TestShop;
const failing = { categories: false, guests: false, variants: false, cursor: false };
const failIf = (what: keyof typeof failing) => {
  if (failing[what]) throw new Error(SECRET);
};
beforeAll(async () => {
  shop = await createApiNode({
    overrides: {
      services: (real) => ({
        ...real,
        guests: {
          ...real.guests,
          find: async (token) => {
            failIf('guests');
            return real.guests.find(token);
          },
        },
        catalog: {
          ...real.catalog,
          categoryPage: async (page) => {
            failIf('categories');
            return real.catalog.categoryPage(page);
          },
          variantsByIds: async (ids, source) => {
            failIf('variants');
            return real.catalog.variantsByIds(ids, source);
          },
        },
      }),
      eventLog: (real) => ({
        ...real,
        end: async () => {
          failIf('cursor');
          return real.end();
        },
      }),
    },
  });
});
afterAll(() => shop.dispose());

async function failingWith<T>(what: keyof typeof failing, work: () => Promise<T>): Promise<T> {
  failing[what] = true;
  try {
    return await work();
  } finally {
    failing[what] = false;
  }
}

const loggedFor = (requestId: unknown) =>
  shop.logs.filter((record) => record.requestId === requestId && record.level >= ERROR);

describe('an error that was not meant to happen', () => {
  test('in a field leaves the rest of the answer, and reveals nothing but the request ID', async () => {
    const { data, errors, headers, status } = await failingWith('categories', () =>
      shop.client().execute('{ shop { name } categories { nodes { id } } }'),
    );
    const requestId = headers.get('x-request-id');
    expect(status).toBe(200);
    expect(data).toEqual({ shop: { name: 'Vitrine' }, categories: null });
    expect(errors).toEqual([
      {
        message: MASKED,
        locations: [{ line: 1, column: 17 }],
        path: ['categories'],
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
      },
    ]);
    // Under the same id the log has all of it, once.
    expect(loggedFor(requestId)).toMatchObject([{ path: 'categories', err: { message: SECRET } }]);
    expect(loggedFor(requestId)[0]).toHaveProperty('err.stack');
  });

  test('before the execution fails the request, with as little', async () => {
    const { data, errors, headers, status } = await failingWith('guests', () =>
      shop.client({ cartToken: 'x'.repeat(43) }).execute('{ shop { name } }'),
    );
    const requestId = headers.get('x-request-id');
    expect(status).toBe(500);
    expect(data).toBeUndefined();
    expect(errors).toEqual([{ message: MASKED, extensions: { code: 'INTERNAL_SERVER_ERROR', requestId } }]);
    expect(loggedFor(requestId)).toMatchObject([{ err: { message: SECRET } }]);
  });

  test('in a hook of the execution too', async () => {
    const { errors, status, headers } = await failingWith('cursor', () => shop.client().execute('{ eventCursor }'));
    expect(status).toBe(500);
    expect(errors).toMatchObject([{ message: MASKED, extensions: { requestId: headers.get('x-request-id') } }]);
  });

  test('over WebSocket leaves the socket open', async () => {
    const socket = await openSocket(shop.wsUrl);
    await socket.init();
    const cases = { categories: '{ categories { nodes { id } } }', cursor: '{ eventCursor }' } as const;
    for (const [what, query] of Object.entries(cases)) {
      await failingWith(what as keyof typeof cases, async () => {
        socket.subscribe(what, query);
        const message = await socket.messages.take();
        expect(message).toMatchObject({ type: 'next', id: what, payload: { errors: [{ message: MASKED }] } });
        expect(JSON.stringify(message)).not.toMatch(LEAKS);
        const requestId = message.payload?.errors?.[0]?.extensions?.requestId;
        expect(Object.keys(message.payload?.errors?.[0]?.extensions ?? {})).toEqual(['code', 'requestId']);
        expect(loggedFor(requestId)).toMatchObject([{ err: { message: SECRET } }]);
        expect(await socket.messages.take()).toEqual({ type: 'complete', id: what });
      });
    }
    socket.subscribe('after', '{ shop { name } }');
    expect(await socket.messages.take()).toMatchObject({
      type: 'next',
      payload: { data: { shop: { name: 'Vitrine' } } },
    });
    await socket.close();
  });

  test('while a guest is looked up for a socket', async () => {
    const socket = await openSocket(shop.wsUrl);
    await socket.init({ cartToken: 'x'.repeat(43) });
    await failingWith('guests', async () => {
      socket.subscribe('1', '{ shop { name } }');
      const message = await socket.messages.take();
      expect(message).toMatchObject({ type: 'error', payload: [{ message: MASKED }] });
      expect(JSON.stringify(message)).not.toMatch(LEAKS);
    });
    await socket.close();
  });

  test('in one event of a subscription spoils that event alone', async () => {
    const product = await makeProduct(shop.app, { variants: [{ onHand: 5 }] });
    // Its own events are out before anyone listens.
    await shop.app.relay.flush();
    const sku = product.variants[0]?.sku;
    const stream = await openEventStream(shop.url, 'subscription { stockChanged { available variant { sku } } }');
    const add = () =>
      shop
        .client()
        .data(
          'mutation ($sku: String!) { cartLinesAdd(input: { lines: [{ sku: $sku, quantity: 1 }] }) { errors { code } } }',
          {
            sku,
          },
        );
    await add();
    expect(await stream.events.take()).toMatchObject({
      data: { data: { stockChanged: { available: 4, variant: { sku } } } },
    });
    failing.variants = true;
    await shop.app.db.transaction(async (tx) => {
      const { inventory } = shop.app.services;
      const variantId = product.variants[0]?.id ?? '';
      const at = await inventory.lock(tx, [variantId]);
      await inventory.apply(tx, at, [{ variantId, reason: 'RESTOCK', onHandDelta: 1 }]);
    });
    const spoiled = await stream.events.take();
    failing.variants = false;
    expect(spoiled).toMatchObject({ event: 'next', data: { data: null, errors: [{ message: MASKED }] } });
    expect(JSON.stringify(spoiled)).not.toMatch(LEAKS);
    await add();
    expect(await stream.events.take()).toMatchObject({ data: { data: { stockChanged: { available: 4 } } } });
    stream.close();
  });
});
