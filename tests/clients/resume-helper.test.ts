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
  const received: unknown[] = [];
  const sink = {
    next: (result: unknown) => void received.push(result),
    error: (error: unknown) => void received.push(['error', error]),
    complete: () => void received.push('complete'),
  };
  const wrapped: Client = resuming(client, { warn: (message) => void received.push(['warn', message]), ...options });
  const stop = wrapped.subscribe({ query, variables }, sink);
  const call = (index: number) => known(calls[index], `call ${index}`);
  return { calls, call, received, stop };
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
  const { call, calls, received } = subscribed({}, QUERY.replace('stockChanged', 'stock: stockChanged'));
  const partial = { data: { stock: { cursor: 'c7', variant: null } }, errors: fault('INTERNAL_SERVER_ERROR') };
  call(0).sink.next(partial);
  call(0).sink.error(fault('LAGGED'));
  expect(received).toEqual([partial]);
  expect(calls.map(({ payload }) => payload.variables)).toEqual([{}, { after: 'c7' }]);
});

test('LAGGED begins again after the last event, and nobody hears of it', () => {
  const { call, calls, received } = subscribed({ onExpired: () => expect.unreachable() }, QUERY, { after: 'c0' });
  call(0).sink.error(fault('LAGGED'));
  call(1).sink.next(event('c1'));
  call(1).sink.error(fault('LAGGED'));
  call(2).sink.next(event('c2'));
  expect(calls.map(({ payload }) => payload.variables)).toEqual([{ after: 'c0' }, { after: 'c0' }, { after: 'c1' }]);
  expect(received).toEqual([event('c1'), event('c2')]);
});

test('LAGGED before there is any cursor has lost something: it is as if the cursor had expired', async () => {
  const onExpired = vi.fn<() => string>(() => 'fresh');
  const { call, calls, received } = subscribed({ onExpired });
  call(0).sink.error(fault('LAGGED'));
  await settle();
  expect(onExpired).toHaveBeenCalledTimes(1);
  expect(calls.map(({ payload }) => payload.variables)).toEqual([{}, { after: 'fresh' }]);
  expect(received).toEqual([]);
});

