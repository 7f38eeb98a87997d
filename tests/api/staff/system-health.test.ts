import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { holdBarrier } from '../../support/barriers.ts';
import { rowsOf } from '../../support/books.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { writeMail } from '../../support/mails.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { until } from '../../support/until.ts';

const HEALTH = graphql(`
  query SystemHealth {
    systemHealth {
      checkedAt
      relay {
        waitingCount
        oldestWaitingAt
      }
      consumers {
        name
        waitingCount
        oldestWaitingAt
        parkedCount
        leasedUntil
      }
      queues {
        name
        failedCount
      }
      mail {
        dueCount
        oldestDueAt
        failedCount
      }
    }
  }
`);

let shop: QuietShop;
let staff: Person;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

const health = async () => known((await staff.client.data(HEALTH, {})).systemHealth);

test('a relay that stands still shows what waits for it, and since when', async () => {
  await until('nothing waits', async () => (await health()).relay.waitingCount === 0);
  expect((await health()).relay.oldestWaitingAt).toBeNull();
  await using barrier = await holdBarrier(shop.db, 'SELECT FROM event_sequence FOR UPDATE');
  const began = Date.parse((await health()).checkedAt);
  await makeVariant(shop, { onHand: 3 });
  const { relay, checkedAt } = await health();
  expect(relay.waitingCount).toBeGreaterThan(0);
  expect(Date.parse(known(relay.oldestWaitingAt))).toBeGreaterThanOrEqual(began);
  expect(Date.parse(known(relay.oldestWaitingAt))).toBeLessThanOrEqual(Date.parse(checkedAt));
  await barrier.release();
  await until('the relay has caught up', async () => (await health()).relay.waitingCount === 0);
});

test('a consumer shows how far it is behind, what is parked, and whether a process runs it', async () => {
  await until('nothing waits', async () => (await health()).relay.waitingCount === 0);
  const consumer = `INSERT INTO event_consumers (name, seq, epoch, lease_owner, lease_until)
                    SELECT $1, last - $2::bigint, epoch, $3::uuid, clock_timestamp() + make_interval(secs => $4) FROM event_sequence`;
  await makeVariant(shop, { onHand: 1 });
  await until('it is numbered', async () => (await health()).relay.waitingCount === 0);
  await rowsOf(shop.db, consumer, ['a-behind', 2, uuid(), 60]);
  await rowsOf(shop.db, consumer, ['b-idle', 0, uuid(), -1]);
  const parked = `INSERT INTO parked_events (consumer, epoch, seq, type, subject_id, payload, occurred_at, error, attempts, parked_at, resolved_at)
                  SELECT 'a-behind', epoch, $1, 'product_changed', $2, '{}', clock_timestamp(), 'broken', 3, clock_timestamp(), $3 FROM event_sequence`;
  await rowsOf(shop.db, parked, [1, uuid(), null]);
  await rowsOf(shop.db, parked, [2, uuid(), new Date()]);
  const { consumers, checkedAt } = await health();
  expect(consumers.filter(({ name }) => /^[ab]-/.test(name))).toEqual([
    {
      name: 'a-behind',
      waitingCount: 2,
      oldestWaitingAt: expect.any(String),
      parkedCount: 1,
      leasedUntil: expect.any(String),
    },
    { name: 'b-idle', waitingCount: 0, oldestWaitingAt: null, parkedCount: 0, leasedUntil: null },
  ]);
  expect(Date.parse(known(consumers[0]?.leasedUntil))).toBeGreaterThan(Date.parse(checkedAt));
});

test('mails that are due or have failed are counted, and those of tomorrow are not', async () => {
  const userId = null;
  const ids = [];
  for (const recipient of ['due@example.com', 'later@example.com', 'failed@example.com']) {
    ids.push(await writeMail(shop, { template: 'welcome', recipient, userId, data: {} }));
  }
  const at = (id: string | undefined, set: string) => rowsOf(shop.db, `UPDATE mails SET ${set} WHERE id = $1`, [id]);
  await at(ids[0], `due_at = '2026-01-02T03:04:05Z'`);
  await at(ids[1], `due_at = clock_timestamp() + interval '1 day'`);
  await at(ids[2], `status = 'FAILED', settled_at = clock_timestamp()`);
  expect((await health()).mail).toEqual({ dueCount: 1, oldestDueAt: '2026-01-02T03:04:05.000Z', failedCount: 1 });
});
