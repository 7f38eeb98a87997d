import { AsyncLocalStorage } from 'node:async_hooks';

/** Notices whether some work changed anything in the database. */
export interface ChangeWatch {
  /** Runs work, and everything that it begins, under this watch. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** Whether a change was committed, or may have been. */
  made(): boolean;
}

const watches = new AsyncLocalStorage<{ made: boolean }>();

/** Makes a watch. */
export function watchChanges(): ChangeWatch {
  const state = { made: false };
  return {
    during: (work) => watches.run(state, work),
    made: () => state.made,
  };
}

/** To be called where a change was committed, or where that is not known. */
export function noteChange(): void {
  const state = watches.getStore();
  if (state !== undefined) state.made = true;
}
