import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { accountDocuments, login, newEmail, newPerson, PASSWORD } from '../../support/accounts.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { freePort, hasRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import type { TestShop, TestShopOptions } from '../../support/shop.ts';
import { callerFrom, createThrottledShop, expectRefused, times } from '../../support/throttling.ts';
import { until } from '../../support/until.ts';

const QUARTER = 15 * 60;
/** From where everybody comes: guesses are counted by account and network together. */
const ADDRESS = '10.250.0.1';

describe.skipIf(!hasRedis('Throttling over many nodes'))('nodes with a Redis between them', () => {
  let redis: TestRedis;
  let database: TestDatabase;
  beforeAll(async () => {
    redis = await startRedis();
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await database.dispose();
    await redis.dispose();
  });

  /** A node that has found its Redis. */
  async function openNode(options: Pick<TestShopOptions, 'overrides'> = {}, url = redis.url): Promise<TestShop> {
    const node = await createThrottledShop({}, { env: { REDIS_URL: url }, database, ...options });
    onTestFinished(() => node.dispose());
    return node;
  }
  const count = (node: TestShop, message: string) => node.logs.filter(({ msg }) => msg.startsWith(message)).length;
  const connected = (node: TestShop, often = 1) =>
    until('the node is connected', () => count(node, 'Redis is there') === often);

  /** What a wrong password is answered: in the payload, or the code with which it is kept out. */
  async function guess(node: TestShop, email: string): Promise<string | undefined> {
    const input = { email, password: 'not the password at all', tokens: 'BODY' as const };
    const { data, codes } = await callerFrom(node, ADDRESS).execute(accountDocuments.login, { input });
    return codes[0] ?? data?.login?.errors[0]?.code;
  }
  const failed = (many: number) => Array.from({ length: many }, () => 'INVALID_CREDENTIALS');
  /** The patience of production: what a silent Redis may cost. */
  const impatient = { overrides: { throttling: { patienceMs: 50 } } };

  test('count together, and what succeeds on the one is given back on both', async () => {
    const nodes = [await openNode(), await openNode()] as const;
    await Promise.all(nodes.map((node) => connected(node)));
    const { email } = await newPerson(nodes[0]);
    const guesses = await times(9, (i) => guess(nodes[i % 2 === 0 ? 0 : 1], email));
    expect(guesses).toEqual(failed(9));
    expect((await login(callerFrom(nodes[0], ADDRESS), { email })).errors).toEqual([]);
    expect(await guess(nodes[1], email)).toBe('INVALID_CREDENTIALS');

    for (const node of nodes) {
      const input = { email, password: PASSWORD };
      expectRefused(await callerFrom(node, ADDRESS).execute(accountDocuments.login, { input }), 'login', QUARTER);
    }
  });

  test('without a Redis that was named, log-ins are throttled from the first moment', async () => {
    const node = await openNode(impatient, `redis://127.0.0.1:${await freePort()}`);
    const email = newEmail();
    expect(await times(11, () => guess(node, email))).toEqual([...failed(10), 'RATE_LIMITED']);
    expect(count(node, 'Redis is away')).toBe(1);
    expect(count(node, 'Redis is there')).toBe(0);
  });

  test('when it is killed they go on, throttled, and find it again by themselves', async () => {
    const node = await openNode();
    await connected(node);
    const email = newEmail();
    expect(await times(4, () => guess(node, email))).toEqual(failed(4));

    await redis.kill();
    // What Redis knew is gone; this node counts for itself.
    expect(await times(11, () => guess(node, email))).toEqual([...failed(10), 'RATE_LIMITED']);

    await redis.start();
    await connected(node, 2);
    // It starts from nothing, too: that it is asked again shows in that it lets somebody in.
    await until('it is asked again', async () => (await guess(node, email)) === 'INVALID_CREDENTIALS');
    const other = await openNode();
    await connected(other);
    expect(await times(10, () => guess(other, email))).toEqual([...failed(9), 'RATE_LIMITED']);
    expect(await guess(node, email)).toBe('RATE_LIMITED');
  });

  test('when it is silent they go on, throttled, and find it again by themselves', async () => {
    const node = await openNode(impatient);
    await connected(node);
    const email = newEmail();
    onTestFinished(() => redis.thaw());
    redis.freeze();
    expect(await times(11, () => guess(node, email))).toEqual([...failed(10), 'RATE_LIMITED']);
    const once = () => count(node, 'Redis does not answer; this process counts rate limits by itself') === 1;
    await until('it is logged once', async () => once());

    redis.thaw();
    await until('it is asked again', async () => (await guess(node, email)) === 'INVALID_CREDENTIALS');
  });

  test('a node stops while Redis is silent', async () => {
    const node = await createThrottledShop({}, { env: { REDIS_URL: redis.url }, database });
    await connected(node);
    onTestFinished(() => redis.thaw());
    redis.freeze();
    await node.dispose();
    expect(node.logs.some(({ msg }) => msg.includes('could not be closed'))).toBe(false);
  });
});
