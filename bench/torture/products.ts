import type { Database } from '../../src/infra/postgres/database.ts';

/*
 * Products of a run, by SQL: loading Prisma's client takes longer than a short run.
 */

/** A product of a run. Its variants have no stock yet. */
export interface RunProduct {
  id: string;
  sku: string;
  requiresShipping: boolean;
  variants: readonly { id: string; sku: string }[];
}

const insert = {
  name: 'torture_product',
  text: `
WITH product AS (
  INSERT INTO products (id, slug, title) VALUES ($1, lower($2), 'Torture run ' || $2) RETURNING id
)
INSERT INTO product_variants (id, product_id, sku, price_minor, low_stock_threshold, position, requires_shipping)
SELECT v.id, product.id, v.sku, 1900, 0, v.position - 1, $3
  FROM product, unnest($4::uuid[], $5::text[]) WITH ORDINALITY AS v (id, sku, position)`,
};
const archive = {
  name: 'torture_archive',
  text: `UPDATE products SET status = 'ARCHIVED' WHERE id = ANY($1::uuid[])`,
};

/** Puts a product into the catalogue. */
export async function insertProduct(db: Database, product: RunProduct): Promise<void> {
  const { id, sku, requiresShipping, variants } = product;
  const columns = [variants.map((variant) => variant.id), variants.map((variant) => variant.sku)];
  await db.query(insert, [id, sku, requiresShipping, ...columns]);
}

/** Takes products off the shelves; their orders stay. */
export async function archiveProducts(db: Database, ids: readonly string[]): Promise<void> {
  await db.query(archive, [ids]);
}
