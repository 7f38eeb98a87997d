import type { StoredEvent } from '../../events/event.ts';
import { patiently } from '../../events/patience.ts';
import { pickFrom, type StreamItem, type StreamSource } from '../../events/stream.ts';
import type { Executed, SharedTexts, Text } from './event-texts.ts';

/*
 * The texts of past events, many at a time. What an event costs apart from its execution (promises, closures, a place in the queue)
 * would be most of what it costs; so everything that can be done for several events together is done for all of them at once.
 */

/** Of a source, what is needed once its subscriber is live: the rest would keep what the subscriber came with. */
export type Picker = Pick<StreamSource<unknown>, 'pick' | 'forget'>;

/** An event whose text is wanted, and the value that `pick` gave for it. */
export interface Wanted {
  event: StoredEvent;
  picked: unknown;
}

/** Stands for the text of an event that could not be made. */
export class Failure {
  readonly error: Error;

  constructor(error: unknown) {
    this.error = error instanceof Error ? error : new Error(String(error));
  }
}

/** What the subscriber's audience provides. */
export interface PastHost {
  readonly epoch: string;
  readonly texts: SharedTexts;
  /** Whether the texts are no longer needed. */
  isOver(): boolean;
  /** Executes events. @returns what became of each, in the order of the events */
  run(items: readonly StreamItem<unknown>[]): Promise<readonly (Executed | Failure)[]>;
}

/** Makes the texts of past events for one subscriber. */
export class PastEvents {
  readonly #host: PastHost;
  readonly #picker: Picker;

  constructor(host: PastHost, picker: Picker) {
    this.#host = host;
    this.#picker = picker;
  }

  /** What `make` needs of an event; null where the event is passed over at once. */
  pick(event: StoredEvent): unknown {
    return pickFrom(this.#picker.pick, event);
  }

  /** The texts of these events, in the order of the events; null where the subscriber does not see the event. */
  async make(wanted: readonly Wanted[]): Promise<(Text | Failure)[]> {
    const values = await together(wanted.map((each) => this.#valueOf(each)));
    const made: (Text | Failure | Promise<Text | Failure>)[] = [];
    const items: StreamItem<unknown>[] = [];
    const places: number[] = [];
    for (const [index, { event }] of wanted.entries()) {
      const value = values[index];
      const known = this.#isShared && value !== null ? this.#host.texts.find(event.seq) : undefined;
      if (value === null || value instanceof Failure) made[index] = value;
      else if (known === undefined) {
        places.push(index);
        items.push({ event, epoch: this.#host.epoch, value });
      } else made[index] = typeof known === 'string' ? known : known.catch((error: unknown) => new Failure(error));
    }
    if (items.length > 0) {
      const executed = await this.#run(items);
      for (const [index, place] of places.entries()) {
        const each = executed[index];
        made[place] = each instanceof Failure ? each : (each?.text ?? null);
      }
    }
    return together(made);
  }

  /** What one subscriber was shown may not be what another one is to be shown. */
  get #isShared(): boolean {
    return this.#picker.forget === undefined;
  }

  #valueOf({ event, picked }: Wanted): unknown {
    if (!(picked instanceof Promise)) return picked;
    const attempt = async (again: boolean): Promise<unknown> =>
      await (again ? pickFrom(this.#picker.pick, event) : picked);
    const again = () => patiently(attempt, { isOver: () => this.#host.isOver() });
    return picked.catch(() => again().catch((error: unknown) => new Failure(error)));
  }

  async #run(items: readonly StreamItem<unknown>[]): Promise<readonly (Executed | Failure)[]> {
    const { run, texts } = this.#host;
    const running = run(items);
    if (!this.#isShared) return running;
    const numbers = items.map(({ event }) => event.seq);
    const flight = async (seq: number) => {
      const each = (await running)[numbers.indexOf(seq)];
      if (each === undefined) throw new Error(`event ${seq} was not executed`);
      if (each instanceof Failure) throw each.error;
      return each.text;
    };
    texts.share(numbers, flight, running);
    const executed = await running;
    const lasting: [seq: number, text: string][] = [];
    for (const [index, each] of executed.entries()) {
      if (!(each instanceof Failure) && each.isLasting) lasting.push([numbers[index] ?? 0, each.text]);
    }
    texts.keep(lasting);
    return executed;
  }
}

/** Waits for those of the values that are promises. */
export async function together<T>(values: readonly (T | Promise<T>)[]): Promise<T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as T[]);
}
