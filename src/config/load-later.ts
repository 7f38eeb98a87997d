import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/**
 * Gives a package that is loaded when it is first used. For large ones that most processes never need: each start would wait for them,
 * and each process would keep them.
 * @param name one that `require` can load
 */
export function loadLater<Package>(name: string): () => Package {
  let loaded: Package | undefined;
  return () => (loaded ??= load(name) as Package);
}
