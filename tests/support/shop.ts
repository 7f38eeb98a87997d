import { inject } from 'vitest';
import { createApp, type App, type Overrides } from '../../src/app.ts';
import { loadConfig, type Config } from '../../src/config/config.ts';
import type { Database } from '../../src/infra/postgres/database.ts';
import { createClient, type Client, type ClientOptions } from './client.ts';
import { sendRaw, type RawAnswer, type RawRequest } from './http.ts';
import { placeOfClone } from './known-place.ts';
import { rendersHere } from './letter-renderer.ts';
import { recordLogs, type LogRecord } from './logs.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

/** A shop of a test's own: an empty database, a port that was free, the same code as in production. */
export interface TestShop {
  url: string;
  wsUrl: string;
  app: App;
  config: Config;
  db: Database;
  /** What it logged, latest last; the last thousand lines. */
  logs: readonly LogRecord[];
  /** A caller of the API. */
  client(options?: ClientOptions): Client;
  /** Sends a request exactly as given, with its headers. */
  request(request: RawRequest): Promise<RawAnswer>;
  /** Closes the shop and drops its database. */
  dispose(): Promise<void>;
}

export interface TestShopOptions {
  /** Environment variables over the test's own. */
  env?: NodeJS.ProcessEnv;
  /** Parts that take the place of the real ones. */
  overrides?: Overrides;
  /** A database that is there already, and stays. */
  database?: TestDatabase;
}

/** Settings that make the start of a shop find another database, or the same one in another way. */
const PLACE_SETTINGS = ['DATABASE_URL', 'DATABASE_DIRECT_URL', 'DATABASE_POOLER'];

/** Hashes of passwords that cost a thousandth of the usual; in production that is refused. */
export function cheapPasswords({ NODE_ENV, HOST }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return NODE_ENV === 'production' || HOST !== undefined ? {} : { BCRYPT_COST: '4' };
}

/** Opens a shop that serves the API and runs its jobs. The test file that opens a shop disposes of it. */
export async function createTestShop({
  env = {},
  overrides = {},
  database: given,
}: TestShopOptions = {}): Promise<TestShop> {
  const database = given ?? (await createTestDatabase());
  const config = loadConfig({
    PORT: '0',
    DATABASE_URL: database.url,
    // Each connection costs the server 30 ms of processor time. This leaves as many to requests as there are by default.
    DATABASE_POOL_SIZE: '12',
    DATA_DIR: inject('postgres').runFolder,
    JWT_SECRET: 'a secret of tests that is long enough',
    SEED: 'none',
    // Tests of the web apps turn them on, with the build that they make.
    WEB: 'off',
    // Tests change rows by SQL of their own, without an event. Tests of the memory turn it on.
    READ_CACHE_MB: '0',
    // Everyone in a test comes from one address. Tests of the limits turn them on.
    RATE_LIMITS: 'off',
    ...cheapPasswords(env),
    // A worker alone is warned of that it does not know where links lead.
    ...(env.ROLES === 'worker' ? { PUBLIC_URL: 'http://localhost:4000' } : {}),
    ...env,
  });
  const { logger, logs } = recordLogs();
  // A crowd that waits for one row on a slow machine must not be refused; what is to be seen of that limit has its own tests.
  const limits = { lock: 20_000, ...overrides.limits };
  const isClone = given === undefined && PLACE_SETTINGS.every((name) => env[name] === undefined);
  const open = async () => {
    const place = isClone ? { place: await placeOfClone(database, config) } : {};
    return createApp(config, logger, { letterRenderer: rendersHere, ...place, ...overrides, limits });
  };
  const app = await open().catch(async (error: unknown) => {
    if (given === undefined) await database.dispose();
    throw error;
  });
  return {
    url: app.url,
    wsUrl: `${app.url.replace('http', 'ws')}/graphql`,
    app,
    config,
    db: app.db,
    logs,
    client: (options) => createClient(app.url, options),
    request: (request) => sendRaw(app.url, request),
    async dispose() {
      await app.dispose();
      if (given === undefined) await database.dispose();
    },
  };
}

/**
 * Opens a node that serves the API alone: its jobs wait for a worker, and there is none. For tests of what the API answers. Opening and
 * closing it takes three fifths of the processor time of a whole shop.
 */
export function createApiNode({ env, ...options }: TestShopOptions = {}): Promise<TestShop> {
  return createTestShop({ ...options, env: { ROLES: 'api', ...env } });
}
