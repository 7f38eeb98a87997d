import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { overTcp } from '../../src/infra/postgres/embedded-postgres.ts';
import { newPerson } from '../support/accounts.ts';
import { holdBarrier } from '../support/barriers.ts';
import { makeVariant } from '../support/fixtures.ts';
import { Inbox } from '../support/inbox.ts';
import { known } from '../support/known.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { enter, shopperDocuments } from '../support/shopper.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { watch } from '../support/watch.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let shop: TestShop;
let client: pg.Client;
let world: { db: TestShop['db']; eventLog: TestShop['app']['eventLog'] };
beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const address = new URL(overTcp(database.url));
  proxy = await startTcpProxy({ host: address.hostname, port: Number(address.port) });
  address.hostname = '127.0.0.1';
  address.port = String(proxy.port);
  shop = await createTestShop({
    database,
    env: { DATABASE_URL: address.href },
    overrides: { quiet: true, limits: { lock: 400 } },
  });
  world = { db: shop.db, eventLog: shop.app.eventLog };
});
afterAll(async () => {
  await shop.dispose();
  await proxy.dispose();
  await client.end();
  await database.dispose();
});

const name = () => new URL(database.url).pathname.slice(1);
const ready = async () => {
  const { status, json } = await shop.request({ path: '/health/ready' });
  return { status, body: json() as { status: string; notReady?: string[] } };
};
/** What a client receives when an answer failed. */
const toldBy = (answer: Awaited<ReturnType<ReturnType<TestShop['client']>['execute']>>) => ({
  status: answer.status,
  codes: [...new Set(answer.codes)],
  wait: answer.headers.get('retry-after'),
  retryAfter: answer.errors?.[0]?.extensions?.retryAfter,
});
const UNAVAILABLE = { status: 503, codes: ['UNAVAILABLE'], wait: '2', retryAfter: 2 };

const ADDRESS = { name: 'Ada', line1: '1 Hive Lane', city: 'Honeyton', postalCode: 'HN1 2EE', countryCode: 'GB' };
const order = (idempotencyKey: string) => ({
  input: { idempotencyKey, email: 'buyer@example.com', shippingAddress: ADDRESS },
});

describe('with a row that is locked from outside', () => {
  test('mutations are UNAVAILABLE after a short while, and reads do not wait behind them', async () => {
    const { sku, id } = await makeVariant(world, { onHand: 100 });
    const shoppers = await Promise.all(Array.from({ length: 15 }, () => enter(shop)));
    await using barrier = await holdBarrier(world.db, 'SELECT FROM product_variants WHERE id = $1 FOR UPDATE', [id]);
    let waiting = shoppers.length;
    const writes = shoppers.map((shopper) =>
      shopper.client
        .execute(shopperDocuments.add, { input: { lines: [{ sku, quantity: 1 }] } })
        .finally(() => (waiting -= 1)),
    );
    await until('mutations wait for the row', async () => {
      const { rows } = await client.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return rows.length > 0;
    });
    // Read while others wait: several pages at a time, each more than one statement.
    const pages = await Promise.all(
      Array.from({ length: 20 }, () =>
        shop.client().execute('{ products(first: 5) { totalCount nodes { title variants { sku available } } } }'),
      ),
    );
    expect(pages.filter(({ errors }) => errors !== undefined)).toEqual([]);
    expect(waiting).toBeGreaterThan(0);

    const answers = await Promise.all(writes);
    for (const answer of answers) expect(toldBy(answer)).toEqual(UNAVAILABLE);
    expect(
      answers.flatMap(({ errors }) => errors ?? []).filter((error) => 'outcome' in (error.extensions ?? {})),
    ).toEqual([]);
    await barrier.release();
    const cart = known((await known(shoppers[0]).add({ sku, quantity: 1 })).cart);
    expect(cart.totalQuantity).toBe(1);
  });
});

