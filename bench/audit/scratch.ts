import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { loadConfig, type Config } from '../../src/config/config.ts';
import { PATIENT } from '../../src/infra/postgres/connection.ts';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { migrate } from '../../src/infra/migrations/migrations.ts';

/** How much there is. */
export interface Size {
  variants: number;
  /** Ledger entries of each variant. */
  entries: number;
  /** Carts that hold two units of each of two variants. */
  liveCarts: number;
  /** Carts that are over, which keep their lines. */
  pastCarts: number;
}

/** A database that is thrown away. */
export interface Scratch {
  db: Database;
  connectionString: string;
  dispose(): Promise<void>;
}

/** Starts a PostgreSQL of its own in a temporary folder, as the shop would, and migrates it. */
export async function openScratch(): Promise<Scratch> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-bench-'));
  chmodSync(folder, 0o711); // as root, PostgreSQL is another user
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 40, retryDelay: 25 });
  const logger = createLogger({ level: 'error', pretty: false });
  try {
    // Nothing of it needs to survive a power cut; reading, which is what is measured, is as ever.
    const settings = { fsync: 'off', max_wal_size: '8GB', maintenance_work_mem: '1GB' };
    const postgres = await startEmbeddedPostgres({ dataDir: folder, logger, settings });
    await migrate({ connectionString: postgres.connectionString, logger });
    const db = openDatabase({ connectionString: postgres.connectionString, poolSize: 4, logger, limits: PATIENT });
    return {
      db,
      connectionString: postgres.connectionString,
      async dispose() {
        await db[Symbol.asyncDispose]();
        await postgres.dispose();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** The settings of a shop on such a database, without limits, seeds and pages, and with more settings or others. */
export function scratchConfig({ connectionString }: Scratch, folder: string, env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({
    PORT: '0',
    DATABASE_URL: connectionString,
    DATA_DIR: folder,
    JWT_SECRET: 'a secret of benchmarks that is long enough',
    SEED: 'none',
    WEB: 'off',
    RATE_LIMITS: 'off',
    ...env,
  });
}

const ROUNDS_AT_A_TIME = 10;

/**
 * Fills it: the entries of all variants come round after round, as in a shop where all of them sell, so those of one variant
 * lie far apart. In the end all is well.
 */
export async function fill({ db }: Scratch, size: Size, report: (what: string) => void): Promise<void> {
  const client = await db.connect();
  try {
    await client.query('SET synchronous_commit = off');
    report(`${size.variants} variants`);
    await client.query(
      `WITH product AS (INSERT INTO products (id, slug, title) VALUES (gen_random_uuid(), 'bench', 'Bench') RETURNING id)
       SELECT set_config('bench.product', id::text, false) FROM product`,
    );
    await client.query('ALTER TABLE product_variants DISABLE TRIGGER USER');
    await client.query(
      `INSERT INTO product_variants (id, product_id, sku, price_minor, low_stock_threshold, position)
       SELECT gen_random_uuid(), current_setting('bench.product')::uuid, 'BENCH-' || n, 100, 3, n FROM generate_series(1, $1::int) AS n`,
      [size.variants],
    );
    await client.query('ALTER TABLE product_variants ENABLE TRIGGER USER');
    await withoutIndexes(client, 'stock_movements', () => fillLedger(client, size, report));
    report('carts');
    await fillCarts(client, size);
    report('VACUUM ANALYZE');
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}

/** Entries are many times faster to add to a table without indexes and without checks of what they refer to. */
async function withoutIndexes(client: pg.Client, table: string, work: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT i.relname AS name, pg_get_indexdef(x.indexrelid) AS definition FROM pg_index x
       JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = $1::regclass AND NOT x.indisprimary`,
    [table],
  );
  for (const { name } of rows) await client.query(`DROP INDEX "${name}"`);
  await client.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`);
  await work();
  await client.query(`ALTER TABLE ${table} ENABLE TRIGGER ALL`);
  for (const { definition } of rows) await client.query(definition);
}

async function fillLedger(
  client: pg.Client,
  { variants, entries }: Size,
  report: (what: string) => void,
): Promise<void> {
  for (let from = 1; from <= entries; from += ROUNDS_AT_A_TIME) {
    const to = Math.min(from + ROUNDS_AT_A_TIME - 1, entries);
    report(`${to * variants} of ${entries * variants} ledger entries`);
    await client.query(
      `INSERT INTO stock_movements (variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, occurred_at)
       SELECT v.id, 'RESTOCK', 4, 0, 4 * n, 0, clock_timestamp() FROM generate_series($1::int, $2::int) AS n, product_variants v`,
      [from, to],
    );
  }
  await client.query('UPDATE product_variants SET on_hand = 4 * $1::int', [entries]);
}

/** Lines of cart `n` are of variants `2n` and `2n + 1`, so no variant is in two live carts. */
const CARTS = `
WITH guest AS (
  INSERT INTO guests (id, token_hash) SELECT gen_random_uuid(), sha256(gen_random_uuid()::text::bytea) FROM generate_series(1, $1::int) RETURNING id
), cart AS (
  INSERT INTO carts (id, guest_id, status, hold_started_at, expires_at, created_at, updated_at)
  SELECT gen_random_uuid(), id, $2::cart_status, now(), now() + interval '15 minutes', now(), now() FROM guest RETURNING id
), numbered AS (
  SELECT id, row_number() OVER () - 1 AS n FROM cart
)
INSERT INTO cart_lines (id, cart_id, variant_id, quantity, unit_price_minor, position)
SELECT gen_random_uuid(), c.id, v.id, 2, 100, line FROM numbered c, generate_series(0, 1) AS line
  JOIN LATERAL (SELECT id FROM product_variants WHERE position = 1 + (2 * c.n + line) % $3::int) v ON TRUE`;

async function fillCarts(client: pg.Client, { variants, liveCarts, pastCarts }: Size): Promise<void> {
  await client.query('CREATE INDEX bench_position ON product_variants (position)');
  await client.query('ANALYZE product_variants');
  await client.query(CARTS, [pastCarts, 'CHECKED_OUT', variants]);
  await client.query(CARTS, [liveCarts, 'ACTIVE', variants]);
  await client.query('DROP INDEX bench_position');
  await client.query(
    `WITH held AS (
       UPDATE product_variants v SET held = l.quantity FROM cart_lines l JOIN carts c ON c.id = l.cart_id
        WHERE c.status = 'ACTIVE' AND l.variant_id = v.id RETURNING v.id, v.on_hand, v.held, l.cart_id
     )
     INSERT INTO stock_movements (variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, cart_id, occurred_at)
     SELECT id, 'HOLD', 0, held, on_hand, held, cart_id, clock_timestamp() FROM held`,
  );
}
