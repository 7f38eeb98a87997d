import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { encodeCursor } from '../../src/events/cursor.ts';
import { makeProduct } from '../support/fixtures.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { openSocket } from '../support/socket.ts';
import { until } from '../support/until.ts';

/** What operations read, in order. The log answers only once the gate is open. */
let read: string[] = [];
let gate = Promise.resolve();

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode({
    overrides: {
      eventLog: (real) => ({
        ...real,
        end: async () => {
          // The feed reads the end of the log once a second. If that read waited for the gate, the shop could not be closed.
          if ((new Error().stack ?? '').includes('events/feed.ts')) return real.end();
          read.push('log');
          await gate;
          return real.end();
        },
      }),
      services: (real) => ({
        ...real,
        catalog: {
          ...real.catalog,
          categoryPage: (page) => {
            read.push('categories');
            return real.catalog.categoryPage(page);
          },
        },
      }),
    },
  });
});
afterAll(() => shop.dispose());
afterEach(() => {
  gate = Promise.resolve();
});

const forms: Record<string, string> = {
  'by itself': '{ eventCursor }',
  'after what it is to come before': '{ categories { nodes { id } } eventCursor }',
  'under an alias': '{ categories { nodes { id } } since: eventCursor }',
  'in a fragment': '{ categories { nodes { id } } ...F } fragment F on Query { eventCursor }',
  'in a fragment of a fragment':
    '{ ...F categories { nodes { id } } } fragment F on Query { ...G } fragment G on Query { eventCursor }',
  'in an inline fragment': '{ categories { nodes { id } } ... { ... on Query { eventCursor } } }',
  'behind a condition': 'query ($yes: Boolean = true) { categories { nodes { id } } eventCursor @include(if: $yes) }',
};

test.each(Object.entries(forms))('the end of the log is taken: %s', async (_name, query) => {
  const data = await shop.client().data(query);
  const { since, eventCursor = since } = data;
  expect(eventCursor).toBe(encodeCursor(await shop.app.eventLog.end()));
});

test.each([
  '{ shop { name } }',
  'query A { shop { name } } query B { eventCursor }',
  '{ ...F } fragment F on Query { shop { name } }',
])('it is not read where nobody asks for it: %s', async (query) => {
  // Were it read, it would never be answered.
  gate = new Promise(() => {});
  expect(
    (await shop.client().execute(query, {}, query.includes('query A') ? { operationName: 'A' } : {})).data,
  ).toEqual({
    shop: { name: 'Vitrine' },
  });
});

const READ_AND_CURSOR = '{ categories { nodes { id } } a: eventCursor ...F } fragment F on Query { b: eventCursor }';

test.each(['HTTP', 'WebSocket'])('nothing is read before it, over %s', async (over) => {
  let open = () => {};
  gate = new Promise((resolve) => {
    open = resolve;
  });
  read = [];
  const socket = await openSocket(shop.wsUrl);
  await socket.init();
  let answered: Promise<unknown>;
  if (over === 'HTTP') {
    answered = shop.client().data(READ_AND_CURSOR);
  } else {
    socket.subscribe('1', READ_AND_CURSOR);
    answered = socket.messages.take().then((message) => message.payload?.data);
  }
  await until('the log is asked', () => read.length > 0);
  // Another request comes and goes: whatever the first one could have done by now, it has.
  await shop.client().data('{ shop { name } }');
  expect(read).not.toContain('categories');
  // What happens meanwhile is after the cursor, or in what is read: either way nobody misses it.
  await makeProduct(shop.app, { variants: [{ onHand: 1 }] });
  await shop.app.relay.flush();
  open();
  const data = (await answered) as { a: string; b: string };
  expect(read).toEqual(['log', 'categories']);
  expect(data.a).toBe(data.b);
  await socket.close();
});