describe('without its database', () => {
  test('queries and mutations are UNAVAILABLE with 503 and the seconds to wait, pages too', async () => {
    const shopper = await enter(shop);
    proxy.refuse();
    try {
      proxy.cut();
      const { sku } = { sku: 'ANY' };
      const answers = await Promise.all([
        shop.client().execute('{ products(first: 1) { nodes { id } } }'),
        shop.client().execute('{ product(slug: "any") { title } }'),
        shop.client().execute('{ __typename categories { nodes { name } } }'),
        shopper.client.execute('{ cart { id } }'),
        shopper.client.execute(shopperDocuments.add, { input: { lines: [{ sku, quantity: 1 }] } }),
        shopper.client.execute(shopperDocuments.checkout, order('away')),
        shop.client().execute('mutation { cartCreate { cart { id } errors { code } } }'),
      ]);
      for (const answer of answers) expect(toldBy(answer)).toEqual(UNAVAILABLE);
      const page = await shop.request({ path: '/mail/order?token=x' });
      expect([200, 400, 404, 503]).toContain(page.status);
      expect((await ready()).body).toMatchObject({ status: 'not ready', notReady: ['database'] });
    } finally {
      proxy.accept();
    }
    await until('it is ready again', async () => (await ready()).status === 200);
  });

  test('over SSE the code says so as well', async () => {
    proxy.refuse();
    try {
      proxy.cut();
      const { ended } = watch(shop, 'SSE', '{ products(first: 1) { nodes { id } } }');
      expect(await ended).toEqual(['UNAVAILABLE']);
    } finally {
      proxy.accept();
    }
    await until('it is ready again', async () => (await ready()).status === 200);
  });

  test('on a socket that was there before the code says so as well', async () => {
    const socket = new WebSocket(shop.wsUrl, 'graphql-transport-ws');
    const messages = new Inbox<{ type: string; payload?: unknown }>();
    socket.on('message', (data: Buffer) => messages.put(JSON.parse(data.toString()) as { type: string }));
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    expect((await messages.take()).type).toBe('connection_ack');
    proxy.refuse();
    try {
      proxy.cut();
      const payload = { query: '{ products(first: 1) { nodes { id } } }' };
      socket.send(JSON.stringify({ type: 'subscribe', id: '1', payload }));
      const { payload: told } = await messages.take();
      expect(JSON.stringify(told)).toMatch(/"code":"UNAVAILABLE","retryAfter":2/);
    } finally {
      proxy.accept();
      socket.terminate();
    }
    await until('it is ready again', async () => (await ready()).status === 200);
  });
});

