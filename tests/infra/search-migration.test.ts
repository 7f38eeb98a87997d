import pg from 'pg';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../src/infra/migrations/migrations.ts';
import { migrationsBefore } from '../support/migration-folders.ts';
import { createEmptyDatabase } from '../support/postgres.ts';

const logger = pino({ level: 'silent' });

test('products and orders from before are found by their words, and stock is as it was', async () => {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.dispose());
  const connectionString = database.url;
  await migrate({ connectionString, logger, migrationsDir: migrationsBefore('search_words') });
  const client = new pg.Client({ connectionString });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`
    INSERT INTO products (id, slug, title) VALUES
      ('00000000-0000-4000-8000-000000000001', 'flour', 'Flour 3㎏ bag'),
      ('00000000-0000-4000-8000-000000000002', 'honey', '有機蜂蜜ギフト');
    INSERT INTO product_variants (id, product_id, sku, price_minor, low_stock_threshold, on_hand) VALUES
      ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-000000000001', 'OLD-1', 100, 3, 5),
      ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-000000000002', 'OLD-2', 100, 3, 0);
    INSERT INTO guests (id, token_hash) VALUES ('00000000-0000-4000-8000-000000000021', sha256('guest'));
    INSERT INTO carts (id, guest_id, status, created_at, updated_at)
      VALUES ('00000000-0000-4000-8000-000000000031', '00000000-0000-4000-8000-000000000021', 'CHECKED_OUT', now(), now());
    INSERT INTO orders (id, number, guest_id, cart_id, email, currency, subtotal_minor, total_minor, idempotency_key, request_hash, placed_at, updated_at)
      VALUES ('00000000-0000-4000-8000-000000000041', 1042, '00000000-0000-4000-8000-000000000021',
              '00000000-0000-4000-8000-000000000031', 'Zoë@example.com', 'USD', 100, 100, 'key', sha256(''), now(), now())`);

  await migrate({ connectionString, logger });
  const found = async (table: 'products' | 'orders', search: string) =>
    (await client.query(`SELECT id FROM ${table} WHERE search @@ search_query($1)`, [search])).rows.map(({ id }) =>
      Number(String(id).slice(-2)),
    );
  expect(await found('products', '3kg bag')).toEqual([1]);
  expect(await found('products', '蜂蜜ギ')).toEqual([2]);
  expect(await found('products', 'OLD-1')).toEqual([1]);
  expect(await found('orders', '1042')).toEqual([41]);
  expect(await found('orders', 'zoe')).toEqual([41]);
  const { rows } = await client.query('SELECT sku, on_hand, available, in_stock FROM product_variants ORDER BY sku');
  expect(rows).toEqual([
    { sku: 'OLD-1', on_hand: 5, available: 5, in_stock: true },
    { sku: 'OLD-2', on_hand: 0, available: 0, in_stock: false },
  ]);
  // Nodes of the version before go on with the newer database while it is rolled out.
  const before = `to_tsquery('simple', '''' || search_words('flou') || ''':*') || plainto_tsquery('english', search_words('flou'))`;
  expect((await client.query(`SELECT slug FROM products WHERE search @@ (${before})`)).rows).toEqual([
    { slug: 'flour' },
  ]);
});
