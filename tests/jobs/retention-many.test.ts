import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { removeOld, type Places } from '../../src/infra/postgres/retention.ts';
import { pruneMails } from '../../src/modules/mail/mail-sending.repository.ts';
import { pruneDeliveries } from '../../src/modules/webhooks/webhook-delivery.repository.ts';
import { rowsOf } from '../support/books.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { recordQueries, rowsTouched } from '../support/plans.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { retentionRule } from '../support/retention.ts';

// What it costs to look for old rows does not grow with the rows that stay.

const YOUNG = 5000;

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const ruleOf = (name: string) => retentionRule(shop, name);

async function remove(name: string, places?: Places): Promise<number> {
  return removeOld({ db: shop.db, rule: ruleOf(name), ...(places === undefined ? {} : { places }) });
}

describe('where nothing is old', () => {
  beforeAll(async () => {
    const { id } = await makeVariant(shop);
    const statements = [
      `INSERT INTO users (id, email, name, password_hash, created_at, updated_at)
       VALUES (gen_random_uuid(), 'young@example.com', 'Young', '$2b$10$' || repeat('x', 53), now(), now())`,
      `INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at)
       SELECT gen_random_uuid(), u.id, now(), now(), now() + interval '30 days' FROM users u, generate_series(1, ${YOUNG}) WHERE u.email = 'young@example.com'`,
      `INSERT INTO refresh_tokens (hash, session_id, created_at, spent_at) SELECT sha256(id::text::bytea), id, now(), now() FROM sessions`,
      `INSERT INTO password_resets (id, requested_at, expires_at)
       SELECT gen_random_uuid(), now(), now() + interval '1 hour' FROM generate_series(1, ${YOUNG})`,
      `WITH guest AS (
         INSERT INTO guests (id, token_hash) SELECT gen_random_uuid(), sha256(n::text::bytea) FROM generate_series(1, ${YOUNG}) AS n RETURNING id
       ) INSERT INTO carts (id, guest_id, status, created_at, updated_at) SELECT gen_random_uuid(), id, 'EXPIRED', now(), now() FROM guest`,
      `INSERT INTO stock_alerts (id, variant_id, email, status, created_at)
       SELECT gen_random_uuid(), '${id}', n || '@example.com', 'CANCELLED', now() FROM generate_series(1, ${YOUNG}) AS n`,
      `INSERT INTO mails (id, cause, template, recipient, data, status, message_id, due_at, created_at, settled_at)
       SELECT gen_random_uuid(), n::text, 'welcome', 'ada@example.com', '{}', 'SENT', n::text, now(), now(), now() FROM generate_series(1, ${YOUNG}) AS n`,
      `INSERT INTO webhook_deliveries (id, source, delivery_key, topic, body, status, received_at, settled_at)
       SELECT gen_random_uuid(), 'contentful', n::text, 'publish', '{}', 'FAILED', now(), now() FROM generate_series(1, ${YOUNG}) AS n`,
      'ANALYZE',
    ];
    for (const text of statements) await rowsOf(shop.db, text);
  });

  test.each([
    'retention_sessions',
    'retention_refresh_tokens',
    'retention_password_resets',
    'retention_carts',
    'retention_guests',
    'retention_bought_lines',
    'retention_stock_alerts',
  ])('%s looks at few rows', async (name) => {
    let removed: number | undefined;
    const queries = await recordQueries(async () => {
      removed = await remove(name);
    });
    expect(removed).toBe(0);
    expect(queries).toHaveLength(1);
    expect(await rowsTouched(shop.db, queries)).toBeLessThan(50);
  });

  test.each([
    ['emails', () => pruneMails(shop.db, 90, 1000)],
    ['deliveries of webhooks', () => pruneDeliveries(shop.db, 90, 1000)],
  ])('pruning of %s looks at few rows', async (_of, prune) => {
    let removed: number | undefined;
    const queries = await recordQueries(async () => {
      removed = await prune();
    });
    expect(removed).toBe(0);
    expect(queries).toHaveLength(1);
    expect(await rowsTouched(shop.db, queries)).toBeLessThan(50);
  });
});

