import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from '../support/client.ts';
import { newDataDir, startProcess, startShopProcess, type ShopProcess } from '../support/shop-process.ts';
import { openSocket } from '../support/socket.ts';
import { until } from '../support/until.ts';

/** One folder for all of them: making a database and the demo's products takes most of a first start. */
let dataDir: string;
/** A shop that a test left running for the next one. */
let spare: ShopProcess | null = null;
const started: ShopProcess['child'][] = [];

beforeAll(() => {
  dataDir = newDataDir();
});
afterEach(() => {
  for (const child of started.splice(0)) if (child !== spare?.child) child.kill('SIGKILL');
});
afterAll(() => void spare?.child.kill('SIGKILL'));

/** Takes over the shop that the last test left, or starts one. */
async function takeShop(): Promise<ShopProcess> {
  const shop = spare ?? (await startShop());
  spare = null;
  started.push(shop.child);
  return shop;
}

async function startShop(env: NodeJS.ProcessEnv = {}): Promise<ShopProcess> {
  const shop = await startShopProcess({ DATA_DIR: dataDir, ...env });
  started.push(shop.child);
  return shop;
}

async function openDatabase({ databasePort }: ShopProcess): Promise<pg.Client> {
  const password = readFileSync(join(dataDir, 'postgres-password'), 'utf8').trim();
  const client = new pg.Client({
    host: '127.0.0.1',
    port: databasePort,
    user: 'postgres',
    password,
    database: 'vitrine',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

const portOf = ({ url }: ShopProcess) => Number(new URL(url).port);

const ADD = `mutation { cartLinesAdd(input: { lines: [{ sku: "ACACIA-250", quantity: 2 }] }) {
  cart { id token totalQuantity } errors { code } } }`;
interface Added {
  cartLinesAdd: { cart: { id: string; token: string; totalQuantity: number }; errors: [] };
}

/** A shop with a socket open and a mutation that waits for a row which we hold. */
async function busyShop() {
  const shop = await takeShop();
  const database = await openDatabase(shop);
  await database.query('BEGIN');
  await database.query("SELECT FROM product_variants WHERE sku = 'ACACIA-250' FOR UPDATE");
  const socket = await openSocket(shop.wsUrl);
  await socket.init();
  socket.subscribe('s', 'subscription { stockChanged { available } }');
  const idle = connect(portOf(shop), '127.0.0.1');
  const idleClosed = new Promise((resolve) => {
    idle.once('close', resolve);
  });
  const answer = createClient(shop.url).execute<Added>(ADD);
  answer.catch(() => {});
  await until('the mutation waits', async () => {
    const { rows } = await database.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return rows.length === 1;
  });
  return { shop, database, socket, idleClosed, answer };
}

describe('a shop that gets SIGTERM', () => {
  // The first to use the folder: nothing is in it yet.
  test('while it starts, it goes no further than it is', async () => {
    const { child, output, exited } = startProcess('src/server.ts', { DATA_DIR: dataDir, PORT: '0' });
    started.push(child);
    await until('PostgreSQL has started', () => output().includes('embedded PostgreSQL started'));
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(output()).toContain('embedded PostgreSQL stopped');
    expect(output()).not.toContain('created the demo catalog');
    expect(output()).not.toMatch(/"level":(40|50|60)/);
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  test.each([
    ['SIGTERM', (pid: number) => process.kill(pid, 'SIGTERM')],
    // As a terminal does it: everyone in the group gets it, PostgreSQL too if it were in it.
    ['Ctrl-C', (pid: number) => process.kill(-pid, 'SIGINT')],
  ])(
    'by %s it answers what is in flight, closes the rest, stops PostgreSQL last, and ends well',
    async (_how, signal) => {
      const { shop, database, socket, idleClosed, answer } = await busyShop();
      signal(shop.child.pid ?? expect.fail());
      await until('nothing new is taken', async () => !(await isListening(portOf(shop))));
      expect(await socket.closed).toEqual({ code: 1001, reason: 'Going away' });
      await idleClosed;
      // Only now can the request be answered.
      await database.query('COMMIT');
      const { data, headers } = await answer;
      expect(data?.cartLinesAdd).toMatchObject({ cart: { totalQuantity: 2 }, errors: [] });
      expect(headers.get('connection')).toBe('close');
      expect(await shop.exited).toBe(0);
      expect(await isListening(shop.databasePort)).toBe(false);
      expect(shop.output()).toMatch(/"msg":"stopping".*"embedded PostgreSQL stopped".*"msg":"stopped"\}\n$/s);
      expect(shop.output()).not.toMatch(/"level":(40|50|60)/);
    },
  );

  test('ends at once at a second signal, with an exit code that is not 0', async () => {
    const { shop, database, answer } = await busyShop();
    shop.child.kill('SIGTERM');
    // npm passes on a Ctrl-C that came from the terminal already: that one is the same.
    shop.child.kill('SIGINT');
    await until('nothing new is taken', async () => !(await isListening(portOf(shop))));
    expect(shop.child.exitCode).toBeNull();
    await until('it ends', () => {
      shop.child.kill('SIGTERM');
      return shop.child.exitCode !== null;
    });
    expect(await shop.exited).toBe(1);
    await expect(answer).rejects.toThrow('fetch failed');
    await database.end();
    // What was left behind stands in nobody's way. (The next test has this shop drain.)
    spare = await startShop({ DRAIN_SECONDS: '300' });
  });

  test('by SIGTERM it reports as not ready first, and goes on answering while it drains', async () => {
    const shop = await takeShop();
    const answers = async (path: string) => {
      const response = await fetch(`${shop.url}${path}`);
      return [response.status, response.headers.get('connection')];
    };
    expect((await answers('/health/ready'))[0]).toBe(200);
    shop.child.kill('SIGTERM');
    await until('it is not ready', async () => (await answers('/health/ready'))[0] === 503);
    expect(await answers('/graphql?query={__typename}')).toEqual([200, 'close']);
    const socket = await openSocket(shop.wsUrl);
    await socket.init();
    // A second signal ends the wait.
    await until('it ends', () => {
      shop.child.kill('SIGTERM');
      return shop.child.exitCode !== null;
    });
    expect(shop.output()).toMatch(/"msg":"draining.*"msg":"stopping"/s);
  });
});

describe('killed', () => {
  test.each(['the shop alone', 'PostgreSQL with it'])('%s: the next start has everything', async (who) => {
    const first = await takeShop();
    const { cartLinesAdd } = await createClient(first.url).data<Added>(ADD);
    const { token, ...cart } = cartLinesAdd.cart;
    const [pid] = readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n');
    first.child.kill('SIGKILL');
    if (who !== 'the shop alone') process.kill(Number(pid), 'SIGKILL');
    expect(await first.exited).toBe('SIGKILL');

    spare = await startShop();
    const found = await createClient(spare.url, { cartToken: token }).data('{ cart { id totalQuantity } }');
    expect(found).toEqual({ cart });
  });
});

describe('a shop that gets SIGTERM after it was started on the data of a killed one', () => {
  test('while a request hangs, it waits seven seconds for it and no more', async () => {
    // A lock would not do: waiting for one ends by itself after three seconds.
    const shop = await takeShop();
    const database = await openDatabase(shop);
    await database.query(`CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';
      CREATE TRIGGER hang BEFORE INSERT ON cart_lines FOR EACH ROW EXECUTE FUNCTION hang()`);
    const answer = createClient(shop.url).execute<Added>(ADD);
    answer.catch(() => {});
    await until('the mutation hangs', async () => {
      const { rows } = await database.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
      return rows.length === 1;
    });
    const began = performance.now();
    shop.child.kill('SIGTERM');
    await expect(answer).rejects.toThrow('fetch failed');
    expect(await shop.exited).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(6_900);
    expect(await isListening(shop.databasePort)).toBe(false);
    await database.end().catch(() => {});
  });
});

describe('a start that fails', () => {
  const fails = async (env: NodeJS.ProcessEnv) => {
    const { child, output, exited } = startProcess('src/server.ts', {
      DATA_DIR: newDataDir(),
      LOG_LEVEL: 'silent',
      ...env,
    });
    started.push(child);
    return { status: await exited, output: output() };
  };

  test('for its configuration lists every fault, and no secret', async () => {
    const { status, output } = await fails({ PORT: 'four', JWT_SECRET: 'too-short-secret', SHOP_CURRENCY: 'XXQ' });
    expect(status).toBe(1);
    expect(output).toBe(
      [
        'Invalid configuration:',
        '  PORT must be an integer',
        '  SHOP_CURRENCY must be an ISO 4217 code such as EUR',
        '  JWT_SECRET must have at least 32 characters',
        '',
      ].join('\n'),
    );
  });

  test('for its port says which, and starts nothing', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { status, output } = await fails({ PORT: String(port), DATA_DIR: dataDir });
    expect(status).toBe(1);
    expect(output).toContain(`Port ${port} is in use`);
    expect(output).not.toContain('    at ');
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    other.close();
  });

  test('for its database says so', async () => {
    const { status, output } = await fails({
      DATABASE_URL: 'postgresql://nobody:pass-word@127.0.0.1:1/none',
      PORT: '0',
    });
    expect(status).toBe(1);
    expect(output).toContain('The shop could not start:');
    expect(output).not.toContain('pass-word');
  });
});
