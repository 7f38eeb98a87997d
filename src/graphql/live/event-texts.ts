import { LRUCache } from 'lru-cache';

/*
 * The texts of events that were executed, for subscribers that come to the same events later: after a restart of the shop
 * thousands of clients come back to the same few events, and every new reader of a long log asks for all of it again.
 */

/** Numbers of events, in order, and the texts. */
export type KeptTexts = readonly (readonly [seq: number, text: string])[];

/** Texts by the subscription that they answer, and the number of the event. */
export interface EventTexts {
  find(of: TextsOf, seq: number): string | undefined;
  keep(of: TextsOf, texts: KeptTexts): void;
}

/** Whose texts they are. */
export interface TextsOf {
  /** Names the document, variables and viewer; or, where the texts may not outlive their subscribers, the audience. */
  name: string;
  /** Whether a text is the same whenever the event is executed. Others show a state of the shop, and are kept for a minute. */
  isRecorded: boolean;
}

const MAX_BYTES = 16_000_000;
const MAX_AGE_MS = 60_000;
/** Heap that a block and a text take besides the characters, about. */
const BYTES_PER_BLOCK = 500;
const BYTES_PER_TEXT = 50;
/** Share of all memory that a block may take. */
const LARGEST = 1 / 16;
/** Numbers that share a block. An entry for each text would cost a replay as much as a third of the executions. */
const BLOCK = 32;

interface Block {
  texts: Map<number, string>;
  bytes: number;
}

/** Makes an empty store for a node. */
export function createEventTexts(maxBytes = MAX_BYTES): EventTexts {
  const largest = Math.floor(maxBytes * LARGEST);
  const blocks = new LRUCache<string, Block>({
    maxSize: maxBytes,
    maxEntrySize: largest,
    sizeCalculation: ({ bytes }) => bytes,
  });
  const keyOf = ({ name }: TextsOf, number: number) => `${number} ${name}`;
  const numberOf = (seq: number) => Math.floor(seq / BLOCK);

  function add(of: TextsOf, number: number, texts: KeptTexts): void {
    const key = keyOf(of, number);
    const before = blocks.get(key);
    const added = texts.reduce((sum, [, text]) => sum + text.length + BYTES_PER_TEXT, 0);
    // A block that would become too large is started over.
    const kept = before !== undefined && before.bytes + added <= largest ? before : undefined;
    const all = kept?.texts ?? new Map<number, string>();
    for (const [seq, text] of texts) all.set(seq, text);
    // All texts of a block are forgotten when the first of them is too old. (A TTL of 0 would keep them for good.)
    const age = kept === undefined ? MAX_AGE_MS : blocks.getRemainingTTL(key);
    blocks.set(
      key,
      { texts: all, bytes: (kept?.bytes ?? BYTES_PER_BLOCK) + added },
      of.isRecorded ? {} : { ttl: Math.max(1, age) },
    );
  }

  return {
    find: (of, seq) => blocks.get(keyOf(of, numberOf(seq)))?.texts.get(seq),
    keep(of, texts) {
      for (let from = 0; from < texts.length;) {
        const number = numberOf(texts[from]?.[0] ?? 0);
        const after = texts.findIndex(([seq], index) => index > from && numberOf(seq) !== number);
        const end = after === -1 ? texts.length : after;
        add(of, number, texts.slice(from, end));
        from = end;
      }
    },
  };
}

/** Serialized result of an event; null if the audience may not see the event. */
export type Text = string | null;

/** The text of an execution, and whether others may get it later. */
export interface Executed {
  text: string;
  isLasting: boolean;
}

/** Gives the text of an event that is being executed. One function may stand for several events. */
export type Flight = (seq: number) => Promise<string>;

/** What the members of one audience share: the texts that are kept, and the executions under way. */
export class SharedTexts {
  readonly #store: EventTexts;
  readonly #of: TextsOf;
  /** Executions under way, by number of the event. */
  #flights: Map<number, Flight> | undefined;

  constructor(store: EventTexts, of: TextsOf) {
    this.#store = store;
    this.#of = of;
  }

  /** The text of an event that was executed or is being executed; undefined where it has to be executed. */
  find(seq: number): string | Promise<string> | undefined {
    return this.#store.find(this.#of, seq) ?? this.#flights?.get(seq)?.(seq);
  }

  /** Has others share an execution until `ended` settles. */
  share(seqs: readonly number[], flight: Flight, ended: Promise<unknown>): void {
    const flights = (this.#flights ??= new Map<number, Flight>());
    for (const seq of seqs) flights.set(seq, flight);
    const land = () => {
      for (const seq of seqs) flights.delete(seq);
      if (flights.size === 0 && this.#flights === flights) this.#flights = undefined;
    };
    ended.then(land, land);
  }

  /** Keeps texts that last for others, in the order of their numbers. */
  keep(texts: KeptTexts): void {
    this.#store.keep(this.#of, texts);
  }
}
