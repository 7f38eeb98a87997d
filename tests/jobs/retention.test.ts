import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeOld } from '../../src/infra/postgres/retention.ts';
import { login, newPerson, refresh, resetToken } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeOverdue, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { retentionRule } from '../support/retention.ts';
import { enter, rowId, shopperOf } from '../support/shopper.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const ruleOf = (name: string) => retentionRule(shop, name);
const counts = async () =>
  known(
    (
      await rowsOf<{ sessions: number; tokens: number; resets: number }>(
        shop.db,
        `SELECT (SELECT count(*)::int FROM sessions) AS sessions, (SELECT count(*)::int FROM refresh_tokens) AS tokens,
                (SELECT count(*)::int FROM password_resets) AS resets`,
      )
    )[0],
  );

async function change(sql: string): Promise<void> {
  await rowsOf(shop.db, sql);
}

test('sessions go 30 days after they were over, with their tokens; live ones stay', async () => {
  const ada = await newPerson(shop);
  await login(shop.client(), { email: ada.email });
  await login(shop.client(), { email: ada.email });
  const rule = ruleOf('retention_sessions');
  const before = await counts();
  expect(await removeOld({ db: shop.db, rule })).toBe(0);
  await change(
    `UPDATE sessions SET ended_at = clock_timestamp() - interval '29 days' WHERE id = (SELECT max(id::text)::uuid FROM sessions)`,
  );
  await change(
    `UPDATE sessions SET created_at = created_at - interval '61 days', expires_at = clock_timestamp() - interval '31 days' WHERE id = (SELECT min(id::text)::uuid FROM sessions)`,
  );
  expect(await removeOld({ db: shop.db, rule })).toBe(1);
  expect(await counts()).toEqual({ ...before, sessions: before.sessions - 1, tokens: before.tokens - 1 });
});

test('tokens go 30 days after they were spent; the session goes on', async () => {
  const ada = await newPerson(shop);
  const { refreshToken } = await refresh(shop.client(), ada.refreshToken);
  const rule = ruleOf('retention_refresh_tokens');
  const before = await counts();
  expect(await removeOld({ db: shop.db, rule })).toBe(0);
  await change(`UPDATE refresh_tokens SET spent_at = spent_at - interval '30 days 1 second'`);
  expect(await removeOld({ db: shop.db, rule })).toBe(1);
  expect((await counts()).tokens).toBe(before.tokens - 1);
  expect((await refresh(shop.client(), known(refreshToken))).errors).toEqual([]);
});

test('links for forgotten passwords go a day after they were over', async () => {
  const ada = await newPerson(shop);
  await resetToken(shop, ada.email);
  const rule = ruleOf('retention_password_resets');
  expect(await removeOld({ db: shop.db, rule })).toBe(0);
  await change(`UPDATE password_resets SET expires_at = clock_timestamp() - interval '25 hours'`);
  expect(await removeOld({ db: shop.db, rule })).toBe(1);
  expect((await counts()).resets).toBe(0);
});

test('many rows are deleted in batches, until pruning is aborted', async () => {
  const fill = () =>
    change(`INSERT INTO password_resets (id, requested_at, expires_at)
            SELECT gen_random_uuid(), t, t FROM generate_series(1, 2500), (SELECT clock_timestamp() - interval '2 days' AS t) AS past`);
  const rule = ruleOf('retention_password_resets');
  await fill();
  const stop = new AbortController();
  const db = {
    query: async <Row extends object>(...args: Parameters<typeof shop.db.query>) => {
      const rows = await shop.db.query<Row>(...args);
      stop.abort();
      return rows;
    },
  };
  expect(await removeOld({ db, rule, signal: stop.signal })).toBe(1000);
  expect(await removeOld({ db: shop.db, rule })).toBe(1500);
});

const remove = (name: string) => removeOld({ db: shop.db, rule: ruleOf(name) });
const exists = async (table: string, id: string) =>
  (await rowsOf(shop.db, `SELECT FROM ${table} WHERE id = $1`, [id])).length > 0;
const age = (table: string, column: string, days: number, id: string) =>
  rowsOf(shop.db, `UPDATE ${table} SET ${column} = ${column} - make_interval(days => $1::int) WHERE id = $2`, [
    days,
    id,
  ]);

