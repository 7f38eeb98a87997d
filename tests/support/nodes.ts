import { onTestFinished } from 'vitest';
import { decodeCursor } from '../../src/events/cursor.ts';
import type { EventLog } from '../../src/events/event-log.ts';
import { rowsOf } from './books.ts';
import type { World } from './fixtures.ts';
import { known } from './known.ts';
import type { TestDatabase } from './postgres.ts';
import { settled } from './settled.ts';
import { createTestShop, type TestShop } from './shop.ts';
import { until } from './until.ts';
import { watchNow, type Transport } from './watch.ts';

/** One of several processes of a shop. */
export interface TestNode extends TestShop, World {
  /** From now on it does not look at the log's end: what it hears, it hears by the bus. */
  holdLook(): Promise<void>;
  releaseLook(): void;
  /** What `/health/ready` answers. */
  ready(): Promise<{ status: number; body: unknown }>;
}

/** Opens a node on a database that is there; it closes with the test. */
export async function openNodeOf(database: TestDatabase, env: NodeJS.ProcessEnv = {}): Promise<TestNode> {
  let holding: Promise<void> | null = null;
  let held = 0;
  let release = () => {};
  const eventLog = (real: EventLog): EventLog => ({
    ...real,
    async end() {
      const end = await real.end();
      if (holding !== null) held += 1;
      await holding;
      return end;
    },
  });
  const shop = await createTestShop({ env, database, overrides: { eventLog } });
  const releaseLook = () => {
    holding = null;
    release();
  };
  onTestFinished(async () => {
    releaseLook();
    await shop.dispose();
  });
  return {
    ...shop,
    eventLog: shop.app.eventLog,
    async holdLook() {
      await settled(shop);
      held = 0;
      holding = new Promise((resolve) => {
        release = resolve;
      });
      // The next one is under way and gets no answer: there is no other meanwhile.
      await until('the look is held', () => held > 0);
    },
    releaseLook,
    async ready() {
      const { status, json } = await shop.request({ path: '/health/ready' });
      return { status, body: json() };
    },
  };
}

/** Waits until a node says that nothing is missing. */
export async function untilReady(...nodes: readonly Pick<TestNode, 'ready'>[]): Promise<void> {
  for (const node of nodes)
    await until('the node is ready', async () => JSON.stringify((await node.ready()).body) === '{"status":"ready"}');
}

/** The places in the log of all changes of stock after one of them, in order. */
export async function changesAfter(shop: Pick<World, 'db'>, seq: number): Promise<number[]> {
  const rows = await rowsOf<{ seq: bigint | null }>(
    shop.db,
    "SELECT seq FROM event_log WHERE type = 'stock_changed' AND (seq IS NULL OR seq > $1) ORDER BY seq",
    [seq],
  );
  return rows.map((row) => Number(known(row.seq, 'the number of an event')));
}

/** A subscriber to all changes of stock, and the places in the log of what it got. */
export interface Follower {
  seqs: number[];
  /** Waits until it has so many. */
  untilHas(count: number): Promise<void>;
}

/** Subscribes on a node to what happens from now on. */
export async function follow(node: TestShop, transport: Transport): Promise<Follower> {
  const { events } = await watchNow<{ stockChanged: { cursor: string } }>(
    node,
    transport,
    'subscription NodesFollow { stockChanged { cursor available } }',
  );
  const seqs: number[] = [];
  return {
    seqs,
    async untilHas(count) {
      while (seqs.length < count) seqs.push(known(decodeCursor((await events.take()).stockChanged.cursor)).seq);
      // What came beyond that is seen as well.
      while (events.left.length > 0) seqs.push(known(decodeCursor((await events.take()).stockChanged.cursor)).seq);
    },
  };
}
