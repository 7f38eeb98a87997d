import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Queryable } from '../../../src/infra/postgres/database.ts';
import { auditVariants, type AuditPage } from '../../../src/modules/inventory/audit.repository.ts';
import { auditInventory } from '../../../src/modules/inventory/inventory.audit.ts';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { makeProduct, makeVariant, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { newGuest, openServices, type TestServices } from '../../support/services.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { stockKeeperOf } from '../../support/staff-stock.ts';

const ON_HAND = 'units on hand are those of the last ledger entry';
const HELD = 'units held are those of the last ledger entry';
const LINK_ON_HAND = 'each ledger entry follows from the one before (on hand)';
const LINK_HELD = 'each ledger entry follows from the one before (held)';
const CARTS = 'units held are those in live carts';

const Audit = graphql(`
  query StaffStockAudit($first: Int, $after: String) {
    inventoryAudit(first: $first, after: $after) {
      checkedVariants
      checkedAt
      discrepancies {
        variant {
          sku
        }
        rule
        expected
        actual
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

describe('inventoryAudit', () => {
  let shop: TestShop & World;
  let staff: Person;
  beforeAll(async () => {
    const opened = await createApiNode();
    shop = { ...opened, eventLog: opened.app.eventLog };
    staff = await newStaff(shop);
  });
  afterAll(() => shop.dispose());
  const auditOf = async (args: { first?: number; after?: string | null }) =>
    known((await staff.client.data(Audit, args)).inventoryAudit);

  test('of an empty shop, and of one in which all is well', async () => {
    const nowhere = { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null };
    const before = await rowsOf<{ now: Date }>(shop.db, 'SELECT clock_timestamp() AS now');
    const empty = await auditOf({});
    expect(empty).toMatchObject({ checkedVariants: 0, discrepancies: [], pageInfo: nowhere });
    expect(Date.parse(empty.checkedAt)).toBeGreaterThanOrEqual(known(before[0]).now.getTime());

    await makeProduct(shop, { variants: [{ onHand: 5 }, { onHand: 0 }] });
    const { variants } = await makeProduct(shop, { status: 'DRAFT', variants: [{ onHand: 7 }] });
    await stockKeeperOf(staff.client).adjust({ variantId: known(variants[0]).globalId, delta: 3 });
    const audit = await auditOf({});
    expect(audit).toMatchObject({ checkedVariants: 3, discrepancies: [], pageInfo: { hasNextPage: false } });
    expect(await auditOf({ first: 3 })).toEqual({ ...audit, checkedAt: expect.any(String) });
  });

  test('some variants at a time, each of them once', async () => {
    const wrong = await makeVariant(shop, { onHand: 4 });
    await rowsOf(shop.db, 'UPDATE product_variants SET on_hand = 9 WHERE id = $1', [wrong.id]);
    await makeVariant(shop, { onHand: 4 });
    const [all] = await rowsOf<{ count: number }>(shop.db, 'SELECT count(*)::int FROM product_variants');
    const found = [{ variant: { sku: wrong.sku }, rule: ON_HAND, expected: 4, actual: 9 }];
    expect(await auditOf({})).toMatchObject({ checkedVariants: known(all).count, discrepancies: found });

    const pages = [];
    let after: string | null = null;
    for (;;) {
      const page: Awaited<ReturnType<typeof auditOf>> = await auditOf({ first: 2, after });
      pages.push(page);
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
      if (!page.pageInfo.hasNextPage) break;
      after = known(page.pageInfo.endCursor);
    }
    expect(pages.map((page) => page.checkedVariants)).toEqual([2, 2, 1]);
    expect(pages.map((page) => page.discrepancies)).toEqual([[], found, []]);
    const past = await auditOf({ first: 2, after: known(pages.at(-1)).pageInfo.endCursor });
    expect(past).toMatchObject({
      checkedVariants: 0,
      pageInfo: { hasNextPage: false, hasPreviousPage: true, startCursor: null, endCursor: null },
    });
  });

  test.each<[string, { first?: number; after?: string }]>([
    ['none at a time', { first: 0 }],
    ['fewer than none', { first: -1 }],
    ['a cursor that is none', { after: 'x' }],
    ['a cursor of another list', { after: Buffer.from('["variant.stockMovements","1"]').toString('base64url') }],
  ])('refuses %s', async (_what, args) => {
    const { data, codes } = await staff.client.execute(Audit, args);
    expect([codes, data]).toEqual([['BAD_REQUEST'], { inventoryAudit: null }]);
  });

  test('is not to be had many times in one operation', async () => {
    const fields = [1, 2, 3, 4, 5].map((n) => `a${n}: inventoryAudit { checkedVariants }`).join(' ');
    const { codes, data } = await staff.client.execute(`{ ${fields} }`);
    expect([new Set(codes), Object.values(data ?? {})]).toEqual([
      new Set(['TOO_COSTLY']),
      [null, null, null, null, null],
    ]);
  });
});

describe('each rule, broken behind the back of the shop, is found and nothing else', () => {
  let database: TestDatabase;
  let services: TestServices;
  let honey: { id: string };
  beforeEach(async () => {
    database = await createTestDatabase();
    services = openServices(database.url);
    // Others around it, which are well.
    await makeVariant(services, { onHand: 3 });
    honey = await makeVariant(services, { onHand: 10 });
    await makeVariant(services, { onHand: 0 });
    await makeVariant(services, { onHand: 8 });
    // Where a rule is broken, what the database itself would refuse has been let through.
    await rowsOf(services.db, 'ALTER TABLE stock_movements DISABLE TRIGGER ALL');
    await rowsOf(services.db, 'ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_reason_check');
    await rowsOf(services.db, 'ALTER TABLE stock_movements DROP CONSTRAINT stock_movements_after_check');
    await rowsOf(services.db, 'ALTER TABLE product_variants DROP CONSTRAINT product_variants_stock_check');
  });
  afterEach(async () => {
    await services.dispose();
    await database.dispose();
  });

  /** Somebody holds units of it: its history is INITIAL 10, HOLD 2, HOLD 1, RELEASE 1, and there are 8 left. */
  async function withHistory(): Promise<{ cartId: string }> {
    const guest = await newGuest(services);
    const want = (quantity: number) => [{ variantId: honey.id, quantity, variantPath: [], quantityPath: [] }];
    await services.cart.addLines(guest, want(2));
    const { cart } = await services.cart.addLines(guest, want(1));
    const [line] = cart.lines;
    await services.cart.updateLines(guest, [{ id: known(line).id, quantity: 2, idPath: [], quantityPath: [] }]);
    return { cartId: cart.id };
  }

  async function discrepancies() {
    const audit = await services.stock.audit(null, null);
    expect(audit.checkedVariants).toBe(4);
    return audit.discrepancies.map(({ variantId, ...rest }) => {
      expect(variantId).toBe(honey.id);
      return rest;
    });
  }

  /** A change of the ledger's entries, the oldest of which is 1. */
  const tamper = (set: string, entry: number) =>
    rowsOf(
      services.db,
      `UPDATE stock_movements SET ${set} WHERE id = (
         SELECT id FROM stock_movements WHERE variant_id = $1 ORDER BY id OFFSET $2 LIMIT 1)`,
      [honey.id, entry - 1],
    );

  test('nothing is, to begin with', async () => {
    await withHistory();
    expect(await discrepancies()).toEqual([]);
  });

  test('units on hand', async () => {
    await withHistory();
    await rowsOf(services.db, 'UPDATE product_variants SET on_hand = 12 WHERE id = $1', [honey.id]);
    expect(await discrepancies()).toEqual([{ rule: ON_HAND, expected: 10, actual: 12 }]);
  });

  test('units on hand of what has no history', async () => {
    await rowsOf(services.db, 'DELETE FROM stock_movements WHERE variant_id = $1', [honey.id]);
    expect(await discrepancies()).toEqual([{ rule: ON_HAND, expected: 0, actual: 10 }]);
  });

  test('units held: neither the ledger nor carts know of them', async () => {
    await withHistory();
    await rowsOf(services.db, 'UPDATE product_variants SET held = 5 WHERE id = $1', [honey.id]);
    expect(await discrepancies()).toEqual([
      { rule: HELD, expected: 2, actual: 5 },
      { rule: CARTS, expected: 2, actual: 5 },
    ]);
  });

  test('units held that carts hold, but the ledger has not', async () => {
    const { cartId } = await withHistory();
    await rowsOf(services.db, 'UPDATE product_variants SET held = 5 WHERE id = $1', [honey.id]);
    await rowsOf(services.db, 'UPDATE cart_lines SET quantity = 5 WHERE cart_id = $1', [cartId]);
    expect(await discrepancies()).toEqual([{ rule: HELD, expected: 2, actual: 5 }]);
  });

  test.each([
    ['a line has more units', 'UPDATE cart_lines SET quantity = 6 WHERE cart_id = $1', 6],
    ['a line is gone', 'DELETE FROM cart_lines WHERE cart_id = $1', 0],
    ['a cart is no longer live', `UPDATE carts SET status = 'EXPIRED' WHERE id = $1`, 0],
    ['a cart will never expire', 'UPDATE carts SET expires_at = NULL, hold_started_at = NULL WHERE id = $1', 0],
  ])('units in carts: %s', async (_what, sql, expected) => {
    const { cartId } = await withHistory();
    await rowsOf(services.db, sql, [cartId]);
    expect(await discrepancies()).toEqual([{ rule: CARTS, expected, actual: 2 }]);
  });

  test('carts past their time hold their units until these are given back', async () => {
    await withHistory();
    await rowsOf(
      services.db,
      `UPDATE carts SET hold_started_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'`,
    );
    expect(await discrepancies()).toEqual([]);
    await services.cart.expireOverdue();
    expect(await discrepancies()).toEqual([]);
  });

  test('links on hand', async () => {
    await withHistory();
    await tamper('on_hand_delta = 1', 3);
    expect(await discrepancies()).toEqual([{ rule: LINK_ON_HAND, expected: 11, actual: 10 }]);
  });

  test('links held', async () => {
    await withHistory();
    await tamper('held_delta = 2', 3);
    expect(await discrepancies()).toEqual([{ rule: LINK_HELD, expected: 4, actual: 3 }]);
  });

  test('an entry in the middle that is gone', async () => {
    await withHistory();
    await rowsOf(
      services.db,
      'DELETE FROM stock_movements WHERE id = (SELECT id FROM stock_movements WHERE variant_id = $1 ORDER BY id OFFSET 1 LIMIT 1)',
      [honey.id],
    );
    expect(await discrepancies()).toEqual([{ rule: LINK_HELD, expected: 1, actual: 3 }]);
  });

  test('the beginning: a history that does not start from 0', async () => {
    await withHistory();
    await tamper('on_hand_delta = 7', 1);
    expect(await discrepancies()).toEqual([{ rule: LINK_ON_HAND, expected: 7, actual: 10 }]);
  });

  test('all at once, each with its own numbers', async () => {
    const { cartId } = await withHistory();
    await rowsOf(services.db, 'UPDATE product_variants SET on_hand = 20, held = 9 WHERE id = $1', [honey.id]);
    await rowsOf(services.db, 'UPDATE cart_lines SET quantity = 1 WHERE cart_id = $1', [cartId]);
    await tamper('on_hand_delta = 1, held_delta = 4', 2);
    const found = await discrepancies();
    expect(found).toEqual([
      { rule: ON_HAND, expected: 10, actual: 20 },
      { rule: HELD, expected: 2, actual: 9 },
      { rule: LINK_HELD, expected: 4, actual: 2 },
      { rule: LINK_ON_HAND, expected: 11, actual: 10 },
      { rule: CARTS, expected: 1, actual: 9 },
    ]);
    // The audit of the whole history, which tests and the torture run use, says the same.
    const whole = (await auditInventory(services.db, null)).map(({ rule, expected, actual }) => ({
      rule,
      expected,
      actual,
    }));
    expect(whole).toHaveLength(5);
    expect(whole).toEqual(expect.arrayContaining(found));
  });

  test('numbers beyond what the API can say', async () => {
    await withHistory();
    await tamper('on_hand_delta = 2147483647', 3);
    expect(await discrepancies()).toEqual([{ rule: LINK_ON_HAND, expected: 2_147_483_647, actual: 10 }]);
  });

  test('the latest ten links: an older fault is left to a check of the whole history', async () => {
    for (let n = 0; n < 14; n += 1) {
      await services.db.transaction(async (tx) => {
        const at = await services.inventory.lock(tx, [honey.id]);
        await services.inventory.apply(tx, at, [{ variantId: honey.id, reason: 'RESTOCK', onHandDelta: 1 }]);
      });
    }
    // 15 entries: the links of 6 to 15 are looked at, and 5 is what 6 follows from.
    await tamper('on_hand_delta = 50', 5);
    expect(await discrepancies()).toEqual([]);
    await tamper('on_hand_delta = 50', 6);
    expect(await discrepancies()).toEqual([{ rule: LINK_ON_HAND, expected: 64, actual: 15 }]);
    await tamper('on_hand_delta = 1', 6);
    await tamper('on_hand_after = 0', 5);
    expect(await discrepancies()).toEqual([{ rule: LINK_ON_HAND, expected: 1, actual: 15 }]);
  });
});

