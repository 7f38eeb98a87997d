import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defineConsumer } from '../../../src/events/consumer.ts';
import { graphql } from '../../generated/gql/index.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { globalId } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { rowId } from '../../support/shopper.ts';
import { createTestShop, type TestShop } from '../../support/shop.ts';
import { changingNothing } from '../../support/state.ts';
import { recordStatements } from '../../support/statements.ts';

const listDocument = graphql(`
  query JobsParkedEvents($includeResolved: Boolean! = false, $first: Int, $after: String, $last: Int, $before: String) {
    parkedEvents(includeResolved: $includeResolved, first: $first, after: $after, last: $last, before: $before) {
      edges {
        cursor
        node {
          id
          consumer
          eventType
          payload
          error
          attempts
          occurredAt
          parkedAt
          resolvedAt
        }
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
      }
      totalCount
    }
  }
`);

const retryDocument = graphql(`
  mutation JobsParkedEventRetry($id: ID!) {
    parkedEventRetry(input: { id: $id }) {
      parkedEvent {
        id
        attempts
        resolvedAt
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

let shop: TestShop;
let staff: Person;
let broken = true;
const handled: string[] = [];
beforeAll(async () => {
  shop = await createTestShop({
    overrides: {
      quiet: true,
      consumers: (real) => [
        ...real,
        defineConsumer({
          name: 'fragile',
          types: ['something_happened'],
          async handle(_tx, event) {
            if (broken) throw new Error('it is broken');
            handled.push(event.subjectId);
            return 'DONE';
          },
        }),
      ],
    },
  });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());
beforeEach(async () => {
  broken = true;
  handled.length = 0;
  await rowsOf(shop.db, 'TRUNCATE parked_events');
});

const SUBJECT = '018f0000-0000-7000-8000-000000000001';
let seq = 0;

async function park(parkedAt: string, consumer = 'fragile'): Promise<string> {
  seq += 1;
  const [row] = await rowsOf<{ id: string }>(
    shop.db,
    `INSERT INTO parked_events (consumer, epoch, seq, type, subject_id, payload, occurred_at, error, attempts, parked_at)
     VALUES ($1, 'epoch', $2, 'something_happened', $3, '{"units": 3}', '2026-11-20T10:00:00Z', 'Error: it is broken', 4, $4) RETURNING id`,
    [consumer, seq, SUBJECT, parkedAt],
  );
  return globalId('ParkedEvent', known(row).id);
}

/** What the record of staff says of it. */
const recorded = (id: string) =>
  rowsOf(
    shop.db,
    `SELECT actor_id, kind, changes, note FROM staff_actions WHERE subject_type = 'ParkedEvent' AND subject_id = $1`,
    [rowId(id)],
  );

const parkedRows = () => rowsOf(shop.db, 'SELECT attempts, error, resolved_at FROM parked_events ORDER BY seq');

describe('events that could not be handled', () => {
  test('are listed, the latest first, with what went wrong', async () => {
    const earlier = await park('2026-11-20T11:00:00Z');
    const later = await park('2026-11-20T12:00:00.123456Z');
    const { parkedEvents } = await staff.client.data(listDocument);

    expect(parkedEvents?.totalCount).toBe(2);
    expect(parkedEvents?.edges.map(({ node }) => node.id)).toEqual([later, earlier]);
    expect(parkedEvents?.edges[0]?.node).toEqual({
      id: later,
      consumer: 'fragile',
      eventType: 'something_happened',
      payload: '{"units":3}',
      error: 'Error: it is broken',
      attempts: 4,
      occurredAt: '2026-11-20T10:00:00.000Z',
      parkedAt: '2026-11-20T12:00:00.123Z',
      resolvedAt: null,
    });
  });

  test('are paged from either end, in one statement and one to count', async () => {
    const ids: string[] = [];
    // The same instant: the id decides.
    for (let index = 0; index < 5; index += 1) ids.push(await park('2026-11-20T11:00:00Z'));
    ids.sort((one, other) => (rowId(one) < rowId(other) ? 1 : -1));
    const { result: first, statements } = await recordStatements(() => staff.client.data(listDocument, { first: 2 }));
    const after = first.parkedEvents?.edges[1]?.cursor ?? null;
    const second = await staff.client.data(listDocument, { first: 2, after });
    const last = await staff.client.data(listDocument, { last: 2 });
    const before = last.parkedEvents?.edges[0]?.cursor ?? null;
    const middle = await staff.client.data(listDocument, { last: 2, before });

    const idsOf = ({ parkedEvents }: typeof first) => parkedEvents?.edges.map(({ node }) => node.id);
    expect(idsOf(first)).toEqual(ids.slice(0, 2));
    expect(idsOf(second)).toEqual(ids.slice(2, 4));
    expect(idsOf(last)).toEqual(ids.slice(3));
    expect(idsOf(middle)).toEqual(ids.slice(1, 3));
    expect(first.parkedEvents?.pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: false });
    expect(statements.filter((name) => name.startsWith('parked_event'))).toEqual([
      'parked_events_waiting_forward',
      'parked_event_count_waiting',
    ]);
  });

  test('are handled once more by a retry, once; then they are only listed when asked for', async () => {
    const id = await park('2026-11-20T11:00:00Z');
    broken = false;
    const { parkedEventRetry: first } = await staff.client.data(retryDocument, { id });
    const { parkedEventRetry: second } = await staff.client.data(retryDocument, { id });

    expect(first).toEqual({
      parkedEvent: { id, attempts: 5, resolvedAt: expect.any(String) as string },
      errors: [],
    });
    expect(second).toEqual(first);
    expect(handled).toEqual([SUBJECT]);
    expect(await recorded(id)).toEqual([
      {
        actor_id: rowId(staff.userId),
        kind: 'PARKED_EVENT_RETRIED',
        changes: [{ field: 'error', before: 'Error: it is broken', after: null }],
        note: 'fragile',
      },
    ]);
    expect((await staff.client.data(listDocument)).parkedEvents).toMatchObject({ edges: [], totalCount: 0 });
    const all = await staff.client.data(listDocument, { includeResolved: true });
    expect(all.parkedEvents).toMatchObject({ edges: [{ node: { id } }], totalCount: 1 });
  });

  test('say what went wrong where the retry fails too', async () => {
    const id = await park('2026-11-20T11:00:00Z');
    const { parkedEventRetry } = await staff.client.data(retryDocument, { id });

    expect(parkedEventRetry).toEqual({
      parkedEvent: null,
      errors: [{ code: 'CONFLICT', message: 'The event failed again: Error: it is broken', path: ['id'] }],
    });
    expect(await parkedRows()).toEqual([{ attempts: 5, error: 'Error: it is broken', resolved_at: null }]);
    expect(await recorded(id)).toEqual([]);
  });

  test.each([
    ['of a consumer that is gone', () => park('2026-11-20T11:00:00Z', 'gone'), 'CONFLICT'],
    ['that is not there', () => globalId('ParkedEvent', SUBJECT), 'NOT_FOUND'],
    ['whose ID is of something else', () => globalId('Product', SUBJECT), 'INVALID_INPUT'],
  ])('one %s is not retried', async (_what, make, code) => {
    const id = await make();
    const before = await parkedRows();
    const { parkedEventRetry } = await changingNothing(shop, () => staff.client.data(retryDocument, { id }));
    expect(parkedEventRetry).toMatchObject({ parkedEvent: null, errors: [{ code, path: ['id'] }] });
    expect(await parkedRows()).toEqual(before);
  });

  test('are nobody else’s to see or to retry', async () => {
    const id = await park('2026-11-20T11:00:00Z');
    broken = false;
    const customer = await newPerson(shop);
    const before = await parkedRows();
    for (const [client, code] of [
      [shop.client(), 'UNAUTHENTICATED'],
      [customer.client, 'FORBIDDEN'],
    ] as const) {
      const list = await client.execute(listDocument);
      expect([list.codes, list.data]).toEqual([[code], { parkedEvents: null }]);
      const retry = await client.execute(retryDocument, { id });
      expect([retry.codes, retry.data]).toEqual([[code], { parkedEventRetry: null }]);
      const { node } = await client.data('query JobsParkedNode($id: ID!) { node(id: $id) { id } }', { id });
      expect(node).toBeNull();
    }
    expect(handled).toEqual([]);
    expect(await parkedRows()).toEqual(before);
    const { node } = await staff.client.data('query JobsParkedNode($id: ID!) { node(id: $id) { __typename id } }', {
      id,
    });
    expect(node).toEqual({ __typename: 'ParkedEvent', id });
  });
});
