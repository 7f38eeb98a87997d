import type pg from 'pg';
import { uuidOf } from '../ordered-ids.ts';

/**
 * Fills a catalogue without its triggers, which would take hours for a million products: every product has the word `common`
 * in its title, every tenth `tenth` in its description, every hundredth `hundredth`, every thousandth `rare` in its title and
 * among its tags. One product in 1,000 is a DRAFT, one in 2,000 is sold out, one in 2,000
 * is low, one in 10 has two variants of different prices and of sizes S and L, one in 1,000 of sizes S and XXL.
 */
export async function fillProducts(client: pg.ClientBase, count: number): Promise<void> {
  await client.query('ALTER TABLE products DISABLE TRIGGER USER; ALTER TABLE product_variants DISABLE TRIGGER USER');
  await client.query(
    `INSERT INTO categories (id, slug, name) SELECT gen_random_uuid(), 'filled-' || n, 'Filled ' || n FROM generate_series(0, 19) AS n
     UNION ALL SELECT gen_random_uuid(), 'filled-few', 'Filled few'`,
  );
  await client.query(
    `WITH category AS (SELECT array_agg(id ORDER BY length(slug), slug) AS ids FROM categories WHERE slug ~ '^filled-[0-9]+$'),
          few AS (SELECT id FROM categories WHERE slug = 'filled-few')
     INSERT INTO products (id, slug, title, sort_title, description, tags, status, category_id, min_price_minor, max_price_minor,
                           search_title, search, created_at)
     SELECT gen_random_uuid(), 'filled-' || n, 'Common jar ' || n, 'common jar ' || n, '',
            CASE WHEN n % 1000 = 0 THEN ARRAY['everyone', 'rare'] ELSE ARRAY['everyone'] END,
            CASE WHEN n % 1000 = 1 THEN 'DRAFT' ELSE 'ACTIVE' END::product_status,
            CASE WHEN n % 5000 = 0 THEN few.id ELSE category.ids[1 + n % 20] END,
            1000 + n * 7919 % 9000, 1000 + n * 7919 % 9000 + CASE WHEN n % 10 = 0 THEN 500 ELSE 0 END,
            CASE WHEN n % 1000 = 0 THEN search_document(ARRAY['common', 'jar', 'rare']) ELSE search_document(ARRAY['common', 'jar']) END,
            CASE WHEN n % 1000 = 0 THEN setweight(search_document(ARRAY['common', 'jar', 'rare']), 'A')
                 WHEN n % 100 = 0 THEN setweight(search_document(ARRAY['common', 'jar']), 'A') || setweight(search_document(ARRAY['tenth', 'hundredth']), 'C')
                 WHEN n % 10 = 0 THEN setweight(search_document(ARRAY['common', 'jar']), 'A') || setweight(search_document(ARRAY['tenth']), 'C')
                 ELSE setweight(search_document(ARRAY['common', 'jar']), 'A') END,
            now() - n * interval '1 second'
       FROM generate_series(1, $1::bigint) AS n, category, few`,
    [count],
  );
  await client.query(
    `INSERT INTO product_variants (id, product_id, sku, price_minor, selected_options, on_hand, low_stock_threshold, position)
     SELECT gen_random_uuid(), p.id, p.slug || '-' || v, p.min_price_minor + 500 * v,
            CASE WHEN p.min_price_minor = p.max_price_minor THEN '[]'
                 ELSE jsonb_build_array(jsonb_build_object('name', 'Size', 'value',
                   CASE WHEN v = 0 THEN 'S' WHEN 'rare' = ANY(p.tags) THEN 'XXL' ELSE 'L' END)) END,
            CASE substr(p.slug, 8)::int % 2000 WHEN 7 THEN 0 WHEN 9 THEN 2 ELSE 5 END, 3, v
       FROM products p, generate_series(0, CASE WHEN p.min_price_minor < p.max_price_minor THEN 1 ELSE 0 END) AS v
      WHERE p.slug LIKE 'filled-%'`,
  );
  await client.query('ALTER TABLE products ENABLE TRIGGER USER; ALTER TABLE product_variants ENABLE TRIGGER USER');
}

/**
 * Fills orders of one guest each: every one PLACED, one in 1,000 CANCELLED. Placed a second apart. The trigger adds their numbers to
 * their words; a benchmark may turn it off, since it takes most of the time.
 * @param daysAgo when the guests came and the latest order was placed
 */
export async function fillOrders(client: pg.ClientBase, count: number, daysAgo = 0): Promise<void> {
  await client.query(
    `WITH day AS (SELECT now() - make_interval(days => $2::int) AS at), guest AS (
       INSERT INTO guests (id, token_hash, created_at)
       SELECT ${uuidOf('order guest')}, sha256(n::text::bytea), day.at FROM day, generate_series(1, $1::int) AS n
     ), cart AS (
       INSERT INTO carts (id, guest_id, status, created_at, updated_at)
       SELECT ${uuidOf('order cart')}, ${uuidOf('order guest')}, 'CHECKED_OUT', day.at, day.at FROM day, generate_series(1, $1::int) AS n
     )
     INSERT INTO orders (id, guest_id, cart_id, status, email, currency, subtotal_minor, total_minor, shipping_name, shipping_line1,
                         shipping_city, shipping_postal_code, shipping_country_code, idempotency_key, request_hash, search, placed_at, updated_at)
     SELECT ${uuidOf('order')}, ${uuidOf('order guest')}, ${uuidOf('order cart')}, CASE WHEN n % 1000 = 0 THEN 'CANCELLED' ELSE 'PLACED' END::order_status,
            'buyer-' || n || '@example.com', 'USD', n, n, 'Buyer ' || n, 'Road ' || n, 'Town', '12345', 'DE', 'key', sha256(''),
            array_to_tsvector(ARRAY['buyer', n::text, 'exampl', 'example', 'com', 'road', 'town', '12345', 'de']),
            day.at - n * interval '1 second', day.at
       FROM day, generate_series(1, $1::int) AS n`,
    [count, daysAgo],
  );
}

/** Fills so many accounts of customers, which nobody can log in to. */
export async function fillUsers(client: pg.ClientBase, count: number): Promise<void> {
  await client.query(
    `INSERT INTO users (id, email, name, password_hash, created_at, updated_at)
     SELECT gen_random_uuid(), 'customer-' || n || '@example.com', 'Customer ' || n, '$2b$10$' || repeat('x', 53), now() - n * interval '1 second', now()
       FROM generate_series(1, $1::int) AS n`,
    [count],
  );
}

/** Gives one user 50 orders that are spread over all of them. */
export async function giveOrders(client: pg.ClientBase, email: string): Promise<void> {
  await client.query(
    `UPDATE orders o SET user_id = u.id, guest_id = NULL, idempotency_key = 'key ' || o.number FROM users u
      WHERE u.email = $1 AND o.id IN (SELECT id FROM orders WHERE number % greatest((SELECT count(*) FROM orders) / 50, 1) = 0)`,
    [email],
  );
}
