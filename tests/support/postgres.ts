import { inject } from 'vitest';
import { createDatabase, dropDatabase } from './databases.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    postgres: {
      /** A superuser's address on the server of this run. */
      serverUrl: string;
      /** The name of the migrated database that is cloned. */
      template: string;
      /** The folder of this run, for data folders of further servers. */
      runFolder: string;
    };
  }
}

/** A database of a test's own. */
export interface TestDatabase {
  url: string;
  /** Drops it, whoever is connected. */
  dispose(): Promise<void>;
}

/** Clones the migrated database. One per test file is usual. */
export function createTestDatabase(): Promise<TestDatabase> {
  return create(inject('postgres').template);
}

/** Makes a database with nothing in it. */
export function createEmptyDatabase(): Promise<TestDatabase> {
  return create();
}

async function create(template?: string): Promise<TestDatabase> {
  const { serverUrl } = inject('postgres');
  const { name, url } = await createDatabase(serverUrl, template);
  return { url, dispose: () => dropDatabase(serverUrl, name) };
}