describe('while the database takes no changes', () => {
  test('as a replica it is UNAVAILABLE, and not ready until that is over; reads go on', async () => {
    await client.query(`ALTER DATABASE ${name()} SET default_transaction_read_only = on`);
    try {
      proxy.cut();
      const answer = await shop.client().execute('mutation { cartCreate { cart { id } errors { code } } }');
      expect(toldBy(answer)).toEqual(UNAVAILABLE);
      await until('it says that it is not ready', async () => {
        const { status, body } = await ready();
        return status === 503 && body.notReady?.join() === 'writes';
      });
      await until('reads go on', async () => {
        const { errors } = await shop.client().execute('{ products(first: 1) { totalCount } }');
        return errors === undefined;
      });
    } finally {
      await client.query('SET default_transaction_read_only = off');
      await client.query(`ALTER DATABASE ${name()} RESET default_transaction_read_only`);
    }
    proxy.cut();
    await until('it is ready again', async () => (await ready()).status === 200);
    expect((await shop.client().execute('mutation { cartCreate { cart { id } } }')).errors).toBeUndefined();
  });

  test('with a full disk it is not ready although it answers, and notices by itself', async () => {
    // What PostgreSQL says when a file cannot grow, said where the look makes one.
    await client.query(`CREATE FUNCTION test_full() RETURNS event_trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
    await client.query(`CREATE FUNCTION test_full_row() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
    await client.query(
      'CREATE TRIGGER test_full_row BEFORE INSERT ON guests FOR EACH ROW EXECUTE FUNCTION test_full_row()',
    );
    await client.query('CREATE EVENT TRIGGER test_full ON ddl_command_start EXECUTE FUNCTION test_full()');
    try {
      const answer = await shop.client().execute('mutation { cartCreate { cart { id } errors { code } } }');
      expect(toldBy(answer)).toEqual(UNAVAILABLE);
      expect(await ready()).toEqual({ status: 503, body: { status: 'not ready', notReady: ['writes'] } });
    } finally {
      await client.query('DROP EVENT TRIGGER test_full; DROP TRIGGER test_full_row ON guests');
      await client.query('DROP FUNCTION test_full(); DROP FUNCTION test_full_row()');
    }
    await until('it is ready again', async () => (await ready()).status === 200);
  });
});

describe('a mutation whose outcome is not known', () => {
  /** A guest with something in the cart, and what a broken answer is compared with. */
  async function withCart() {
    const { sku } = await makeVariant(world, { onHand: 10 });
    const shopper = await enter(shop);
    await shopper.add({ sku, quantity: 2 });
    return shopper;
  }

  test('says so if the answer to COMMIT was lost, and the same key leads to the result', async () => {
    const shopper = await withCart();
    const lost = proxy.cutAfter('COMMIT', 'orders_insert');
    const answer = await shopper.client.execute(shopperDocuments.checkout, order('lost commit'));
    await lost;
    expect(toldBy(answer)).toEqual(UNAVAILABLE);
    expect(answer.data).toEqual({ checkout: null });
    expect(answer.errors?.[0]).toMatchObject({
      message: expect.stringContaining('send it again with the same key') as string,
      extensions: { outcome: 'UNKNOWN' },
    });
    const again = await shopper.client.execute(shopperDocuments.checkout, order('lost commit'));
    expect(again.data?.checkout?.order?.totalQuantity).toBe(2);
    const { rows } = await client.query('SELECT FROM orders WHERE idempotency_key = $1', ['lost commit']);
    expect(rows).toHaveLength(1);
  });

  test('says so where it was committed and reading it back failed: never an empty success', async () => {
    const shopper = await withCart();
    // Prisma reads orders by this; the service that places them does not.
    const lost = proxy.cutAfter('"public"."orders"');
    const answer = await shopper.client.execute(shopperDocuments.checkout, order('lost reading'));
    await lost;
    expect(toldBy(answer)).toEqual(UNAVAILABLE);
    expect(answer.data).toEqual({ checkout: null });
    expect(answer.errors?.[0]?.extensions).toMatchObject({ outcome: 'UNKNOWN' });
    const again = await shopper.client.execute(shopperDocuments.checkout, order('lost reading'));
    expect([again.errors, again.data?.checkout?.errors, again.data?.checkout?.order?.totalQuantity]).toEqual([
      undefined,
      [],
      2,
    ]);
  });

  test('is not reported as unknown if the transaction was not committed', async () => {
    const shopper = await withCart();
    // Its transaction is not committed by then.
    const lost = proxy.cutAfter('cart_lock_all_for_checkout');
    const answer = await shopper.client.execute(shopperDocuments.checkout, order('cut off'));
    await lost;
    expect(toldBy(answer)).toEqual(UNAVAILABLE);
    expect(answer.errors?.[0]?.extensions).not.toHaveProperty('outcome');
    const { rows } = await client.query('SELECT FROM orders WHERE idempotency_key = $1', ['cut off']);
    expect(rows).toHaveLength(0);
  });
});

test('a socket that logs in while the database is away is closed with a code after which clients come back', async () => {
  const person = await newPerson(shop);
  proxy.refuse();
  try {
    proxy.cut();
    const socket = new WebSocket(shop.wsUrl, 'graphql-transport-ws');
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { accessToken: person.accessToken } }));
    expect(await closed).toBe(1013);
  } finally {
    proxy.accept();
  }
  await until('it is ready again', async () => (await ready()).status === 200);
});
