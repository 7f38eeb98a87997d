import { useSearchParams } from 'wouter';

/**
 * What a list shows is part of the address: a reload, a link and the way back lead to the same rows. A change of a condition
 * begins at the first page.
 */
export function usePlace(): {
  get: (name: string) => string;
  set: (changes: Record<string, string>, options?: { replace: boolean }) => void;
} {
  const [params, setParams] = useSearchParams();
  return {
    get: (name) => params.get(name) ?? '',
    set(changes, options) {
      setParams((before) => {
        const next = new URLSearchParams(before);
        for (const name of ['after', 'before']) next.delete(name);
        for (const [name, value] of Object.entries(changes)) {
          if (value === '') next.delete(name);
          else next.set(name, value);
        }
        return next;
      }, options);
    },
  };
}

/** The arguments of the page of a connection that the address names. */
export function pageArguments(
  get: (name: string) => string,
  size = 25,
): { first?: number; last?: number; after?: string; before?: string } {
  const [after, before] = [get('after'), get('before')];
  if (before !== '') return { last: size, before };
  return after === '' ? { first: size } : { first: size, after };
}
