import { createSourceEventStream, execute, GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { isDatabaseFault, patiently, ReadingFailedError } from '../../events/patience.ts';
import { CursorExpiredError } from '../../events/replay.ts';
import { LaggedError, LogReplacedError } from '../../events/stream.ts';
import { requestError } from '../context/request-error.ts';
import type { WatchEnd } from '../../modules/credential-watch.ts';

/** Runs subscriptions and knows which run. */
export interface Subscriptions {
  /** GraphQL's `subscribe`: a stream of results, or one result where there is no stream to be had. */
  subscribe(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;
  /** How many run. */
  count(): number;
  /** Ends all of them, as if there were no more events. */
  endAll(): void;
}

type Results = AsyncIterableIterator<ExecutionResult>;

/** Why a subscription ends whose access token expired. */
export const EXPIRED =
  "The access token's time is over: refresh the session, connect again, and go on after the last cursor.";

/** A stream of results while it runs. */
export interface Running {
  next(): Promise<IteratorResult<ExecutionResult>>;
  /** Ends the subscription without waiting for its cleanup. */
  stop(): void;
  /** Whether the result is the same for every viewer. */
  isPublic?: boolean;
}

/** Results, and what ends them from outside. */
interface RunningResults extends Results {
  fail(error: Error): void;
}

const DONE = { done: true, value: undefined } as const;

/** The subscription was handed over to shared execution, which also reports its end. */
export const HANDED_OVER = Symbol('handed over');

/** What is given back then: no results, and nothing that has to be kept. */
const NO_RESULTS: Results = {
  next: () => Promise.resolve(DONE),
  return: () => Promise.resolve(DONE),
  [Symbol.asyncIterator]() {
    return this;
  },
};

/** Has `over` called when what runs with this context may not go on as it was. */
type Watch<C> = (context: C, over: (why: WatchEnd) => void) => Promise<{ readonly valid: boolean; release(): void }>;

/**
 * Makes the function that runs subscriptions. Each event is executed with a context of its own: that of the subscription
 * lives as long as the socket does, and its loaders would show the stock of an hour ago.
 * @param options.begin makes the context in which the subscription itself is resolved
 * @param options.share runs a subscription together with others like it, where that is possible
 * @param options.seat takes a place for it: what gives that back, or the error where there is none
 * @param options.whenGone has a function called when the client is gone that the results are for, at once where it is already
 * @param options.charge charges what its events cost, where they are executed for it alone: what gives that back, or the error
 * @param options.execute runs the execution of an event when its turn comes
 * @param options.failed called with the error that ended a subscription
 * @param options.mark attaches the cursor of its event to a result
 */
export function createSubscriptions<C>({
  renew,
  begin = (context) => context,
  watch,
  share = () => null,
  seat = () => () => {},
  whenGone = () => {},
  charge = () => () => {},
  execute: run = (_context, work) => work(),
  failed = () => {},
  mark = (result) => result,
}: {
  renew(context: C): C;
  begin?: (context: C) => C;
  watch?: Watch<C>;
  share?: (args: ExecutionArgs, source: AsyncIterable<unknown>) => Running | typeof HANDED_OVER | GraphQLError | null;
  seat?: (context: C) => (() => void) | GraphQLError;
  whenGone?: (context: C, end: () => void) => void;
  charge?: (context: C) => (() => void) | GraphQLError;
  execute?: (context: C, work: () => Promise<ExecutionResult>) => Promise<ExecutionResult>;
  failed?: (error: unknown) => void;
  mark?: (result: ExecutionResult, event: never) => ExecutionResult;
}): Subscriptions {
  const running = new Map<Results, () => void>();

  /** Executes each event for this subscription alone. */
  function executing(source: AsyncIterator<unknown>, args: ExecutionArgs): Running {
    let stopped = false;
    return {
      async next() {
        const event = await source.next();
        if (event.done === true) return DONE;
        const attempt = () =>
          run(args.contextValue as C, async () =>
            execute({ ...args, rootValue: event.value, contextValue: renew(args.contextValue as C) }),
          );
        const value = await untilRead(attempt, () => stopped);
        return { done: false, value: mark(value, event.value as never) };
      },
      stop() {
        stopped = true;
        void Promise.resolve(source.return?.()).catch(() => {});
      },
    };
  }

  /** Written out, not a generator: `return()` must end it while `next()` waits, and a generator's stands in line. */
  function respond({ next, stop }: Running, leave: () => void): RunningResults {
    let ended = false;
    let failure: Error | undefined;
    let release: ((result: IteratorResult<ExecutionResult>) => void) | undefined;
    let reject: ((error: unknown) => void) | undefined;

    function end(): void {
      if (ended) return;
      ended = true;
      running.get(results)?.();
      running.delete(results);
      release?.(DONE);
      stop();
    }

    async function step(): Promise<IteratorResult<ExecutionResult>> {
      try {
        const result = await next();
        if (result.done === true || ended) {
          end();
          return DONE;
        }
        [release, reject] = [undefined, undefined];
        return result;
      } catch (error) {
        // A pending `next()` receives the error instead of the completion.
        release = undefined;
        end();
        failed(error);
        throw asRequestError(error);
      }
    }

    const results: RunningResults = {
      next() {
        if (failure !== undefined) {
          const error = failure;
          failure = undefined;
          return Promise.reject(error);
        }
        if (ended) return Promise.resolve(DONE);
        return new Promise((resolve, fail) => {
          release = resolve;
          reject = fail;
          step().then(resolve, fail);
        });
      },
      fail(error) {
        if (ended) return;
        // The consumer hears of it now where it waits, and otherwise when it asks next.
        if (reject === undefined) failure = error;
        reject?.(error);
        end();
      },
      return() {
        end();
        return Promise.resolve(DONE);
      },
      throw(error: unknown) {
        end();
        return Promise.reject(error instanceof Error ? error : new Error(String(error)));
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
    running.set(results, leave);
    return results;
  }

  /**
   * Ends it with the session in whose name it runs, as if there were no more events: clients that come back are asked for
   * their credentials. When only the access token expires, a public subscription goes on, and others say why they end.
   */
  async function tie(
    results: RunningResults,
    { isPublic = false }: Running,
    context: C,
    leave: () => void,
  ): Promise<void> {
    if (watch === undefined) return;
    const watched = await watch(context, (why) => {
      if (why !== 'EXPIRED') void results.return?.();
      else if (!isPublic) results.fail(requestError('UNAUTHENTICATED', EXPIRED));
    });
    if (!watched.valid) void results.return?.();
    if (!running.has(results)) {
      watched.release();
      return;
    }
    running.set(results, () => {
      watched.release();
      leave();
    });
  }

  return {
    async subscribe(given) {
      const context = given.contextValue as C;
      const vacate = seat(context);
      if (vacate instanceof GraphQLError) return { errors: [vacate] };
      const args = { ...given, contextValue: begin(context) };
      let leave = vacate;
      let results: Results | undefined;
      try {
        const source = await createSourceEventStream(args);
        if (!(Symbol.asyncIterator in source)) return source;
        const shared = share(args, source);
        if (shared === HANDED_OVER) return NO_RESULTS;
        if (shared instanceof GraphQLError) return { errors: [shared] };
        if (shared === null) {
          const release = charge(context);
          if (release instanceof GraphQLError) return { errors: [release] };
          leave = () => {
            release();
            vacate();
          };
        }
        const events = shared ?? executing(source[Symbol.asyncIterator](), args);
        const stream = respond(events, leave);
        results = stream;
        // Yoga ends the results of an answer that it sends, not of one whose client left before.
        whenGone(context, () => void stream.return?.());
        await tie(stream, events, context, leave);
        return stream;
      } catch (error) {
        void results?.return?.();
        throw error;
      } finally {
        // What runs leaves when it ends.
        if (results === undefined) leave();
      }
    },
    count: () => running.size,
    endAll() {
      for (const results of [...running.keys()]) void results.return?.();
    },
  };
}

/**
 * Executes an event, again for a while where the database failed. Such a result is not handed
 * out: the subscriber would go on after an event that it has not seen.
 * @throws ReadingFailedError where it cannot be read for longer
 */
export function untilRead(
  attempt: (again: boolean) => Promise<ExecutionResult>,
  isOver: () => boolean,
): Promise<ExecutionResult> {
  const read = async (again: boolean) => {
    const result = await attempt(again);
    const fault = result.errors?.find(isDatabaseFault);
    if (fault !== undefined && !isOver()) throw fault;
    return result;
  };
  return patiently(read, { isOver });
}

/** What ends a stream of events, by the codes that clients know. */
export function asRequestError(error: unknown): unknown {
  if (error instanceof ReadingFailedError) return requestError('UNAVAILABLE', error.message);
  if (error instanceof LaggedError) return requestError('LAGGED', error.message);
  if (error instanceof LogReplacedError || error instanceof CursorExpiredError) {
    return requestError('CURSOR_EXPIRED', error.message);
  }
  return error;
}
