import { execute, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { EventFeed } from '../../events/feed.ts';
import { isDatabaseFault } from '../../events/patience.ts';
import type { EventStream, StreamItem } from '../../events/stream.ts';
import type { Viewer } from '../context/authentication.ts';
import type { Context } from '../context/context.ts';
import { formatError, maskResult } from '../context/mask.ts';
import type { Membership, Sink } from '../context/sink.ts';
import { Audience, type AudienceHost } from './audience.ts';
import type { EventQueue } from './event-queue.ts';
import { createEventTexts, SharedTexts, type Executed, type TextsOf } from './event-texts.ts';
import { Failure, together } from './past-events.ts';
import type { SharedAudience } from './sharing.ts';
import { untilRead } from './subscribe.ts';

/*
 * One execution and one text for all who subscribed to the same in the same role, or as the same owner (an audience). An event is
 * executed as it arrives, with loaders that all audiences of a viewer share for one batch of events; the texts go out in the events'
 * order, each straight into its subscribers' sinks. Who comes back catches up by itself first, with the texts that are there
 * already, and joins the live ones in the tick in which nothing is missing any more.
 */

/** What goes on, in numbers. */
export interface FanOutState {
  /** Of shared subscriptions: different answers, and how many of these listen to events now. */
  audiences: number;
  listening: number;
  /** Shared subscriptions, and how many of them have caught up. */
  subscribers: number;
  live: number;
  executions: number;
}

export interface FanOut {
  join(audience: SharedAudience, args: ExecutionArgs, stream: EventStream<unknown>, sink: Sink): Membership;
  state(): FanOutState;
}

/** Past events of one lane that may be executed in portions: a tenth of the executions that may wait there. */
const MANY = 1_000;

/** Cost of past events that are executed in one go: a small part of what begins in a turn of the event loop. */
const PIECE_COST = 50;

/** Wires it. */
export function createFanOut(deps: {
  contextFor: (viewer: Viewer) => Context;
  queue: EventQueue;
  laneOf: (key: string) => string;
}): FanOut {
  const audiences = new Map<string, Audience>();
  const texts = createEventTexts();
  let made = 0;
  let executions = 0;
  /** Past events that are being executed for those who catch up, by lane. */
  const replayed = new Map<string, number>();
  /** By viewer, for the events of one batch: they arrive in one tick. */
  const contexts = new Map<string, Context>();

  function contextOf({ viewer, viewerKey }: SharedAudience): Context {
    let context = contexts.get(viewerKey);
    if (context === undefined) {
      if (contexts.size === 0) setImmediate(() => contexts.clear());
      context = deps.contextFor(viewer);
      contexts.set(viewerKey, context);
    }
    return context;
  }

  /** What an audience needs to be executed: of all that its first subscriber came with, nothing else is kept. */
  class Host implements AudienceHost {
    readonly epoch: string;
    readonly feed: EventFeed;
    readonly #key: string;
    readonly #shared: SharedAudience;
    readonly #args: Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;
    readonly #eventCost: number;

    constructor(key: string, shared: SharedAudience, args: ExecutionArgs, stream: EventStream<unknown>) {
      const { schema, document, operationName, variableValues } = args;
      this.epoch = stream.catchUp.epoch;
      this.feed = stream.source.feed;
      this.#key = key;
      this.#shared = shared;
      this.#args = { schema, document, operationName, variableValues };
      this.#eventCost = (args.contextValue as Context).eventCost;
    }

    run(item: StreamItem<unknown>): Promise<Executed> {
      executions += 1;
      return this.#execute(item, deps.laneOf(this.#shared.key), contextOf(this.#shared), null);
    }

    async runPast(items: readonly StreamItem<unknown>[]): Promise<(Executed | Failure)[]> {
      executions += items.length;
      const context = contextOf(this.#shared);
      const size = Math.max(1, Math.floor(PIECE_COST / Math.max(1, this.#eventCost)));
      const pieces: Promise<(Executed | Failure)[]>[] = [];
      for (let at = 0; at < items.length; at += size) pieces.push(this.#runPiece(items.slice(at, at + size), context));
      return (await Promise.all(pieces)).flat();
    }

    async #runPiece(items: readonly StreamItem<unknown>[], context: Context): Promise<(Executed | Failure)[]> {
      const lane = this.#pastLane;
      const work = () => together(items.map((item) => this.#begin(item, context)));
      try {
        const results = await deps.queue.run(lane, this.#eventCost * items.length, work);
        const finished = results.map((result, index) => {
          const item = items[index];
          if (item === undefined || result.errors?.some(isDatabaseFault) !== true) return toExecuted(result, context);
          return this.#execute(item, lane, context, result).catch((error: unknown) => new Failure(error));
        });
        return await together<Executed | Failure>(finished);
      } catch (error) {
        return items.map(() => new Failure(error));
      }
    }

    #begin(rootValue: StreamItem<unknown>, contextValue: Context): ExecutionResult | Promise<ExecutionResult> {
      return execute({ ...this.#args, rootValue, contextValue });
    }

    /** @param first result of the first attempt, where that was made already */
    async #execute(
      item: StreamItem<unknown>,
      lane: string,
      context: Context,
      first: ExecutionResult | null,
    ): Promise<Executed> {
      let contextValue = context;
      const attempt = async (again: boolean) => {
        if (!again && first !== null) return first;
        // What one attempt could not read must not be kept for the next.
        if (again) contextValue = deps.contextFor(this.#shared.viewer);
        return deps.queue.run(lane, this.#eventCost, async () => this.#begin(item, contextValue));
      };
      const result = await untilRead(attempt, () => !audiences.has(this.#key));
      return toExecuted(result, contextValue);
    }

    /** Replays stand in lines of their own: they neither fill nor delay those of live events. */
    get #pastLane(): string {
      return `past ${deps.laneOf(this.#shared.key)}`;
    }

    isCrowded(): boolean {
      return (replayed.get(this.#pastLane) ?? 0) >= MANY;
    }

    replays(count: number): () => void {
      const lane = this.#pastLane;
      const add = (more: number) => {
        const sum = (replayed.get(lane) ?? 0) + more;
        if (sum === 0) replayed.delete(lane);
        else replayed.set(lane, sum);
      };
      add(count);
      return () => add(-count);
    }

    empty(): void {
      audiences.delete(this.#key);
    }
  }

  return {
    join(shared, args, stream, sink) {
      // Numbers of another log mean other events.
      const key = `${stream.catchUp.epoch} ${shared.key}`;
      let audience = audiences.get(key);
      if (audience === undefined) {
        made += 1;
        const { isRecorded } = shared;
        // A text that shows a state of the shop is given to those who are there, as if they had been there from the start.
        const of: TextsOf = { isRecorded, name: isRecorded ? key : String(made) };
        audience = new Audience(new Host(key, shared, args, stream), new SharedTexts(texts, of));
        audiences.set(key, audience);
      }
      return audience.join(stream, sink);
    },
    state() {
      const all = [...audiences.values()];
      const live = all.map((audience) => audience.live);
      return {
        audiences: all.length,
        listening: live.filter((count) => count > 0).length,
        subscribers: all.reduce((sum, audience) => sum + audience.size, 0),
        live: live.reduce((sum, count) => sum + count, 0),
        executions,
      };
    },
  };
}

function toExecuted(result: ExecutionResult, context: Context): Executed {
  if (result.errors === undefined) return { text: JSON.stringify(result), isLasting: true };
  const { errors, ...masked } = maskResult(result, context);
  if (errors === undefined) return { text: JSON.stringify(masked), isLasting: true };
  // Those who come to the event later may be luckier.
  return { text: JSON.stringify({ ...masked, errors: errors.map(formatError) }), isLasting: false };
}
