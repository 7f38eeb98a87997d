import { v7 as uuid } from 'uuid';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createLocalBus, type EventBus } from '../../src/events/bus.ts';
import { defineConsumer, type Consumer } from '../../src/events/consumer.ts';
import type { ConsumerSettings } from '../../src/events/consumer-run.ts';
import { startConsumers, type Consumers } from '../../src/events/consumers.ts';
import { createEventLog } from '../../src/events/event-log.ts';
import { defineEvent, type StoredEvent } from '../../src/events/event.ts';
import { onlyIf } from '../../src/events/only.ts';
import { createParkedEvents } from '../../src/events/parked-events.ts';
import { startRelay, type Relay } from '../../src/events/relay.ts';
import { openDatabase, type Database, type Transaction } from '../../src/infra/postgres/database.ts';
import { rowsOf } from '../support/books.ts';
import { ERROR, recordLogs } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { until } from '../support/until.ts';

const { logger, logs } = recordLogs();

let database: TestDatabase;
let db: Database;
let relay: Relay;
let bus: EventBus;
let opened: AsyncDisposable[];

// A database for each test: a consumer is about the whole log.
beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({ connectionString: database.url, poolSize: 10, logger });
  bus = createLocalBus();
  relay = startRelay({ db, bus, logger });
  opened = [];
  logs.length = 0;
  await rowsOf(db, 'CREATE TABLE effects (id bigint GENERATED ALWAYS AS IDENTITY, seq int, runner text)');
});
afterEach(async () => {
  for (const thing of opened.splice(0).toReversed()) await thing[Symbol.asyncDispose]();
  await relay[Symbol.asyncDispose]();
  await db[Symbol.asyncDispose]();
  await database.dispose();
});

/** Nothing happens by itself unless a test says so. */
const STILL: Partial<ConsumerSettings> = { pollMs: 3_600_000, backoffMs: 1 };
const NO_BUS: EventBus = { ...createLocalBus(), subscribe: () => Promise.resolve(() => {}) };

/** A process with one consumer. */
function start(consumer: Consumer, options: Partial<Parameters<typeof startConsumers>[0]> = {}): Consumers {
  const consumers = startConsumers({
    db,
    bus: NO_BUS,
    logger,
    consumers: [consumer],
    ...options,
    settings: { ...STILL, ...options.settings },
  });
  opened.push(consumers);
  return consumers;
}

/** A consumer that writes one row for each event. */
function recorder(runner = 'it', before: (event: StoredEvent, tx: Transaction) => Promise<void> | void = () => {}) {
  return defineConsumer({
    name: 'recorder',
    types: ['wanted', 'poison'],
    async handle(tx, event) {
      await before(event, tx);
      await record(tx, event, runner);
      return 'DONE';
    },
  });
}

async function record(tx: Transaction, event: StoredEvent, runner: string): Promise<void> {
  await rowsOf(tx, 'INSERT INTO effects (seq, runner) VALUES ($1, $2)', [event.seq, runner]);
}

/** As `write` writes it. */
const wanted = defineEvent('wanted', z.object({ index: z.int() }));

/** Commits events and has them numbered. */
async function write(...types: string[]): Promise<void> {
  const log = createEventLog({ db, wake: () => {} });
  const events = types.map((type, index) => ({ type, subjectId: uuid(), payload: { index } }));
  await db.transaction((tx) => log.append(tx, new Date('2026-11-20T10:00:00Z'), events));
  await relay.flush();
}

async function effects(): Promise<number[]> {
  return (await rowsOf<{ seq: number }>(db, 'SELECT seq FROM effects ORDER BY id')).map((row) => row.seq);
}

async function placeOf(name = 'recorder') {
  const [row] = await rowsOf<{ seq: number; leased: boolean; fence: number }>(
    db,
    'SELECT seq::int, lease_owner IS NOT NULL AS leased, fence::int FROM event_consumers WHERE name = $1',
    [name],
  );
  return row;
}