test('old carts that stay, since somebody began to pay for them, are looked at once a run', async () => {
  const [STAY, GO] = [2000, 4500];
  await rowsOf(
    shop.db,
    `WITH guest AS (
       INSERT INTO guests (id, token_hash) SELECT gen_random_uuid(), sha256(('old ' || n)::bytea) FROM generate_series(1, ${STAY + GO}) AS n RETURNING id
     ), numbered AS (
       SELECT id, row_number() OVER () AS n FROM guest
     ), cart AS (
       INSERT INTO carts (id, guest_id, status, created_at, updated_at)
       SELECT gen_random_uuid(), id, 'EXPIRED', now(), now() - interval '200 days' + n * interval '1 second' FROM numbered RETURNING id, updated_at
     ) INSERT INTO payments (id, cart_id, provider, state, currency, amount_minor, created_at, updated_at)
       SELECT gen_random_uuid(), id, 'manual', 'CANCELLED', 'USD', 100, now(), now()
         FROM (SELECT id FROM cart ORDER BY updated_at LIMIT ${STAY}) AS stay`,
  );
  await rowsOf(shop.db, 'ANALYZE');
  let removed: number | undefined;
  const queries = await recordQueries(async () => {
    removed = await remove('retention_carts');
  });
  expect(removed).toBe(GO);
  // Found, read by its ID, and its payment: three rows for each. (The others are gone.)
  expect(await rowsTouched(shop.db, queries)).toBeLessThan(3 * STAY + 500);
  expect(await remove('retention_carts')).toBe(0);
});

describe('guests who stay for ever, since they have an order or a cart,', () => {
  const KEPT = 12_000;

  beforeAll(async () => {
    await rowsOf(
      shop.db,
      `WITH guest AS (
         INSERT INTO guests (id, token_hash, created_at)
         SELECT gen_random_uuid(), sha256(('kept ' || n)::bytea), now() - interval '1000 days' + n * interval '1 second' FROM generate_series(1, ${KEPT}) AS n
         RETURNING id
       ) INSERT INTO carts (id, guest_id, status, created_at, updated_at)
         SELECT gen_random_uuid(), id, 'CHECKED_OUT', now(), now() FROM guest`,
    );
  });

  /** Guests without anything, who came so long after the first of those that are kept. */
  const comeAndGo = (after: string) =>
    rowsOf(
      shop.db,
      `INSERT INTO guests (id, token_hash, created_at)
       SELECT gen_random_uuid(), sha256(gen_random_uuid()::text::bytea), now() - interval '1000 days' + interval '${after}' FROM generate_series(1, 3)`,
    );

  test('are searched ten thousand at a time: the next run goes on, and the one after the last begins again', async () => {
    await comeAndGo('11950 seconds');
    await comeAndGo('500 seconds');
    const places: Places = new Map();
    const run = async () => {
      let removed = 0;
      const queries = await recordQueries(async () => {
        removed = await remove('retention_guests', places);
      });
      return { removed, searched: queries.filter(({ text }) => text.includes('AS place')).length };
    };
    // The first batch finds three, and ten more find none.
    expect(await run()).toEqual({ removed: 3, searched: 11 });
    expect(places.get('guests without carts and orders')).not.toBeNull();
    expect(await run()).toEqual({ removed: 3, searched: 2 });
    expect(places.get('guests without carts and orders')).toBeNull();
    await comeAndGo('11900 seconds');
    expect(await run()).toMatchObject({ removed: 3 });
  });

  test('are many: a batch searches a thousand of them by their indexes', async () => {
    const queries = await recordQueries(() => remove('retention_guests'));
    const batch = queries.slice(0, 2);
    expect(batch.map(({ text }) => text.includes('AS place'))).toEqual([true, false]);
    expect(await rowsTouched(shop.db, batch)).toBeLessThan(6000);
  });

  test('a guest who cannot be deleted does not keep others from being deleted', async () => {
    await comeAndGo('11999 seconds');
    const [bad] = await rowsOf<{ id: string }>(
      shop.db,
      'SELECT id FROM guests g WHERE NOT EXISTS (SELECT FROM carts WHERE guest_id = g.id) ORDER BY created_at, id LIMIT 1 OFFSET 1',
    );
    await rowsOf(
      shop.db,
      `CREATE FUNCTION keep_guest() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN IF OLD.id = '${known(bad).id}' THEN RAISE EXCEPTION 'this guest is bad'; END IF; RETURN OLD; END $$`,
    );
    await rowsOf(
      shop.db,
      'CREATE TRIGGER keep_guest BEFORE DELETE ON guests FOR EACH ROW EXECUTE FUNCTION keep_guest()',
    );
    const faults: unknown[] = [];
    const rule = ruleOf('retention_guests');
    expect(await removeOld({ db: shop.db, rule, failed: (error) => faults.push(error) })).toBe(2);
    expect(faults).toMatchObject([{ message: 'this guest is bad' }]);
  });
});
