import { createSourceEventStream, execute, type ExecutionArgs, type ExecutionResult } from 'graphql';
import { LaggedError, LogReplacedError } from '../events/stream.ts';
import { requestError } from './request-error.ts';

/** Runs subscriptions and knows which run. */
export interface Subscriptions {
  /** GraphQL's `subscribe`: a stream of results, or one result where there is no stream to be had. */
  subscribe(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;
  /** Ends all of them, as if there were no more events. */
  endAll(): void;
}

type Results = AsyncIterableIterator<ExecutionResult>;

const DONE = { done: true, value: undefined } as const;

/** Has `over` called when what runs with this context may run no longer. */
type Watch<C> = (context: C, over: () => void) => Promise<{ valid: boolean; release: () => void }>;

/**
 * Makes the function that runs subscriptions. Each event is executed with a context of its own: that of the subscription
 * lives as long as the socket does, and its loaders would show the stock of an hour ago.
 */
export function createSubscriptions<C>({ renew, watch }: { renew(context: C): C; watch?: Watch<C> }): Subscriptions {
  const running = new Map<Results, () => void>();

  /** Written out, not a generator: `return()` must end it while `next()` waits, and a generator's stands in line. */
  function respond(source: AsyncIterator<unknown>, args: ExecutionArgs): Results {
    let ended = false;
    let release: ((result: IteratorResult<ExecutionResult>) => void) | undefined;

    function end(): void {
      if (ended) return;
      ended = true;
      running.get(results)?.();
      running.delete(results);
      release?.(DONE);
      // Nobody waits for it: whatever goes wrong there is over with the subscription.
      void Promise.resolve(source.return?.()).catch(() => {});
    }

    async function step(): Promise<IteratorResult<ExecutionResult>> {
      try {
        const event = await source.next();
        if (event.done === true || ended) {
          end();
          return DONE;
        }
        const value = await execute({ ...args, rootValue: event.value, contextValue: renew(args.contextValue as C) });
        return ended ? DONE : { done: false, value };
      } catch (error) {
        // Whoever waits gets the error, and not the end.
        release = undefined;
        end();
        throw asRequestError(error);
      }
    }

    const results: Results = {
      next() {
        if (ended) return Promise.resolve(DONE);
        return new Promise((resolve, reject) => {
          release = resolve;
          step().then(resolve, reject);
        });
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
    running.set(results, () => {});
    return results;
  }

  /** Ends it with the session in whose name it runs, as if there were no more events: who comes back is asked who it is. */
  async function tie(results: Results, context: C): Promise<void> {
    if (watch === undefined) return;
    const { valid, release } = await watch(context, () => void results.return?.());
    if (!valid) void results.return?.();
    if (running.has(results)) running.set(results, release);
    else release();
  }

  return {
    async subscribe(args) {
      const source = await createSourceEventStream(args);
      if (!(Symbol.asyncIterator in source)) return source;
      const results = respond(source[Symbol.asyncIterator](), args);
      await tie(results, args.contextValue as C);
      return results;
    },
    endAll() {
      for (const results of [...running.keys()]) void results.return?.();
    },
  };
}

/** What ends a stream of events, by the codes that clients know. */
function asRequestError(error: unknown): unknown {
  if (error instanceof LaggedError) return requestError('LAGGED', error.message);
  if (error instanceof LogReplacedError) return requestError('CURSOR_EXPIRED', error.message);
  return error;
}
