import type { Client } from 'graphql-ws';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { COME_BACK, resuming, type ResumeOptions } from '../../examples/resume.ts';
import { known } from '../support/known.ts';
import { scriptedSocketClient } from '../support/scripted-socket-client.ts';

// What a real shop does to the helper is in resume.test.ts; this is what it does with each answer.

afterEach(() => vi.restoreAllMocks());

const QUERY = 'subscription S($after: EventCursor) { stockChanged(after: $after) { cursor available } }';
const event = (cursor: string) => ({ data: { stockChanged: { cursor, available: 1 } } });
const fault = (code: string) => [{ message: code, extensions: { code } }];

/** What came out of the helper, in order. */
function subscribed(options: ResumeOptions = {}, query = QUERY, variables: Record<string, unknown> | null = {}) {
  const { client, calls } = scriptedSocketClient();
  const told: unknown[] = [];
  const sink = {
    next: (result: unknown) => void told.push(result),
    error: (error: unknown) => void told.push(['error', error]),
    complete: () => void told.push('complete'),
  };
  const wrapped: Client = resuming(client, { warn: (message) => void told.push(['warn', message]), ...options });
  const stop = wrapped.subscribe({ query, variables }, sink);
  const call = (index: number) => known(calls[index], `call ${index}`);
  return { calls, call, told, stop };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test('hands on all that comes, and moves `after` on in what graphql-ws sends again', () => {
  const { client } = scriptedSocketClient();
  // The object itself, as graphql-ws keeps it.
  let kept: unknown;
  let put: (result: object) => void = () => {};
  const spying: Client = {
    ...client,
    subscribe(payload, sink) {
      kept = payload;
      put = (result) => sink.next(result);
      return () => {};
    },
  };
  const given = { query: QUERY, variables: { after: 'c0', ids: ['x'] } };
  const next = vi.fn<(result: unknown) => void>();
  resuming(spying).subscribe(given, { next, error: expect.unreachable, complete: expect.unreachable });
  expect(kept).toEqual({ query: QUERY, variables: { after: 'c0', ids: ['x'] } });
  put(event('c1'));
  put(event('c2'));
  expect(kept).toEqual({ query: QUERY, variables: { after: 'c2', ids: ['x'] } });
  expect(next.mock.calls).toEqual([[event('c1')], [event('c2')]]);
  // What the caller holds stays as it was: Apollo freezes it.
  expect(given.variables.after).toBe('c0');
});

test('an alias of the field, and an event that comes with faults, move it on as well', () => {
  const { call, calls, told } = subscribed({}, QUERY.replace('stockChanged', 'stock: stockChanged'));
  const partial = { data: { stock: { cursor: 'c7', variant: null } }, errors: fault('INTERNAL_SERVER_ERROR') };
  call(0).sink.next(partial);
  call(0).sink.error(fault('LAGGED'));
  expect(told).toEqual([partial]);
  expect(calls.map(({ payload }) => payload.variables)).toEqual([{}, { after: 'c7' }]);
});

test('LAGGED begins again after the last event, and nobody hears of it', () => {
  const { call, calls, told } = subscribed({ onExpired: () => expect.unreachable() }, QUERY, { after: 'c0' });
  call(0).sink.error(fault('LAGGED'));
  call(1).sink.next(event('c1'));
  call(1).sink.error(fault('LAGGED'));
  call(2).sink.next(event('c2'));
  expect(calls.map(({ payload }) => payload.variables)).toEqual([{ after: 'c0' }, { after: 'c0' }, { after: 'c1' }]);
  expect(told).toEqual([event('c1'), event('c2')]);
});

test('LAGGED before there is any cursor has lost something: it is as if the cursor had expired', async () => {
  const onExpired = vi.fn<() => string>(() => 'fresh');
  const { call, calls, told } = subscribed({ onExpired });
  call(0).sink.error(fault('LAGGED'));
  await settle();
  expect(onExpired).toHaveBeenCalledTimes(1);
  expect(calls.map(({ payload }) => payload.variables)).toEqual([{}, { after: 'fresh' }]);
  expect(told).toEqual([]);
});

describe('CURSOR_EXPIRED', () => {
  /** As the server tells of it: before the start, and in the middle. */
  const ways = [
    [
      'before the start',
      ({ sink }: ReturnType<ReturnType<typeof subscribed>['call']>) => {
        sink.next({ errors: fault('CURSOR_EXPIRED') });
        sink.complete();
      },
      [{ errors: fault('CURSOR_EXPIRED') }, 'complete'],
    ],
    [
      'in the middle',
      ({ sink }: ReturnType<ReturnType<typeof subscribed>['call']>) => sink.error(fault('CURSOR_EXPIRED')),
      [['error', fault('CURSOR_EXPIRED')]],
    ],
  ] as const;

  test.each(ways)('%s: goes on after the cursor of what is read anew', async (_when, expire) => {
    const onExpired = vi.fn<(payload: unknown) => Promise<string>>(() => Promise.resolve('fresh'));
    const { call, calls, told } = subscribed({ onExpired }, QUERY, { after: 'old' });
    expire(call(0));
    await settle();
    expect(onExpired.mock.calls).toEqual([[{ query: QUERY, variables: { after: 'old' } }]]);
    expect(calls.map(({ payload }) => payload.variables)).toEqual([{ after: 'old' }, { after: 'fresh' }]);
    call(1).sink.next(event('c9'));
    call(1).sink.complete();
    expect(told).toEqual([event('c9'), 'complete']);
  });

  test.each(ways)('%s: ends with the fault where nobody reads anew', async (_when, expire, ending) => {
    const { call, calls, told } = subscribed({}, QUERY, { after: 'old' });
    expire(call(0));
    await settle();
    expect(told).toEqual(ending);
    expect(calls.length).toBe(1);
  });

  test.each(ways)(
    '%s: ends with the fault where the same cursor is given again, or none',
    async (_when, expire, ending) => {
      for (const given of ['old', null]) {
        const { call, calls, told } = subscribed({ onExpired: () => given }, QUERY, { after: 'old' });
        expire(call(0));
        await settle();
        expect(told).toEqual(ending);
        expect(calls.length).toBe(1);
      }
    },
  );

  test.each(ways)('%s: ends with what went wrong in reading anew', async (_when, expire) => {
    const wrong = new Error('no network');
    const { call, calls, told } = subscribed({ onExpired: () => Promise.reject(wrong) }, QUERY, { after: 'old' });
    expire(call(0));
    await settle();
    expect(told).toEqual([['error', wrong]]);
    expect(calls.length).toBe(1);
  });

  test.each(ways)('%s: who leaves while it is read anew has left', async (_when, expire) => {
    let answer: (cursor: string) => void = () => {};
    const onExpired = () =>
      new Promise<string>((resolve) => {
        answer = resolve;
      });
    const { call, calls, stop } = subscribed({ onExpired }, QUERY, { after: 'old' });
    expire(call(0));
    stop();
    answer('fresh');
    await settle();
    expect(calls.length).toBe(1);
  });
});

test('any other fault is the caller’s, and so is the end', () => {
  const other = subscribed({ onExpired: () => expect.unreachable() }, QUERY, { after: 'c0' });
  other.call(0).sink.error(fault('UNAUTHENTICATED'));
  const refused = subscribed({ onExpired: () => expect.unreachable() }, QUERY, { after: 'c0' });
  refused.call(0).sink.next({ errors: fault('BAD_REQUEST') });
  refused.call(0).sink.complete();
  return settle().then(() => {
    expect(other.told).toEqual([['error', fault('UNAUTHENTICATED')]]);
    expect(refused.told).toEqual([{ errors: fault('BAD_REQUEST') }, 'complete']);
    expect([other.calls.length, refused.calls.length]).toEqual([1, 1]);
  });
});

test('who leaves stops the subscription that runs now', () => {
  const { call, stop, told } = subscribed({}, QUERY, { after: 'c0' });
  call(0).sink.error(fault('LAGGED'));
  stop();
  expect([call(0).stopped, call(1).stopped]).toEqual([false, true]);
  expect(told).toEqual(['complete']);
});

test('what was forgotten is said, once, and what can be told is told all the same', () => {
  const bare = subscribed({}, 'subscription { stockChanged { cursor available } }', null);
  bare.call(0).sink.next(event('c1'));
  expect(bare.told).toEqual([['warn', expect.stringContaining('the variable $after')], event('c1')]);

  const blind = subscribed();
  const unplaced = { data: { stockChanged: { available: 1 } } };
  blind.call(0).sink.next(unplaced);
  blind.call(0).sink.next(unplaced);
  expect(blind.told).toEqual([['warn', expect.stringContaining('`cursor`')], unplaced, unplaced]);

  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  resuming(scriptedSocketClient().client).subscribe(
    { query: 'subscription { stockChanged { cursor } }' },
    { next: () => {}, error: () => {}, complete: () => {} },
  );
  expect(warn).toHaveBeenCalledTimes(1);
});

test('queries on the same client are none of its business', () => {
  const { call, told } = subscribed({}, '{ shop { name } }', null);
  const answer = { data: { shop: { name: 'Vitrine' } } };
  call(0).sink.next(answer);
  call(0).sink.complete();
  expect(told).toEqual([answer, 'complete']);
});

test('it tries again for ever, at random, and waits for half a minute at most', async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(1);
  try {
    for (const [tries, ms] of [
      [0, 500],
      [3, 4000],
      [6, 30_000],
      [1000, 30_000],
    ] as const) {
      const waited = vi.fn<() => void>();
      void COME_BACK.retryWait(tries).then(waited);
      await vi.advanceTimersByTimeAsync(ms - 1);
      expect(waited).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(waited).toHaveBeenCalledTimes(1);
    }
  } finally {
    vi.useRealTimers();
  }
  expect(COME_BACK).toMatchObject({ retryAttempts: Infinity });
});
