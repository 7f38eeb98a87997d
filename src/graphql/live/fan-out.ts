import { execute, type ExecutionArgs } from 'graphql';
import type { EventFeed } from '../../events/feed.ts';
import type { EventStream, StreamItem } from '../../events/stream.ts';
import type { Viewer } from '../context/authentication.ts';
import type { Context } from '../context/context.ts';
import { formatError, maskResult } from '../context/mask.ts';
import type { Membership, Sink } from '../context/sink.ts';
import { Audience, type AudienceHost } from './audience.ts';
import type { EventQueue } from './event-queue.ts';
import { createEventTexts, type EventTexts, type TextsOf } from './event-texts.ts';
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

    get texts(): EventTexts {
      return texts;
    }

    async run(item: StreamItem<unknown>, isPast: boolean): Promise<{ text: string; isLasting: boolean }> {
      executions += 1;
      const shared = this.#shared;
      let contextValue = contextOf(shared);
      const attempt = async (again: boolean) => {
        // What one attempt could not read must not be kept for the next.
        if (again) contextValue = deps.contextFor(shared.viewer);
        return execute({ ...this.#args, rootValue: item, contextValue });
      };
      const lane = isPast ? this.#pastLane : deps.laneOf(shared.key);
      const queued = (again: boolean) => deps.queue.run(lane, this.#eventCost, () => attempt(again));
      const result = await untilRead(queued, () => !audiences.has(this.#key));
      const { errors, ...masked } = maskResult(result, contextValue);
      if (errors === undefined) return { text: JSON.stringify(masked), isLasting: true };
      // Those who come to the event later may be luckier.
      return { text: JSON.stringify({ ...masked, errors: errors.map(formatError) }), isLasting: false };
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
        audience = new Audience(new Host(key, shared, args, stream), of);
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
