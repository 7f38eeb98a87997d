import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { Database } from '../../src/infra/postgres/database.ts';
import { ask } from '../torture/http.ts';
import { ADMIN } from './place.ts';

export interface Load {
  writers: number;
  seconds: number;
  /** What each writer waits between two writes. */
  pauseMs: number;
}

/** What one run saw. */
export interface Run {
  /** Milliseconds from a commit to the subscriber, in ascending order. */
  latencies: number[];
  commitsPerSecond: number;
}

const now = () => performance.timeOrigin + performance.now();
const ARRIVE_WITHIN_MS = 10_000;

/** Has writers restock a variant each at one node, and measures when a subscriber of another (or of the same) receives the event. */
export async function measure(db: Database, at: string, subscribedAt: string, load: Load): Promise<Run> {
  const accessToken = await logIn(at);
  const variants = await makeVariants(at, accessToken, load.writers);
  const arrived = new Map<string, number>();
  const subscriber = await subscribe(subscribedAt, variants, (variantId, available) =>
    arrived.set(`${variantId} ${available}`, now()),
  );

  const end = performance.now() + load.seconds * 1000;
  let commits = 0;
  async function write(variantId: string): Promise<void> {
    // Not all of them in the same moment.
    await delay(Math.random() * load.pauseMs);
    while (performance.now() < end) {
      const input = { variantId, delta: 1, reason: 'RESTOCK', idempotencyKey: randomUUID() };
      const { data, errors } = await ask(at, ADJUST, { input }, { accessToken });
      const payload = data?.['stockAdjust'] as { errors: { message: string }[] } | undefined;
      if (payload === undefined || payload.errors.length > 0) throw new Error(JSON.stringify(errors ?? payload));
      commits += 1;
      await delay(load.pauseMs);
    }
  }
  const began = performance.now();
  await Promise.all(variants.map(write));
  const commitsPerSecond = (commits * 1000) / (performance.now() - began);

  const deadline = performance.now() + ARRIVE_WITHIN_MS;
  while (arrived.size < commits && performance.now() < deadline) await delay(20);
  subscriber.stop();
  if (arrived.size !== commits) throw new Error(`${commits} commits, ${arrived.size} events came`);
  const rows = await db.query<{ variantId: string; level: number; at: number }>(COMMITS, [variants.map(rowId)]);
  const latencies = rows.map((row) => (arrived.get(`${globalId(row.variantId)} ${row.level}`) ?? NaN) - row.at);
  if (latencies.length !== commits || latencies.some(Number.isNaN)) throw new Error('an event came of another level');
  return { latencies: latencies.toSorted((a, b) => a - b), commitsPerSecond };
}

// Rows of the ledger are never updated, so they show which transaction wrote them; those of the log are numbered later.
const COMMITS = {
  name: 'bench_commits',
  text: `SELECT variant_id AS "variantId", on_hand_after AS level,
                (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000)::float8 AS at
           FROM stock_movements WHERE variant_id = ANY($1::uuid[]) AND reason = 'RESTOCK'`,
};

const LOGIN = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken errors { message } } }';
const CREATE = `mutation ($input: ProductCreateInput!) {
  productCreate(input: $input) { product { variants { id } } errors { message path } } }`;
const ADJUST = 'mutation ($input: StockAdjustInput!) { stockAdjust(input: $input) { errors { message } } }';
const CHANGED = 'subscription ($ids: [ID!]) { stockChanged(variantIds: $ids) { available variant { id } } }';

async function logIn(url: string): Promise<string> {
  const { data } = await ask(url, LOGIN, { input: { ...ADMIN, tokens: 'BODY' } });
  const token = (data?.['login'] as { accessToken: string | null } | null)?.accessToken;
  if (token == null) throw new Error('nobody could log in');
  return token;
}

async function makeVariants(url: string, accessToken: string, count: number): Promise<string[]> {
  const name = randomUUID().slice(0, 8);
  const variants = Array.from({ length: count }, (_, index) => ({
    sku: `BENCH-${name}-${index}`,
    price: '1.00',
    ...(count === 1 ? {} : { selectedOptions: [{ name: 'Writer', value: String(index) }] }),
  }));
  const input = { title: `Bench ${name}`, status: 'ACTIVE', variants };
  const { data, errors } = await ask(url, CREATE, { input }, { accessToken });
  const payload = data?.['productCreate'] as { product: { variants: { id: string }[] } | null } | null;
  if (payload?.product == null) throw new Error(JSON.stringify(errors ?? payload));
  return payload.product.variants.map((variant) => variant.id);
}

interface Changed {
  stockChanged: { available: number; variant: { id: string } };
}

/** Subscribes, and waits until the subscription is active: earlier events do not arrive. */
async function subscribe(url: string, ids: string[], onEvent: (variantId: string, available: number) => void) {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: 0,
  });
  await new Promise<void>((resolve) => {
    client.on('connected', () => resolve());
  });
  client.subscribe<Changed>(
    { query: CHANGED, variables: { ids } },
    {
      next({ data, errors }) {
        if (data == null) throw new Error(JSON.stringify(errors));
        onEvent(data.stockChanged.variant.id, data.stockChanged.available);
      },
      error(error) {
        throw new Error(JSON.stringify(error));
      },
      complete: () => {},
    },
  );
  await delay(500);
  return { stop: () => void client.dispose() };
}

const globalId = (id: string) => Buffer.from(`ProductVariant:${id}`).toString('base64');
const rowId = (id: string) => Buffer.from(id, 'base64').toString().split(':')[1] ?? '';
