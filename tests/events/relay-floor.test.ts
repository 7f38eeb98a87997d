import type pg from 'pg';
import { v7 as uuid } from 'uuid';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLocalBus } from '../../src/events/bus.ts';
import { createEventLog } from '../../src/events/event-log.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { rowsOf } from '../support/books.ts';
import { known } from '../support/known.ts';
import { ERROR, recordLogs } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const { logger, logs } = recordLogs();

let database: TestDatabase;
let db: Database;
let relay: Relay;
/** From where on each look of the relay went, and each collection. */
let floors: bigint[];
let clients: pg.Client[];
/** Done when the relay has looked and is about to lock. */
let beforeLock: () => Promise<void>;
beforeEach(async () => {
  // Only what the tests ask for: no polling.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  database = await createTestDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 4, logger });
  floors = [];
  clients = [];
  logs.length = 0;
  beforeLock = async () => {};
  relay = startRelay({ db: { ...db, connect: listened }, bus: createLocalBus(), logger });
});
afterEach(async () => {
  vi.useRealTimers();
  await relay[Symbol.asyncDispose]();
  for (const client of clients) await client.end();
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

async function listened(): Promise<pg.Client> {
  const client = await db.connect();
  const query = client.query.bind(client) as (config: unknown) => unknown;
  return Object.assign(client, {
    async query(config: string | { name?: string; values?: readonly bigint[] }) {
      if (typeof config === 'string') {
        if (config.startsWith('BEGIN')) await beforeLock();
      } else if (config.name === 'relay_look' || config.name === 'relay_number') floors.push(known(config.values?.[0]));
      return query(config);
    },
  });
}

async function connect(): Promise<pg.Client> {
  const client = await db.connect();
  clients.push(client);
  return client;
}

/** Enough for the floor to rise, if nothing keeps it: it takes a mark, a look at who is there, and one at what is left. */
async function pass(type = 'passed'): Promise<void> {
  const log = createEventLog({ db, wake: () => {} });
  for (let round = 0; round < 4; round += 1) {
    const events = Array.from({ length: 300 }, () => ({ type, subjectId: uuid(), payload: {} }));
    await db.transaction((tx) => log.append(tx, new Date(), events));
    await relay.flush();
  }
}

const INSERT = `INSERT INTO event_log (type, subject_id, payload, occurred_at)
  VALUES ($1, gen_random_uuid(), '{}', clock_timestamp()) RETURNING id`;

async function insert(client: pg.Client, type: string): Promise<bigint> {
  const { rows } = await client.query<{ id: bigint }>(INSERT, [type]);
  return known(rows[0]).id;
}

const floor = () => floors.at(-1) ?? 0n;

async function numberOf(id: bigint): Promise<number | null> {
  const [row] = await rowsOf<{ seq: bigint | null }>(db, 'SELECT seq FROM event_log WHERE id = $1', [id]);
  const { seq } = known(row);
  return seq === null ? null : Number(seq);
}

/** Each event numbered, the numbers 1 to so many, each once. */
async function expectNumbered(count: number): Promise<void> {
  const rows = await rowsOf<{ seq: bigint | null }>(db, 'SELECT seq FROM event_log ORDER BY seq');
  expect(rows.map(({ seq }) => (seq === null ? null : Number(seq)))).toEqual(
    Array.from({ length: count }, (_, index) => index + 1),
  );
}

test('what is numbered is not passed again: the relay begins above it, also while a snapshot is held open', async () => {
  const reader = await connect();
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await reader.query('SELECT count(*) FROM event_log');
  expect(floor()).toBe(0n);
  await pass();
  const first = floor();
  expect(first).toBeGreaterThan(0n);
  await pass();
  // It keeps pace: no more than the rounds that a rise takes lie above it.
  expect(floor()).toBeGreaterThan(first);
  const [row] = await rowsOf<{ above: number }>(db, 'SELECT count(*)::int AS above FROM event_log WHERE id > $1', [
    floor(),
  ]);
  expect(known(row).above).toBeLessThanOrEqual(900);
  await expectNumbered(2400);
});

test('the floor does not pass an id whose transaction is open, however much is numbered meanwhile', async () => {
  const open = await connect();
  await open.query('BEGIN');
  const late = await insert(open, 'late');
  await pass();
  expect(floor()).toBeLessThan(late);
  await open.query('COMMIT');
  await relay.flush();
  expect(await numberOf(late)).toBe(1201);
  await pass();
  expect(floor()).toBeGreaterThan(late);
  await expectNumbered(2401);
});

test('it goes on when a transaction that held it back rolls back', async () => {
  const open = await connect();
  await open.query('BEGIN');
  const gone = await insert(open, 'gone');
  await pass();
  expect(floor()).toBeLessThan(gone);
  await open.query('ROLLBACK');
  await pass();
  expect(floor()).toBeGreaterThan(gone);
  await expectNumbered(2400);
});

test('an INSERT that has drawn its id and has no transaction id yet keeps the floor below it', async () => {
  // Between the two it is stopped by a trigger, as it may be by the operating system.
  await rowsOf(
    db,
    `CREATE FUNCTION test_stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$`,
  );
  await rowsOf(
    db,
    `CREATE TRIGGER test_stop BEFORE INSERT ON event_log FOR EACH ROW WHEN (NEW.type = 'stopped') EXECUTE FUNCTION test_stop()`,
  );
  async function stopOne() {
    const holder = await connect();
    await holder.query('SELECT pg_advisory_lock(4711)');
    const inserting = insert(await connect(), 'stopped');
    const stopped = await until('it has drawn its id', async () => {
      const [found] = await rowsOf<{ xid: string | null }>(
        db,
        `SELECT a.backend_xid::text AS xid FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE l.locktype = 'advisory' AND l.objid = 4711 AND NOT l.granted`,
      );
      return found;
    });
    return { holder, inserting, xid: known(stopped).xid };
  }

  // Some ids are noted in the journal (one of about thirty, and the first after a checkpoint), for which the transaction needs
  // an id of its own at once: then another one is stopped.
  let { holder, inserting, xid } = await stopOne();
  let inserted = 1;
  for (; xid !== null && inserted < 5; inserted += 1) {
    await holder.query('SELECT pg_advisory_unlock(4711)');
    await inserting;
    ({ holder, inserting, xid } = await stopOne());
  }
  expect(xid).toBe(null);
  await pass();
  const before = floor();
  await holder.query('SELECT pg_advisory_unlock(4711)');
  const id = await inserting;
  expect(before).toBeLessThan(id);
  await relay.flush();
  expect(await numberOf(id)).toBe(1200 + inserted);
  await expectNumbered(1200 + inserted);
});

test.each([
  ['another epoch', `UPDATE event_sequence SET last = 0, epoch = 'ffffffffffffffff'`],
  ['an earlier end', 'UPDATE event_sequence SET last = 0'],
])('a log that was replaced (%s) and gives out its ids again is numbered from its bottom', async (_what, reset) => {
  await pass();
  expect(floor()).toBeGreaterThan(0n);
  await rowsOf(db, 'TRUNCATE event_log RESTART IDENTITY');
  await rowsOf(db, reset);
  const id = await insert(await connect(), 'anew');
  expect(id).toBe(1n);
  await relay.flush();
  expect(await numberOf(id)).toBe(1);
  await pass();
  await expectNumbered(1201);
});

test('a log that is replaced between its look and its lock leaves no mark of the old one behind', async () => {
  await pass();
  await insert(await connect(), 'pending');
  beforeLock = async () => {
    beforeLock = async () => {};
    await rowsOf(db, 'TRUNCATE event_log RESTART IDENTITY');
    await rowsOf(db, `UPDATE event_sequence SET last = 0, epoch = 'ffffffffffffffff'`);
  };
  await relay.flush();
  for (let round = 0; round < 3; round += 1) await relay.flush();
  const id = await insert(await connect(), 'anew');
  expect(id).toBe(1n);
  await relay.flush();
  expect(await numberOf(id)).toBe(1);
});

test('an event below the floor is found within minutes, and logged', async () => {
  await pass();
  expect(floor()).toBeGreaterThan(10n);
  // Nothing of the shop's writes an id by hand; a restored backup, or a hand on the sequence, may.
  const lost = 7n;
  await rowsOf(db, 'DELETE FROM event_log WHERE id = $1', [lost]);
  await rowsOf(
    db,
    `INSERT INTO event_log (id, type, subject_id, payload, occurred_at) OVERRIDING SYSTEM VALUE
     VALUES ($1, 'lost', gen_random_uuid(), '{}', clock_timestamp())`,
    [lost],
  );
  await relay.flush();
  expect(await numberOf(lost)).toBe(null);
  expect(logs).toEqual([]);
  vi.advanceTimersByTime(180_000);
  await relay.flush();
  expect(await numberOf(lost)).toBe(1201);
  expect(logs).toMatchObject([{ level: ERROR, left: { id: 7 } }]);
  // And it rises again.
  await pass();
  expect(floor()).toBeGreaterThan(0n);
});
