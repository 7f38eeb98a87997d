import { v7 as uuid } from 'uuid';
import type { App } from '../../src/app.ts';

/** A variant that everybody watches. */
export interface Watched {
  query: string;
  /** What a subscriber gets of an event, but for its cursor and levels. */
  samplePayload: string;
  /** Moves its level so many times, in one transaction. */
  move(times: number): Promise<void>;
}

/** Makes a product with one variant, and what it takes to move its stock. */
export async function makeWatched({ db, services }: App): Promise<Watched> {
  const { productId, variantId } = { productId: uuid(), variantId: uuid() };
  const sku = `FAN-OUT-${variantId.slice(-8)}`;
  await db.query({ name: 'bench_product', text: `INSERT INTO products (id, slug, title) VALUES ($1, $2, 'Watched')` }, [
    productId,
    sku.toLowerCase(),
  ]);
  await db.query(
    {
      name: 'bench_variant',
      text: 'INSERT INTO product_variants (id, product_id, sku, price_minor, low_stock_threshold) VALUES ($1, $2, $3, 100, 3)',
    },
    [variantId, productId, sku],
  );
  const id = Buffer.from(`ProductVariant:${variantId}`).toString('base64');
  const selection = 'cursor occurredAt available variant { id sku available price { amount currencyCode } }';
  const event = {
    cursor: Buffer.from('0011223344556677.1000').toString('base64url'),
    occurredAt: new Date().toISOString(),
    available: 1000,
    variant: { id, sku, available: 1000, price: { amount: '1.00', currencyCode: 'USD' } },
  };
  return {
    query: `subscription { stockChanged(variantIds: ["${id}"]) { ${selection} } }`,
    samplePayload: JSON.stringify({ data: { stockChanged: event } }),
    move: (times) =>
      db.transaction(async (tx) => {
        const at = await services.inventory.lock(tx, [variantId]);
        const step = { variantId, reason: 'RESTOCK', onHandDelta: 1 } as const;
        await services.inventory.apply(
          tx,
          at,
          Array.from({ length: times }, () => step),
        );
      }),
  };
}