function parkedRows() {
  return rowsOf(
    db,
    'SELECT id, consumer, seq::int, type, error, attempts, resolved_at FROM parked_events ORDER BY seq',
  );
}

/** A point at which a handler waits until it may go on. */
function standstill() {
  let arrive = () => {};
  let goOn = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const released = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const wait = async () => {
    arrive();
    await released;
  };
  return { arrived, goOn, wait };
}

/** What time does to the lease of a process that died. */
function letLeaseRunOut() {
  return rowsOf(db, `UPDATE event_consumers SET lease_until = clock_timestamp() - interval '1 ms'`);
}

describe('a consumer', () => {
  test('rests after a run: what arrives meanwhile is handled together, and a run takes few statements', async () => {
    const sent: string[] = [];
    const query: Database['query'] = (statement, ...rest) => {
      sent.push(statement.name ?? statement.text);
      return db.query(statement, ...rest);
    };
    const consumers = start(recorder(), { db: { ...db, query }, settings: { restMs: 3_600_000 } });
    await consumers.flush();
    sent.length = 0;
    for (const type of ['wanted', 'other', 'wanted']) {
      await write(type);
      consumers.wake();
    }
    expect(sent).toEqual([]);
    await consumers.flush();
    expect(await effects()).toEqual([1, 3]);
    // Beside the transaction of the events.
    expect(sent).toEqual([
      'consumer_look',
      'consumer_acquire',
      'consumer_look',
      expect.stringContaining('consumer'),
      'consumer_release',
    ]);
  });

  test('handles the events of its types once each, in order, and passes over the others', async () => {
    const consumers = start(recorder());
    await consumers.flush();
    await write('wanted', 'other', 'wanted');
    await write('other', 'wanted', 'other');
    await consumers.flush();
    await consumers.flush();

    expect(await effects()).toEqual([1, 3, 5]);
    expect(await placeOf()).toEqual({ seq: 6, leased: false, fence: 1 });
  });

  test('begins with what comes after its first start, and goes on where it was after the next one', async () => {
    await write('wanted', 'wanted');
    const first = start(recorder('first'));
    await first.flush();
    await write('wanted');
    await first.flush();
    await first[Symbol.asyncDispose]();
    await write('wanted', 'wanted');
    await start(recorder('second')).flush();

    expect(await rowsOf(db, 'SELECT seq, runner FROM effects ORDER BY id')).toEqual([
      { seq: 3, runner: 'first' },
      { seq: 4, runner: 'second' },
      { seq: 5, runner: 'second' },
    ]);
  });

  test('reads a long log in stretches, and misses nothing at their borders', async () => {
    const consumers = start(recorder());
    await consumers.flush();
    const types = Array.from({ length: 2345 }, (_, index) => (index % 7 === 0 ? 'other' : 'wanted'));
    await write(...types);
    await consumers.flush();

    expect(await effects()).toEqual(types.flatMap((type, index) => (type === 'wanted' ? [index + 1] : [])));
    expect(await placeOf()).toMatchObject({ seq: 2345 });
  });

  test('is woken by the bus, and by the poll if no message arrives', async () => {
    start(recorder('by bus'), { bus });
    start({ ...recorder('by poll'), name: 'poller' }, { settings: { pollMs: 10 } });
    await until('both are registered', async () => (await placeOf('poller')) && (await placeOf()));
    await write('wanted');

    await until('both have handled it', async () => (await effects()).length === 2);
    expect(await rowsOf(db, 'SELECT seq, runner FROM effects ORDER BY runner')).toEqual([
      { seq: 1, runner: 'by bus' },
      { seq: 1, runner: 'by poll' },
    ]);
  });

  test('reads only the events that its predicate lets pass, and is not woken by any of them', async () => {
    const picky = defineConsumer({ ...recorder(), only: [onlyIf(wanted, ['index', '>=', 1])] });
    const eager = defineConsumer({ ...recorder('eager'), name: 'eager' });
    const consumers = start(picky, { bus, consumers: [picky, eager] });
    await consumers.flush();
    await write('wanted', 'wanted', 'unwanted', 'wanted');
    await until('the other was woken', async () => (await effects()).length === 3);
    expect(await placeOf()).toMatchObject({ seq: 0, leased: false });
    await consumers.flush();
    expect(await effects()).toEqual([1, 2, 4, 2, 4]);
    expect(await placeOf()).toMatchObject({ seq: 4, leased: false });

    // Types without a predicate wake it.
    await write('poison', 'wanted');
    await until('both were woken', async () => (await effects()).length === 9);
    expect((await effects()).slice(5).toSorted((a, b) => a - b)).toEqual([5, 5, 6, 6]);
  });

  test.each(['alone', 'together'])('parks an event that its predicate cannot judge, handled %s', async (how) => {
    const picky = defineConsumer({
      ...recorder(),
      only: [onlyIf(wanted, ['index', '>=', 1])],
      ...(how === 'together' && {
        async handleTogether(tx, events) {
          for (const event of events) await record(tx, event, 'together');
        },
      }),
    });
    const consumers = start(picky, { settings: { attempts: 1 } });
    await consumers.flush();
    const log = createEventLog({ db, wake: () => {} });
    const payloads = [{ index: 0 }, { index: 1 }, { position: 1 }, { index: 'one' }, { index: 2 }];
    const events = payloads.map((payload) => ({ type: 'wanted', subjectId: uuid(), payload }));
    await db.transaction((tx) => log.append(tx, new Date('2026-11-20T10:00:00Z'), events));
    await relay.flush();
    await consumers.flush();

    expect(await effects()).toEqual([2, 5]);
    expect(await parkedRows()).toMatchObject([
      { seq: 3, type: 'wanted', error: expect.stringContaining('index') },
      { seq: 4, type: 'wanted', error: expect.stringContaining('index') },
    ]);
    expect(await placeOf()).toMatchObject({ seq: 5, leased: false });
    // Staff who retry it get the same error.
    const [parked] = await rowsOf<{ id: string }>(db, 'SELECT id FROM parked_events ORDER BY seq');
    const retried = await createParkedEvents({ db, consumers: () => [picky] }).retry(parked?.id ?? '');
    expect(retried).toMatchObject({ fault: expect.stringContaining('index') });
    expect(await effects()).toEqual([2, 5]);
  });

  test('gets an event again for which it returned MORE, and keeps the rows of the runs before', async () => {
    const seen: number[] = [];
    const consumer = defineConsumer({
      name: 'recorder',
      types: ['wanted'],
      async handle(tx, event) {
        seen.push(event.seq);
        await record(tx, event, 'it');
        const [row] = await rowsOf<{ done: number }>(tx, 'SELECT count(*)::int AS done FROM effects WHERE seq = $1', [
          event.seq,
        ]);
        return event.seq === 2 && (row?.done ?? 0) < 3 ? 'MORE' : 'DONE';
      },
    });
    const consumers = start(consumer);
    await consumers.flush();
    await write('wanted', 'wanted', 'wanted');
    await consumers.flush();

    expect(seen).toEqual([1, 2, 2, 2, 3]);
    expect(await effects()).toEqual([1, 2, 2, 2, 3]);
    expect(await placeOf()).toMatchObject({ seq: 3 });
  });

  test('that can is handed events together, and those of a transaction that failed one by one', async () => {
    const given: number[][] = [];
    const consumer = defineConsumer({
      name: 'recorder',
      types: ['wanted', 'poison'],
      async handle(tx, event) {
        given.push([event.seq]);
        if (event.type === 'poison') throw new Error('poison');
        await record(tx, event, 'alone');
        return 'DONE';
      },
      async handleTogether(tx, events) {
        given.push(events.map(({ seq }) => seq));
        for (const event of events) await record(tx, event, 'together');
        if (events.some(({ type }) => type === 'poison')) throw new Error('poison');
      },
    });
    const consumers = start(consumer, { settings: { attempts: 1 } });
    await consumers.flush();
    await write('wanted', 'other', 'wanted', 'wanted');
    await consumers.flush();
    await write('wanted');
    await consumers.flush();
    await write('wanted', 'poison', 'wanted');
    await consumers.flush();

    expect(given).toEqual([[1, 3, 4], [5], [6, 7, 8], [6], [7], [8]]);
    expect(await rowsOf(db, 'SELECT seq, runner FROM effects ORDER BY id')).toEqual([
      ...[1, 3, 4].map((seq) => ({ seq, runner: 'together' })),
      ...[5, 6, 8].map((seq) => ({ seq, runner: 'alone' })),
    ]);
    expect(await parkedRows()).toMatchObject([{ seq: 7, type: 'poison' }]);
    expect(await placeOf()).toMatchObject({ seq: 8 });
  });

  test('begins anew at the end of a log that was replaced, and says so loudly', async () => {
    const consumers = start(recorder());
    await consumers.flush();
    await write('wanted', 'wanted', 'wanted');
    await consumers.flush();
    await rowsOf(db, 'TRUNCATE event_log');
    await rowsOf(db, 'UPDATE event_sequence SET last = 1, epoch = $1', ['0123456789abcdef']);
    await consumers.flush();
    expect(await placeOf()).toMatchObject({ seq: 1 });
    expect(logs.filter((line) => line.level === ERROR)).toMatchObject([
      {
        msg: 'the event log was replaced; the consumer starts from its end',
        consumer: 'recorder',
        from: { seq: 3 },
        to: { seq: 1 },
      },
    ]);
    await write('wanted');
    await consumers.flush();

    expect(await effects()).toEqual([1, 2, 3, 2]);
  });

  test('does the same where the log of before was restored, and ends before its place', async () => {
    const consumers = start(recorder());
    await consumers.flush();
    await write('wanted', 'wanted', 'wanted');
    await consumers.flush();
    await rowsOf(db, 'DELETE FROM event_log WHERE seq > 1');
    await rowsOf(db, 'UPDATE event_sequence SET last = 1');
    await write('wanted');
    await consumers.flush();
    await write('wanted');
    await consumers.flush();

    expect(await effects()).toEqual([1, 2, 3, 3]);
    expect(logs.filter((line) => line.level === ERROR)).toHaveLength(1);
  });
});

