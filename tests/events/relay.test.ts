import type pg from 'pg';
import { pino } from 'pino';
import { v7 as uuid } from 'uuid';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { EventBatch, EventBus } from '../../src/events/bus.ts';
import { createEventLog } from '../../src/events/event-log.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { createInventoryService } from '../../src/modules/inventory/inventory.service.ts';
import { makeProduct } from '../support/fixtures.ts';
import { recordLogs } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const logger = pino({ level: 'silent' });

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 20, logger });
});
afterAll(async () => {
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const thing of opened.splice(0).toReversed()) await thing[Symbol.asyncDispose]();
});

/** A bus that keeps what it is given. */
class KeepingBus implements EventBus {
  readonly batches: EventBatch[] = [];

  async publish(batch: EventBatch): Promise<void> {
    this.batches.push(batch);
  }

  get seqs(): number[] {
    return this.batches.flatMap((batch) => batch.events.map((event) => event.seq));
  }

  get types(): string[] {
    return this.batches.flatMap((batch) => batch.events.map((event) => event.type));
  }

  subscribe = () => Promise.reject(new Error('nobody subscribes here'));
  [Symbol.asyncDispose] = () => Promise.resolve();
}

function relayOf(source: Pick<Database, 'connect'> = db, bus: EventBus = new KeepingBus()): Relay {
  const relay = startRelay({ db: { ...db, ...source }, bus, logger });
  opened.push(relay);
  return relay;
}

/** Another process's pool. */
function openOther(): Database {
  const other = openDatabase({ connectionString: database.url, poolSize: 5, logger });
  opened.push(other);
  return other;
}

/** A connection on which a test begins and commits as it likes. */
async function connect(): Promise<pg.Client> {
  const client = await db.connect();
  opened.push({ [Symbol.asyncDispose]: () => client.end() });
  return client;
}

const INSERT = `INSERT INTO event_log (type, subject_id, payload, occurred_at) VALUES ($1, $2, '{}', clock_timestamp()) RETURNING id`;

async function insert(client: pg.Client, type: string): Promise<bigint> {
  const { rows } = await client.query<{ id: bigint }>(INSERT, [type, uuid()]);
  return rows[0]?.id ?? 0n;
}

/** Writes and commits events as the shop does, one transaction. */
async function write(
  type: string,
  options: { source?: Database; count?: number; wake?: () => void } = {},
): Promise<void> {
  const { source = db, count = 1, wake = () => {} } = options;
  const log = createEventLog({ db: source, wake });
  const events = Array.from({ length: count }, (_, index) => ({ type, subjectId: uuid(), payload: { index } }));
  await source.transaction((tx) => log.append(tx, new Date(), events));
}

async function end(): Promise<number> {
  return (await createEventLog({ db, wake: () => {} }).end()).seq;
}

/** Everything of these types, in order of seq. */
async function logged(
  prefix: string,
): Promise<{ id: bigint; seq: bigint | null; type: string; payload: { index?: number } }[]> {
  return db.query(
    {
      name: 'test_logged',
      text: `SELECT id, seq, type, payload FROM event_log WHERE type LIKE $1 || '%' ORDER BY seq`,
    },
    [prefix],
  );
}

/** The whole log, whatever wrote it: each event numbered, and the numbers 1 to the end, each once. */
async function expectComplete(): Promise<void> {
  const rows = await db.query<{ seq: bigint | null }>({
    name: 'test_seqs',
    text: 'SELECT seq FROM event_log ORDER BY seq',
  });
  expect(rows.map((row) => Number(row.seq))).toEqual(rows.map((_, index) => index + 1));
  expect(await end()).toBe(rows.length);
}

const TERMINATE = { name: 'test_terminate', text: 'SELECT pg_terminate_backend($1)' };

/** The server's process behind a connection. */
const pidOf = (client: pg.Client | undefined) => (client as unknown as { processID: number }).processID;

const range = (from: number, length: number) => Array.from({ length }, (_, index) => from + index);

/** Numbers that are random and yet the same in each run. */
function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

