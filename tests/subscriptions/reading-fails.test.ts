import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { COME_BACK, resuming } from '../../examples/resume.ts';
import { cartChanged } from '../../src/modules/cart/cart.events.ts';
import { stockChanged } from '../../src/modules/inventory/inventory.events.ts';
import { makeProduct, type World } from '../support/fixtures.ts';
import { Inbox } from '../support/inbox.ts';
import { known } from '../support/known.ts';
import { settled } from '../support/settled.ts';
import { enter, rowId } from '../support/shopper.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { transports, watchNow } from '../support/watch.ts';

// The database fails while the fields of an event are read: a table is away for as long as a test wants.

let shop: TestShop & World;
let product: Awaited<ReturnType<typeof makeProduct>>;
beforeAll(async () => {
  const opened = await createApiNode();
  shop = { ...opened, eventLog: opened.app.eventLog };
  product = await makeProduct(shop, { variants: [{ onHand: 10 }] });
});
afterAll(() => shop.dispose());

/** Runs statements that are not worth a name. */
async function run(...statements: string[]): Promise<void> {
  for (const text of statements) await shop.db.query({ name: `test ${text}`.slice(0, 60), text });
}

/**
 * Has every reading of a table fail, as it does while the database is about to be shut down. A sequence counts the readings: it
 * moves on although they fail.
 */
async function takeAway(table: string): Promise<{ failures: () => Promise<number>; back: () => Promise<void> }> {
  await run(
    'CREATE SEQUENCE away_readings',
    `CREATE FUNCTION away() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
     BEGIN PERFORM nextval('away_readings'); RAISE EXCEPTION 'away' USING ERRCODE = '57P03'; END $$`,
    `ALTER TABLE ${table} RENAME TO away_table`,
    `CREATE VIEW ${table} AS SELECT * FROM away_table WHERE away()`,
  );
  let isBack = false;
  const back = async () => {
    if (isBack) return;
    isBack = true;
    await run(
      `DROP VIEW ${table}`,
      `ALTER TABLE away_table RENAME TO ${table}`,
      'DROP FUNCTION away()',
      'DROP SEQUENCE away_readings',
    );
  };
  onTestFinished(back);
  return {
    back,
    async failures() {
      const text = 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS n FROM away_readings';
      const [row] = await shop.db.query<{ n: bigint }>({ name: 'test_failures', text });
      return Number(known(row).n);
    },
  };
}

const append = (event: Parameters<typeof shop.eventLog.append>[2][number]) =>
  shop.db.transaction((tx) => shop.eventLog.append(tx, new Date(), [event]));

const variantId = () => known(product.variants[0]).id;

function stock(available: number) {
  const payload = { variantId: variantId(), productId: product.id, available, previousAvailable: 0 };
  return append(stockChanged.of(variantId(), payload));
}

describe.each(transports)('over %s', (transport) => {
  test('an event that many share is read again until it can be read', async () => {
    const watched = await watchNow<{ stockChanged: { available: number } }>(
      shop,
      transport,
      'subscription { stockChanged { available variant { sku } } }',
    );
    const { failures, back } = await takeAway('product_variants');
    await stock(1);
    await until('it was read again', async () => (await failures()) >= 2);
    await back();
    await stock(2);
    for (const available of [1, 2]) expect((await watched.events.take()).stockChanged).toMatchObject({ available });
    watched.stop();
    expect(await watched.ended.catch(() => [])).toEqual([]);
  });

  test('an event for one subscriber alone is, too', async () => {
    const guest = await enter(shop);
    const { cart } = await guest.add({ variantId: known(product.variants[0]).globalId, quantity: 1 });
    const cartId = rowId(known(cart).id);
    const watched = await watchNow<{ cartChanged: { kind: string; cart: { version: number } } }>(
      shop,
      transport,
      'subscription { cartChanged { kind cart { version } } }',
      { cartToken: guest.token },
    );
    const [row] = await shop.db.query<{ guestId: string }>(
      { name: 'guest_of_cart', text: 'SELECT guest_id AS "guestId" FROM carts WHERE id = $1' },
      [cartId],
    );
    const { guestId } = known(row);
    const { failures, back } = await takeAway('cart_lines');
    await append(cartChanged.of(cartId, { cartId, guestId, userId: null, kind: 'LINES', version: 1 }));
    await until('it was read again', async () => (await failures()) >= 2);
    await back();
    expect((await watched.events.take()).cartChanged.kind).toBe('LINES');
  });
});

test('a stream whose event cannot be read ends, and the client comes back to that event', async () => {
  await settled(shop);
  const sockets = createClient({
    url: shop.wsUrl,
    webSocketImpl: WebSocket,
    ...COME_BACK,
    retryWait: () => new Promise((resolve) => setImmediate(resolve)),
  });
  onTestFinished(() => sockets.dispose());
  const waits: number[] = [];
  const wait = (tries: number) =>
    new Promise<void>((resolve) => {
      waits.push(tries);
      setTimeout(resolve, 20);
    });
  const events = new Inbox<number>();
  const faults: unknown[] = [];
  const { eventCursor } = await shop.client().data<{ eventCursor: string }>('{ eventCursor }');
  resuming(sockets, { wait }).subscribe<{ stockChanged: { available: number } }>(
    {
      query: 'subscription S($after: EventCursor) { stockChanged(after: $after) { cursor available variant { sku } } }',
      variables: { after: eventCursor },
    },
    {
      next: ({ data, errors }) => (data == null ? faults.push(errors) : events.put(data.stockChanged.available)),
      error: (error) => faults.push(error),
      complete: () => faults.push('complete'),
    },
  );
  await stock(1);
  expect(await events.take()).toBe(1);
  const { back } = await takeAway('product_variants');
  await stock(2);
  await stock(3);
  await until('the stream has ended, and the client tries again', () => waits.length > 0, 20_000);
  await back();
  for (const available of [2, 3]) expect(await events.take(20_000)).toBe(available);
  expect(faults).toEqual([]);
});
