import type { CatchUp } from '../../events/catch-up.ts';
import type { StoredEvent } from '../../events/event.ts';
import type { EventFeed, FeedListener } from '../../events/feed.ts';
import { patiently } from '../../events/patience.ts';
import {
  LaggedError,
  LogReplacedError,
  pickFrom,
  type EventStream,
  type StreamItem,
  type StreamSource,
} from '../../events/stream.ts';
import { EventText, type Membership, type Sink } from '../context/sink.ts';
import type { Executed, SharedTexts, Text } from './event-texts.ts';
import { PastEvents, type Failure, type PastHost, type Picker } from './past-events.ts';
import { Portions } from './portions.ts';

/** Events that may wait for those before them; more, and the node is not keeping up. */
const MAX_PENDING = 1000;

/** What an audience is made with. */
export interface AudienceHost {
  readonly epoch: string;
  readonly feed: EventFeed;
  /** Executes a live event. */
  run(item: StreamItem<unknown>): Promise<Executed>;
  /**
   * Executes past events for a subscriber that catches up. Such executions do not keep those of live events waiting.
   * @returns what became of each event, in the order of the events
   */
  runPast(items: readonly StreamItem<unknown>[]): Promise<readonly (Executed | Failure)[]>;
  /** Whether many past events are being executed already. */
  isCrowded(): boolean;
  /** Counts past events that are to be executed. @returns what to call when they are */
  replays(count: number): () => void;
  /** The last member has left. */
  empty(): void;
}

/** An event on its way to those who are live. */
class Pending {
  readonly seq: number;
  readonly made: Promise<Text>;
  /** Undefined until it is made. */
  text: Text | undefined;

  constructor(seq: number, made: Promise<Text>) {
    this.seq = seq;
    this.made = made;
    made.then(
      (text) => {
        this.text = text;
      },
      () => {},
    );
  }
}

/** All who get the same. It listens to the feed itself: a listener apart would be more memory for each owner who follows a cart. */
export class Audience implements FeedListener {
  readonly #host: AudienceHost;
  readonly #texts: SharedTexts;
  readonly #live = new Set<Member>();
  /** That of the first member who is live, for all who are. */
  #picker: Picker | undefined;
  #pending: Pending[] | undefined;
  #pumping = false;
  #unsubscribe: (() => void) | undefined;
  size = 0;

  constructor(host: AudienceHost, texts: SharedTexts) {
    this.#host = host;
    this.#texts = texts;
  }

  get live(): number {
    return this.#live.size;
  }

  join({ catchUp, source }: EventStream<unknown>, sink: Sink): Membership {
    const member = new Member(this, sink, catchUp);
    this.size += 1;
    this.#begin(member, catchUp, source).catch((error: unknown) => member.fail(asError(error)));
    return member;
  }

