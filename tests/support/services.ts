import { pino } from 'pino';
import type { CartConfig } from '../../src/config/config.ts';
import { createEventLog, type EventLog } from '../../src/events/event-log.ts';
import { openDatabase, type Database, type Statement, type Transaction } from '../../src/infra/postgres/database.ts';
import type { Logger } from '../../src/infra/logger.ts';
import type { Nudges, ShopServices } from '../../src/modules/module.ts';
import { createNudges } from '../../src/modules/nudges.ts';
import { createServices } from '../../src/modules/services.ts';

/** The use cases over a pool of their own, with no server, no relay and no timer around them: as one more process. */
export interface TestServices extends ShopServices {
  db: Database;
  eventLog: EventLog;
  /** Why transactions were run again, each time: the database's code, or the name of the error. */
  retries: readonly string[];
  dispose(): Promise<void>;
}

export interface TestServicesOptions {
  poolSize?: number;
  cart?: Partial<CartConfig>;
  /** Between two batches of stock alerts. */
  batchSeconds?: number;
  /** Those that somebody listens to. */
  nudges?: Partial<Nudges>;
  /** Receives what is logged of things that are set aside. */
  logger?: Logger;
  /** The configuration says that traces are recorded. The pool has no tracer. */
  traced?: true;
  /** Every command on a cart and every checkout has a transaction of its own. */
  unbatched?: true;
  /** Comes before each statement that the use cases send, and may keep it waiting. */
  before?: (statement: string) => Promise<void> | void;
}

const allAlone = async (commands: readonly unknown[]) => commands.map(() => 'ALONE' as const);

/** Wires the use cases to a database. */
export function openServices(connectionString: string, options: TestServicesOptions = {}): TestServices {
  const { poolSize = 6, before } = options;
  const retries: string[] = [];
  const note = (line: string) => {
    const { msg, err } = JSON.parse(line) as { msg: string; err?: { code?: string; type?: string } };
    if (msg === 'retrying transaction') retries.push(err?.code ?? err?.type ?? 'unknown');
  };
  const logger = pino({ level: 'debug' }, { write: note });
  const opened = openDatabase({ connectionString, poolSize, logger });
  const db = before === undefined ? opened : interpose(opened, before);
  const eventLog = createEventLog({ db, wake: () => {} });
  const services = createServices({
    config: {
      shop: { name: 'Vitrine', currency: 'USD', storefrontUrl: null, window: false },
      secrets: ['a secret of tests that is long enough'],
      accounts: { bcryptCost: 4, sessionMaxSeconds: 180 * 24 * 60 * 60 },
      cart: {
        holdSeconds: 900,
        maxHoldSeconds: 3600,
        maxUnitsPerVariant: 99,
        maxLines: 100,
        networkSharePercent: 50,
        ...options.cart,
      },
      pricing: { pricesIncludeTax: false, taxAbroad: 'gross' },
      production: false,
      http: { corsOrigins: [] },
      payments: {
        providers: ['test', 'manual'],
        capture: 'automatic',
        withinSeconds: 600,
        unpaidOrdersExpireDays: null,
        stripe: null,
      },
      lowStockThreshold: 3,
      mail: { smtpUrl: null, from: 'Vitrine <shop@vitrine.test>' },
      stockAlertBatchSeconds: options.batchSeconds ?? 300,
      contentful: {
        webhookSecret: null,
        spaceId: null,
        environment: 'master',
        managementToken: null,
        host: 'api.contentful.com',
        contentType: 'product',
        locale: 'en-US',
      },
      tracing:
        options.traced === true
          ? { endpoint: 'http://127.0.0.1:9', headers: {}, serviceName: 'vitrine', sampleRatio: 1 }
          : null,
    },
    db,
    eventLog,
    nudges: { ...createNudges(), ...options.nudges },
    logger: options.logger ?? logger,
    ...(options.unbatched === true && { overrides: { cartBatch: allAlone, checkoutBatch: allAlone } }),
  });
  return { ...services, db: opened, eventLog, retries, dispose: async () => opened[Symbol.asyncDispose]() };
}

function interpose(db: Database, before: (statement: string) => Promise<void> | void): Database {
  const interposed: Pick<Database, 'query' | 'transaction'> = {
    async query(statement, values) {
      await before(statement.name ?? statement.text);
      return db.query(statement, values);
    },
    transaction: (work, limits) =>
      db.transaction((tx) => {
        // Statements that are sent in one go keep their order, whatever keeps each of them waiting.
        let last: Promise<unknown> = Promise.resolve();
        const queued = <T>(statement: Statement, send: () => Promise<T>): Promise<T> => {
          const sent = last.then(async () => {
            await before(statement.name ?? statement.text);
            return send();
          });
          last = sent.catch(() => {});
          return sent;
        };
        const query: Transaction['query'] = (statement, values) => queued(statement, () => tx.query(statement, values));
        const commitWith: Transaction['commitWith'] = (statement, values) =>
          queued(statement, () => tx.commitWith(statement, values));
        // The very callbacks of the real one: `afterCommit` keeps them by identity.
        return work({ query, commitWith, afterCommit: (callback) => tx.afterCommit(callback) });
      }, limits),
  };
  // Inherits the rest: a copy would make the client of Prisma, which is made when it is first used.
  return Object.assign(Object.create(db) as Database, interposed);
}

/** A guest who has done nothing yet. */
export async function newGuest({ db, guests }: TestServices): Promise<{ guestId: string }> {
  const { id } = await db.transaction((tx) => guests.create(tx));
  return { guestId: id };
}
