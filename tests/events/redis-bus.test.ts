import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { v7 as uuid } from 'uuid';
import type { EventBatch, EventBus } from '../../src/events/bus.ts';
import { channelOf, createRedisBus } from '../../src/events/redis-bus.ts';
import { recordLogs, WARN, type LogRecord } from '../support/logs.ts';
import { freePort, hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { turnsDuring } from '../support/turns.ts';
import { until } from '../support/until.ts';

const HOME = 'a-database';
const BEAT_MS = 50;

describe.skipIf(!hasRedis('The event bus'))('the bus over Redis', () => {
  let redis: TestRedis;
  let strayErrors: unknown[];
  const stray = (error: unknown) => void strayErrors.push(error);
  beforeAll(async () => {
    redis = await startRedis();
    strayErrors = [];
    process.on('unhandledRejection', stray);
  });
  afterAll(async () => {
    process.off('unhandledRejection', stray);
    await redis.dispose();
  });

  interface Member {
    bus: EventBus;
    logs: readonly LogRecord[];
    /** All that its listener was given. */
    heard: EventBatch[];
    /** The epoch that it finds in its database. */
    log: { epoch: string };
  }

  const members: EventBus[] = [];
  afterEach(async () => {
    for (const bus of members.splice(0)) await bus[Symbol.asyncDispose]();
  });

  /** A process that is on the bus, and hears what comes. */
  async function join(epoch: string, url = redis.url): Promise<Member> {
    const { logger, logs } = recordLogs();
    const log = { epoch };
    const bus = createRedisBus({ url, epoch: async () => log.epoch, home: HOME, logger, beatMs: BEAT_MS });
    members.push(bus);
    const heard: EventBatch[] = [];
    await bus.subscribe((batch) => void heard.push(batch));
    return { bus, logs, heard, log };
  }
  const trouble = ({ bus }: Member): Promise<string | null> =>
    (bus.checks?.['redis'] ?? (() => Promise.reject(new Error('there is nothing to check'))))().then(
      () => null,
      (error: unknown) => (error as Error).message,
    );
  const well = (member: Member) => until('it is on the bus', async () => (await trouble(member)) === null);
  const warnings = ({ logs }: Member) => logs.filter(({ level }) => level >= WARN).map(({ msg }) => msg);

  async function joined(epoch: string, url = redis.url): Promise<Member> {
    const member = await join(epoch, url);
    await well(member);
    return member;
  }

  let count = 0;
  const newEpoch = () => `epoch-${(count += 1)}`;
  let seq = 0;
  function batchOf(epoch: string, many = 1): EventBatch {
    const events = Array.from({ length: many }, () => ({
      seq: (seq += 1),
      type: 'something_happened',
      subjectId: uuid(),
      payload: { units: 3, nested: { at: '2026-01-01T00:00:00.000Z', list: [1, null, 'x'] } },
      occurredAt: new Date(Date.now() - seq),
    }));
    return { epoch, events };
  }

  /** A connection of the test's own. */
  async function connect(): Promise<Redis> {
    const client = new Redis(redis.url, { lazyConnect: true });
    await client.connect();
    onTestFinished(() => client.disconnect());
    return client;
  }

  test('carries a batch to every process as it is, numbers as numbers and dates as dates, and to each once', async () => {
    const epoch = newEpoch();
    const [a, b, c] = [await joined(epoch), await joined(epoch), await joined(epoch)];
    const batch = batchOf(epoch, 3);
    await a.bus.publish(batch);
    // To its own listeners it did not have to go over Redis.
    expect(a.heard).toEqual([batch]);
    await until('it came', () => b.heard.length > 0 && c.heard.length > 0);
    const second = batchOf(epoch);
    await b.bus.publish(second);
    await until('it came', () => a.heard.length > 1 && c.heard.length > 1);
    for (const { heard } of [a, b, c]) expect(heard).toEqual([batch, second]);
    expect(a.heard[0]?.events[0]?.occurredAt).toBeInstanceOf(Date);
  });

  test('a process that only publishes does not subscribe', async () => {
    const epoch = newEpoch();
    const client = await connect();
    const { logger } = recordLogs();
    const bus = createRedisBus({ url: redis.url, epoch: async () => epoch, home: HOME, logger });
    members.push(bus);
    await until('it is there', () =>
      bus.checks?.['redis']?.().then(
        () => true,
        () => false,
      ),
    );
    expect(await client.call('PUBSUB', 'NUMSUB', channelOf({ epoch, home: HOME }))).toEqual([
      channelOf({ epoch, home: HOME }),
      0,
    ]);
    const listener = await joined(epoch);
    const batch = batchOf(epoch);
    await bus.publish(batch);
    await until('it came', () => listener.heard.length > 0);
    expect(listener.heard).toEqual([batch]);
  });

  test('what another version adds is passed over, and types that nobody knows are passed on', async () => {
    const epoch = newEpoch();
    const member = await joined(epoch);
    const client = await connect();
    const [event] = batchOf(epoch).events;
    const unknown = { ...event, type: 'of_next_year', payload: 7 };
    const message = { version: 9, epoch, events: [{ ...unknown, trace: 'x' }], hint: {} };
    await client.publish(channelOf({ epoch, home: HOME }), JSON.stringify(message));
    await until('it came', () => member.heard.length > 0);
    expect(member.heard).toEqual([{ epoch, events: [unknown] }]);
  });

  test('an invalid batch is skipped, and logged now and then', async () => {
    const epoch = newEpoch();
    const member = await joined(epoch);
    const client = await connect();
    const batch = batchOf(epoch);
    const [event] = batch.events;
    const nonsense = ['', 'nonsense', '[]', 'null', '{"epoch":1,"events":[]}', '{"epoch":"a"}'];
    const wrong = [
      { ...event, seq: '1' },
      { ...event, seq: 1.5 },
      { ...event, occurredAt: 'yesterday' },
    ];
    for (const text of [...nonsense, ...wrong.map((bad) => JSON.stringify({ epoch, events: [bad] }))])
      await client.publish(channelOf({ epoch, home: HOME }), text);
    await client.publish(channelOf({ epoch, home: HOME }), JSON.stringify(batch));
    await until('the batch came', () => member.heard.length > 0);
    expect(member.heard).toEqual([batch]);
    expect(warnings(member)).toEqual([expect.stringContaining('not a batch of events')]);
  });

  test('shops that share a Redis do not hear of each other', async () => {
    const [one, other] = [await joined(newEpoch()), await joined(newEpoch())];
    const batch = batchOf(other.log.epoch);
    await one.bus.publish(batchOf(one.log.epoch));
    await other.bus.publish(batch);
    expect(other.heard).toEqual([batch]);
    // Redis delivers in order: what the one said before would have come before this.
    const client = await connect();
    const last = batchOf(other.log.epoch);
    await client.publish(channelOf({ epoch: other.log.epoch, home: HOME }), JSON.stringify(last));
    await until('it came', () => other.heard.length > 1);
    expect(other.heard).toEqual([batch, last]);
    expect(one.heard).toHaveLength(1);
  });

  test('where the log was replaced, processes that run on meet on the channel of the new one', async () => {
    const [before, after] = [newEpoch(), newEpoch()];
    const [a, b] = [await joined(before), await joined(before)];
    for (const { log } of [a, b]) log.epoch = after;
    const client = await connect();
    const subscribers = async (epoch: string) =>
      ((await client.call('PUBSUB', 'NUMSUB', channelOf({ epoch, home: HOME }))) as [string, number])[1];
    await until('they have moved', async () => (await subscribers(after)) === 2 && (await subscribers(before)) === 0);
    const batch = batchOf(after);
    await a.bus.publish(batch);
    await until('it came', () => b.heard.length > 0);
    expect(b.heard).toEqual([batch]);
    expect(await trouble(b)).toBeNull();
  });

  test('after connections that broke, and a Redis that was killed, each batch comes, and once', async () => {
    const epoch = newEpoch();
    const [a, b] = [await joined(epoch), await joined(epoch)];
    const client = await connect();
    for (let round = 0; round < 3; round += 1) {
      if (round === 2) {
        await redis.kill();
        await until('it is known', async () => (await trouble(b)) !== null && (await trouble(a)) === 'not connected');
        await redis.start();
      } else {
        await client.call('CLIENT', 'KILL', 'TYPE', round === 0 ? 'pubsub' : 'normal', 'SKIPME', 'yes');
        await until(
          'it is known',
          async () => b.logs.filter(({ msg }) => msg.includes('is not possible')).length > round,
        );
      }
      await Promise.all([well(a), well(b)]);
      const batch = batchOf(epoch, 2);
      await a.bus.publish(batch);
      await until('it came', () => b.heard.some(({ events }) => events[0]?.seq === batch.events[0]?.seq));
      // Had it been subscribed twice, the second copy would be there before this.
      const last = batchOf(epoch);
      await a.bus.publish(last);
      await until('it came', () => b.heard.some(({ events }) => events[0]?.seq === last.events[0]?.seq));
      expect(b.heard.splice(0)).toEqual([batch, last]);
      expect(a.heard.splice(0)).toEqual([batch, last]);
    }
  });

  test('while Redis is away, publishing ends at once, is logged once, and reaches listeners of its own process', async () => {
    const epoch = newEpoch();
    const member = await join(epoch, `redis://:secret-word@127.0.0.1:${await freePort()}`);
    await until('it is said', () => warnings(member).length === 2);
    const batches = Array.from({ length: 200 }, () => batchOf(epoch));
    for (const batch of batches) await member.bus.publish(batch);
    expect(member.heard).toEqual(batches);
    expect(await trouble(member)).toBe('not connected');
    expect(warnings(member).toSorted()).toEqual([
      expect.stringContaining('publishing events to Redis is not possible'),
      expect.stringContaining('receiving events from Redis is not possible'),
    ]);
    expect(JSON.stringify(member.logs)).not.toContain('secret-word');
  });

  test('a silent Redis is waited for once, and bounded; then it is left alone until it speaks', async () => {
    const epoch = newEpoch();
    const [a, b] = [await joined(epoch), await joined(epoch)];
    redis.freeze();
    onTestFinished(() => redis.thaw());
    const first = batchOf(epoch);
    // It ends while Redis is still silent.
    await a.bus.publish(first);
    await until('both have given up on it', async () => {
      const troubles = [await trouble(a), await trouble(b)];
      return troubles.every((what) => what === 'not connected');
    });
    // Each attempt to connect is accepted, and met with silence: nothing is waited for any more.
    const batches = Array.from({ length: 100 }, () => batchOf(epoch));
    const turns = await turnsDuring(async () => {
      for (const batch of batches) await a.bus.publish(batch);
    });
    expect(turns).toBeLessThan(batches.length);
    expect(a.heard).toEqual([first, ...batches]);

    redis.thaw();
    await Promise.all([well(a), well(b)]);
    const last = batchOf(epoch);
    await a.bus.publish(last);
    await until('it came', () => b.heard.some(({ events }) => events[0]?.seq === last.events[0]?.seq));
    // What was sent into the silence may come late; nothing comes twice.
    expect([[last], [first, last]]).toContainEqual(b.heard);
  });

  test('a listener whose connection has silently gone finds out by itself, and comes back', async () => {
    const epoch = newEpoch();
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(new URL(redis.url).port) });
    onTestFinished(() => proxy.dispose());
    const [speaker, listener] = [await joined(epoch), await joined(epoch, `redis://127.0.0.1:${proxy.port}`)];
    proxy.block();
    await until('it has found out', () =>
      warnings(listener).some((said) => said.includes('receiving events from Redis is not possible')),
    );
    proxy.open();
    await well(listener);
    const batch = batchOf(epoch);
    await speaker.bus.publish(batch);
    await until('it came', () => listener.heard.length > 0);
    expect(listener.heard).toEqual([batch]);
  });

  test('a Redis that refuses channels costs no more than the events that it does not carry, and holds no secret', async () => {
    const epoch = newEpoch();
    const client = await connect();
    const rights = (channels: string) =>
      client.call('ACL', 'SETUSER', 'node', 'on', '>secret-word', '+@all', ...channels.split(' '));
    await rights('resetchannels');
    const member = await join(epoch, redis.url.replace('//', '//node:secret-word@'));
    await until('it is refused', () => warnings(member).length > 0);
    await member.bus.publish(batchOf(epoch));
    await member.bus.publish(batchOf(epoch));
    expect(await trouble(member)).toBe('takes no events');
    expect(warnings(member)).toEqual([
      'subscribing to events in Redis failed; retrying',
      'a batch of events could not be published to Redis',
    ]);
    expect(JSON.stringify(member.logs)).not.toContain('secret-word');

    await rights('allchannels');
    await member.bus.publish(batchOf(epoch));
    await well(member);
  });

  test.each(['away', 'silent', 'there'])('is closed while Redis is %s, and leaves nothing behind', async (how) => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const idle = timers();
    const epoch = newEpoch();
    const url = how === 'away' ? `redis://127.0.0.1:${await freePort()}` : redis.url;
    const { bus, logs } = how === 'silent' ? await joined(epoch, url) : await join(epoch, url);
    onTestFinished(() => redis.thaw());
    if (how === 'silent') redis.freeze();
    const publishing = bus.publish(batchOf(epoch));
    await bus[Symbol.asyncDispose]();
    await publishing;
    const said = logs.length;
    await until('the timers are gone', () => timers() <= idle);
    expect(logs).toHaveLength(said);
    await bus.publish(batchOf(epoch));
  });

  test('none of this left a promise that failed unheard', async () => {
    await new Promise(setImmediate);
    expect(strayErrors).toEqual([]);
  });
});
