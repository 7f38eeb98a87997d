import { join } from 'node:path';
import { v7 as uuid } from 'uuid';
import type { Config } from '../../src/config/config.ts';
import { createEventLog } from '../../src/events/event-log.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { findPostmaster } from '../../src/infra/postgres/embedded-postgres-server.ts';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { createInventoryService } from '../../src/modules/inventory/inventory.service.ts';
import { ask } from './http.ts';
import type { Options } from './options.ts';
import { archiveProducts, insertProduct } from './products.ts';

/** There is no shop to be tortured; the message says what to do about it. */
export class ShopNotReachable extends Error {}

/** The shop's database, and in it a product of the run's own. */
export interface TortureShop {
  db: Database;
  url: string;
  variantId: string;
  /** By this name the API knows it. */
  globalId: string;
  sku: string;
  /** Puts the units on the shelf. The shop's relay finds the event within a second. */
  fill(units: number): Promise<void>;
  /** Takes the product off the shelves (its orders stay), and lets go of the database. */
  close(): Promise<void>;
}

/** Looks for the shop, and makes the product that the run is about; nothing is in stock yet. */
export async function openShop({ url }: Options, config: Config): Promise<TortureShop> {
  await checkReady(url);
  const { db, where, release } = await openShopDatabase(config);
  const productId = uuid();
  const variantId = uuid();
  const globalId = Buffer.from(`ProductVariant:${variantId}`).toString('base64');
  const sku = `TORTURE-${productId.slice(-8).toUpperCase()}`;
  const close = async () => {
    try {
      await archiveProducts(db, [productId]);
    } finally {
      await db[Symbol.asyncDispose]();
      await release();
    }
  };
  try {
    // A shop with shipping zones asks no buyer for an address then.
    const requiresShipping = false;
    await insertProduct(db, { id: productId, sku, requiresShipping, variants: [{ id: variantId, sku }] });
    const { data } = await ask(url, 'query ($id: ID!) { node(id: $id) { id } }', { id: globalId });
    if (data?.node == null) {
      throw new ShopNotReachable(
        `The shop at ${url} does not see what was put into ${where}: it has another database.\n${SAME_ENVIRONMENT}`,
      );
    }
  } catch (error) {
    await close();
    throw error;
  }

  const inventory = createInventoryService({ eventLog: createEventLog({ db, wake: () => {} }) });
  return {
    db,
    url,
    variantId,
    globalId,
    sku,
    fill: (units) =>
      db.transaction(async (tx) => {
        const at = await inventory.lock(tx, [variantId]);
        await inventory.apply(tx, at, [{ variantId, reason: 'INITIAL', onHandDelta: units, note: 'torture' }]);
      }),
    close,
  };
}

/** What to do where the command and the shop have different databases. */
export const SAME_ENVIRONMENT =
  'Run this command with the environment that the shop was started with: the same DATABASE_URL, or the same DATA_DIR.';

/** @throws ShopNotReachable where no shop answers that it is ready */
export async function checkReady(url: string): Promise<void> {
  let status: number | string;
  try {
    ({ status } = await fetch(`${url}/health/ready`));
  } catch (error) {
    const { cause } = error as { cause?: { code?: string; message?: string } };
    status = cause?.code ?? cause?.message ?? String(error);
  }
  if (status === 200) return;
  throw new ShopNotReachable(
    `No shop is ready at ${url} (${status}). Start one in another terminal with \`npm start\`, or name it with --url.`,
  );
}

/** Opens the database that the environment names; starts nothing. */
export async function openShopDatabase({ database }: Config): Promise<{
  db: Database;
  /** For people; no password. */
  where: string;
  release: () => Promise<void>;
}> {
  const logger = createLogger({ level: 'error', pretty: false });
  if (database.kind === 'url') {
    const { host, pathname } = new URL(database.url);
    const where = `the database${pathname} at ${host}`;
    const db = openDatabase({ connectionString: database.url, poolSize: 4, logger });
    try {
      await db.query({ name: 'torture_reach', text: 'SELECT 1 FROM product_variants LIMIT 1' });
    } catch (error) {
      await db[Symbol.asyncDispose]();
      throw new ShopNotReachable(
        `Cannot use ${where} (DATABASE_URL): ${(error as Error).message}\n${SAME_ENVIRONMENT}`,
      );
    }
    return { db, where, release: () => Promise.resolve() };
  }
  const { dataDir } = database;
  // Nothing is started here that the shop has not started: it would be another database.
  if (findPostmaster(join(dataDir, 'postgres')) === null) {
    throw new ShopNotReachable(`No embedded PostgreSQL runs on ${dataDir}.\n${SAME_ENVIRONMENT}`);
  }
  const postgres = await startEmbeddedPostgres({ dataDir, logger });
  const db = openDatabase({ connectionString: postgres.connectionString, poolSize: 4, logger });
  return { db, where: `the embedded PostgreSQL on ${dataDir}`, release: () => postgres.dispose() };
}
