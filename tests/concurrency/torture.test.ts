import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { UsageError } from '../../bench/options.ts';
import { runTorture } from '../../bench/torture/main.ts';
import { readOptions } from '../../bench/torture/options.ts';
import { judge, type Facts } from '../../bench/torture/verdict.ts';
import { newPerson, newStaff, PASSWORD } from '../support/accounts.ts';
import { rowId } from '../support/shopper.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { runAsProcess, runInProcess, untilReady } from '../support/command.ts';
import { known } from '../support/known.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

let database: TestDatabase;
let shop: TestShop;
/** Set while orders are to be tampered with behind the shop's back. */
let tamper = false;

beforeAll(async () => {
  database = await createTestDatabase();
  shop = await createTestShop({
    database,
    env: { BCRYPT_COST: '4' },
    overrides: {
      services: (real) => ({
        ...real,
        orders: {
          ...real.orders,
          async checkout(...args) {
            const order = await real.orders.checkout(...args);
            if (tamper) await rowsOf(shop.db, 'UPDATE order_lines SET quantity = 7 WHERE order_id = $1', [order.id]);
            return order;
          },
        },
      }),
    },
  });
  await untilReady(shop);
});
afterAll(async () => {
  await shop.dispose();
  await database.dispose();
});

/** Runs the command in this process. */
const torture = (args: readonly string[], databaseUrl = database.url, signal?: AbortSignal) =>
  runInProcess(runTorture, args, { env: environmentOf(databaseUrl), signal });

/** Runs the command as a person would. */
const tortureAsProcess = (args: readonly string[], databaseUrl = database.url) =>
  runAsProcess('bench/torture.ts', args, environmentOf(databaseUrl));

function environmentOf(databaseUrl: string) {
  return { DATABASE_URL: databaseUrl, DATA_DIR: inject('postgres').runFolder };
}

