import { execute, type ExecutionArgs } from 'graphql';
import { encodeCursor } from '../../events/cursor.ts';
import type { CatchUp } from '../../events/catch-up.ts';
import type { StoredEvent } from '../../events/event.ts';
import { patiently } from '../../events/patience.ts';
import {
  LaggedError,
  LogReplacedError,
  pickFrom,
  type EventStream,
  type StreamItem,
  type StreamSource,
} from '../../events/stream.ts';
import type { Context, Viewer } from '../context/context.ts';
import type { EventQueue } from './event-queue.ts';
import { formatError, maskResult } from '../context/mask.ts';
import type { SharedAudience } from './sharing.ts';
import { untilRead } from './subscribe.ts';
import type { Membership, Sink } from '../context/sink.ts';

/*
 * One execution and one text for all who subscribed to the same in the same role (an audience). An event is executed as it
 * arrives, with loaders that all audiences of a role share for one batch of events; the texts go out in the events' order,
 * each straight into its subscribers' sinks. Who comes back catches up by itself first, with the texts that are there
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

/** Serialized result of an event; null if the audience may not see the event. */
type Payload = Promise<string | null>;

/** Texts that are kept for those who catch up. */
const KEPT = 256;
/** Events that may wait for those before them; more, and the node is not keeping up. */
const MAX_PENDING = 1000;