describe('one runner at a time', () => {
  test('a second runner does nothing while the first one runs', async () => {
    const stop = standstill();
    const first = start(recorder('first', stop.wait));
    await first.flush();
    await write('wanted');
    const running = first.flush();
    await stop.arrived;
    await start(recorder('second')).flush();
    expect(await effects()).toEqual([]);
    stop.goOn();
    await running;

    expect(await rowsOf(db, 'SELECT seq, runner FROM effects')).toEqual([{ seq: 1, runner: 'first' }]);
  });

  test('keeps its lease for as long as it lives', async () => {
    const stop = standstill();
    const first = start(recorder('first', stop.wait), { settings: { leaseMs: 200 } });
    await first.flush();
    await write('wanted');
    const running = first.flush();
    await stop.arrived;
    const leaseUntil = async () =>
      (await rowsOf<{ at: Date }>(db, 'SELECT lease_until AS at FROM event_consumers'))[0]?.at.getTime() ?? 0;
    const began = await leaseUntil();
    // Longer than the lease itself, by the database's clock.
    await until('it was renewed', async () => (await leaseUntil()) > began + 200);
    await start(recorder('second')).flush();
    stop.goOn();
    await running;

    expect(await rowsOf(db, 'SELECT seq, runner FROM effects')).toEqual([{ seq: 1, runner: 'first' }]);
  });

  test('another takes over where its holder died, and what the dead one still had in hand is refused', async () => {
    const stop = standstill();
    const dead = start(
      recorder('dead', () => {}),
      { settings: { leaseMs: 3_600_000 } },
    );
    await dead.flush();
    await dead[Symbol.asyncDispose]();
    const stale = start(
      defineConsumer({
        name: 'recorder',
        types: ['wanted'],
        async handle(tx, event) {
          await record(tx, event, 'stale');
          await stop.wait();
          return 'DONE';
        },
      }),
      { settings: { leaseMs: 3_600_000 } },
    );
    await write('wanted', 'wanted');
    const running = stale.flush();
    await stop.arrived;
    const heir = start(recorder('heir'));
    await heir.flush();
    expect(await effects()).toEqual([]);
    await letLeaseRunOut();
    await heir.flush();
    stop.goOn();

    await expect(running).rejects.toThrow('taken over');
    expect(await rowsOf(db, 'SELECT seq, runner FROM effects ORDER BY id')).toEqual([
      { seq: 1, runner: 'heir' },
      { seq: 2, runner: 'heir' },
    ]);
    expect(await parkedRows()).toEqual([]);
    expect(logs.map((line) => line.msg)).toContain('another process has taken over this consumer');
    await write('wanted');
    await stale.flush();
    expect(await effects()).toEqual([1, 2, 3]);
  });

  test('many at once handle each event once, in order', async () => {
    const processes = Array.from({ length: 4 }, (_, index) =>
      start(recorder(`process ${index}`), { bus, settings: { pollMs: 5 } }),
    );
    await Promise.all(processes.map((process) => process.flush()));
    for (let round = 0; round < 20; round += 1) await write('wanted', 'wanted', 'wanted');
    await until('all are handled', async () => (await placeOf())?.seq === 60);

    expect(await effects()).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  test('one that closes finishes what it has in hand, gives the lease back, and begins nothing', async () => {
    const stop = standstill();
    const consumers = start(recorder('it', stop.wait));
    await consumers.flush();
    await write('wanted');
    const running = consumers.flush();
    await stop.arrived;
    const closing = consumers[Symbol.asyncDispose]();
    stop.goOn();
    await Promise.all([closing, running]);
    expect(await effects()).toEqual([1]);
    expect(await placeOf()).toMatchObject({ seq: 1, leased: false });
    await write('wanted');
    consumers.wake();

    await expect(consumers.flush()).rejects.toThrow('closed');
    expect(await effects()).toEqual([1]);
  });
});

describe('an event has its effect once', () => {
  test('where the connection breaks between the effect and the offset', async () => {
    let breaks = 1;
    const consumers = start(
      defineConsumer({
        name: 'recorder',
        types: ['wanted'],
        async handle(tx, event) {
          await record(tx, event, 'it');
          if (event.seq === 2 && (breaks -= 1) >= 0) await rowsOf(tx, 'SELECT pg_terminate_backend(pg_backend_pid())');
          return 'DONE';
        },
      }),
    );
    await consumers.flush();
    await write('wanted', 'wanted', 'wanted');
    await expect(consumers.flush()).rejects.toThrow(/terminat/);
    expect(await effects()).toEqual([]);
    await consumers.flush();

    expect(await effects()).toEqual([1, 2, 3]);
    expect(await parkedRows()).toEqual([]);
  });

  test('where the offset cannot be written', async () => {
    const consumers = start(recorder());
    await consumers.flush();
    await write('wanted');
    await rowsOf(db, `ALTER TABLE event_consumers ADD CONSTRAINT stuck CHECK (seq < 1)`);
    await expect(consumers.flush()).rejects.toThrow('stuck');
    expect(await effects()).toEqual([]);
    await rowsOf(db, 'ALTER TABLE event_consumers DROP CONSTRAINT stuck');
    await consumers.flush();

    expect(await effects()).toEqual([1]);
  });
});

describe('an event that cannot be handled', () => {
  test('is tried some times, then parked, and the rest goes on', async () => {
    const tried: number[] = [];
    const consumers = start(
      recorder('it', (event) => {
        tried.push(event.seq);
        if (event.type === 'poison') throw new TypeError('it is poison');
      }),
    );
    await consumers.flush();
    await write('wanted', 'poison', 'wanted');
    await consumers.flush();

    expect(await effects()).toEqual([1, 3]);
    expect(await placeOf()).toEqual({ seq: 3, leased: false, fence: 1 });
    // Once with the others, and then by itself as often as it is due.
    expect(tried).toEqual([1, 2, 1, 2, 2, 2, 2, 3]);
    expect(await parkedRows()).toEqual([
      {
        id: expect.any(String) as string,
        consumer: 'recorder',
        seq: 2,
        type: 'poison',
        error: 'TypeError: it is poison',
        attempts: 4,
        resolved_at: null,
      },
    ]);
    expect(logs.filter((line) => line.level === ERROR)).toMatchObject([
      { msg: 'event could not be processed and was parked', consumer: 'recorder', seq: 2, type: 'poison' },
    ]);
  });

  test('is counted with what became of it, and so are the runs', async () => {
    const counted: Record<string, number> = {};
    const count = (what: string, by: number) => {
      counted[what] = (counted[what] ?? 0) + by;
    };
    let lost = false;
    const consumers = start(
      recorder('it', (event) => {
        if (lost) throw Object.assign(new Error('going down'), { code: '57P01' });
        if (event.type === 'poison') throw new Error('it is poison');
      }),
      {
        observer: {
          ran: (consumer, outcome) => count(`${consumer} ran ${outcome}`, 1),
          events: (consumer, outcome, events) => count(`${consumer} ${outcome}`, events),
        },
      },
    );
    await consumers.flush();
    // Nothing to do is no run.
    await consumers.flush();
    expect(counted).toEqual({});
    await write('wanted', 'poison', 'wanted');
    await consumers.flush();
    expect(counted).toEqual({
      'recorder handled': 2,
      'recorder failed': 4,
      'recorder parked': 1,
      'recorder ran ok': 1,
    });
    await write('poison');
    await consumers.flush();
    expect(counted).toMatchObject({ 'recorder failed': 8, 'recorder parked': 2, 'recorder ran ok': 2 });
    await write('wanted');
    lost = true;
    await expect(consumers.flush()).rejects.toThrow('going down');
    expect(counted).toMatchObject({ 'recorder handled': 2, 'recorder ran ok': 2, 'recorder ran failed': 1 });
  });

  test('is not parked where it can be handled after all', async () => {
    let faults = 3;
    const consumers = start(
      recorder('it', () => {
        if ((faults -= 1) >= 0) throw new Error('not yet');
      }),
    );
    await consumers.flush();
    await write('wanted');
    await consumers.flush();

    expect(await effects()).toEqual([1]);
    expect(await parkedRows()).toEqual([]);
  });

  test('is never parked for a database that is away', async () => {
    let faults = 20;
    const consumers = start(
      recorder('it', () => {
        if ((faults -= 1) >= 0) throw Object.assign(new Error('going down'), { code: '57P01' });
      }),
    );
    await consumers.flush();
    await write('wanted');
    for (let round = 0; round < 20; round += 1) await expect(consumers.flush()).rejects.toThrow('going down');
    expect(await placeOf()).toMatchObject({ seq: 0 });
    await consumers.flush();

    expect(await effects()).toEqual([1]);
    expect(await parkedRows()).toEqual([]);
  });

  test('is parked although its fault says what no row can hold', async () => {
    const consumers = start(
      recorder('it', () => {
        throw new Error(`\0${'😀'.repeat(2000)}`);
      }),
    );
    await consumers.flush();
    await write('poison');
    await consumers.flush();

    expect(await parkedRows()).toMatchObject([{ seq: 1, error: `Error: ${'😀'.repeat(496)}` }]);
  });
});

test('a consumer that another version runs is left alone, with its place and its lease', async () => {
  const consumers = start(recorder());
  await consumers.flush();
  const newer = `SELECT seq::int, lease_owner, lease_until, fence::int FROM event_consumers WHERE name = 'of-next-year'`;
  await rowsOf(
    db,
    `INSERT INTO event_consumers (name, seq, epoch, lease_owner, lease_until, fence)
     SELECT 'of-next-year', 0, epoch, gen_random_uuid(), clock_timestamp() + interval '1 minute', 4 FROM event_sequence`,
  );
  const before = await rowsOf(db, newer);
  await write('wanted', 'of_next_year', 'wanted');
  await consumers.flush();

  expect(await effects()).toEqual([1, 3]);
  expect(await rowsOf(db, newer)).toEqual(before);
  expect(logs.filter((line) => line.level >= ERROR)).toEqual([]);
});

test('a consumer that the log was pruned beyond says so, and goes on with what there is', async () => {
  const consumers = start(recorder());
  await consumers.flush();
  await write('wanted', 'wanted', 'wanted', 'wanted');
  await rowsOf(db, 'UPDATE event_sequence SET pruned_through = 2');
  await rowsOf(db, 'DELETE FROM event_log WHERE seq <= 2');
  await consumers.flush();

  expect(await effects()).toEqual([3, 4]);
  expect(await placeOf()).toMatchObject({ seq: 4, leased: false });
  expect(logs.filter((line) => line.level === ERROR)).toMatchObject([
    {
      msg: 'the event log was pruned beyond the position of this consumer; the pruned events are lost to it',
      from: 0,
      to: 2,
    },
  ]);
});

describe('a parked event', () => {
  async function park() {
    let broken = true;
    const consumer = recorder('it', (event) => {
      if (event.type === 'poison' && broken) throw new Error('broken');
    });
    const consumers = start(consumer);
    await consumers.flush();
    await write('poison', 'wanted');
    await consumers.flush();
    const [row] = (await parkedRows()) as { id: string }[];
    const parked = createParkedEvents({ db, consumers: () => [consumer] });
    return { parked, id: row?.id ?? '', mend: () => (broken = false) };
  }

  test('is handled once more, once', async () => {
    const { parked, id, mend } = await park();
    mend();
    const answers = await Promise.all([parked.retry(id), parked.retry(id), parked.retry(id)]);

    expect(answers).toEqual(['HANDLED', 'HANDLED', 'HANDLED']);
    expect(await effects()).toEqual([2, 1]);
    expect(await parkedRows()).toMatchObject([{ attempts: 5, resolved_at: expect.any(Date) as Date }]);
    expect(await parked.count({ resolved: false })).toBe(0);
    expect(await parked.count({ resolved: true })).toBe(1);
  });

  test('stays parked where it fails again', async () => {
    const { parked, id } = await park();
    expect(await parked.retry(id)).toEqual({ fault: 'Error: broken' });

    expect(await effects()).toEqual([2]);
    expect(await parkedRows()).toMatchObject([{ attempts: 5, resolved_at: null, error: 'Error: broken' }]);
  });

  test('for which the handler returns MORE is handled to its end', async () => {
    const { id } = await park();
    let calls = 0;
    const parked = createParkedEvents({
      db,
      consumers: () => [
        defineConsumer({
          name: 'recorder',
          types: ['poison'],
          async handle(tx, event) {
            calls += 1;
            await record(tx, event, 'it');
            return calls < 3 ? 'MORE' : 'DONE';
          },
        }),
      ],
    });
    expect(await parked.retry(id)).toBe('HANDLED');
    expect(await effects()).toEqual([2, 1, 1, 1]);
  });

  test('that nobody handles any more is left as it is', async () => {
    const { id } = await park();
    const parked = createParkedEvents({ db, consumers: () => [] });
    expect(await parked.retry(id)).toBe('NO_CONSUMER');
    expect(await parked.retry(uuid())).toBe('NOT_FOUND');
    expect(await parkedRows()).toMatchObject([{ attempts: 4, resolved_at: null }]);
  });
});

describe('the predicates of a consumer', () => {
  const shifted = defineEvent(
    'shifted',
    z.object({
      from: z.int(),
      to: z.int(),
      kind: z.enum(['UP', 'DOWN', 'SIDEWAYS']),
      ownerId: z.string().nullable(),
      note: z.string().optional(),
      unit: z.string().default('mm'),
    }),
  );

  test('judge payloads as PostgreSQL does', async () => {
    const payloads = [
      { from: 1, to: 2, kind: 'UP', ownerId: null },
      { from: 2, to: 1, kind: 'DOWN', ownerId: 'a' },
      { from: 1, to: 1, kind: 'SIDEWAYS', ownerId: 'b' },
    ];
    const passing = async ({ path }: { path: string }) =>
      (
        await rowsOf<{ passes: boolean | null }>(
          db,
          'SELECT payload @@ $2::jsonpath AS passes FROM jsonb_array_elements($1::jsonb) AS p(payload)',
          [JSON.stringify(payloads), path],
        )
      ).map(({ passes }) => passes);
    expect(await passing(onlyIf(shifted, ['to', '>', { field: 'from' }]))).toEqual([true, false, false]);
    expect(await passing(onlyIf(shifted, ['kind', 'in', ['UP', 'DOWN']]))).toEqual([true, true, false]);
    expect(await passing(onlyIf(shifted, ['ownerId', '!=', null], ['kind', '!=', 'DOWN']))).toEqual([
      false,
      false,
      true,
    ]);
    expect(await passing(onlyIf(shifted, ['ownerId', '==', 'a"b']))).toEqual([false, false, false]);
  });

  test('are refused when they are defined, if they name what payloads do not have', () => {
    // @ts-expect-error: a field that is misspelt
    expect(() => onlyIf(shifted, ['form', '==', 1])).toThrow('has no field "form"');
    // @ts-expect-error: a field that every object inherits
    expect(() => onlyIf(shifted, ['constructor', '==', 1])).toThrow('has no field "constructor"');
    // @ts-expect-error: another field that is misspelt
    expect(() => onlyIf(shifted, ['to', '>', { field: 'form' }])).toThrow('has no field "form"');
    // @ts-expect-error: a value that is misspelt
    expect(() => onlyIf(shifted, ['kind', '==', 'UPP'])).toThrow('is never "UPP"');
    // @ts-expect-error: one of several values
    expect(() => onlyIf(shifted, ['kind', 'in', ['UP', 'DWON']])).toThrow('is never "DWON"');
    // @ts-expect-error: an operator that jsonpath does not have
    expect(() => onlyIf(shifted, ['from', '=', 1])).toThrow('"=" is not a valid operator');
    // @ts-expect-error: a field that payloads may lack
    expect(() => onlyIf(shifted, ['note', '==', 'x'])).toThrow('may lack the field "note"');
    // Types do not distinguish what has a default from what is always there.
    expect(() => onlyIf(shifted, ['unit', '==', 'mm'])).toThrow('may lack the field "unit"');
    expect(() => onlyIf(shifted, ['kind', 'in', []])).toThrow('"in" needs values');
    const either = defineEvent('either', z.union([z.object({ a: z.int() }), z.object({ a: z.string() })]));
    expect(() => onlyIf(either, ['a', '==', 1])).toThrow('has no fields to compare');
  });

  test('are refused for types that the consumer does not read, and twice for one type', () => {
    const only = onlyIf(shifted, ['kind', '==', 'UP']);
    const consumer = { name: 'picky', types: ['wanted'], handle: async () => 'DONE' as const };
    expect(() => defineConsumer({ ...consumer, only: [only] })).toThrow('which it does not read');
    expect(() => defineConsumer({ ...consumer, types: ['shifted'], only: [only, only] })).toThrow('twice');
    // @ts-expect-error: a predicate is made from its event
    expect(() => defineConsumer({ ...consumer, only: { wantde: '$.index >= 1' } })).toThrow(TypeError);
  });
});
