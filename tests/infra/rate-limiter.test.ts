import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRateLimiter, type RateLimiter } from '../../src/infra/limits/rate-limiter.ts';
import { connectRedis, type RedisConnection } from '../../src/infra/redis.ts';
import { createSigner } from '../../src/infra/signer.ts';
import { recordLogs, type LogRecord } from '../support/logs.ts';
import { freePort, hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const limits = {
  three: { points: 3, seconds: 60 },
  ten: { points: 10, seconds: 600 },
  brief: { points: 1, seconds: 30 },
};
type Name = keyof typeof limits;

const signer = createSigner(['a secret of tests that is long enough']);
/** So long that a busy machine does not make a Redis that is well look slow. */
const ENDLESS_MS = 20_000;

const rejections: unknown[] = [];
const note = (reason: unknown) => rejections.push(reason);
beforeAll(() => void process.on('unhandledRejection', note));
afterAll(() => void process.off('unhandledRejection', note));

function limiterOver(redis: Redis | null, patienceMs?: number): RateLimiter<Name> & { logs: readonly LogRecord[] } {
  const { logger, logs } = recordLogs();
  const hide = (key: string) => signer.sign('rate-limit', key);
  const limiter = createRateLimiter({
    limits,
    redis,
    hide,
    logger,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  return { ...limiter, logs };
}

/** Whether each of so many is allowed, one after the other. */
async function take(limiter: RateLimiter<Name>, times: number, key: string, limit: Name = 'three'): Promise<boolean[]> {
  const answers: boolean[] = [];
  for (let i = 0; i < times; i += 1) answers.push((await limiter.consume([{ limit, key }])).allowed);
  return answers;
}

const found = hasRedis('The rate limiter');

describe.each([
  [
    'in memory',
    () => Promise.resolve({ redis: null, endWindows: () => Promise.resolve(), dispose: () => Promise.resolve() }),
  ],
  ...(found
    ? [
        [
          'over Redis',
          async () => {
            const server = await startRedis();
            const redis = new Redis(server.url);
            await redis.ping();
            return {
              redis,
              // As if their time had run out.
              async endWindows() {
                for (const key of await redis.keys('*')) await redis.del(key);
              },
              async dispose() {
                redis.disconnect();
                await server.dispose();
              },
            };
          },
        ] as const,
      ]
    : []),
] as const)('%s', (_where, open) => {
  let limiter: RateLimiter<Name>;
  let endWindows: () => Promise<void>;
  let dispose: () => Promise<void>;
  beforeAll(async () => {
    const { redis, endWindows: end, dispose: close } = await open();
    endWindows = end;
    dispose = close;
    limiter = limiterOver(redis, ENDLESS_MS);
  });
  afterAll(() => dispose());

  test('as many pass as there are points, then nobody until the window is over', async () => {
    expect(await take(limiter, 5, 'exact')).toEqual([true, true, true, false, false]);
    const refused = await limiter.consume([{ limit: 'three', key: 'exact' }]);
    if (refused.allowed) expect.fail();
    expect(refused.limit).toBe('three');
    expect(refused.retryAfterMs).toBeGreaterThan(30_000);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  test('each key and each limit counts for itself', async () => {
    expect(await take(limiter, 4, 'one')).toEqual([true, true, true, false]);
    expect(await take(limiter, 1, 'another')).toEqual([true]);
    expect(await take(limiter, 1, 'one', 'ten')).toEqual([true]);
  });

  test('somebody may take several points, and those who ask for too many leave what there is', async () => {
    const ask = (points: number) => limiter.consume([{ limit: 'ten', key: 'points', points }]);
    expect((await ask(8)).allowed).toBe(true);
    expect((await ask(3)).allowed).toBe(false);
    expect((await ask(3)).allowed).toBe(false);
    expect((await ask(2)).allowed).toBe(true);
    expect((await ask(1)).allowed).toBe(false);
  });

  test('what one limit refuses is counted by none of those that were asked with it', async () => {
    await take(limiter, 3, 'full');
    for (let i = 0; i < 5; i += 1) {
      const verdict = await limiter.consume([
        { limit: 'ten', key: 'beside' },
        { limit: 'three', key: 'full' },
      ]);
      expect(verdict).toMatchObject({ allowed: false, limit: 'three' });
    }
    expect(await take(limiter, 11, 'beside', 'ten')).toEqual([...Array.from({ length: 10 }, () => true), false]);
  });

  test('of several exceeded limits, the one with the longest wait is reported', async () => {
    await take(limiter, 3, 'waits');
    await take(limiter, 10, 'waits', 'ten');
    const asks = (['three', 'ten'] as const).map((limit) => ({ limit, key: 'waits' }));
    for (const order of [asks, asks.toReversed()]) {
      expect(await limiter.consume(order)).toMatchObject({ allowed: false, limit: 'ten' });
    }
  });

  test('what is given back can be taken again, of that limit alone', async () => {
    const asks = [
      { limit: 'three', key: 'back' },
      { limit: 'ten', key: 'back', points: 5 },
    ] as const;
    for (let i = 0; i < 2; i += 1) {
      const verdict = await limiter.consume(asks);
      if (!verdict.allowed) expect.fail();
      verdict.giveBack('ten');
    }
    expect(await take(limiter, 2, 'back')).toEqual([true, false]);
    expect((await limiter.consume([{ limit: 'ten', key: 'back', points: 10 }])).allowed).toBe(true);
  });

  test('of many at once exactly as many pass', async () => {
    const verdicts = await Promise.all(
      Array.from({ length: 40 }, () => limiter.consume([{ limit: 'ten', key: 'crowd' }])),
    );
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(10);
  });

  /** Stops the clock of this process. */
  function stopClock(): void {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
  }

  async function passWindow(): Promise<void> {
    vi.advanceTimersByTime(limits.brief.seconds * 1000);
    await endWindows();
  }

  test('after the window there are all points again', async () => {
    stopClock();
    expect(await take(limiter, 2, 'window', 'brief')).toEqual([true, false]);
    await passWindow();
    expect(await take(limiter, 2, 'window', 'brief')).toEqual([true, false]);
  });

  test('what is given back when the window is over is no gift to the next one', async () => {
    stopClock();
    const verdict = await limiter.consume([{ limit: 'brief', key: 'late' }]);
    if (!verdict.allowed) expect.fail();
    await passWindow();
    expect(await take(limiter, 1, 'late', 'brief')).toEqual([true]);
    for (let i = 0; i < 5; i += 1) verdict.giveBack('brief');
    expect(await take(limiter, 2, 'late', 'brief')).toEqual([false, false]);
  });

  test('a request for no points is allowed', async () => {
    expect(await limiter.consume([])).toMatchObject({ allowed: true });
  });
});

describe.skipIf(!found)('over a Redis that may fail', () => {
  let server: TestRedis;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.dispose());

  /** A connection as the shop has it; open, where Redis is there. */
  async function connection(url = server.url): Promise<RedisConnection & { logs: readonly LogRecord[] }> {
    const { logger, logs } = recordLogs();
    const redis = connectRedis(url, logger);
    onTestFinished(() => redis[Symbol.asyncDispose]());
    return { ...redis, logs };
  }

  async function ready({ client }: RedisConnection): Promise<void> {
    await until('Redis is there', () => client.status === 'ready');
  }

  test('two nodes count together, and no key is in Redis in clear text', async () => {
    const connections = [await connection(), await connection()];
    await Promise.all(connections.map(ready));
    const [a, b] = connections.map(({ client }) => limiterOver(client, ENDLESS_MS));
    if (a === undefined || b === undefined) expect.fail();
    const key = 'ada@example.com';
    expect([await take(a, 1, key), await take(b, 2, key)].flat()).toEqual([true, true, true]);
    expect([await take(a, 1, key), await take(b, 1, key)].flat()).toEqual([false, false]);

    const kept = (await connections[0]?.client.keys('*')) ?? [];
    expect(kept.some((name) => /^vitrine:limit:three:[\w-]{43}$/.test(name))).toBe(true);
    expect(kept.join('\n')).not.toMatch(/ada|example/i);
  });

  test('away from the start: this process counts, and does not wait', async () => {
    const { client, logs } = await connection(`redis://127.0.0.1:${await freePort()}`);
    let tries = 0;
    client.on('reconnecting', () => (tries += 1));
    const limiter = limiterOver(client);
    const wait = { ms: 0 };
    const answers: boolean[] = [];
    for (let i = 0; i < 5; i += 1) answers.push((await limiter.consume([{ limit: 'three', key: 'x' }], wait)).allowed);
    expect(answers).toEqual([true, true, true, false, false]);
    expect(wait.ms).toBe(0);
    // Logged once, however often it is tried.
    await until('it was tried again and again', () => tries >= 4);
    expect(logs.filter(({ msg }) => msg.startsWith('Redis is away'))).toHaveLength(1);
  });

  test('killed: this process goes on with a count of its own, and comes back to Redis by itself', async () => {
    const { client, logs, ...rest } = await connection();
    await ready({ client, ...rest });
    const limiter = limiterOver(client, ENDLESS_MS);
    expect(await take(limiter, 2, 'killed')).toEqual([true, true]);

    await server.kill();
    expect(await take(limiter, 4, 'killed')).toEqual([true, true, true, false]);

    await server.start();
    await ready({ client, ...rest });
    // Redis begins anew; once it is asked again, what memory refused passes.
    await until('it is counted in Redis', async () => (await take(limiter, 1, 'killed'))[0]);
    expect(await take(limiter, 3, 'killed')).toEqual([true, true, false]);
    expect(logs.map(({ msg }) => msg)).toEqual([
      'Redis is there',
      'Redis is away; the shop goes on without it',
      'Redis is there',
    ]);
  });

  test('silent: the first to notice wait 50 ms, nobody else does; and it is found again', async () => {
    const { client, ...rest } = await connection();
    await ready({ client, ...rest });
    const limiter = limiterOver(client);
    const messages = () => limiter.logs.map(({ msg }) => msg);
    const LOST = 'Redis does not answer; this process counts rate limits by itself';
    // A busy machine may make it look slow at first.
    await until('it is asked, and answers', async () => {
      const asked = { ms: 0 };
      await limiter.consume([{ limit: 'three', key: `warm-${Math.random()}` }], asked);
      return asked.ms > 0 && messages().at(-1) !== LOST;
    });
    const said = messages().length;
    onTestFinished(() => server.thaw());
    server.freeze();

    // It answers while Redis is still silent.
    const first = { ms: 0 };
    expect(await limiter.consume([{ limit: 'three', key: 'silent' }], first)).toMatchObject({ allowed: true });
    expect(first.ms).toBeGreaterThanOrEqual(45);

    // From now on it is left alone: nobody waits.
    const wait = { ms: 0 };
    const answers: boolean[] = [];
    for (let i = 0; i < 4; i += 1)
      answers.push((await limiter.consume([{ limit: 'three', key: 'silent' }], wait)).allowed);
    expect(answers).toEqual([true, true, false, false]);
    expect(wait.ms).toBe(0);

    server.thaw();
    await until('it is asked again', async () => {
      const before = { ms: 0 };
      await limiter.consume([{ limit: 'ten', key: `asked-${Math.random()}` }], before);
      return before.ms > 0;
    });
    expect(messages().slice(said, said + 2)).toEqual([LOST, 'rate limits are counted in Redis again']);
  });

  test('a caller who has waited for the limit already does not wait again', async () => {
    const { client, ...rest } = await connection();
    await ready({ client, ...rest });
    const [shared, other] = [limiterOver(client), limiterOver(client, ENDLESS_MS)];
    for (let i = 0; i < 3; i += 1) {
      const wait = { ms: 50 };
      expect((await shared.consume([{ limit: 'three', key: 'patient' }], wait)).allowed).toBe(true);
      expect(wait.ms).toBe(50);
    }
    expect((await shared.consume([{ limit: 'three', key: 'patient' }], { ms: 50 })).allowed).toBe(false);
    // None of it was asked of Redis.
    expect(await take(other, 4, 'patient')).toEqual([true, true, true, false]);
  });

  test('a server that takes the connection and never says a word: nothing hangs, not even the end', async () => {
    const sockets = new Set<Socket>();
    const dumb = createServer((socket) => sockets.add(socket.on('error', () => {})));
    await new Promise<void>((resolve) => {
      dumb.listen(0, '127.0.0.1', resolve);
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      dumb.close();
    });
    const { logger } = recordLogs();
    const redis = connectRedis(`redis://127.0.0.1:${(dumb.address() as AddressInfo).port}`, logger);
    await until('it is connected', () => sockets.size > 0);
    const wait = { ms: 0 };
    const limiter = limiterOver(redis.client);
    for (const expected of [true, true, true, false]) {
      expect((await limiter.consume([{ limit: 'three', key: 'dumb' }], wait)).allowed).toBe(expected);
    }
    expect(wait.ms).toBe(0);
    // It is tried anew, since it may have become another one.
    await until('it connects again', () => sockets.size > 1);
    await redis[Symbol.asyncDispose]();
  });

  test('a connection can be closed while Redis is silent', async () => {
    const { logger } = recordLogs();
    const redis = connectRedis(server.url, logger);
    await ready(redis);
    onTestFinished(() => server.thaw());
    server.freeze();
    const pending = redis.client.ping().catch((error: unknown) => error);
    await redis[Symbol.asyncDispose]();
    // At once, not when the command's time was over.
    expect(await pending).toMatchObject({ message: 'Connection is closed.' });
    await until('it has ended', () => redis.client.status === 'end');
  });

  test('a connection on which nothing comes any more is given up, and made anew', async () => {
    const { client, logs } = await connection();
    await until('it is connected', () => client.status === 'ready');
    onTestFinished(() => server.thaw());
    server.freeze();
    await expect(client.ping()).rejects.toThrow('Command timed out');
    await until('it is given up', () => logs.some(({ msg }) => msg.startsWith('Redis is away')));
    server.thaw();
    await until('it is made anew', () => logs.filter(({ msg }) => msg === 'Redis is there').length === 2);
    expect(await client.ping()).toBe('PONG');
  });

  test('a command that was under way when Redis went is rejected at once, and not sent again', async () => {
    const { client } = await connection();
    await until('it is connected', () => client.status === 'ready');
    server.freeze();
    const pending = client.incr('under way').catch((error: Error) => error.name);
    await server.kill();
    expect(await pending).toBe('MaxRetriesPerRequestError');
    await server.start();
    await until('it is connected', () => client.status === 'ready');
    expect(await client.get('under way')).toBeNull();
  });

  test('no log ever holds the password', async () => {
    const locked = await startRedis();
    onTestFinished(() => locked.dispose());
    const owner = new Redis(locked.url);
    await owner.config('SET', 'requirepass', 'another one');
    owner.disconnect();

    const { client, logs } = await connection(locked.url.replace('//', '//:hunter2@'));
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    await until('it was refused', () => errors.length > 0 && logs.length > 0);
    // The error itself does: that is why it is not logged.
    expect(JSON.stringify(errors)).toContain('hunter2');
    expect(logs[0]).toMatchObject({ reason: expect.stringContaining('WRONGPASS') as string });
    expect(JSON.stringify(logs)).not.toContain('hunter2');
  });

  test('while it is away a command is rejected at once', async () => {
    const { client } = await connection(`redis://127.0.0.1:${await freePort()}`);
    await expect(client.ping()).rejects.toThrow(/enableOfflineQueue/);
  });
});

test('no answer that came too late was left to nobody', async () => {
  await new Promise(setImmediate);
  expect(rejections).toEqual([]);
});
