import { beforeEach, describe, expect, test } from 'vitest';
import { findFaults, rowsOf } from '../support/books.ts';
import { levelOf, makeOverdue, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { recordLogs } from '../support/logs.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { newGuest, openServices, type TestServices } from '../support/services.ts';
import { alertsOf, chainsOf, mailsOf, signUpMany } from '../support/stock-alerts.ts';

let database: TestDatabase;
let services: TestServices;
let complaints: () => unknown[];

beforeEach(async () => {
  database = await createTestDatabase();
  const { logger, logs } = recordLogs();
  services = openServices(database.url, { logger });
  complaints = () => logs.map(({ msg, id }) => [msg, id]);
  return async () => {
    await services.dispose();
    await database.dispose();
  };
});

const wanted = (variantId: string, quantity: number) => [{ variantId, quantity, variantPath: [], quantityPath: [] }];

async function fillCart(variantId: string, quantity: number): Promise<string> {
  const { cart } = await services.cart.addLines(await newGuest(services), wanted(variantId, quantity));
  return cart.id;
}

/** Has the database refuse each change of one row. */
async function poison(table: string, id: string): Promise<void> {
  await rowsOf(
    services.db,
    `CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN
       IF OLD.id = '${id}' THEN RAISE EXCEPTION 'this row is bad'; END IF;
       RETURN NEW;
     END $$`,
  );
  await rowsOf(
    services.db,
    `CREATE TRIGGER refuse_row BEFORE UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse_row()`,
  );
}
const cure = async (table: string) => rowsOf(services.db, `DROP TRIGGER refuse_row ON ${table}`);

describe('a cart that cannot be expired', () => {
  const SET_ASIDE = 'the expiry of a cart failed and is skipped for now; it will be retried later';

  test('keeps none of the others from expiring, and is reported once', async () => {
    const { id } = await makeVariant(services, { onHand: 100 });
    const carts = [await fillCart(id, 1), await fillCart(id, 2), await fillCart(id, 4)];
    const bad = known(carts[1]);
    await makeOverdue(services);
    await poison('carts', bad);

    expect(await services.cart.expireOverdue()).toEqual({ carts: 2, units: 5 });
    expect(await levelOf(services, id)).toEqual({ onHand: 100, held: 2, available: 98 });
    expect(complaints()).toEqual([[SET_ASIDE, bad]]);
    // Whatever expires after that does so at once, in its batch.
    await makeOverdue(services, [await fillCart(id, 8)]);
    expect(await services.cart.expireOverdue()).toEqual({ carts: 1, units: 8 });
    expect(complaints()).toEqual([[SET_ASIDE, bad]]);
    expect(await findFaults(services.db)).toEqual([]);
    await cure('carts');
  });

  test('keeps no units from a buyer that others hold beyond their time', async () => {
    const { id } = await makeVariant(services, { onHand: 4 });
    const carts = [await fillCart(id, 2), await fillCart(id, 2)];
    await makeOverdue(services);
    await poison('carts', known(carts[0]));

    const { cart } = await services.cart.addLines(await newGuest(services), wanted(id, 2));
    expect(cart.lines).toMatchObject([{ quantity: 2 }]);
    expect(await levelOf(services, id)).toEqual({ onHand: 4, held: 4, available: 0 });
    await cure('carts');
  });

  test.each([
    '11111111-1111-1111-1111-111111111111',
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '0192f0c1-2345-0abc-1def-0123456789ab',
  ])('is no cart whose id PostgreSQL takes: %s', async (id) => {
    const variant = await makeVariant(services, { onHand: 9 });
    const cartId = await fillCart(variant.id, 3);
    const other = await fillCart(variant.id, 1);
    await rowsOf(
      services.db,
      `WITH made AS (
         INSERT INTO carts (id, guest_id, status, version, hold_started_at, expires_at, created_at, updated_at)
         SELECT $2, guest_id, 'EXPIRED', version, hold_started_at, expires_at, created_at, updated_at FROM carts WHERE id = $1
       ) SELECT 1`,
      [cartId, id],
    );
    await rowsOf(services.db, 'UPDATE cart_lines SET cart_id = $2 WHERE cart_id = $1', [cartId, id]);
    await rowsOf(services.db, 'DELETE FROM carts WHERE id = $1', [cartId]);
    await rowsOf(services.db, `UPDATE carts SET status = 'ACTIVE' WHERE id = $1`, [id]);
    await makeOverdue(services);

    expect(await services.cart.expireOverdue()).toEqual({ carts: 2, units: 4 });
    expect(await levelOf(services, variant.id)).toEqual({ onHand: 9, held: 0, available: 9 });
    const events = await rowsOf<{ id: string }>(
      services.db,
      `SELECT subject_id AS id FROM event_log WHERE payload->>'kind' = 'EXPIRED' ORDER BY id`,
    );
    expect(events.map((event) => event.id).toSorted()).toEqual([id, other].toSorted());
    expect(complaints()).toEqual([]);
  });
});

describe('a stock alert that cannot be sent', () => {
  test('keeps none of the others waiting, and is reported once', async () => {
    const { id } = await makeVariant(services, { onHand: 100 });
    await signUpMany(services.db, id, 5);
    const [bad] = await rowsOf<{ id: string; email: string }>(
      services.db,
      'SELECT id, email FROM stock_alerts ORDER BY number LIMIT 1 OFFSET 1',
    );
    await poison('stock_alerts', known(bad).id);
    await services.db.transaction((tx) => services.stockAlerts.start(tx, { variantIds: [id], productIds: [] }));
    for (let state = 'MORE'; state === 'MORE';) ({ state } = await services.stockAlerts.notifyNext(id));

    const { notified, waiting } = await alertsOf(services.db, id);
    expect(waiting).toEqual([known(bad).email]);
    expect(notified).toHaveLength(4);
    expect(await mailsOf(services.db, id)).toEqual(notified);
    expect(complaints()).toEqual([
      ['a stock alert failed and is skipped for now; it will be retried later', known(bad).id],
    ]);
    // The chain is there still, for the one who waits.
    expect(await chainsOf(services.db)).toEqual([{ variantId: id, batchLeft: 0 }]);
    await cure('stock_alerts');
  });
});