test('opens no connection to close where nothing was ever committed', async () => {
  const opening = vi.fn(db.connect);
  await relayOf({ connect: opening })[Symbol.asyncDispose]();
  expect(opening).not.toHaveBeenCalled();
});

test('transactions that commit in the opposite order of their inserts: the later commit has the later number', async () => {
  const bus = new KeepingBus();
  const relay = relayOf(db, bus);
  const start = await end();
  const [a, b] = [await connect(), await connect()];
  await a.query('BEGIN');
  const first = await insert(a, 'opposite_a');
  await b.query('BEGIN');
  const second = await insert(b, 'opposite_b');
  expect(second).toBeGreaterThan(first);

  await b.query('COMMIT');
  await relay.flush();
  expect(await logged('opposite')).toMatchObject([{ type: 'opposite_b', seq: BigInt(start + 1) }]);

  await a.query('COMMIT');
  await relay.flush();
  expect(await logged('opposite')).toMatchObject([
    { type: 'opposite_b', seq: BigInt(start + 1) },
    { type: 'opposite_a', seq: BigInt(start + 2) },
  ]);
  expect(bus.types).toEqual(['opposite_b', 'opposite_a']);
  expect(bus.seqs).toEqual([start + 1, start + 2]);
  await expectComplete();
});

test('many open transactions, committed and rolled back in random order with runs in between, leave no hole', async () => {
  const bus = new KeepingBus();
  const relay = relayOf(db, bus);
  const start = await end();
  const random = randomness(7);
  const clients = await Promise.all(range(0, 12).map(() => connect()));
  const committed: string[] = [];
  for (const round of range(0, 4)) {
    for (const client of shuffled(clients, random)) {
      await client.query('BEGIN');
      await insert(client, `random_${'abcd'[round]}`);
    }
    for (const client of shuffled(clients, random)) {
      const rollback = random() < 0.3;
      await client.query(rollback ? 'ROLLBACK' : 'COMMIT');
      if (!rollback) committed.push(`random_${'abcd'[round]}`);
      if (random() < 0.5) await relay.flush();
    }
  }
  await relay.flush();

  expect(committed.length).toBeLessThan(48);
  expect(bus.types).toEqual(committed);
  expect(bus.seqs).toEqual(range(start + 1, committed.length));
  await expectComplete();
});

test('what the relay publishes is what the log holds', async () => {
  const bus = new KeepingBus();
  const relay = relayOf(db, bus);
  const log = createEventLog({ db, wake: () => relay.wake() });
  const before = await log.end();
  const at = new Date('2026-11-20T12:34:56.789Z');
  const subjectId = uuid();
  await db.transaction((tx) =>
    log.append(tx, at, [
      { type: 'told_first', subjectId, payload: { units: 1 } },
      { type: 'told_second', subjectId, payload: { units: 2 } },
    ]),
  );
  await relay.flush();
  const published = [
    { seq: before.seq + 1, type: 'told_first', subjectId, payload: { units: 1 }, occurredAt: at },
    { seq: before.seq + 2, type: 'told_second', subjectId, payload: { units: 2 }, occurredAt: at },
  ];
  expect(bus.batches).toEqual([{ epoch: before.epoch, events: published }]);
  expect(await log.readAfter(before.seq, 10)).toEqual(published);
});

test('a transaction that rolls back wakes nobody; one that wrote no event neither', async () => {
  let woken = 0;
  const log = createEventLog({ db, wake: () => (woken += 1) });
  const event = { type: 'rolled_back', subjectId: uuid(), payload: {} };
  await expect(
    db.transaction(async (tx) => {
      await log.append(tx, new Date(), [event]);
      throw new Error('changed my mind');
    }),
  ).rejects.toThrow('changed my mind');
  await db.transaction((tx) => log.append(tx, new Date(), []));
  expect(woken).toBe(0);
  expect(await logged('rolled_back')).toEqual([]);

  await db.transaction(async (tx) => {
    await log.append(tx, new Date(), [event]);
    log.announce(tx, [event]);
  });
  expect(woken).toBe(1);
  await relayOf().flush();
});

