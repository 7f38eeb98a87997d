import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { EventStream } from '../../events/stream.ts';
import type { Context } from '../context/context.ts';
import type { FanOut } from './fan-out.ts';
import type { Charge, LiveBudget } from '../limits/live-budget.ts';
import type { SharedAudience } from './sharing.ts';
import type { Membership, Sink } from '../context/sink.ts';
import { HANDED_OVER, type Running } from './subscribe.ts';

/** What a reader of SSE may leave unread. */
const MAX_WAITING = 1000;
const MAX_WAITING_CHARACTERS = 1_000_000;

/** Runs a subscription together with others that are alike; null where it is like none. */
export type Share = (
  args: ExecutionArgs,
  source: AsyncIterable<unknown>,
) => Running | typeof HANDED_OVER | GraphQLError | null;

/** A membership that was charged. */
class Charged implements Membership {
  readonly #membership: Membership;
  readonly #charge: Charge;

  constructor(membership: Membership, charge: Charge) {
    this.#membership = membership;
    this.#charge = charge;
  }

  leave(): void {
    this.#membership.leave();
    this.#charge.release();
  }
}

/**
 * Over WebSocket the results go straight to the socket, which takes charge of the subscription; over SSE they come through
 * the stream that is given back, as text that is there already.
 */
export function createSharedSubscriptions(deps: {
  fanOut: FanOut;
  audienceOf: (args: ExecutionArgs) => SharedAudience | null;
  budget: Pick<LiveBudget, 'charge'>;
}): Share {
  return (args, source) => {
    if (!isEventStream(source)) return null;
    const audience = deps.audienceOf(args);
    if (audience === null) return null;
    const { sink, clientAddress, eventCost: cost, logger } = args.contextValue as Context;
    const charge = deps.budget.charge({ clientAddress, cost, key: audience.key, logger });
    if (charge instanceof GraphQLError) return charge;
    const join = (to: Sink) => new Charged(deps.fanOut.join(audience, args, source, to), charge);
    const isPublic = audience.viewer.user === null;
    if (sink === null) return { ...throughStream(join, charge), isPublic };
    if (!sink.takeOver(join, isPublic)) charge.release();
    return HANDED_OVER;
  };
}

function isEventStream(source: AsyncIterable<unknown>): source is EventStream<unknown> {
  return 'catchUp' in source;
}

const DONE = { done: true, value: undefined } as const;

function throughStream(join: (sink: Sink) => Membership, charge: Charge): Running {
  const waiting: { payload: string; cursor: string }[] = [];
  let characters = 0;
  let membership: Membership | undefined;
  let over: { error: Error | null } | undefined;
  let wake: () => void = () => {};
  let makeRoom: () => void = () => {};

  const sink: Sink = {
    push(payload, cursor) {
      if (waiting.length >= MAX_WAITING || characters > MAX_WAITING_CHARACTERS) return false;
      waiting.push({ payload, cursor });
      characters += payload.length;
      wake();
      return true;
    },
    room: () =>
      waiting.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            makeRoom = resolve;
          }),
    fail: (error) => end(error),
  };

  function end(error: Error | null): void {
    over ??= { error };
    // A lagging subscriber is disconnected now, and resumes after the last event that it has read.
    if (error !== null) waiting.length = 0;
    wake();
    makeRoom();
  }

  return {
    async next() {
      membership ??= join(sink);
      for (;;) {
        const item = waiting.shift();
        if (item !== undefined) {
          characters -= item.payload.length;
          if (waiting.length === 0) makeRoom();
          return { done: false, value: readyResult(item) };
        }
        if (over !== undefined) {
          if (over.error !== null) throw over.error;
          return DONE;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    stop() {
      membership?.leave();
      charge.release();
      end(null);
    },
  };
}

/** Yoga asks a result for its own text. The event's cursor is its `id:`; the fields of an event may stand in any order. */
function readyResult({ payload, cursor }: { payload: string; cursor: string }): ExecutionResult {
  const stringify = () => `${payload}\nid: ${cursor}`;
  return { stringify } as ExecutionResult;
}
