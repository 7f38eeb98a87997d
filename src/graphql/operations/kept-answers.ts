import { randomBytes } from 'node:crypto';
import type { ExecutionArgs, ExecutionResult } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Changes } from '../../events/changes.ts';
import { encodeCursor, type Cursor } from '../../events/cursor.ts';
import type { EventFeed } from '../../events/feed.ts';
import type { Note } from '../../modules/module.ts';
import type { Context } from '../context/context.ts';
import type { Keepable } from './keepable.ts';

/*
 * Answers about the catalogue, as the JSON text that clients get. An answer is right for as long as nothing that it read has
 * changed: see events/changes.ts. An anonymous context executes the query, with services that note what they read.
 *
 * A position in the event log is no part of the text: it is put in when the text is sent. It is the node's own position, or that
 * of before the answer was read where that is later, and so never ahead of what the answer contains.
 */

/** A query whose answer may be kept. */
export interface KeptQuery {
  keepable: Keepable;
  operationName: string | null | undefined;
  variables: unknown;
}

/** An answer: its text, or the result as it is, where that has errors. */
export type Answer = { text: string } | { result: ExecutionResult };

/** The answers of a node. */
export interface KeptAnswers {
  /** The answer, if it is there and right. */
  find(query: KeptQuery): string | null;
  /**
   * Makes the answer and keeps it, unless it has errors. Calls at the same time share one execution, as long as nothing at all has
   * changed since its beginning.
   * @param args of the operation; the context is replaced
   */
  make(query: KeptQuery, args: ExecutionArgs, execute: Execute): Promise<Answer>;
  /** Makes every answer out of date. */
  forget(): void;
  state(): { answers: number; bytes: number };
}

export type Execute = (args: ExecutionArgs) => unknown;

interface Entry {
  /** The text, cut where a position in the event log belongs. */
  parts: readonly string[];
  /** The end of the log before anything was read; null where the query does not ask for it. */
  cursor: Cursor | null;
  names: readonly string[];
  mark: number;
  madeAt: number;
  bytes: number;
}

interface Flight {
  mark: number;
  made: Promise<Entry | { result: ExecutionResult }>;
}

/** Limits the effect of changes without an event, such as those made by hand in the database. */
const MAX_AGE_MS = 60_000;
/** Share of all memory that a single answer may take. */
const LARGEST = 1 / 16;
const BYTES_PER_NAME = 80;
const BYTES_PER_ENTRY = 500;

/**
 * Makes a memory without answers.
 * @param options.maxBytes bytes that all answers together may take, estimated
 * @param options.contextOf makes a context without a viewer of its own, whose services note what they read
 */
export function createKeptAnswers(options: {
  maxBytes: number;
  changes: Changes;
  feed: Pick<EventFeed, 'position'>;
  contextOf: (note: Note) => Context;
  endOfLog: () => Promise<Cursor>;
  onEvicted: () => void;
}): KeptAnswers {
  const { maxBytes, changes, feed, contextOf, endOfLog, onEvicted } = options;
  const entries = new LRUCache<string, Entry>({
    maxSize: maxBytes,
    maxEntrySize: Math.floor(maxBytes * LARGEST),
    sizeCalculation: ({ bytes }) => bytes,
    dispose: (_entry, _key, reason) => {
      if (reason === 'evict') onEvicted();
    },
  });
  const flights = new Map<string, Flight>();

  function isRight({ names, mark }: Entry): boolean {
    return changes.isUnchanged(names, mark);
  }

  function toText(entry: Entry): string {
    const { parts, cursor } = entry;
    const [whole] = parts;
    if (cursor === null) return whole ?? '';
    const position = feed.position();
    // The node may be behind the end of the log that was read from the database. And what changed while the answer was read has moved
    // the node on, but is not in the answer.
    const isLater = position.epoch === cursor.epoch && position.seq > cursor.seq && isRight(entry);
    return parts.join(JSON.stringify(encodeCursor(isLater ? position : cursor)));
  }

  async function read(
    { keepable, key }: { keepable: Keepable; key: string },
    mark: number,
    args: ExecutionArgs,
    execute: Execute,
  ): Promise<Entry | { result: ExecutionResult }> {
    const madeAt = performance.now();
    const names = new Set<string>();
    const context = contextOf((name) => names.add(name));
    const cursor = keepable.asksForCursor ? await endOfLog() : null;
    // Stands for the position in the text, and cannot be guessed: no text of the catalogue contains it.
    const placeholder =
      cursor === null ? null : { epoch: randomBytes(8).toString('hex'), seq: randomBytes(6).readUIntBE(0, 6) };
    context.eventCursor = placeholder;
    const result = (await execute({ ...args, contextValue: context })) as ExecutionResult;
    if (result.errors !== undefined || result.data == null) return { result };
    const text = JSON.stringify(result);
    const parts = placeholder === null ? [text] : text.split(JSON.stringify(encodeCursor(placeholder)));
    const bytes = 2 * (text.length + key.length) + BYTES_PER_NAME * names.size + BYTES_PER_ENTRY;
    const entry = { parts, cursor, names: [...names], mark, madeAt, bytes };
    if (isRight(entry)) entries.set(key, entry);
    return entry;
  }

  return {
    find(query) {
      const key = keyOf(query);
      const entry = entries.get(key);
      if (entry === undefined) return null;
      if (performance.now() - entry.madeAt > MAX_AGE_MS || !isRight(entry)) {
        entries.delete(key);
        return null;
      }
      return toText(entry);
    },
    async make(query, args, execute) {
      const key = keyOf(query);
      const mark = changes.mark();
      let flight = flights.get(key);
      // With a change in between, the other's reads may have come before it, and this caller may have made it.
      if (flight?.mark !== mark) {
        const made = read({ keepable: query.keepable, key }, mark, args, execute);
        const own: Flight = { mark, made };
        flight = own;
        flights.set(key, own);
        const land = () => {
          if (flights.get(key) === own) flights.delete(key);
        };
        made.then(land, land);
      }
      const entry = await flight.made;
      if ('result' in entry) return entry;
      return { text: toText(entry) };
    },
    forget: () => changes.forget(),
    state: () => ({ answers: entries.size, bytes: entries.calculatedSize }),
  };
}

function keyOf({ keepable, operationName, variables }: KeptQuery): string {
  return `${keepable.id}\n${operationName ?? ''}\n${JSON.stringify(variables ?? {})}`;
}