test('relays of several processes, all awake at once, number each event once', async () => {
  const bus = new KeepingBus();
  const processes = await Promise.all(
    range(0, 4).map(async () => {
      const other = openOther();
      return { source: other, relay: relayOf(other, bus) };
    }),
  );
  const start = await end();
  const random = randomness(11);
  const everyone = () => processes.forEach(({ relay }) => relay.wake());
  await Promise.all(
    processes.flatMap(({ source, relay }) =>
      range(0, 4).map(async () => {
        for (const _ of range(0, 15)) {
          const awake = random() < 0.5 ? everyone : () => relay.wake();
          await write('several', { source, count: 1 + Math.floor(random() * 3), wake: awake });
        }
      }),
    ),
  );
  await Promise.all(processes.map(({ relay }) => relay.flush()));

  const rows = await logged('several');
  expect(rows.length).toBeGreaterThanOrEqual(240);
  await expectComplete();
  // A run of one process may be published before that of another which it came after: in order within, each once in all.
  for (const { events } of bus.batches) {
    expect(events.map((event) => event.seq)).toEqual(range(events[0]?.seq ?? 0, events.length));
  }
  expect(bus.seqs.toSorted((a, b) => a - b)).toEqual(range(start + 1, rows.length));
});

test('more events in one commit than a batch takes: several batches, in the order in which they were written', async () => {
  const bus = new KeepingBus();
  const relay = relayOf(db, bus);
  const start = await end();
  await write('bulk', { count: 1234 });
  await relay.flush();
  expect(bus.batches.map((batch) => batch.events.length)).toEqual([500, 500, 234]);
  expect(bus.seqs).toEqual(range(start + 1, 1234));
  expect((await logged('bulk')).map((row) => row.payload.index)).toEqual(range(0, 1234));
  await expectComplete();

  // Exactly a batch: the run after it finds nothing.
  await write('bulk_even', { count: 500 });
  await relay.flush();
  expect(bus.batches.map((batch) => batch.events.length)).toEqual([500, 500, 234, 500]);
});

/** A source of connections that counts what is asked through them. */
function counted(source: Database) {
  const clients: pg.Client[] = [];
  let collections = 0;
  async function open(): Promise<pg.Client> {
    const client = await source.connect();
    const query = client.query.bind(client) as (config: unknown) => unknown;
    Object.assign(client, {
      query(config: { name?: string }) {
        if (config.name === 'relay_look' || config.name === 'relay_number') collections += 1;
        return query(config);
      },
    });
    clients.push(client);
    return client;
  }
  return { clients, connect: open, collections: () => collections };
}

test('a run that numbers takes three round trips, however many events there are', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const trips: string[][] = [];
  let isWaiting = false;
  const client = await connect();
  const query = client.query.bind(client) as (config: unknown) => Promise<unknown>;
  Object.assign(client, {
    query(config: string | { name?: string }) {
      const sent = typeof config === 'string' ? config.split(' ', 1)[0] : config.name;
      if (isWaiting) trips.at(-1)?.push(sent ?? '');
      else trips.push([sent ?? '']);
      isWaiting = true;
      return query(config).finally(() => {
        isWaiting = false;
      });
    },
  });
  const relay = relayOf({ connect: () => Promise.resolve(client) });
  await relay.flush();
  trips.length = 0;
  await write('counted', { count: 200 });
  await relay.flush();
  expect(trips).toEqual([['relay_look'], ['BEGIN;'], ['relay_number', 'COMMIT']]);
});

