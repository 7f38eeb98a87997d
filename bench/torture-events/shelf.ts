import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import type { Config } from '../../src/config/config.ts';
import { decodeCursor } from '../../src/events/cursor.ts';
import { createEventLog } from '../../src/events/event-log.ts';
import { createInventoryService } from '../../src/modules/inventory/inventory.service.ts';
import { ask } from '../torture/http.ts';
import { archiveProducts, insertProduct } from '../torture/products.ts';
import { checkReady, openShopDatabase, SAME_ENVIRONMENT, ShopNotReachable } from '../torture/shop.ts';

/** One change of a variant's level. */
export interface Change {
  seq: number;
  available: number;
}

/** A change with the variant that it is of. */
export interface Logged extends Change {
  variantId: string;
}

export interface ShelfVariant {
  id: string;
  /** By this name the API knows it. */
  globalId: string;
}

/** The products of the run, in the shop's database. */
export interface Shelf {
  products: readonly { globalId: string; variants: readonly ShelfVariant[] }[];
  /** The log's end before anything of the run. */
  after: string;
  /** What the log has of these products after that, once all of it is numbered. */
  readLog(): Promise<Logged[]>;
  /** Takes the products off the shelves, and lets go of the database. */
  close(): Promise<void>;
}

const PRODUCTS = 2;
const VARIANTS = 5;
const UNITS = 100_000;
const PATIENCE_MS = 10_000;

const LOG = `SELECT seq, subject_id AS "variantId", (payload->>'available')::int AS available
  FROM event_log WHERE type = 'stock_changed' AND subject_id = ANY($1::uuid[]) AND (seq > $2 OR seq IS NULL) ORDER BY seq`;

/** Fills it: two products of five variants each, with more units than will be asked for. */
export async function fillShelf(urls: readonly string[], config: Config): Promise<Shelf> {
  for (const url of urls) await checkReady(url);
  const [first = ''] = urls;
  const { db, where, release } = await openShopDatabase(config);
  const products = Array.from({ length: PRODUCTS }, () => {
    const id = uuid();
    const variants = Array.from({ length: VARIANTS }, () => variantOf(uuid()));
    return { id, globalId: globalIdOf('Product', id), variants };
  });
  const variants = products.flatMap((product) => product.variants);
  const ids = variants.map(({ id }) => id);

  async function close(): Promise<void> {
    try {
      await archiveProducts(
        db,
        products.map(({ id }) => id),
      );
    } finally {
      await db[Symbol.asyncDispose]();
      await release();
    }
  }

  try {
    for (const { id, variants: own } of products) {
      const sku = `TORTURE-${id.slice(-8).toUpperCase()}`;
      const skus = own.map((variant, position) => ({ id: variant.id, sku: `${sku}-${position}` }));
      await insertProduct(db, { id, sku, requiresShipping: true, variants: skus });
    }
    for (const url of urls) {
      const { data } = await ask(url, 'query ($id: ID!) { node(id: $id) { id } }', { id: products[0]?.globalId });
      if (data?.node != null) continue;
      throw new ShopNotReachable(
        `The shop at ${url} does not see what was put into ${where}: it has another database.\n${SAME_ENVIRONMENT}`,
      );
    }
    const { data } = await ask(first, '{ eventCursor }', {});
    const after = String(data?.eventCursor);
    const start = decodeCursor(after);
    if (start === null) throw new ShopNotReachable(`The shop at ${first} gives no eventCursor: ${after}`);
    const inventory = createInventoryService({ eventLog: createEventLog({ db, wake: () => {} }) });
    await db.transaction(async (tx) => {
      const at = await inventory.lock(tx, ids);
      const changes = ids.map((variantId) => ({ variantId, reason: 'INITIAL' as const, onHandDelta: UNITS }));
      await inventory.apply(tx, at, changes);
    });
    return {
      products,
      after,
      async readLog() {
        const deadline = performance.now() + PATIENCE_MS;
        for (;;) {
          const rows = await db.query<{ seq: bigint | null; variantId: string; available: number }>(
            { name: 'torture_events_log', text: LOG },
            [ids, start.seq],
          );
          const numbered = rows.flatMap((row) => (row.seq === null ? [] : [{ ...row, seq: Number(row.seq) }]));
          if (numbered.length === rows.length) return numbered;
          if (performance.now() > deadline)
            throw new Error(`${rows.length - numbered.length} events were never numbered`);
          await delay(50);
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function variantOf(id: string): ShelfVariant {
  return { id, globalId: globalIdOf('ProductVariant', id) };
}

function globalIdOf(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64');
}
