import pg from 'pg';
import type { TestShop } from './shop.ts';

/** A statement as it was sent: its name where it has one, else its text. */
export type SentStatement = string;

/** What another shop of the process asks at intervals, whatever its callers do. */
const BACKGROUND = /^(event_log_|payments_work$)/;

/**
 * Runs some work and gives every statement that the pools of this process sent meanwhile, transactions' BEGIN and COMMIT
 * among them. The relay's connection is not of a pool, and not counted. Have no timers beside it: see `openQuietShop`.
 * @param of the only shop whose statements count, where others of the process go on beside it
 */
export async function recordStatements<T>(
  work: () => Promise<T>,
  of?: Pick<TestShop, 'config'>,
): Promise<{ result: T; statements: SentStatement[] }> {
  const database = of?.config.database.kind === 'url' ? new URL(of.config.database.url).pathname.slice(1) : null;
  const statements: SentStatement[] = [];
  const real = pg.Client.prototype.query;
  const query = function query(this: pg.Client, ...args: unknown[]): unknown {
    // Only a connection of a pool can be released.
    if ('release' in this && (database === null || this.database === database)) {
      const statement = describe(args[0]);
      if (!BACKGROUND.test(statement)) statements.push(statement);
    }
    return Reflect.apply(real, this, args);
  };
  pg.Client.prototype.query = query as typeof real;
  try {
    return { result: await work(), statements };
  } finally {
    pg.Client.prototype.query = real;
  }
}

function describe(config: unknown): string {
  if (typeof config === 'string') return config;
  const { name, text } = config as { name?: string; text?: string };
  return name ?? text ?? '';
}