test('wake-ups during a run make one more run, however many they are', async () => {
  // No polling meanwhile.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const source = counted(db);
  let publish: () => void = () => {};
  const published = new Promise<void>((resolve) => {
    publish = resolve;
  });
  const bus = new KeepingBus();
  const gate = Object.assign(new KeepingBus(), {
    async publish(batch: EventBatch) {
      await bus.publish(batch);
      await published;
    },
  });
  const relay = relayOf(source, gate);
  await write('coalesced_first', { wake: () => relay.wake() });
  await until('the first run publishes', () => bus.batches.length === 1);
  expect(source.collections()).toBe(2); // a look, and the collection under the lock

  for (const _ of range(0, 100)) relay.wake();
  await write('coalesced_second', { wake: () => relay.wake() });
  publish();
  await until('the second run publishes', () => bus.batches.length === 2);
  expect(bus.types).toEqual(['coalesced_first', 'coalesced_second']);
  await relay.flush();
  expect(source.collections()).toBe(5); // and one look of the flush, which finds nothing
  expect(source.clients).toHaveLength(1);
});

test('what a process left that died between commit and wake-up is found by the poll of another', async () => {
  const bus = new KeepingBus();
  relayOf(db, bus);
  await write('orphan', { source: openOther() });
  await until('the other relay finds it', () => bus.types.length > 0);
  expect(bus.types).toEqual(['orphan']);
  await expectComplete();
});

test('what a process was numbering when it died is numbered again, and the same', async () => {
  const start = await end();
  await write('half_done');
  const dying = await connect();
  await dying.query('BEGIN');
  await dying.query('SELECT FROM event_sequence FOR UPDATE');
  await dying.query('UPDATE event_log SET seq = $1 WHERE seq IS NULL', [start + 1]);
  await dying.query('UPDATE event_sequence SET last = $1', [start + 1]);
  const bus = new KeepingBus();
  const relay = relayOf(db, bus);
  const flushed = relay.flush();
  await db.query(TERMINATE, [pidOf(dying)]);
  await flushed;
  expect(bus.types).toEqual(['half_done']);
  expect(bus.seqs).toEqual([start + 1]);
  await expectComplete();
});

test('a relay whose connection is cut while it is idle goes on with another at once', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const bus = new KeepingBus();
  const source = counted(db);
  const relay = relayOf(source, bus);
  await write('before_cut');
  await relay.flush();
  const cut = new Promise((resolve) => source.clients[0]?.once('end', resolve));
  await db.query(TERMINATE, [pidOf(source.clients[0])]);
  await cut;
  await write('after_cut', { wake: () => relay.wake() });
  await until('the event is published', () => bus.types.includes('after_cut'));
  expect(bus.types).toEqual(['before_cut', 'after_cut']);
  expect(source.clients).toHaveLength(2);
  await expectComplete();
});

test('a relay whose connection is cut in the middle of a run takes it up again', async () => {
  const bus = new KeepingBus();
  const source = counted(db);
  const relay = relayOf(source, bus);
  await relay.flush();
  const holder = await connect();
  await holder.query('BEGIN');
  await holder.query('SELECT FROM event_sequence FOR UPDATE');
  await write('cut_off', { wake: () => relay.wake() });
  const pid = pidOf(source.clients[0]);
  await until('it waits for the lock', async () => {
    const [row] = await db.query<{ waits: boolean }>(
      { name: 'test_waits', text: `SELECT wait_event_type = 'Lock' AS waits FROM pg_stat_activity WHERE pid = $1` },
      [pid],
    );
    return row?.waits;
  });
  await db.query(TERMINATE, [pid]);
  await holder.query('ROLLBACK');
  await until('the event is published', () => bus.types.includes('cut_off'));
  expect(bus.types).toEqual(['cut_off']);
  await expectComplete();
});

test('while the database is away it is tried once a second, and work goes on when it is back', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  const bus = new KeepingBus();
  let attempts = 0;
  let away = true;
  const relay = relayOf(
    {
      connect: () => {
        attempts += 1;
        return away ? Promise.reject(new Error('connection refused')) : db.connect();
      },
    },
    bus,
  );
  relay.wake();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(attempts).toBe(61);

  // However often it is woken meanwhile, a failure is one failure.
  const { logger: recording, logs } = recordLogs();
  const woken = startRelay({
    db: { ...db, connect: () => Promise.reject(new Error('refused')) },
    bus,
    logger: recording,
  });
  opened.push(woken);
  for (const _ of range(0, 100)) woken.wake();
  await vi.advanceTimersByTimeAsync(1);
  expect(logs).toHaveLength(1);

  await expect(relay.flush()).rejects.toThrow('connection refused');
  await write('came_back');
  away = false;
  vi.advanceTimersByTime(1_000);
  vi.useRealTimers();
  await until('it is published', () => bus.types.includes('came_back'));
  await expectComplete();
});

