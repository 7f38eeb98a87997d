import { useState, type FormEvent } from 'react';
import { faultsOf, NO_FAULTS, type Faults, type Outcome } from './faults.ts';
import { changesOf, useEditing, type Editing } from './use-editing.ts';

/** A form that is being filled in. */
export interface Entry<Draft extends object> {
  draft: Draft;
  /** Messages about fields, found here or by the shop. */
  faults: Faults;
  busy: boolean;
  set: (changes: Partial<Draft>) => void;
  submit: (event: FormEvent) => void;
}

/** A form that edits an object which others may edit at the same time. */
export interface EditEntry<Draft extends object> extends Entry<Draft> {
  isDirty: boolean;
  /** The last changes have been saved, and there are no new ones. */
  isSaved: boolean;
  /** Fields that somebody else has changed in the meantime. Nothing can be saved before the user has decided about them. */
  overtaken: Editing<Draft>['overtaken'];
  discard: () => void;
  rebase: () => void;
}

const isFaulty = (faults: Faults) => Object.keys(faults).length > 0;

/**
 * Fills in a form for a new object.
 * @param empty the form at the beginning, and after each creation
 * @param check finds faults before the shop is asked
 * @param inside the field of the input that the form fills in, such as `variant`
 * @param onDone called with the answer after the object was created
 */
export function useNewEntry<Draft extends object, Result extends Outcome>({
  empty,
  check = () => NO_FAULTS,
  inside,
  create,
  onDone,
}: {
  empty: Draft;
  check?: (draft: Draft) => Faults;
  inside?: string;
  create: (draft: Draft) => Promise<Result>;
  onDone: (result: Result) => void;
}): Entry<Draft> {
  const [draft, setDraft] = useState(empty);
  const [faults, setFaults] = useState(NO_FAULTS);
  const [busy, setBusy] = useState(false);
  async function send() {
    const own = check(draft);
    setFaults(own);
    if (busy || isFaulty(own)) return;
    setBusy(true);
    const result = await create(draft);
    setBusy(false);
    const found = faultsOf(result, inside);
    setFaults(found);
    if (isFaulty(found)) return;
    setDraft(empty);
    onDone(result);
  }
  return {
    ...{ draft, faults, busy },
    set: (changes) => setDraft((before) => ({ ...before, ...changes })),
    submit(event) {
      event.preventDefault();
      void send();
    },
  };
}

/** The present version of the object, if an update was refused because somebody else had changed it. */
function conflictOf<Shown>({ data }: Outcome): Shown | null {
  const payload = Object.values((data ?? {}) as Record<string, { errors?: readonly object[] } | null>)[0];
  for (const error of payload?.errors ?? []) if ('subject' in error) return error.subject as Shown | null;
  return null;
}

/**
 * Fills in a form that edits an object. Each update names the version that it is based on. If somebody else has saved another one,
 * the answer has it, the cache shows it, and the form reports the fields that differ.
 * @param shown the object as it is now
 * @param update sends what differs between `draft` and `current`; asks for `subject` of an `EditConflictError`
 * @param savedOf the object in the answer; null if it was not saved
 */
export function useEditEntry<Shown extends { updatedAt: string }, Draft extends object, Data>({
  shown,
  draftOf,
  check = () => NO_FAULTS,
  update,
  savedOf,
  onDone,
}: {
  shown: Shown;
  draftOf: (shown: Shown) => Draft;
  check?: (draft: Draft) => Faults;
  update: (given: { draft: Draft; current: Draft; expectedUpdatedAt: string }) => Promise<Outcome & { data?: Data }>;
  savedOf: (data: Data) => Shown | null | undefined;
  onDone?: () => void;
}): EditEntry<Draft> {
  const current = draftOf(shown);
  const editing = useEditing(current, shown.updatedAt);
  const [faults, setFaults] = useState(NO_FAULTS);
  const [busy, setBusy] = useState(false);
  const [isSaved, setSaved] = useState(false);
  const { draft, isDirty } = editing;

  async function send(expectedUpdatedAt: string): Promise<void> {
    const result = await update({ draft, current, expectedUpdatedAt });
    const theirs = conflictOf<Shown>(result);
    if (theirs !== null) {
      // Another version that has nothing else in the fields of this form, such as a product after a change of a variant.
      if (Object.keys(changesOf(draftOf(theirs), current)).length === 0) await send(theirs.updatedAt);
      return;
    }
    setFaults(faultsOf(result));
    const saved = result.data == null ? null : savedOf(result.data);
    if (saved == null) return;
    editing.saved(draftOf(saved), saved.updatedAt);
    setSaved(true);
    onDone?.();
  }
  async function submit() {
    const own = check(draft);
    setFaults(own);
    if (busy || isFaulty(own)) return;
    setBusy(true);
    await send(editing.version);
    setBusy(false);
  }
  return {
    ...{ draft, faults, busy, isDirty },
    isSaved: isSaved && !isDirty,
    // What a running update changes is no change by somebody else.
    overtaken: busy ? [] : editing.overtaken,
    set(changes) {
      setSaved(false);
      editing.set(changes);
    },
    discard() {
      setFaults(NO_FAULTS);
      editing.discard();
    },
    rebase: editing.rebase,
    submit(event) {
      event.preventDefault();
      void submit();
    },
  };
}
