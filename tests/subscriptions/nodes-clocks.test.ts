import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient as createWsClient } from 'graphql-ws';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { decodeCursor } from '../../src/events/cursor.ts';
import { createEventLog } from '../../src/events/event-log.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { bearer, login, refresh, whoIs } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { createClient } from '../support/client.ts';
import { makeVariant, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
import { newDataDir, startShopProcess, type ShopProcess } from '../support/shop-process.ts';
import { enter, shopperOf } from '../support/shopper.ts';
import { isCi } from '../support/sizes.ts';
import { stockKeeperOf } from '../support/staff-stock.ts';
import { until } from '../support/until.ts';

const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'a long enough password' };
const HOUR_MS = 3_600_000;
const HOLD_MS = 4_000;

// Processes take long to start. In daily work the kind with Redis is tried, where jobs are delayed by the clocks of the nodes.
const withRedis = hasRedis('A shop whose clocks are wrong');
const kinds = (['PostgreSQL alone', 'Redis'] as const).filter((kind) => isCi || (kind === 'Redis') === withRedis);

describe.each(kinds)('two nodes whose clocks are an hour ahead and an hour behind, with %s', (kind) => {
  let db: Database;
  let world: World;
  let ahead: ShopProcess;
  let behind: ShopProcess;
  const disposals: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    const database = await createTestDatabase();
    disposals.push(() => database.dispose());
    const redis = kind === 'Redis' ? await startRedis() : null;
    if (redis !== null) disposals.push(() => redis.dispose());
    const env = {
      ...ADMIN,
      DATABASE_URL: database.url,
      ...(redis === null ? {} : { REDIS_URL: redis.url }),
      DATA_DIR: newDataDir(),
      JWT_SECRET: 'a secret of tests that is long enough',
      SEED: 'none',
      RATE_LIMITS: 'off',
      BCRYPT_COST: '4',
      CART_HOLD_SECONDS: String(HOLD_MS / 1000),
    };
    async function start(clockShiftMs: number): Promise<ShopProcess> {
      const shop = await startShopProcess(env, { clockShiftMs });
      disposals.push(async () => {
        shop.child.kill('SIGKILL');
        await shop.exited;
      });
      return shop;
    }
    // One after the other: the first makes the ADMIN.
    ahead = await start(HOUR_MS);
    behind = await start(-HOUR_MS);
    db = openDatabase({ connectionString: database.url, poolSize: 2, logger: pino({ level: 'silent' }) });
    disposals.push(async () => db[Symbol.asyncDispose]());
    world = { db, eventLog: createEventLog({ db, wake: () => {} }) };
  });
  afterAll(async () => {
    for (const dispose of disposals.splice(0).toReversed()) await dispose();
  });

  /** What the database's clock says, in milliseconds since 1970. */
  async function clock(): Promise<number> {
    const [row] = await rowsOf<{ now: Date }>(db, 'SELECT clock_timestamp() AS now');
    return known(row).now.getTime();
  }

  const logIn = ({ url }: ShopProcess) =>
    login(createClient(url), { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD });

  test('their clocks are as wrong as they are meant to be', () => {
    const shiftOf = (shop: ShopProcess) => Number(/"time":(\d+)/.exec(shop.output())?.[1]) - Date.now();
    expect(Math.round(shiftOf(ahead) / HOUR_MS)).toBe(1);
    expect(Math.round(shiftOf(behind) / HOUR_MS)).toBe(-1);
  });

  test('a hold ends by the clock of the database, whichever node it was made at', async () => {
    async function holdAt(at: ShopProcess, other: ShopProcess): Promise<void> {
      const variant = await makeVariant(world, { onHand: 9 });
      const shopper = await enter({ client: (options) => createClient(at.url, options) });
      const elsewhere = shopperOf(createClient(other.url, { cartToken: shopper.token }));
      const before = await clock();
      const { cart } = await shopper.add({ variantId: variant.globalId, quantity: 2 });
      const after = await clock();
      const expiresAt = Date.parse(known(cart?.expiresAt, 'the deadline'));
      expect(expiresAt).toBeGreaterThanOrEqual(before + HOLD_MS);
      expect(expiresAt).toBeLessThanOrEqual(after + HOLD_MS);

      /** The units held, and the level according to both nodes' carts, with the time at which that was so. */
      async function look() {
        const [row] = await rowsOf<{ held: number; now: Date }>(
          db,
          'SELECT held, clock_timestamp() AS now FROM product_variants WHERE id = $1',
          [variant.id],
        );
        return { held: known(row).held, now: known(row).now.getTime() };
      }
      for (let { held, now } = await look(); now < expiresAt; { held, now } = await look()) {
        expect(held).toBe(2);
        await delay(20);
      }
      // From its deadline on it is over to every reader, on both nodes.
      expect((await shopper.cart())?.status).toBe('EXPIRED');
      expect((await elsewhere.cart())?.status).toBe('EXPIRED');
      const released = known(
        await until('the units are back', async () => {
          const { held, now } = await look();
          return held === 0 ? now : null;
        }),
      );
      const [entry] = await rowsOf<{ at: Date }>(
        db,
        `SELECT occurred_at AS at FROM stock_movements WHERE variant_id = $1 AND reason = 'RELEASE'`,
        [variant.id],
      );
      expect(known(entry).at.getTime()).toBeGreaterThanOrEqual(expiresAt);
      expect(known(entry).at.getTime()).toBeLessThanOrEqual(released);
    }
    await Promise.all([holdAt(ahead, behind), holdAt(behind, ahead)]);
    expect(await findFaults(db)).toEqual([]);
  });

  test('a hold stands on the other node, too, as long as it lasts', async () => {
    for (const [at, other] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      const { globalId } = await makeVariant(world, { onHand: 2 });
      const shopper = await enter({ client: (options) => createClient(at.url, options) });
      await shopper.add({ variantId: globalId, quantity: 2 });
      // However long the other takes to come.
      await rowsOf(db, `UPDATE carts SET expires_at = expires_at + interval '1 hour' WHERE status = 'ACTIVE'`);
      const rival = await enter({ client: (options) => createClient(other.url, options) });
      const { cart, errors } = await rival.add({ variantId: globalId, quantity: 1 });
      expect(errors.map((error) => error.code)).toEqual(['INSUFFICIENT_STOCK']);
      expect(cart?.lines ?? []).toEqual([]);
    }
  });

  test('a log-in on one node is valid on the other, for as long as the clock of the database says', async () => {
    for (const [at, other] of [
      [ahead, behind],
      [behind, ahead],
    ] as const) {
      const before = await clock();
      const auth = await logIn(at);
      const after = await clock();
      const until15 = Date.parse(known(auth.accessTokenExpiresAt)) - 15 * 60_000;
      // Tokens count in whole seconds.
      expect(until15).toBeGreaterThan(before - 1000);
      expect(until15).toBeLessThanOrEqual(after);
      const headers = bearer(known(auth.accessToken));
      for (const { url } of [at, other]) expect(await whoIs(createClient(url, { headers }))).toBe(ADMIN.ADMIN_EMAIL);
      const next = await refresh(createClient(other.url), known(auth.refreshToken));
      expect(next.errors).toEqual([]);
      expect(await whoIs(createClient(at.url, { headers: bearer(known(next.accessToken)) }))).toBe(ADMIN.ADMIN_EMAIL);
    }
  });

  test('events keep the order of their commits, and the time of the database', async () => {
    const { id, globalId } = await makeVariant(world, { onHand: 100 });
    const { accessToken } = await logIn(ahead);
    const headers = bearer(known(accessToken));
    const keepers = [ahead, behind].map(({ url }) => stockKeeperOf(createClient(url, { headers })));
    const { eventCursor } = await createClient(ahead.url).data<{ eventCursor: string }>('{ eventCursor }');
    const watchers = [ahead, behind].map((shop) => follow(shop, globalId, eventCursor));

    const before = await clock();
    for (let turn = 0; turn < 12; turn += 1) {
      const { errors } = await known(keepers[turn % 2]).adjust({
        variantId: globalId,
        delta: 1,
        idempotencyKey: randomUUID(),
      });
      expect(errors).toEqual([]);
    }
    const after = await clock();

    const levels = Array.from({ length: 12 }, (_, turn) => 101 + turn);
    for (const watcher of watchers) {
      await until('all events have arrived', () => watcher.levels.length >= 12);
      expect(watcher.levels).toEqual(levels);
      expect(watcher.seqs).toEqual(watcher.seqs.toSorted((a, b) => a - b));
    }
    const events = await rowsOf<{ level: number; at: Date }>(
      db,
      `SELECT (payload->>'available')::int AS level, occurred_at AS at FROM event_log
        WHERE subject_id = $1 AND type = 'stock_changed' AND (payload->>'available')::int > 100 ORDER BY seq`,
      [id],
    );
    expect(events.map(({ level }) => level)).toEqual(levels);
    const times = events.map(({ at }) => at.getTime());
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(known(times[0])).toBeGreaterThanOrEqual(before);
    expect(known(times.at(-1))).toBeLessThanOrEqual(after);
  });
});

/** Follows a variant on a node after a cursor. */
function follow({ wsUrl }: ShopProcess, variantId: string, after: string): { seqs: number[]; levels: number[] } {
  const seen = { seqs: [] as number[], levels: [] as number[] };
  const client = createWsClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  onTestFinished(() => void client.dispose());
  client.subscribe<{ stockChanged: { cursor: string; available: number } }>(
    {
      query: `subscription ClocksFollow($ids: [ID!], $after: EventCursor) {
        stockChanged(variantIds: $ids, after: $after) { cursor available } }`,
      variables: { ids: [variantId], after },
    },
    {
      next({ data }) {
        const { cursor, available } = known(data).stockChanged;
        // Earlier events arrive as well.
        if (available <= 100) return;
        seen.seqs.push(known(decodeCursor(cursor)).seq);
        seen.levels.push(available);
      },
      error: () => {},
      complete: () => {},
    },
  );
  return seen;
}
