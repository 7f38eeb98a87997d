import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { EventStream } from '../../events/stream.ts';
import type { Context } from '../context/context.ts';
import type { FanOut } from './fan-out.ts';
import type { Charge, LiveBudget } from '../limits/live-budget.ts';
import type { SharedAudience } from './sharing.ts';
import type { EventText, Membership, Sink } from '../context/sink.ts';
import { HANDED_OVER, type Running } from './subscribe.ts';

/** What a reader of SSE may leave unread. */
const MAX_WAITING = 1000;
const MAX_WAITING_CHARACTERS = 1_000_000;
/** Below this there is room for a reader that catches up. */
const ROOM = 200;
const ROOM_CHARACTERS = 64_000;

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
  let waiting: EventText[] = [];
  let characters = 0;
  let membership: Membership | undefined;
  let over: { error: Error | null } | undefined;
  let wake: () => void = () => {};
  let makeRoom: () => void = () => {};

  const sink: Sink = {
    push(result) {
      if (waiting.length >= MAX_WAITING || characters > MAX_WAITING_CHARACTERS) return false;
      waiting.push(result);
      characters += result.text.length;
      wake();
      return true;
    },
    get hasRoom() {
      return (waiting.length < ROOM && characters < ROOM_CHARACTERS) || over !== undefined;
    },
    room: () =>
      sink.hasRoom
        ? Promise.resolve()
        : new Promise((resolve) => {
            makeRoom = resolve;
          }),
    // What waits is sent together anyway.
    cork() {},
    uncork() {},
    fail: (error) => end(error),
  };

  function end(error: Error | null): void {
    over ??= { error };
    // A lagging subscriber is disconnected now, and resumes after the last event that it has read.
    if (error !== null) waiting = [];
    wake();
    makeRoom();
  }

  function takeAll(): EventText[] {
    const all = waiting;
    [waiting, characters] = [[], 0];
    makeRoom();
    return all;
  }

  return {
    async next() {
      membership ??= join(sink);
      for (;;) {
        if (waiting.length > 0) return { done: false, value: readyResult(takeAll()) };
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

/**
 * Yoga asks a result for its own text, and writes `event: next` and `data: ` before it. Several events are one result with their
 * frames between them. An event's cursor is its `id:`; the fields of an event may stand in any order.
 */
function readyResult(events: readonly EventText[]): ExecutionResult {
  const stringify = () => events.map(({ text, cursor }) => `${text}\nid: ${cursor}`).join('\n\nevent: next\ndata: ');
  return { stringify } as ExecutionResult;
}