/** A guest with two units in the cart. */
async function withCart(sku: string) {
  const shopper = await enter(shop);
  const cart = known((await shopper.add({ sku, quantity: 2 })).cart);
  const cartId = rowId(cart.id);
  const [row] = await rowsOf<{ id: string }>(shop.db, 'SELECT guest_id AS id FROM carts WHERE id = $1', [cartId]);
  return { shopper, cart, cartId, guestId: known(row).id };
}

test('carts that are empty or expired go 90 days after their last change, and guests without any after 400', async () => {
  const { sku } = await makeVariant(shop, { onHand: 100 });
  const [empty, expired, live, fresh] = [
    await withCart(sku),
    await withCart(sku),
    await withCart(sku),
    await withCart(sku),
  ];
  await empty.shopper.remove(known(empty.cart.lines[0]).id);
  await fresh.shopper.remove(known(fresh.cart.lines[0]).id);
  await makeOverdue(shop, [expired.cartId]);
  await shop.expireOverdue();
  expect(await remove('retention_carts')).toBe(0);
  for (const { cartId } of [empty, expired, live]) await age('carts', 'updated_at', 91, cartId);
  await age('carts', 'updated_at', 89, fresh.cartId);
  expect(await remove('retention_carts')).toBe(2);
  expect(await Promise.all([empty, expired, live, fresh].map(({ cartId }) => exists('carts', cartId)))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  // The guest may come back, and begins with a new cart.
  expect((await empty.shopper.add({ sku, quantity: 1 })).errors).toEqual([]);

  for (const { guestId } of [empty, live, fresh]) await age('guests', 'created_at', 401, guestId);
  await age('guests', 'created_at', 399, expired.guestId);
  expect(await remove('retention_guests')).toBe(0);
  await age('guests', 'created_at', 2, expired.guestId);
  expect(await remove('retention_guests')).toBe(1);
  expect(await exists('guests', expired.guestId)).toBe(false);
  expect(await findFaults(shop.db)).toEqual([]);
});

test('a cart that was bought loses its lines after 90 days; the order and its guest stay, and the same checkout finds it', async () => {
  const { sku } = await makeVariant(shop, { onHand: 100 });
  const { shopper, cartId, guestId } = await withCart(sku);
  const input = { idempotencyKey: 'once', email: 'ada@example.com' };
  const { order } = await shopper.checkout(input);
  const lines = () => rowsOf(shop.db, 'SELECT FROM cart_lines WHERE cart_id = $1', [cartId]);
  await age('guests', 'created_at', 1000, guestId);
  await age('carts', 'updated_at', 89, cartId);
  expect(await remove('retention_bought_lines')).toBe(0);
  await age('carts', 'updated_at', 2, cartId);
  expect(await remove('retention_bought_lines')).toBe(1);
  expect(await lines()).toEqual([]);
  await remove('retention_carts');
  await remove('retention_guests');
  expect(await exists('guests', guestId)).toBe(true);
  expect((await shopper.checkout(input)).order).toEqual(order);
});

test('the books agree after carts that were merged, and lines of carts that were bought, are gone', async () => {
  const { sku } = await makeVariant(shop, { onHand: 100 });
  const ada = await newPerson(shop);
  const { cartId, guestId, shopper } = await withCart(sku);
  await login(shopper.client, { email: ada.email });
  const buyer = shopperOf(ada.client);
  const { cart } = await buyer.add({ sku, quantity: 1 });
  expect(cart?.totalQuantity).toBeGreaterThan(1);
  await buyer.checkout({ idempotencyKey: 'merged' });
  // Other tests have left what does not agree.
  const before = await findFaults(shop.db);
  const userCart = rowId(known(cart).id);
  const lines = await rowsOf<{ id: string }>(shop.db, 'SELECT id FROM cart_lines WHERE cart_id = $1', [userCart]);
  expect(lines.length).toBeGreaterThan(0);
  for (const id of [cartId, userCart]) await age('carts', 'updated_at', 91, id);
  await age('guests', 'created_at', 1000, guestId);
  await remove('retention_carts');
  await remove('retention_bought_lines');
  await remove('retention_guests');
  expect([await exists('carts', cartId), await exists('guests', guestId)]).toEqual([false, false]);
  expect(await findFaults(shop.db)).toEqual(before);
  // Of a cart that is not old enough the lines are missed.
  await rowsOf(shop.db, 'UPDATE carts SET updated_at = now() WHERE id = $1', [userCart]);
  expect((await findFaults(shop.db)).length).toBeGreaterThan(before.length);
  await age('carts', 'updated_at', 91, userCart);
});

test('a cart that others were merged into waits for them', async () => {
  const { cartId: first } = await withCart((await makeVariant(shop, { onHand: 9 })).sku);
  await rowsOf(
    shop.db,
    `INSERT INTO carts (id, guest_id, status, merged_into_id, created_at, updated_at)
     SELECT gen_random_uuid(), guest_id, 'MERGED', id, created_at, updated_at FROM carts WHERE id = $1`,
    [first],
  );
  await makeOverdue(shop, [first]);
  await shop.expireOverdue();
  await rowsOf(
    shop.db,
    `UPDATE carts SET updated_at = updated_at - interval '100 days' WHERE id = $1 OR merged_into_id = $1`,
    [first],
  );
  expect(await remove('retention_carts')).toBe(1);
  expect(await remove('retention_carts')).toBe(1);
  expect(await exists('carts', first)).toBe(false);
});

test('stock alerts go 90 days after they were sent, or made where they were cancelled; those that wait stay', async () => {
  const { id } = await makeVariant(shop, { onHand: 0 });
  await rowsOf(
    shop.db,
    `INSERT INTO stock_alerts (id, variant_id, email, status, created_at, notified_at)
     SELECT gen_random_uuid(), $1, n || '@example.com', status::stock_alert_status, now() - made, now() - sent
       FROM (VALUES (1, 'WAITING', interval '900 days', NULL), (2, 'NOTIFIED', interval '900 days', interval '89 days'),
                    (3, 'NOTIFIED', interval '900 days', interval '91 days'), (4, 'CANCELLED', interval '91 days', NULL),
                    (5, 'CANCELLED', interval '89 days', NULL)) AS a(n, status, made, sent)`,
    [id],
  );
  expect(await remove('retention_stock_alerts')).toBe(2);
  const left = await rowsOf<{ email: string }>(shop.db, 'SELECT email FROM stock_alerts ORDER BY email');
  expect(left.map(({ email }) => email[0])).toEqual(['1', '2', '5']);
});

test('parked events go 90 days after they were handled; those that wait stay', async () => {
  await change(
    `INSERT INTO parked_events (consumer, epoch, seq, type, subject_id, payload, occurred_at, error, attempts, parked_at, resolved_at)
     SELECT 'one', 'e', n, 'one', gen_random_uuid(), '{}', now(), 'no', 4, now() - interval '900 days', now() - resolved
       FROM (VALUES (1, NULL), (2, interval '89 days'), (3, interval '91 days')) AS p(n, resolved)`,
  );
  expect(await remove('retention_parked_events')).toBe(1);
  expect(await rowsOf(shop.db, 'SELECT seq FROM parked_events ORDER BY seq')).toEqual([{ seq: 1n }, { seq: 2n }]);
});

test('a row that cannot be deleted does not keep other rows from being deleted', async () => {
  await change(
    `INSERT INTO password_resets (id, requested_at, expires_at)
     SELECT gen_random_uuid(), t, t FROM generate_series(1, 1200), (SELECT clock_timestamp() - interval '2 days' AS t) AS past`,
  );
  const [bad] = await rowsOf<{ id: string }>(shop.db, 'SELECT id FROM password_resets ORDER BY id LIMIT 1 OFFSET 700');
  await change(
    `CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN IF OLD.id = '${known(bad).id}' THEN RAISE EXCEPTION 'this row is bad'; END IF; RETURN OLD; END $$`,
  );
  await change('CREATE TRIGGER keep_row BEFORE DELETE ON password_resets FOR EACH ROW EXECUTE FUNCTION keep_row()');
  const faults: unknown[] = [];
  const rule = ruleOf('retention_password_resets');
  expect(await removeOld({ db: shop.db, rule, failed: (error) => faults.push(error) })).toBe(1199);
  expect(faults).toMatchObject([{ message: 'this row is bad' }]);
  expect((await counts()).resets).toBe(1);
});
