import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { globalId, makeCategory, makeProduct, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop } from '../../support/quiet-shop.ts';
import { rowId } from '../../support/shopper.ts';
import type { TestShop } from '../../support/shop.ts';
import { recordStatements } from '../../support/statements.ts';

const actionsDocument = graphql(`
  query StaffRecord($filter: StaffActionFilter, $first: Int, $after: String, $last: Int, $before: String) {
    staffActions(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      edges {
        cursor
        node {
          id
          kind
          note
          occurredAt
          subjectId
          actor {
            email
          }
          subject {
            __typename
            id
          }
          changes {
            field
            before
            after
          }
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

let shop: TestShop & World;
let staff: Person;
beforeAll(async () => {
  const opened = await openQuietShop({ BCRYPT_COST: '4' });
  shop = { ...opened, eventLog: opened.app.eventLog };
});
afterAll(() => shop.dispose());
beforeEach(async () => {
  staff = await newStaff(shop);
});

const at = new Date('2026-11-20T10:00:00Z');

/** As a change does that records itself. */
function write(action: Parameters<TestShop['app']['services']['staff']['record']>[2]): Promise<void> {
  return shop.db.transaction((tx) => shop.app.services.staff.record(tx, at, known(action)));
}

/** Many entries, one after the other. */
async function writeMany(count: number, subjectIds: readonly string[], actor: Person): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await write({
      actorId: rowId(actor.userId),
      kind: 'PRODUCT_UPDATED',
      subject: { type: 'Product', id: known(subjectIds[index % subjectIds.length]) },
      note: `entry ${index}`,
    });
  }
}

const notesOf = (edges: readonly { node: { note: string | null } }[] | undefined) =>
  edges?.map(({ node }) => node.note);

describe('the record', () => {
  test('lists who changed what and when, with the changed object', async () => {
    const product = await makeProduct(shop);
    await write({
      actorId: rowId(staff.userId),
      kind: 'PRODUCT_UPDATED',
      subject: { type: 'Product', id: product.id },
      changes: [{ field: 'title', before: 'Old', after: 'New' }],
      note: 'a new name',
    });
    const { staffActions } = await staff.client.data(actionsDocument, { filter: { subjectId: product.globalId } });
    expect(staffActions?.totalCount).toBe(1);
    expect(staffActions?.edges.map(({ node }) => node)).toEqual([
      {
        id: expect.any(String) as string,
        kind: 'PRODUCT_UPDATED',
        note: 'a new name',
        occurredAt: '2026-11-20T10:00:00.000Z',
        subjectId: product.globalId,
        actor: { email: staff.email },
        subject: { __typename: 'Product', id: product.globalId },
        changes: [{ field: 'title', before: 'Old', after: 'New' }],
      },
    ]);
    const { node } = await staff.client.data('query StaffRecordNode($id: ID!) { node(id: $id) { __typename id } }', {
      id: known(staffActions?.edges[0]).node.id,
    });
    expect(node).toEqual({ __typename: 'StaffAction', id: known(staffActions?.edges[0]).node.id });
  });

  test('keeps what was done to what is gone, and what a newer version wrote', async () => {
    const category = await makeCategory(shop, `Gone ${staff.userId}`, `gone-${rowId(staff.userId)}`);
    await write({ actorId: null, kind: 'CATEGORY_DELETED', subject: { type: 'Category', id: category.id } });
    await shop.db.query({ name: 'test_delete_category', text: 'DELETE FROM categories WHERE id = $1' }, [category.id]);
    await shop.db.query(
      {
        name: 'test_newer_action',
        text: `INSERT INTO staff_actions (kind, subject_type, subject_id, occurred_at) VALUES ('WAREHOUSE_MOVED', 'Warehouse', $1, now())`,
      },
      [category.id],
    );
    const { staffActions } = await staff.client.data(actionsDocument, { filter: { subjectId: category.globalId } });
    expect(
      staffActions?.edges.map(({ node: { kind, subject, subjectId, actor } }) => [kind, subject, subjectId, actor]),
    ).toEqual([
      ['OTHER', null, globalId('Warehouse', category.id), null],
      ['CATEGORY_DELETED', null, category.globalId, null],
    ]);
  });

  test('is paged from both ends, by actor and by subject', async () => {
    const [one, two] = [await makeProduct(shop), await makeProduct(shop)];
    const other = await newStaff(shop);
    await writeMany(6, [one.id, two.id], staff);
    await writeMany(1, [one.id], other);
    const page = async (variables: Record<string, unknown>) =>
      known((await staff.client.data(actionsDocument, variables)).staffActions);
    const mine = { actorId: staff.userId };

    const first = await page({ filter: mine, first: 4 });
    expect(notesOf(first.edges)).toEqual(['entry 5', 'entry 4', 'entry 3', 'entry 2']);
    expect(first).toMatchObject({ totalCount: 6, pageInfo: { hasNextPage: true, hasPreviousPage: false } });
    const rest = await page({ filter: mine, first: 4, after: first.edges.at(-1)?.cursor });
    expect(notesOf(rest.edges)).toEqual(['entry 1', 'entry 0']);
    expect(rest.pageInfo).toEqual({ hasNextPage: false, hasPreviousPage: true });
    const back = await page({ filter: mine, last: 2, before: rest.edges[0]?.cursor });
    expect(notesOf(back.edges)).toEqual(['entry 3', 'entry 2']);

    const both = await page({ filter: { ...mine, subjectId: two.globalId } });
    expect(notesOf(both.edges)).toEqual(['entry 5', 'entry 3', 'entry 1']);
    expect((await page({ filter: { subjectId: one.globalId } })).totalCount).toBe(4);
    expect((await page({})).edges.length).toBeGreaterThanOrEqual(7);
  });

  test('rejects invalid IDs and cursors', async () => {
    for (const filter of [
      { actorId: 'x' },
      { subjectId: 'x' },
      { actorId: globalId('Product', rowId(staff.userId)) },
    ]) {
      expect((await staff.client.execute(actionsDocument, { filter })).codes).toEqual(['BAD_REQUEST']);
    }
    expect((await staff.client.execute(actionsDocument, { after: 'x' })).codes).toEqual(['BAD_REQUEST']);
    const beyond = Buffer.from(JSON.stringify(['staffActions', '9'.repeat(30)])).toString('base64url');
    expect((await staff.client.execute(actionsDocument, { after: beyond })).codes).toEqual(['BAD_REQUEST']);
  });

  test('costs the same statements, however many entries there are', async () => {
    const products = await Promise.all(Array.from({ length: 100 }, () => makeProduct(shop)));
    const ids = products.map((product) => product.id);
    const ask = async (first: number) => {
      const { result, statements } = await recordStatements(() =>
        staff.client.data(actionsDocument, { filter: { actorId: staff.userId }, first }),
      );
      return { count: result.staffActions?.edges.length, statements: statements.length };
    };
    await writeMany(1, ids, staff);
    const one = await ask(100);
    expect(one.count).toBe(1);
    await writeMany(99, ids, staff);
    // The session, the page, the count, the actors, the subjects.
    expect(await ask(100)).toEqual({ count: 100, statements: one.statements });
    expect(one.statements).toBe(5);
  });

  test('is not rewritten: the database refuses it', async () => {
    await writeMany(1, [rowId(staff.userId)], staff);
    for (const sql of [
      `UPDATE staff_actions SET note = 'else'`,
      'DELETE FROM staff_actions',
      'TRUNCATE staff_actions',
    ]) {
      await expect(shop.db.query({ name: `test ${sql}`, text: sql })).rejects.toThrow('append-only');
    }
  });

  test('is for staff', async () => {
    const [guest, customer] = [shop.client(), (await newPerson(shop)).client];
    await writeMany(1, [rowId(staff.userId)], staff);
    const mine = { filter: { actorId: staff.userId } };
    const id = known((await staff.client.data(actionsDocument, mine)).staffActions?.edges[0]).node.id;
    const document =
      'query StaffRecordDenied($id: ID!) { staffActions { totalCount } node(id: $id) { id } shop { name } }';
    const rest = { staffActions: null, node: null, shop: { name: 'Vitrine' } };
    const byGuest = await guest.execute(document, { id });
    expect([byGuest.data, byGuest.codes]).toEqual([rest, ['UNAUTHENTICATED']]);
    const byCustomer = await customer.execute(document, { id });
    expect([byCustomer.data, byCustomer.codes]).toEqual([rest, ['FORBIDDEN']]);
  });
});