  async #begin(member: Member, catchUp: CatchUp, source: StreamSource<unknown>): Promise<void> {
    const past = new PastEvents(this.#pastHost(), source);
    const portions = new Portions({
      sink: member.sink,
      isRepeatable: source.forget === undefined,
      hasLeft: () => member.left,
      isCrowded: () => this.#host.isCrowded(),
      begins: (count) => this.#host.replays(count),
      pick: (event) => past.pick(event),
      make: (wanted) => past.make(wanted),
      textOf: (seq, text) => this.#textOf(seq, text),
    });
    for (;;) {
      const events = await catchUp.step((seq) => this.#attach(member, seq, source));
      if (events === null) return;
      await portions.send(events);
      if (member.left) return;
    }
  }

  #attach(member: Member, seq: number, source: StreamSource<unknown>): void {
    if (member.left) return;
    member.caughtUp(seq);
    // While nobody was live its `pick` has missed events, or is another member's who still catches up.
    const { pick, forget } = source;
    if (this.#live.size === 0) this.#picker = forget === undefined ? { pick } : { pick, forget };
    else this.#picker?.forget?.();
    this.#live.add(member);
    this.#unsubscribe ??= this.#host.feed.subscribe(this);
  }

  /** Of the feed: no event follows. */
  reset(): void {
    this.#unsubscribe = undefined;
    this.#failAll(new LogReplacedError());
  }

  /** Lets go of a member; the last one takes the audience along. */
  forget(member: Member): void {
    this.#live.delete(member);
    if (this.#live.size === 0) {
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
      this.#picker = undefined;
      this.#pending = undefined;
    }
    this.size -= 1;
    if (this.size === 0) this.#host.empty();
  }

  #failAll(error: Error): void {
    for (const member of [...this.#live]) member.fail(error);
  }

  /** Of the feed: the next event. */
  event(event: StoredEvent): void {
    if (this.#picker === undefined) return;
    const made = this.#make(event, this.#picker);
    if (made === null) return;
    this.#pending ??= [];
    if (this.#pending.length >= MAX_PENDING) {
      this.#failAll(new LaggedError());
      return;
    }
    this.#pending.push(new Pending(event.seq, made));
    if (!this.#pumping) void this.#pump();
  }

  /** The text of a live event; null where the event is passed over at once. */
  #make(event: StoredEvent, picker: Picker): Promise<Text> | null {
    const picked = pickFrom(picker.pick, event);
    if (picked === null) return null;
    const text = this.#execute(event, picked, picker);
    // It is awaited when its turn comes.
    text.catch(() => {});
    return text;
  }

  async #execute(event: StoredEvent, picked: unknown, { pick, forget }: Picker): Promise<Text> {
    let value = picked;
    if (picked instanceof Promise) {
      const attempt = async (again: boolean) => await (again ? pickFrom(pick, event) : picked);
      value = await patiently(attempt, { isOver: () => this.size === 0 });
    }
    if (value === null) return null;
    const item = { event, epoch: this.#host.epoch, value };
    // What one member was shown may not be what another one is to be shown.
    if (forget !== undefined) return (await this.#host.run(item)).text;
    return this.#texts.find(event.seq) ?? this.#share(item);
  }

  /** A live event never waits for a reader's execution: it arrives here before any reader finds it in memory. */
  #share(item: StreamItem<unknown>): Promise<string> {
    const { seq } = item.event;
    const made = this.#host.run(item).then(({ text, isLasting }) => {
      if (isLasting) this.#texts.keep([[seq, text]]);
      return text;
    });
    this.#texts.share([seq], () => made, made);
    return made;
  }

  #pastHost(): PastHost {
    return {
      epoch: this.#host.epoch,
      texts: this.#texts,
      isOver: () => this.size === 0,
      run: (items) => this.#host.runPast(items),
    };
  }

  /** One at a time, in the events' order; together, what is ready together. */
  async #pump(): Promise<void> {
    this.#pumping = true;
    for (let next = this.#pending?.[0]; next !== undefined; next = this.#pending?.[0]) {
      try {
        await next.made;
        this.#deliver(this.#takeReady(next));
      } catch (error) {
        // No subscriber may continue as if the event had not happened. Those who came live after it have missed nothing.
        for (const member of [...this.#live]) if (member.since < next.seq) member.fail(asError(error));
        if (this.#pending?.[0] === next) this.#pending.shift();
      }
    }
    this.#pumping = false;
  }

  /** Takes what is ready from the head of the line. Empty where the line is another one by now. */
  #takeReady(first: Pending): Pending[] {
    const line = this.#pending ?? [];
    if (line[0] !== first) return [];
    const end = line.findIndex(({ text }) => text === undefined);
    return line.splice(0, end === -1 ? line.length : end);
  }

  #deliver(ready: readonly Pending[]): void {
    const shown: [seq: number, result: EventText][] = [];
    for (const { seq, text } of ready) if (text != null) shown.push([seq, this.#textOf(seq, text)]);
    if (shown.length === 0) return;
    for (const member of this.#live) {
      const { sink, since } = member;
      if (shown.length > 1) sink.cork();
      for (const [seq, result] of shown) {
        if (seq > since && !member.left && !sink.push(result)) member.fail(new LaggedError());
      }
      if (shown.length > 1) sink.uncork();
    }
  }

  #textOf(seq: number, text: string): EventText {
    return new EventText(text, { epoch: this.#host.epoch, seq });
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