describe('an audit of very many variants', () => {
  const VARIANTS = 2_100;
  let database: TestDatabase;
  let services: TestServices;
  beforeAll(async () => {
    database = await createTestDatabase();
    services = openServices(database.url);
    const { id } = await makeProduct(services, { variants: [{ onHand: 0 }] });
    await rowsOf(services.db, 'ALTER TABLE product_variants DISABLE TRIGGER USER');
    await rowsOf(
      services.db,
      `INSERT INTO product_variants (id, product_id, sku, price_minor, low_stock_threshold)
       SELECT gen_random_uuid(), $1, 'AUDIT-' || n, 100, 3 FROM generate_series(2, $2) AS n`,
      [id, VARIANTS],
    );
  });
  afterAll(async () => {
    await services.dispose();
    await database.dispose();
  });

  /** Brings every variant's history to so many entries: units come in one by one, round after round. */
  async function fill(from: number, to: number): Promise<void> {
    const client = await services.db.connect();
    try {
      await client.query('ALTER TABLE stock_movements DISABLE TRIGGER ALL');
      await client.query(
        `INSERT INTO stock_movements (variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, occurred_at)
         SELECT v.id, 'RESTOCK', 1, 0, n, 0, clock_timestamp() FROM generate_series($1::int, $2::int) AS n, product_variants v`,
        [from, to],
      );
      await client.query('UPDATE product_variants SET on_hand = $1', [to]);
      await client.query('VACUUM ANALYZE stock_movements, product_variants');
    } finally {
      await client.end();
    }
  }

  interface PlanNode {
    'Relation Name'?: string;
    'Actual Rows': number;
    'Actual Loops': number;
    'Shared Hit Blocks': number;
    'Shared Read Blocks': number;
    Plans?: PlanNode[];
  }

  /** What the statement reads: pages of the database, and rows of the ledger. */
  async function effort(limit = 2000): Promise<{ buffers: number; entries: number; carts: number }> {
    let plan: PlanNode | undefined;
    const explaining: Queryable = {
      async query<Row extends object>({ text }: { text: string }, values: readonly unknown[] = []): Promise<Row[]> {
        const [row] = await rowsOf<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
          services.db,
          `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`,
          values,
        );
        plan = row?.['QUERY PLAN'][0]?.Plan;
        return [{} as AuditPage as Row];
      },
    };
    await auditVariants(explaining, null, limit);
    const top = known(plan);
    const rowsRead = (node: PlanNode, table: string): number =>
      (node['Relation Name'] === table ? node['Actual Rows'] * node['Actual Loops'] : 0) +
      (node.Plans ?? []).reduce((sum, child) => sum + rowsRead(child, table), 0);
    return {
      buffers: top['Shared Hit Blocks'] + top['Shared Read Blocks'],
      entries: rowsRead(top, 'stock_movements'),
      carts: rowsRead(top, 'carts'),
    };
  }

  test('reads the same of a history of 50 entries each as of one of 11', async () => {
    await fill(1, 11);
    const short = await effort();
    await fill(12, 50);
    const long = await effort();
    expect([short.entries, long.entries]).toEqual([22_000, 22_000]);
    expect(short.buffers).toBeGreaterThan(2000);
    // A deeper index is all that may be added to it.
    expect(long.buffers / short.buffers).toBeLessThan(1.5);

    expect(await services.stock.audit(null, null)).toMatchObject({
      checkedVariants: VARIANTS,
      discrepancies: [],
      more: false,
    });
  });

  test('reads the carts of its variants alone, however many are live', async () => {
    const LIVE_CARTS = 2 * VARIANTS;
    await rowsOf(
      services.db,
      `WITH guest AS (
         INSERT INTO guests (id, token_hash) SELECT gen_random_uuid(), sha256(n::text::bytea) FROM generate_series(1, $1::int) AS n RETURNING id
       ), cart AS (
         INSERT INTO carts (id, guest_id, status, hold_started_at, expires_at, created_at, updated_at)
         SELECT gen_random_uuid(), id, 'ACTIVE', now(), now() + interval '15 minutes', now(), now() FROM guest RETURNING id
       ), numbered AS (
         SELECT id, row_number() OVER () AS n FROM cart
       ), variant AS (
         SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM product_variants
       )
       INSERT INTO cart_lines (id, cart_id, variant_id, quantity, unit_price_minor, position)
       SELECT gen_random_uuid(), c.id, v.id, 1, 100, 0 FROM numbered c JOIN variant v ON v.n = c.n % $2::int`,
      [LIVE_CARTS, VARIANTS],
    );
    await rowsOf(services.db, 'ANALYZE');
    // A few, and as many as the audit of everything takes at a time.
    for (const variants of [5, 1500]) expect((await effort(variants)).carts).toBe((variants * LIVE_CARTS) / VARIANTS);
    await rowsOf(services.db, 'DELETE FROM carts');
  });

  test('stops where there is no end to what is wrong, and can be gone on with', async () => {
    await rowsOf(services.db, 'UPDATE product_variants SET on_hand = 500');
    const first = await services.stock.audit(null, null);
    expect([first.checkedVariants, first.discrepancies.length, first.more]).toEqual([1500, 1500, true]);
    const second = await services.stock.audit(null, first.lastId);
    expect([second.checkedVariants, second.discrepancies.length, second.more]).toEqual([600, 600, false]);
    const ids = [...first.discrepancies, ...second.discrepancies].map((found) => found.variantId);
    expect(ids).toEqual([...new Set(ids)].toSorted());
  });
});