/** Wires it. */
export function createFanOut(deps: {
  contextFor: (viewer: Viewer) => Context;
  queue: EventQueue;
  laneOf: (key: string) => string;
}): FanOut {
  const audiences = new Map<string, Audience>();
  let executions = 0;
  /** By role, for the events of one batch: they arrive in one tick. */
  const contexts = new Map<string, Context>();

  function contextOf(viewer: Viewer): Context {
    const role = viewer.user?.role ?? 'nobody';
    let context = contexts.get(role);
    if (context === undefined) {
      if (contexts.size === 0) setImmediate(() => contexts.clear());
      context = deps.contextFor(viewer);
      contexts.set(role, context);
    }
    return context;
  }

  function createAudience(
    key: string,
    { key: sharedKey, viewer }: SharedAudience,
    args: ExecutionArgs,
    { source, catchUp }: EventStream<unknown>,
  ): Audience {
    const { schema, document, operationName, variableValues } = args;
    const { eventCost } = args.contextValue as Context;
    return new Audience(
      { source, epoch: catchUp.epoch },
      async (item) => {
        executions += 1;
        let contextValue = contextOf(viewer);
        const attempt = async (again: boolean) => {
          // What one attempt could not read must not be kept for the next.
          if (again) contextValue = deps.contextFor(viewer);
          return execute({ schema, document, operationName, variableValues, rootValue: item, contextValue });
        };
        const queued = (again: boolean) => deps.queue.run(deps.laneOf(sharedKey), eventCost, () => attempt(again));
        const result = await untilRead(queued, () => !audiences.has(key));
        const { errors, ...masked } = maskResult(result, contextValue);
        return JSON.stringify(errors === undefined ? masked : { ...masked, errors: errors.map(formatError) });
      },
      () => audiences.delete(key),
    );
  }

  return {
    join(shared, args, stream, sink) {
      // Numbers of another log mean other events.
      const key = `${stream.catchUp.epoch} ${shared.key}`;
      let audience = audiences.get(key);
      if (audience === undefined) {
        audience = createAudience(key, shared, args, stream);
        audiences.set(key, audience);
      }
      return audience.join(stream.catchUp, sink);
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

/** Executes for one event. */
type Run = (item: StreamItem<unknown>) => Promise<string>;

/** All who get the same. */
class Audience {
  readonly #source: StreamSource<unknown>;
  readonly #epoch: string;
  readonly #run: Run;
  readonly #empty: () => void;
  readonly #live = new Set<Member>();
  readonly #kept = new Map<number, Payload>();
  #pending: { seq: number; payload: Payload }[] = [];
  #pumping = false;
  #unsubscribe: (() => void) | undefined;
  size = 0;

  constructor(log: { source: StreamSource<unknown>; epoch: string }, run: Run, empty: () => void) {
    this.#source = log.source;
    this.#epoch = log.epoch;
    this.#run = run;
    this.#empty = empty;
  }

  get live(): number {
    return this.#live.size;
  }

  join(catchUp: CatchUp, sink: Sink): Membership {
    const member = new Member(this, sink, catchUp);
    this.size += 1;
    this.#begin(member, catchUp).catch((error: unknown) => member.fail(asError(error)));
    return member;
  }

  async #begin(member: Member, catchUp: CatchUp): Promise<void> {
    const { sink } = member;
    for (;;) {
      const events = await catchUp.step((seq) => this.#attach(member, seq));
      if (events === null) return;
      for (const event of events) {
        const payload = await this.#payloadOf(event);
        if (member.left) return;
        if (payload === null) continue;
        await sink.room();
        if (member.left) return;
        if (!sink.push(payload, encodeCursor({ epoch: this.#epoch, seq: event.seq }))) throw new LaggedError();
      }
      if (member.left) return;
    }
  }

  #attach(member: Member, seq: number): void {
    if (member.left) return;
    member.caughtUp(seq);
    this.#live.add(member);
    this.#unsubscribe ??= this.#source.feed.subscribe({
      event: (event) => this.#arrive(event),
      reset: () => {
        this.#unsubscribe = undefined;
        this.#failAll(new LogReplacedError());
      },
    });
  }

  /** Lets go of a member; the last one takes the audience along. */
  forget(member: Member): void {
    this.#live.delete(member);
    if (this.#live.size === 0) {
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
      this.#pending = [];
    }
    this.size -= 1;
    if (this.size === 0) this.#empty();
  }

  #failAll(error: Error): void {
    for (const member of [...this.#live]) member.fail(error);
  }

  #arrive(event: StoredEvent): void {
    const payload = this.#payloadOf(event);
    if (payload === null) return;
    if (this.#pending.length >= MAX_PENDING) {
      this.#failAll(new LaggedError());
      return;
    }
    this.#pending.push({ seq: event.seq, payload });
    if (!this.#pumping) void this.#pump();
  }

  /** Null where the event is passed over at once. */
  #payloadOf(event: StoredEvent): Payload | null {
    const kept = this.#kept.get(event.seq);
    if (kept !== undefined) return kept;
    const picked = pickFrom(this.#source.pick, event);
    if (picked === null) return null;
    const payload = this.#make(event, picked);
    // A subscriber that resumes at a failed event must not receive the cached failure.
    payload.catch(() => this.#kept.delete(event.seq));
    this.#kept.set(event.seq, payload);
    if (this.#kept.size > KEPT) {
      const [oldest] = this.#kept.keys();
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return payload;
  }

  async #make(event: StoredEvent, picked: unknown): Payload {
    const attempt = async (again: boolean) => await (again ? pickFrom(this.#source.pick, event) : picked);
    const value = await patiently(attempt, { isOver: () => this.size === 0 });
    return value === null ? null : this.#run({ event, epoch: this.#epoch, value });
  }

  /** One at a time, in the events' order. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      try {
        const payload = await next.payload;
        if (payload !== null) this.#deliver(next.seq, payload);
      } catch (error) {
        // No subscriber may continue as if the event had not happened.
        this.#failAll(asError(error));
      }
      if (this.#pending[0] === next) this.#pending.shift();
    }
    this.#pumping = false;
  }

  #deliver(seq: number, payload: string): void {
    const cursor = encodeCursor({ epoch: this.#epoch, seq });
    for (const member of this.#live) {
      if (seq > member.since && !member.sink.push(payload, cursor)) member.fail(new LaggedError());
    }
  }
}

/** One of an audience: as long as nothing happens, this and its sink are all there is of it. */
class Member implements Membership {
  readonly #audience: Audience;
  readonly sink: Sink;
  /** Null once it is live. */
  #catchUp: CatchUp | null;
  /** Live from the event after this one. */
  since = 0;
  left = false;

  constructor(audience: Audience, sink: Sink, catchUp: CatchUp) {
    this.#audience = audience;
    this.sink = sink;
    this.#catchUp = catchUp;
  }

  caughtUp(seq: number): void {
    this.since = seq;
    this.#catchUp = null;
  }

  leave(): void {
    if (this.left) return;
    this.left = true;
    this.#catchUp?.leave();
    this.#audience.forget(this);
  }

  fail(error: Error): void {
    if (this.left) return;
    this.leave();
    this.sink.fail(error);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
