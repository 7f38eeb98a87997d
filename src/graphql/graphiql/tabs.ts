import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A ready-made tab of GraphiQL. */
export interface Tab {
  query: string;
  /** JSON; null if the operation takes no variables. */
  variables: string | null;
}

const FOLDER = join(import.meta.dirname, 'tabs');

/**
 * Reads the tabs: one `.graphql` file each, in the order of their names, with variables in a file beside it. Each runs as it stands in
 * the demo shop, and says at its head what it shows and what to do next.
 */
export function readTabs(): Tab[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.graphql'));
  return names.toSorted().map((name) => {
    const variables = join(FOLDER, name.replace(/\.graphql$/, '.variables.json'));
    return {
      query: readFileSync(join(FOLDER, name), 'utf8'),
      variables: existsSync(variables) ? readFileSync(variables, 'utf8').trim() : null,
    };
  });
}
