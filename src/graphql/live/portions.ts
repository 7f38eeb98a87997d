import type { StoredEvent } from '../../events/event.ts';
import { LaggedError } from '../../events/stream.ts';
import type { EventText, Sink } from '../context/sink.ts';
import type { Text } from './event-texts.ts';
import { Failure, type Wanted } from './past-events.ts';

/*
 * Past events go to a subscriber in portions. The events of a portion are looked up and executed together, so that they share
 * statements. Their texts wait in memory until the subscriber reads them; therefore a portion begins only when there is room, and is
 * as large as the texts of the one before allow.
 */

/** Events of a portion that a subscriber is to be shown, at most. */
const MOST = 100;
/** The same for events that cannot be executed again: all of their texts have to be kept. */
const MOST_ONCE = 10;
/** Characters of the texts that are kept for a subscriber, about. */
const KEPT_CHARACTERS = 64_000;

/** What it takes to send past events to a subscriber. */
export interface Past {
  readonly sink: Sink;
  /** Whether an event may be executed again. */
  readonly isRepeatable: boolean;
  hasLeft(): boolean;
  /** Whether many past events are being executed already: then each subscriber asks for one at a time. */
  isCrowded(): boolean;
  /** Counts the events of a portion. @returns what to call when they are executed */
  begins(count: number): () => void;
  /** What `make` needs of an event; null where the event is passed over at once. */
  pick(event: StoredEvent): unknown;
  /** The texts of events; null where the subscriber does not see the event. */
  make(wanted: readonly Wanted[]): Promise<readonly (Text | Failure)[]>;
  textOf(seq: number, text: string): EventText;
}

interface Portion {
  texts: [seq: number, text: string][];
  /** Index of the first event after the portion. */
  end: number;
  /** Why the portion ends before its next event. */
  failure: Error | undefined;
}

/** Sends past events to one subscriber, as fast as it reads. */
export class Portions {
  readonly #past: Past;
  /** Length of the longest text of the portion before. The first portion is a single event: its length says something about the others. */
  #longest = KEPT_CHARACTERS;

  constructor(past: Past) {
    this.#past = past;
  }

  /**
   * Returns when all events are sent, or the subscriber has left.
   * @throws LaggedError where the subscriber does not take a text
   */
  async send(events: readonly StoredEvent[]): Promise<void> {
    for (let from = 0; from < events.length;) {
      if (!(await this.#hasRoom())) return;
      const { texts, end, failure } = await this.#make(events, from);
      if (!(await this.#push(texts))) return;
      if (failure !== undefined) throw failure;
      from = end;
    }
  }

  /** Waits for room. False where the subscriber has left. */
  async #hasRoom(): Promise<boolean> {
    const { sink } = this.#past;
    while (!sink.hasRoom && !this.#past.hasLeft()) await sink.room();
    return !this.#past.hasLeft();
  }

  async #make(events: readonly StoredEvent[], from: number): Promise<Portion> {
    const { isRepeatable } = this.#past;
    const size = this.#size();
    const wanted: Wanted[] = [];
    /** Indices of these among the events. */
    const places: number[] = [];
    const portion: Portion = { texts: [], end: from, failure: undefined };
    for (const event of events.slice(from)) {
      if (wanted.length === size) break;
      const picked = this.#past.pick(event);
      if (picked !== null) {
        wanted.push({ event, picked });
        places.push(portion.end);
      }
      portion.end += 1;
    }
    const ended = this.#past.begins(wanted.length);
    const made = await this.#past.make(wanted).finally(ended);
    let characters = 0;
    this.#longest = 0;
    for (const [index, { event }] of wanted.entries()) {
      // The rest is executed again, or found among the texts that are kept for everybody.
      if (characters >= KEPT_CHARACTERS && isRepeatable) return { ...portion, end: places[index] ?? portion.end };
      const text = made[index] ?? null;
      if (text instanceof Failure) {
        // The events before this one are sent all the same.
        return { ...portion, failure: text.error };
      }
      if (text === null) continue;
      portion.texts.push([event.seq, text]);
      characters += text.length;
      this.#longest = Math.max(this.#longest, text.length);
    }
    return portion;
  }

  #size(): number {
    if (this.#past.isCrowded()) return 1;
    const fitting = Math.floor(KEPT_CHARACTERS / this.#longest);
    return Math.max(1, Math.min(this.#past.isRepeatable ? MOST : MOST_ONCE, fitting));
  }

  async #push(texts: Portion['texts']): Promise<boolean> {
    const { sink } = this.#past;
    for (let at = 0; at < texts.length;) {
      if (!(await this.#hasRoom())) return false;
      sink.cork();
      try {
        for (; sink.hasRoom; at += 1) {
          const next = texts[at];
          if (next === undefined) break;
          if (!sink.push(this.#past.textOf(...next))) throw new LaggedError();
        }
      } finally {
        sink.uncork();
      }
    }
    return !this.#past.hasLeft();
  }
}
