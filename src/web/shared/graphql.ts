import type { graphql as Typed } from '../generated/gql.ts';

/** Fragments by name, as the modules that have them are loaded. */
const fragments = new Map<string, string>();

/** The document with every fragment that it uses, directly or through another one. */
function complete(source: string): string {
  const used = new Set<string>();
  const add = (text: string): void => {
    for (const [, name = ''] of text.matchAll(/\.\.\.\s*(?!on\b)(\w+)/g)) {
      if (used.has(name)) continue;
      const fragment = fragments.get(name);
      if (fragment === undefined) throw new Error(`The fragment ${name} is not loaded: import the module that has it.`);
      used.add(name);
      add(fragment);
    }
  };
  add(source);
  return [source, ...[...used].map((name) => fragments.get(name))].join('\n');
}

/**
 * A typed document: codegen reads what stands in the call, and gives it the types of its result and its variables. At run time a
 * document is its text, so that each page brings its own documents alone. Fragments stand beside the components that show them.
 */
export const graphql = ((source: string): string => {
  const name = /^\s*fragment\s+(\w+)/.exec(source)?.[1];
  if (name !== undefined) {
    fragments.set(name, source);
    return source;
  }
  return complete(source);
}) as unknown as typeof Typed;
