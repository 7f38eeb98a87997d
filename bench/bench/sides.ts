import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { pino } from 'pino';
import { seedManyProducts } from '../../prisma/seed/many-products.ts';
import { startEmbeddedPostgres } from '../../src/infra/postgres/embedded-postgres.ts';
import { startOwnShop } from '../own-shop.ts';
import { Caller } from './caller.ts';
import { BenchFault, check } from './crowd.ts';

/** A shop with a catalogue, its database, and the baseline beside it. */
export interface Side {
  url: string;
  baselineUrl: string;
  /** Global IDs of all variants, in the order of their SKUs. */
  variantIds: readonly string[];
  slugs: readonly string[];
  /** Cursors of the shop's list, one a product, newest first; of the baseline's list, for the same places. */
  cursors: readonly string[];
  baselineCursors: readonly string[];
  /** Changes the price of every variant, with its event, and waits until the shop's node has handled all the events. */
  touchAll(): Promise<void>;
  /** Number of emails that were sent, and of those that wait. */
  mails(): Promise<{ sent: number; waiting: number }>;
  stop(): Promise<void>;
}

const STOCK = 1_000_000;
/** One node as in production: no demo, no GraphiQL, the built React; the embedded database with fsync on. */
const PRODUCTION = {
  NODE_ENV: 'production',
  JWT_SECRET: 'a secret of benchmarks that is long enough',
  SEED: 'none',
  RATE_LIMITS: 'off',
  WEB: 'off',
  BCRYPT_COST: '12',
};

/** A shop outside production, which has the test provider. */
const DEMO = { SEED: 'none', RATE_LIMITS: 'off', WEB: 'off', PAYMENT_PROVIDERS: 'manual,test' };

export const globalId = (type: string, id: string) => Buffer.from(`${type}:${id}`).toString('base64');

/** Starts a baseline server on this database. */
async function startBaseline(connectionString: string): Promise<{ url: string; stop(): Promise<void> }> {
  const script = fileURLToPath(new URL('baseline-server.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', DATABASE_URL: connectionString },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    return {
      url: `http://127.0.0.1:${line}`,
      async stop() {
        child.kill('SIGTERM');
        await exited;
      },
    };
  }
  throw new Error('the baseline did not start');
}

/**
 * Starts a shop in a process of its own with a catalogue of this size, and the baseline.
 * @param root folder of the shop's code
 * @param isDemo outside production
 */
export async function startSide(options: {
  products: number;
  root?: string | undefined;
  isDemo?: boolean;
}): Promise<Side> {
  const shop = await startOwnShop(options.isDemo === true ? DEMO : PRODUCTION, [], options.root);
  const logger = pino({ level: 'silent' });
  const postgres = await startEmbeddedPostgres({ dataDir: shop.dataDir, logger });
  const client = new pg.Client({ connectionString: postgres.connectionString });
  await client.connect();
  await client.query('SET statement_timeout = 0');
  await seedManyProducts(client, { products: options.products, stock: STOCK });
  await client.query('VACUUM ANALYZE');
  const { rows: variants } = await client.query<{ id: string }>('SELECT id FROM product_variants ORDER BY sku');
  const { rows: products } = await client.query<{ id: string; slug: string; at: string }>(
    `SELECT id, slug, created_at::text AS at FROM products WHERE status = 'ACTIVE' ORDER BY created_at DESC, id DESC`,
  );
  const baseline = await startBaseline(postgres.connectionString);

  async function query<Data>(text: string, variables: object): Promise<Data> {
    // Between two of these, cases are measured for longer than the shop keeps an idle connection.
    const caller = await Caller.open(shop.url);
    try {
      const answer = await caller.post(JSON.stringify({ query: text, variables }));
      check(answer);
      return (JSON.parse(answer.body) as { data: Data }).data;
    } finally {
      caller.close();
    }
  }

  async function allCursors(): Promise<string[]> {
    interface Page {
      products: { edges: { cursor: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    }
    const cursors: string[] = [];
    for (let after: string | null = null; ;) {
      const page: Page = await query<Page>(
        'query ($after: String) { products(first: 100, after: $after) { edges { cursor } pageInfo { hasNextPage endCursor } } }',
        { after },
      );
      cursors.push(...page.products.edges.map(({ cursor }) => cursor));
      after = page.products.pageInfo.endCursor;
      if (!page.products.pageInfo.hasNextPage) return cursors;
    }
  }

  const last = products.at(-1);
  if (last === undefined) throw new BenchFault('the catalogue is empty');
  const lastPrice = async () =>
    (
      await query<{ product: { variants: { price: { amount: string } }[] } }>(
        'query ($slug: String!) { product(slug: $slug) { variants { price { amount } } } }',
        { slug: last.slug },
      )
    ).product.variants[0]?.price.amount;

  return {
    url: shop.url,
    baselineUrl: baseline.url,
    variantIds: variants.map(({ id }) => globalId('ProductVariant', id)),
    slugs: products.map(({ slug }) => slug),
    cursors: await allCursors(),
    baselineCursors: products.map(({ at, id }) => `${at}|${id}`),
    async touchAll() {
      // Kept in the node's memory, if it keeps answers: the new price is seen once the last of the events was handled.
      const before = await lastPrice();
      await client.query('BEGIN');
      await client.query('UPDATE product_variants SET price_minor = price_minor + 1');
      await client.query(
        `INSERT INTO event_log (type, subject_id, payload, occurred_at)
         SELECT 'product_changed', id, jsonb_build_object('productId', id), clock_timestamp() FROM products ORDER BY created_at DESC, id DESC`,
      );
      await client.query('COMMIT');
      for (;;) {
        const { rows } = await client.query('SELECT 1 FROM event_log WHERE seq IS NULL LIMIT 1');
        if (rows.length === 0 && (await lastPrice()) !== before) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async mails() {
      const { rows } = await client.query<{ sent: string; waiting: string }>(
        `SELECT count(*) FILTER (WHERE status = 'SENT') AS sent, count(*) FILTER (WHERE status = 'PENDING') AS waiting FROM mails`,
      );
      return { sent: Number(rows[0]?.sent), waiting: Number(rows[0]?.waiting) };
    },
    async stop() {
      await baseline.stop();
      await client.end();
      await postgres.dispose();
      await shop.stop();
    },
  };
}