test.each([
  ['rejects', () => Promise.reject(new Error('no bus'))],
  [
    'throws',
    () => {
      throw new Error('no bus at all');
    },
  ],
])('a bus that %s does not stop the numbering', async (_how, publish) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const relay = relayOf(db, Object.assign(new KeepingBus(), { publish }));
  const start = await end();
  await write('unpublished', { count: 501 });
  await relay.flush();
  expect(await end()).toBe(start + 501);
  await expectComplete();
});

test('events of a subject are numbered in the order of its commits, with writers of many subjects at it', async () => {
  const bus = new KeepingBus();
  const relay = relayOf(db, bus);
  const log = createEventLog({ db, wake: () => relay.wake() });
  const inventory = createInventoryService({ eventLog: log });
  const { variants } = await makeProduct(
    { db, eventLog: log },
    { variants: [{ onHand: 100 }, { onHand: 100 }, { onHand: 100 }] },
  );
  await relay.flush();
  bus.batches.length = 0;

  const random = randomness(3);
  await Promise.all(
    range(0, 15).map(async () => {
      for (const _ of range(0, 10)) {
        const steps = shuffled(variants, random).slice(0, 1 + Math.floor(random() * 3));
        const delta = random() < 0.5 ? -1 : 1 + Math.floor(random() * 3);
        await db.transaction(async (tx) => {
          const at = await inventory.lock(
            tx,
            steps.map((variant) => variant.id),
          );
          const reason = delta < 0 ? 'DAMAGE' : 'RESTOCK';
          await inventory.apply(
            tx,
            at,
            steps.map((variant) => ({ variantId: variant.id, reason, onHandDelta: delta })),
          );
        });
      }
    }),
  );
  await relay.flush();

  await expectComplete();
  const levels = new Map(variants.map((variant) => [variant.id, 100]));
  const times = new Map<string, number>();
  for (const { subjectId, payload, occurredAt } of bus.batches.flatMap((batch) => batch.events)) {
    const { available, previousAvailable } = payload as { available: number; previousAvailable: number };
    expect(previousAvailable).toBe(levels.get(subjectId));
    levels.set(subjectId, available);
    // The clock is read under the lock: a subject's times go with its order too.
    expect(occurredAt.getTime()).toBeGreaterThanOrEqual(times.get(subjectId) ?? 0);
    times.set(subjectId, occurredAt.getTime());
  }
  const rows = await db.query<{ id: string; available: number }>(
    { name: 'test_levels', text: 'SELECT id, available FROM product_variants WHERE id = ANY($1::uuid[])' },
    [variants.map((variant) => variant.id)],
  );
  expect(new Map(rows.map((row) => [row.id, row.available]))).toEqual(levels);
});

test('what was committed before the relay is closed goes out with it; nothing stays open', async () => {
  const bus = new KeepingBus();
  const source = counted(db);
  const relay = startRelay({ db: { ...db, ...source }, bus, logger });
  await write('last_words');
  relay.wake();
  await relay[Symbol.asyncDispose]();
  expect(bus.types).toEqual(['last_words']);
  relay.wake();
  await expect(relay.flush()).rejects.toThrow('the relay is closed');
  await relay[Symbol.asyncDispose]();
  expect(source.clients).toHaveLength(1);
  await until('the server has let the connection go', async () => {
    const [row] = await db.query<{ open: number }>(
      { name: 'test_open', text: 'SELECT count(*)::int AS open FROM pg_stat_activity WHERE pid = $1' },
      [pidOf(source.clients[0])],
    );
    return row?.open === 0;
  });
});
