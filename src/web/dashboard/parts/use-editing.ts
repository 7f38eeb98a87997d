import { useState } from 'react';

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** What somebody edits, on top of the version that was there when the editing began. */
export interface Editing<Draft extends object> {
  draft: Draft;
  /** The version that the draft is based on, to be sent along with the changes. */
  version: string;
  isDirty: boolean;
  /** Fields that somebody else has changed since; the draft must not be saved before it is decided which version counts. */
  overtaken: readonly (keyof Draft & string)[];
  set: (changes: Partial<Draft>) => void;
  /** Gives up the own changes. */
  discard: () => void;
  /** Keeps the own changes, and takes over everything else. */
  rebase: () => void;
  /** The draft has been saved as this version. */
  saved: (draft: Draft, version: string) => void;
}

/**
 * Edits an object that others may edit at the same time. What others change shows at once as long as nothing is edited here; while
 * something is, their change is reported and nothing of either side is lost.
 * @param current the object as it is now
 * @param version changes with every change of the object
 */
export function useEditing<Draft extends object>(current: Draft, version: string): Editing<Draft> {
  const [base, setBase] = useState({ draft: current, version });
  const [draft, setDraft] = useState(current);
  const isDirty = !same(draft, base.draft);
  const names = Object.keys(current) as (keyof Draft & string)[];
  const changed = version === base.version ? [] : names.filter((name) => !same(current[name], base.draft[name]));
  if (version !== base.version && (!isDirty || changed.length === 0)) {
    setBase({ draft: current, version });
    if (!isDirty) setDraft(current);
  }
  return {
    draft,
    version: base.version,
    isDirty,
    overtaken: isDirty ? changed : [],
    set: (changes) => setDraft((before) => ({ ...before, ...changes })),
    discard() {
      setBase({ draft: current, version });
      setDraft(current);
    },
    rebase() {
      const own = Object.fromEntries(
        names.filter((name) => !same(draft[name], base.draft[name])).map((name) => [name, draft[name]]),
      );
      setBase({ draft: current, version });
      setDraft({ ...current, ...own });
    },
    saved(next, at) {
      setBase({ draft: next, version: at });
      setDraft(next);
    },
  };
}

/** The fields in which a draft differs from another one. */
export function changesOf<Draft extends object>(draft: Draft, from: Draft): Partial<Draft> {
  const entries = Object.entries(draft).filter(([name, value]) => !same(value, from[name as keyof Draft]));
  return Object.fromEntries(entries) as Partial<Draft>;
}
