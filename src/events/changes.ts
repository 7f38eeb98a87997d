import type { StoredEvent } from './event.ts';

/** What an event says of a change. */
export type Change = Pick<StoredEvent, 'type' | 'subjectId'>;

/*
 * What this node knows to have changed, for answers that it keeps in memory. Each change raises one counter, and the counter's
 * value is kept under the change's type and under its subject. An answer that notes the counter before it reads anything, and the
 * names of all that it read, is right as long as none of these names has a higher value. So there is nothing to look for when
 * something changes, and an answer that was read while something changed is out of date from the start.
 */

/** The changes that this node has seen: those of its own transactions at their commit, all others as its feed delivers them. */
export interface Changes {
  /** The present value of the counter; to be taken before the first read. */
  mark(): number;
  /**
   * Whether nothing of this name has changed since.
   * @param names types of events (anything of this kind) and ids of subjects
   */
  isUnchanged(names: readonly string[], since: number): boolean;
  note(changes: readonly Change[]): void;
  /** Anything may have changed. */
  forget(): void;
}

/** Beyond this many names all of them are forgotten, which puts every answer out of date. */
const MAX_NAMES = 100_000;

/**
 * Makes it.
 * @param types types of events that count; all others are passed over
 */
export function createChanges(types: Iterable<string>, maxNames = MAX_NAMES): Changes {
  const known = new Set(types);
  const latest = new Map<string, number>();
  let counter = 0;
  let floor = 0;

  function forget(): void {
    counter += 1;
    floor = counter;
    latest.clear();
  }

  return {
    mark: () => counter,
    isUnchanged(names, since) {
      if (since < floor) return false;
      if (since === counter) return true;
      for (const name of names) if ((latest.get(name) ?? 0) > since) return false;
      return true;
    },
    note(changes) {
      for (const { type, subjectId } of changes) {
        if (!known.has(type)) continue;
        counter += 1;
        latest.set(type, counter);
        latest.set(subjectId, counter);
      }
      if (latest.size > maxNames) forget();
    },
    forget,
  };
}
