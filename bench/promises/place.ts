import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp, type App } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { createDatabase, dropDatabase } from '../../tests/support/databases.ts';
import { openPlace as openServer } from '../relay/place.ts';

/** A PostgreSQL that is thrown away, in which each measurement has a database of its own. */
export interface Place extends AsyncDisposable {
  /** Gives the address of a migrated database in which there is nothing. */
  newDatabase(): Promise<string>;
  /** Opens a shop on a database, in this process. */
  openShop(databaseUrl: string, env?: NodeJS.ProcessEnv): Promise<App>;
}

/** Starts one. */
export async function openPlace(): Promise<Place> {
  const server = await openServer(undefined);
  const serverUrl = new URL(server.connectionString);
  const template = serverUrl.pathname.slice(1);
  serverUrl.pathname = '/postgres';
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-data-'));
  const made: string[] = [];
  return {
    async newDatabase() {
      const { name, url } = await createDatabase(serverUrl.href, template);
      made.push(name);
      return url;
    },
    openShop: (databaseUrl, env = {}) =>
      createApp(
        loadConfig({
          PORT: '0',
          DATABASE_URL: databaseUrl,
          DATA_DIR: folder,
          JWT_SECRET: 'a secret of the bench that is long enough',
          SEED: 'none',
          RATE_LIMITS: 'off',
          BCRYPT_COST: '4',
          ...env,
        }),
        createLogger({ level: 'error', pretty: false }),
      ),
    async [Symbol.asyncDispose]() {
      for (const name of made) await dropDatabase(serverUrl.href, name);
      await server.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