describe('npm run torture', () => {
  test('passes on a shop that does not oversell, with buyers who log in and staff who restock meanwhile', async () => {
    const staff = await newStaff(shop);
    const admin = ['--admin-email', staff.email, '--admin-password', PASSWORD];
    const crowd = ['--buyers', '40', '--stock', '10', '--logged-in', '0.6', '--restock', '45'];
    const { code, output } = await torture([...crowd, ...admin, '--url', shop.url]);

    expect(output).toMatch(/^10 units and \d+ restocked, 40 buyers who wanted \d+: sold \d+, .*oversold 0 → PASS$/m);
    expect(output).not.toContain('✗');
    expect(code).toBe(0);
    // Twenty portions, the odd ones with a unit too many, and with it a second adjustment where that was still there.
    const entries = await rowsOf<{ reason: string; count: number; units: number }>(
      shop.db,
      `SELECT reason, count(*)::int, sum(on_hand_delta)::int AS units FROM stock_movements WHERE actor_id = $1 GROUP BY reason ORDER BY 1`,
      [rowId(staff.userId)],
    );
    const [restock, damage] = entries;
    expect(restock).toEqual({ reason: 'RESTOCK', count: 20, units: 55 });
    expect(damage?.count ?? 0).toBe(-(damage?.units ?? 0));
    expect(output).toContain(`10 units and ${55 + (damage?.units ?? 0)} restocked`);
    expect(output).toMatch(
      /adjustments are those that were confirmed to staff: \d+ adjustments of \d+ units; .*; [1-9]\d* sent again/,
    );
    const [users] = await rowsOf<{ orders: number }>(
      shop.db,
      'SELECT count(*)::int AS orders FROM orders WHERE user_id IS NOT NULL',
    );
    expect(known(users).orders).toBeGreaterThan(0);
    expect(output).toContain(`${known(users).orders} by users;`);
    const [sold] = await rowsOf<{ units: number }>(shop.db, 'SELECT sum(quantity)::int AS units FROM order_lines');
    expect(output).toContain(`sold ${sold?.units},`);
    expect(output).toMatch(/p50 \d+ ms, p95 \d+ ms/);
    // It leaves its orders, but no product to be found.
    expect(await rowsOf(shop.db, 'SELECT DISTINCT status FROM products')).toEqual([{ status: 'ARCHIVED' }]);
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('reports that nothing is restocked without staff, and an account that is not of staff', async () => {
    const crowd = ['--buyers', '2', '--stock', '10', '--restock', '5', '--url', shop.url];
    const alone = await torture(crowd);
    expect(alone).toMatchObject({ code: 0, output: expect.stringContaining('Nothing is restocked') as string });
    expect(alone.output).toMatch(/^10 units, 2 buyers/m);

    const customer = await newPerson(shop);
    const named = (password: string) =>
      torture([...crowd, '--admin-email', customer.email, '--admin-password', password]);
    expect(await named(PASSWORD)).toMatchObject({
      code: 2,
      output: expect.stringContaining('nobody of the staff') as string,
    });
    expect(await named('not the password')).toMatchObject({
      code: 2,
      output: expect.stringContaining('could not be logged in') as string,
    });
  });

  test('fails where orders do not add up', async () => {
    tamper = true;
    try {
      const { code, output } = await torture(['--buyers', '6', '--stock', '100', '--url', shop.url]);
      expect(output).toMatch(/→ FAIL$/m);
      expect(output).toContain('✗ stock adds up');
      expect(code).toBe(1);
    } finally {
      tamper = false;
    }
  });

  test('says what to do where there is no shop, or one with another database', async () => {
    const nowhere = await torture(['--url', 'http://localhost:9']);
    expect(nowhere).toMatchObject({ code: 2, output: expect.stringContaining('npm start') as string });

    const other = await createTestDatabase();
    try {
      const elsewhere = await torture(['--url', shop.url], other.url);
      expect(elsewhere).toMatchObject({ code: 2, output: expect.stringContaining('DATABASE_URL') as string });
    } finally {
      await other.dispose();
    }
  });

  test('says what to do where the shop limits its clients', async () => {
    const throttling = { limits: { guestsByClient: { points: 5, seconds: 3600 } } };
    const limited = await createTestShop({ database, env: { RATE_LIMITS: 'on' }, overrides: { throttling } });
    try {
      await untilReady(limited);
      const { code, output } = await torture(['--buyers', '10', '--stock', '100', '--url', limited.url]);
      expect(output).toContain('RATE_LIMITS=off');
      expect(code).toBe(2);
    } finally {
      await limited.dispose();
    }
  });

  test('gives no verdict when it is interrupted', async () => {
    const { code, output } = await torture(
      ['--buyers', '2', '--stock', '5', '--url', shop.url],
      database.url,
      AbortSignal.abort(),
    );
    expect(output).toContain('Interrupted: no verdict.');
    expect(output).not.toContain('→');
    expect(code).toBe(130);
  });

  test('explains itself', async () => {
    const { code, output } = await tortureAsProcess(['--fast']);
    expect(output).toContain("Unknown option '--fast'");
    expect(output).toContain('npm run torture --');
    expect(code).toBe(2);
  });

  test.each([
    [['--buyers', '0'], '--buyers takes a whole number from 1'],
    [['--stock', 'many'], '--stock takes a whole number from 1'],
    [['--url', 'localhost'], '--url takes an address'],
    [['--logged-in', '1.5'], '--logged-in takes a number from 0 to 1'],
    [['--restock', '-1'], '--restock'],
    [['--admin-email', 'grace@example.com'], 'go together'],
  ])('refuses %s', (args, explanation) => {
    const read = () => readOptions(args, { url: 'http://localhost:4000', admin: null });
    expect(read).toThrow(UsageError);
    expect(read).toThrow(explanation);
  });
});

describe('the verdict', () => {
  const levels = [
    { available: 10, previousAvailable: 0 },
    { available: 7, previousAvailable: 10 },
    { available: 6, previousAvailable: 7 },
  ];
  const sound: Facts = {
    buyers: 5,
    stock: 10,
    confirmed: {
      asked: 9,
      orders: 1,
      units: 3,
      walkedAwayWith: 1,
      userOrders: 1,
      adjustments: 0,
      restocked: 0,
      adjustmentsSentAgain: 0,
      sentTwice: 1,
      sentTwiceAndOrderedTwice: 0,
    },
    stored: {
      onHand: 7,
      held: 1,
      available: 6,
      orders: 1,
      units: 3,
      userOrders: 1,
      adjustments: 0,
      restocked: 0,
      carted: 1,
      ledgerOnHand: 7,
      ledgerHeld: 1,
    },
    discrepancies: [],
    events: { seen: levels, logged: levels },
    faults: [],
  };

  test('is good where all adds up', () => {
    expect(judge(sound)).toMatchObject({
      exitCode: 0,
      line: '10 units, 5 buyers who wanted 9: sold 3, held in carts 1, left 6, oversold 0 → PASS',
    });
  });

  test('is good where staff restocked, and counts it', () => {
    const verdict = judge({
      ...sound,
      stock: 6,
      confirmed: { ...confirmed, adjustments: 2, restocked: 4 },
      stored: { ...stored, adjustments: 2, restocked: 4 },
    });
    expect(verdict).toMatchObject({
      exitCode: 0,
      line: '6 units and 4 restocked, 5 buyers who wanted 9: sold 3, held in carts 1, left 6, oversold 0 → PASS',
    });
  });

  test('reports how many were oversold', () => {
    const stored = { ...sound.stored, onHand: -2, held: 0, available: -2, orders: 4, units: 12 };
    const { exitCode, line } = judge({ ...sound, stored });
    expect(exitCode).toBe(1);
    expect(line).toContain('oversold 2 → FAIL');
  });

  const { stored, confirmed, events } = sound;
  const discrepancy = { variantId: 'a variant', rule: 'a rule', expected: 1, actual: 2 };
  test.each<[string, Partial<Facts>]>([
    ['a unit is missing', { stored: { ...stored, onHand: 6, available: 5 } }],
    ['an order that was confirmed to nobody', { stored: { ...stored, orders: 2 } }],
    ['an order that is not there', { confirmed: { ...confirmed, orders: 2 } }],
    ['more units were confirmed to a buyer', { confirmed: { ...confirmed, units: 4 } }],
    ['a checkout sent twice made two orders', { confirmed: { ...confirmed, sentTwiceAndOrderedTwice: 1 } }],
    ['an order of a user became a guest’s', { stored: { ...stored, userOrders: 0 } }],
    ['an adjustment was done twice', { stored: { ...stored, adjustments: 1, restocked: 1, onHand: 8, available: 7 } }],
    ['an adjustment is not there', { confirmed: { ...confirmed, adjustments: 1 } }],
    ['units are held by no cart', { stored: { ...stored, carted: 0 } }],
    ['carts hold what nobody walked away from', { confirmed: { ...confirmed, walkedAwayWith: 0 } }],
    ['the ledger has other counts', { stored: { ...stored, ledgerOnHand: 8 } }],
    ['the ledger has other holds', { stored: { ...stored, ledgerHeld: 0 } }],
    ["the shop's audit finds something", { discrepancies: [discrepancy] }],
    ['an event was not seen', { events: { ...events, seen: levels.slice(0, 2) } }],
    ['an event was seen twice', { events: { ...events, seen: [...levels, ...levels.slice(2)] } }],
    ['events came in another order', { events: { ...events, seen: levels.toReversed() } }],
    ['a server error', { faults: ['add: status 500'] }],
  ])('is bad where %s', (_what, broken) => {
    const verdict = judge({ ...sound, ...broken });
    expect(verdict.exitCode).toBe(1);
    expect(verdict.line).toMatch(/→ FAIL$/);
    expect(verdict.checks.some((check) => !check.passed)).toBe(true);
  });
});
