import { buildSchema, GraphQLError, parse, type ExecutionResult } from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import { LaggedError, LogReplacedError } from '../../src/events/stream.ts';
import { createSubscriptions } from '../../src/graphql/live/subscribe.ts';
import { until } from '../support/until.ts';

const schema = buildSchema('type Query { n: Int } type Subscription { n: Int }');
const document = parse('subscription { n }');

/** A source whose every step the test decides. */
function controlled() {
  const waiting: { resolve: (result: IteratorResult<unknown>) => void; reject: (error: Error) => void }[] = [];
  const source = {
    next: () => new Promise<IteratorResult<unknown>>((resolve, reject) => waiting.push({ resolve, reject })),
    return: vi.fn(() => Promise.resolve({ done: true as const, value: undefined })),
    [Symbol.asyncIterator]: () => source,
  };
  return { source, step: () => waiting.shift() ?? expect.fail('nobody waits') };
}

async function start(resolve: (context: { made: number }) => unknown = (context) => context.made) {
  const { source, step } = controlled();
  let made = 0;
  const subscriptions = createSubscriptions<{ made: number }>({ renew: () => ({ made: (made += 1) }) });
  const results = (await subscriptions.subscribe({
    schema,
    document,
    rootValue: { n: () => source },
    contextValue: { made: 0 },
    fieldResolver: (_root, _args, context) => resolve(context as { made: number }),
  })) as AsyncIterableIterator<ExecutionResult>;
  return { source, step, subscriptions, results };
}

test('every event has a context of its own', async () => {
  const { results, step } = await start();
  for (const n of [1, 2, 3]) {
    const next = results.next();
    step().resolve({ done: false, value: {} });
    expect(await next).toEqual({ done: false, value: { data: { n } } });
  }
});

describe('it ends at once', () => {
  test.each(['return', 'endAll'])('by %s, while it waits for an event that may never come', async (how) => {
    const { results, source, subscriptions } = await start();
    const next = results.next();
    if (how === 'return') await results.return?.();
    else subscriptions.endAll();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(source.return).toHaveBeenCalledOnce();
    expect(await results.next()).toEqual({ done: true, value: undefined });
    await results.return?.();
    expect(source.return).toHaveBeenCalledOnce();
  });

  test('while an event is executed, which then comes to nothing', async () => {
    let finish: ((n: number) => void) | undefined;
    const { results, step } = await start(() => new Promise((resolve) => (finish = resolve)));
    const next = results.next();
    step().resolve({ done: false, value: {} });
    await until('it is executed', () => finish);
    await results.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    finish?.(1);
  });
});

test('it ends with its source', async () => {
  const { results, step } = await start();
  const next = results.next();
  step().resolve({ done: true, value: undefined });
  expect(await next).toEqual({ done: true, value: undefined });
});

test.each([
  [new LaggedError(), 'LAGGED'],
  [new LogReplacedError(), 'CURSOR_EXPIRED'],
])('%s ends it with an error that clients know', async (fault, code) => {
  const { results, source, step } = await start();
  const next = results.next();
  step().reject(fault);
  const [seen] = await Promise.allSettled([next]);
  expect(seen).toMatchObject({ status: 'rejected', reason: { message: fault.message, extensions: { code } } });
  expect(seen.status === 'rejected' && seen.reason).toBeInstanceOf(GraphQLError);
  expect(await results.next()).toEqual({ done: true, value: undefined });
  expect(source.return).toHaveBeenCalledOnce();
});

test('what cannot start is one result', async () => {
  const subscriptions = createSubscriptions({ renew: (context) => context });
  const result = await subscriptions.subscribe({
    schema,
    document,
    rootValue: {
      n: () => {
        throw new GraphQLError('not now');
      },
    },
  });
  expect(result).toMatchObject({ errors: [{ message: 'not now' }] });
});
