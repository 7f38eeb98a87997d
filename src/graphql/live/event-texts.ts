import { LRUCache } from 'lru-cache';

/*
 * The texts of events that were executed, for subscribers that come to the same events later: after a restart of the shop
 * thousands of clients come back to the same few events, and every new reader of a long log asks for all of it again.
 */

/** Texts by the subscription that they answer, and the number of the event. */
export interface EventTexts {
  find(of: TextsOf, seq: number): string | undefined;
  keep(of: TextsOf, seq: number, text: string): void;
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
/** Heap that an entry takes besides its text, about. */
const BYTES_PER_ENTRY = 300;
/** Share of all memory that a single text may take. */
const LARGEST = 1 / 16;

/** Makes an empty store for a node. */
export function createEventTexts(maxBytes = MAX_BYTES): EventTexts {
  const texts = new LRUCache<string, string>({
    maxSize: maxBytes,
    maxEntrySize: Math.floor(maxBytes * LARGEST),
    sizeCalculation: (text) => text.length + BYTES_PER_ENTRY,
  });
  const keyOf = ({ name }: TextsOf, seq: number) => `${seq} ${name}`;
  return {
    find: (of, seq) => texts.get(keyOf(of, seq)),
    keep: (of, seq, text) => void texts.set(keyOf(of, seq), text, of.isRecorded ? {} : { ttl: MAX_AGE_MS }),
  };
}
