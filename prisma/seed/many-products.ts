import type pg from 'pg';

/** What `seedManyProducts` fills a catalogue with. */
export interface ManyProducts {
  /** Number of products that there are in the end, 1 to 1,000,000. */
  products: number;
  /** Units of each variant. */
  stock: number;
}

const BATCH = 1_000;

/**
 * One batch of products `sample-1`, `sample-2` and so on. Ids, texts, prices and categories follow from the number alone. Every other
 * product has two variants. A product that exists already is left as it is, so that a run which was interrupted can be repeated.
 * Counters, ledger and events agree, as if staff had made the products.
 */
const INSERT_BATCH = `
WITH numbered AS (
  SELECT n, md5('sample-product-' || n)::uuid AS id FROM generate_series($1::int, $2::int) AS n
), product AS (
  INSERT INTO products (id, slug, title, description, vendor, tags, status, category_id, created_at, updated_at)
  SELECT id, 'sample-' || n,
         (ARRAY['Bowl','Jar','Mug','Plate','Vase','Lamp','Tray','Pot'])[1 + n % 8] || ' ' || (ARRAY['Alder','Birch','Cedar','Dune','Ember','Fjord','Grove'])[1 + n % 7] || ' No. ' || n,
         'Sample product number ' || n || ', made for measurements.',
         (ARRAY['Northwind','Ostara','Pell'])[1 + n % 3],
         ARRAY['sample', 'group-' || n % 50], 'ACTIVE', md5('sample-category-' || n % 12)::uuid,
         '2026-01-01T00:00:00Z'::timestamptz - n * interval '1 second', '2026-01-01T00:00:00Z'
    FROM numbered
  ON CONFLICT (slug) DO NOTHING
  RETURNING id, created_at
), variant AS (
  INSERT INTO product_variants (id, product_id, sku, selected_options, price_minor, on_hand, low_stock_threshold, position)
  SELECT md5('sample-variant-' || n || '-' || v)::uuid, id, 'SAMPLE-' || n || '-' || v,
         CASE WHEN n % 2 = 0 THEN '[]'::jsonb
              ELSE jsonb_build_array(jsonb_build_object('name', 'Size', 'value', (ARRAY['S', 'L'])[1 + v])) END,
         500 + n * 7919 % 9500 + 250 * v, $3::int, 3, v
    FROM numbered JOIN product USING (id), generate_series(0, n % 2) AS v
  RETURNING id, on_hand
), movement AS (
  INSERT INTO stock_movements (variant_id, reason, on_hand_delta, held_delta, on_hand_after, held_after, note, occurred_at)
  SELECT id, 'INITIAL', on_hand, 0, on_hand, 0, 'seed', clock_timestamp() FROM variant WHERE on_hand > 0
)
INSERT INTO event_log (type, subject_id, payload, occurred_at)
SELECT 'product_changed', id, jsonb_build_object('productId', id), clock_timestamp() FROM product
RETURNING 1`;

/**
 * Fills a catalogue with products that are the same in every run.
 * @param client a connection without a statement timeout
 * @param onProgress called after each batch with the number of products that are there, and those that were new
 * @returns the number of products that were new
 */
export async function seedManyProducts(
  client: pg.ClientBase,
  { products, stock }: ManyProducts,
  onProgress: (done: number, created: number) => void = () => {},
): Promise<number> {
  await client.query(
    `WITH category AS (
       INSERT INTO categories (id, slug, name)
       SELECT md5('sample-category-' || n)::uuid, 'samples-' || n, 'Samples ' || n FROM generate_series(0, 11) AS n
       ON CONFLICT DO NOTHING RETURNING id
     )
     INSERT INTO event_log (type, subject_id, payload, occurred_at)
     SELECT 'category_changed', id, jsonb_build_object('categoryId', id), clock_timestamp() FROM category`,
  );
  let created = 0;
  for (let from = 1; from <= products; from += BATCH) {
    const to = Math.min(from + BATCH - 1, products);
    created += (await client.query(INSERT_BATCH, [from, to, stock])).rowCount ?? 0;
    onProgress(to, created);
  }
  return created;
}