describe('CURSOR_EXPIRED', () => {
  /** As the server reports it: before the start, and in the middle. */
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
    const { call, calls, received } = subscribed({ onExpired }, QUERY, { after: 'old' });
    expire(call(0));
    await settle();
    expect(onExpired.mock.calls).toEqual([[{ query: QUERY, variables: { after: 'old' } }]]);
    expect(calls.map(({ payload }) => payload.variables)).toEqual([{ after: 'old' }, { after: 'fresh' }]);
    call(1).sink.next(event('c9'));
    call(1).sink.complete();
    expect(received).toEqual([event('c9'), 'complete']);
  });

  test.each(ways)('%s: ends with the fault where nobody reads anew', async (_when, expire, ending) => {
    const { call, calls, received } = subscribed({}, QUERY, { after: 'old' });
    expire(call(0));
    await settle();
    expect(received).toEqual(ending);
    expect(calls.length).toBe(1);
  });

  test.each(ways)(
    '%s: ends with the fault where the same cursor is given again, or none',
    async (_when, expire, ending) => {
      for (const given of ['old', null]) {
        const { call, calls, received } = subscribed({ onExpired: () => given }, QUERY, { after: 'old' });
        expire(call(0));
        await settle();
        expect(received).toEqual(ending);
        expect(calls.length).toBe(1);
      }
    },
  );

  test.each(ways)('%s: ends with what went wrong in reading anew', async (_when, expire) => {
    const wrong = new Error('no network');
    const { call, calls, received } = subscribed({ onExpired: () => Promise.reject(wrong) }, QUERY, { after: 'old' });
    expire(call(0));
    await settle();
    expect(received).toEqual([['error', wrong]]);
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

describe('what says nothing of why it cannot go on', () => {
  const wait = () => Promise.resolve();

  test.each<[string, unknown]>([
    ['UNAVAILABLE', fault('UNAVAILABLE')],
    ['INTERNAL_SERVER_ERROR', fault('INTERNAL_SERVER_ERROR')],
    ['RATE_LIMITED', fault('RATE_LIMITED')],
    ['a code that nobody knows', fault('SOMETHING_NEW')],
    ['a socket that was closed', { code: 4500, reason: 'Internal server error' }],
    ['an error of the network', new Error('no network')],
  ])('%s begins again after the last event', async (_what, errors) => {
    const { call, calls, received } = subscribed({ wait }, QUERY, { after: 'c0' });
    call(0).sink.next(event('c1'));
    call(0).sink.error(errors);
    await settle();
    expect(calls.map(({ payload }) => payload.variables)).toEqual([{ after: 'c0' }, { after: 'c1' }]);
    expect(received).toEqual([event('c1')]);
  });

  test('before the start it does so, too; and where an event could not be read, it does not pass that over', async () => {
    const { call, calls, received } = subscribed({ wait }, QUERY, { after: 'c0' });
    call(0).sink.next({ errors: fault('UNAVAILABLE') });
    call(0).sink.complete();
    await settle();
    call(1).sink.next(event('c1'));
    call(1).sink.next({ data: null, errors: fault('INTERNAL_SERVER_ERROR') });
    // The next one is on its way already.
    call(1).sink.next(event('c3'));
    await settle();
    expect(call(1).stopped).toBe(true);
    expect(calls.map(({ payload }) => payload.variables)).toEqual([{ after: 'c0' }, { after: 'c0' }, { after: 'c1' }]);
    expect(received).toEqual([event('c1')]);
  });

  test('it waits longer from time to time, until something comes', async () => {
    const waits: number[] = [];
    const { call } = subscribed({ wait: async (tries) => void waits.push(tries) }, QUERY, { after: 'c0' });
    for (let index = 0; index < 3; index += 1) {
      call(index).sink.error(fault('UNAVAILABLE'));
      await settle();
    }
    call(3).sink.next(event('c1'));
    call(3).sink.error(fault('UNAVAILABLE'));
    await settle();
    expect(waits).toEqual([0, 1, 2, 0]);
  });
});

test.each(['BAD_REQUEST', 'FORBIDDEN', 'TOO_COSTLY', 'GRAPHQL_VALIDATION_FAILED'])('%s is the end', async (code) => {
  const { call, calls, received } = subscribed({ wait: () => expect.unreachable() }, QUERY, { after: 'c0' });
  call(0).sink.error(fault(code));
  await settle();
  expect([received, calls.length]).toEqual([[['error', fault(code)]], 1]);
});

describe('UNAUTHENTICATED', () => {
  const wait = () => Promise.resolve();

  test('refreshes once for all that are refused together, has the socket opened anew, and goes on', async () => {
    const { client, calls } = scriptedSocketClient();
    const terminate = vi.fn<() => void>();
    const onUnauthenticated = vi.fn<() => Promise<boolean>>(() => Promise.resolve(true));
    const wrapped = resuming({ ...client, terminate }, { onUnauthenticated, wait });
    const sink = { next: () => {}, error: expect.unreachable, complete: () => {} };
    wrapped.subscribe({ query: QUERY, variables: { after: 'a0' } }, sink);
    wrapped.subscribe({ query: QUERY, variables: { after: 'b0' } }, sink);
    known(calls[0]).sink.next(event('a1'));
    known(calls[0]).sink.error(fault('UNAUTHENTICATED'));
    known(calls[1]).sink.next({ errors: fault('UNAUTHENTICATED') });
    known(calls[1]).sink.complete();
    await settle();
    expect([onUnauthenticated.mock.calls.length, terminate.mock.calls.length]).toEqual([1, 1]);
    expect(calls.slice(2).map(({ payload }) => payload.variables)).toEqual([{ after: 'a1' }, { after: 'b0' }]);
  });

  test('ends with the fault where there is nothing to refresh, or it is refused again and again', async () => {
    const none = subscribed({ onUnauthenticated: () => false, wait }, QUERY, { after: 'c0' });
    none.call(0).sink.error(fault('UNAUTHENTICATED'));
    await settle();
    expect([none.received, none.calls.length]).toEqual([[['error', fault('UNAUTHENTICATED')]], 1]);
    const stubborn = subscribed({ onUnauthenticated: () => true, wait }, QUERY, { after: 'c0' });
    for (let index = 0; index < 4; index += 1) {
      stubborn.call(index).sink.error(fault('UNAUTHENTICATED'));
      await settle();
    }
    expect([stubborn.received, stubborn.calls.length]).toEqual([[['error', fault('UNAUTHENTICATED')]], 4]);
  });

  test('is asked for again where the refresh itself failed', async () => {
    let fails = 2;
    const onUnauthenticated = () => (fails-- > 0 ? Promise.reject(new Error('no network')) : Promise.resolve(true));
    const { call, calls, received } = subscribed({ onUnauthenticated, wait }, QUERY, { after: 'c0' });
    for (let index = 0; index < 3; index += 1) {
      call(index).sink.error(fault('UNAUTHENTICATED'));
      await settle();
    }
    expect([received, calls.length]).toEqual([[], 4]);
  });
});

test('any other fault is the caller’s, and so is the end', () => {
  const other = subscribed({ onExpired: () => expect.unreachable() }, QUERY, { after: 'c0' });
  other.call(0).sink.error(fault('UNAUTHENTICATED'));
  const refused = subscribed({ onExpired: () => expect.unreachable() }, QUERY, { after: 'c0' });
  refused.call(0).sink.next({ errors: fault('BAD_REQUEST') });
  refused.call(0).sink.complete();
  return settle().then(() => {
    expect(other.received).toEqual([['error', fault('UNAUTHENTICATED')]]);
    expect(refused.received).toEqual([{ errors: fault('BAD_REQUEST') }, 'complete']);
    expect([other.calls.length, refused.calls.length]).toEqual([1, 1]);
  });
});

test('who leaves stops the subscription that runs now', () => {
  const { call, stop, received } = subscribed({}, QUERY, { after: 'c0' });
  call(0).sink.error(fault('LAGGED'));
  stop();
  expect([call(0).stopped, call(1).stopped]).toEqual([false, true]);
  expect(received).toEqual(['complete']);
});

test('a document without `$after` or `cursor` is reported once, and its events are delivered', () => {
  const bare = subscribed({}, 'subscription { stockChanged { cursor available } }', null);
  bare.call(0).sink.next(event('c1'));
  expect(bare.received).toEqual([['warn', expect.stringContaining('the variable $after')], event('c1')]);

  const blind = subscribed();
  const unplaced = { data: { stockChanged: { available: 1 } } };
  blind.call(0).sink.next(unplaced);
  blind.call(0).sink.next(unplaced);
  expect(blind.received).toEqual([['warn', expect.stringContaining('`cursor`')], unplaced, unplaced]);

  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  resuming(scriptedSocketClient().client).subscribe(
    { query: 'subscription { stockChanged { cursor } }' },
    { next: () => {}, error: () => {}, complete: () => {} },
  );
  expect(warn).toHaveBeenCalledTimes(1);
});

test('queries on the client are left alone', () => {
  const { call, received } = subscribed({}, '{ shop { name } }', null);
  const answer = { data: { shop: { name: 'Vitrine' } } };
  call(0).sink.next(answer);
  call(0).sink.complete();
  expect(received).toEqual([answer, 'complete']);
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
