import pg from 'pg';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { migrate } from '../../src/infra/migrations/migrations.ts';
import { migrationsBefore } from '../support/migration-folders.ts';
import { createEmptyDatabase } from '../support/postgres.ts';

test('deliveries from before keep the entry that they are about, and the product that they changed', async () => {
  const database = await createEmptyDatabase();
  onTestFinished(() => database.dispose());
  const connectionString = database.url;
  const logger = pino({ level: 'silent' });
  await migrate({ connectionString, logger, migrationsDir: migrationsBefore('generic_webhook_deliveries') });
  const client = new pg.Client({ connectionString });
  await client.connect();
  onTestFinished(() => client.end());
  await client.query(`
    INSERT INTO products (id, slug, title) VALUES ('00000000-0000-4000-8000-000000000001', 'honey', 'Honey');
    INSERT INTO webhook_deliveries (id, source, delivery_key, topic, entry_id, body, status, product_id, received_at, settled_at) VALUES
      ('00000000-0000-4000-8000-000000000011', 'contentful', 'key:1', 'publish', 'entry1', '{}', 'APPLIED',
       '00000000-0000-4000-8000-000000000001', now(), now()),
      ('00000000-0000-4000-8000-000000000012', 'contentful', 'key:2', 'publish', 'entry2', '{}', 'PENDING', NULL, now(), NULL)`);

  await migrate({ connectionString, logger });
  const { rows } = await client.query(
    'SELECT subject, object_type, object_id, status FROM webhook_deliveries ORDER BY delivery_key',
  );
  expect(rows).toEqual([
    {
      subject: 'entry1',
      object_type: 'Product',
      object_id: '00000000-0000-4000-8000-000000000001',
      status: 'APPLIED',
    },
    { subject: 'entry2', object_type: null, object_id: null, status: 'PENDING' },
  ]);
});
