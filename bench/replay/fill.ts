import { v7 as uuid } from 'uuid';
import type { Database } from '../../src/infra/postgres/database.ts';

/** A log that is full, and where it begins. */
export interface Filled {
  /** The cursor before the first event, as clients write it. */
  cursor: string;
  /** The number of the first event. */
  first: number;
  /** The number of the last. */
  last: number;
}

const AT_A_TIME = 100_000;

/** Makes a product of one variant, and numbered events of that variant's stock, as if the relay had been at them. */
export async function fillLog(db: Database, events: number): Promise<Filled> {
  const product = uuid();
  const variant = uuid();
  const client = await db.connect();
  try {
    await client.query('SET statement_timeout = 0; SET synchronous_commit = off');
    await client.query("INSERT INTO products (id, slug, title, status) VALUES ($1, $2, 'Bench', 'ACTIVE')", [
      product,
      `bench-${product}`,
    ]);
    await client.query(
      `INSERT INTO product_variants (id, product_id, sku, price_minor, low_stock_threshold, position)
       VALUES ($1, $2, $3, 100, 0, 0)`,
      [variant, product, `BENCH-${variant}`],
    );
    const { rows } = await client.query<{ epoch: string; last: bigint }>('SELECT epoch, last FROM event_sequence');
    const [end] = rows;
    if (end === undefined) throw new Error('there is no log');
    const before = Number(end.last);
    for (let done = 0; done < events; done += AT_A_TIME) {
      await client.query(
        `WITH written AS (
           INSERT INTO event_log (seq, type, subject_id, payload, occurred_at)
           SELECT $1::bigint + n, 'stock_changed', $3::uuid, change.payload, clock_timestamp()
             FROM generate_series(1, $2::bigint) AS n CROSS JOIN LATERAL (
               SELECT jsonb_build_object('variantId', $3::uuid, 'productId', $4::uuid, 'available', n % 1000, 'previousAvailable', (n - 1) % 1000) AS payload
             ) AS change
           RETURNING 1
         )
         UPDATE event_sequence SET last = last + (SELECT count(*) FROM written)`,
        [before + done, Math.min(AT_A_TIME, events - done), variant, product],
      );
    }
    await client.query('VACUUM ANALYZE event_log');
    return {
      cursor: Buffer.from(`${end.epoch}.${before}`).toString('base64url'),
      first: before + 1,
      last: before + events,
    };
  } finally {
    await client.end();
  }
}
