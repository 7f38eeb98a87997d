import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { holdBarrier, watchLocks } from '../../support/barriers.ts';
import { globalId } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { mailState, setMail, writeMail } from '../../support/mails.ts';
import { rowId } from '../../support/shopper.ts';
import { createTestShop, type TestShop } from '../../support/shop.ts';
import { changingNothing } from '../../support/state.ts';
import { recordStatements } from '../../support/statements.ts';

const listDocument = graphql(`
  query MailsList($filter: MailFilter, $first: Int, $after: String, $last: Int, $before: String) {
    mails(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      edges {
        cursor
        node {
          id
          template
          recipient
          status
          attempts
          error
          dueAt
          createdAt
          settledAt
          user {
            email
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

const retryDocument = graphql(`
  mutation MailsRetry($id: ID!) {
    mailRetry(input: { id: $id }) {
      mail {
        id
        status
        attempts
        error
        settledAt
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

const recordDocument = graphql(`
  query MailsRecord($id: ID!) {
    staffActions(filter: { subjectId: $id }) {
      nodes {
        kind
        actor {
          id
        }
        subject {
          id
        }
        changes {
          field
          before
          after
        }
      }
    }
  }
`);

let shop: TestShop;
let staff: Person;
beforeAll(async () => {
  shop = await createTestShop({ overrides: { quiet: true } });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

const failed = "status = 'FAILED', settled_at = clock_timestamp(), attempts = 3, error = '550 no such user'";

async function list(variables: object) {
  const { mails } = await staff.client.data(listDocument, variables);
  return known(mails);
}

async function retry(id: string) {
  return known((await staff.client.data(retryDocument, { id: globalId('Mail', id) })).mailRetry);
}

describe('mails', () => {
  test('show staff what became of each, and not what it says', async () => {
    const person = await newPerson(shop);
    const userId = rowId(person.userId);
    const id = await writeMail(shop, { recipient: person.email, userId, template: 'welcome', data: { userId } });
    const {
      edges: [edge],
      totalCount,
    } = await list({ filter: { recipient: person.email.toUpperCase(), status: 'PENDING' } });
    expect(totalCount).toBe(1);
    const { dueAt, createdAt, ...rest } = known(edge).node;
    expect(dueAt).toEqual(createdAt);
    expect(rest).toEqual({
      id: globalId('Mail', id),
      template: 'welcome',
      recipient: person.email,
      status: 'PENDING',
      attempts: 0,
      error: null,
      settledAt: null,
      user: { email: person.email },
    });
  });

  test('are paged, the newest first, both ways, each of them once', async () => {
    const recipient = 'pages@example.com';
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(globalId('Mail', await writeMail(shop, { recipient })));
    ids.reverse();
    const filter = { recipient };
    const nodes = (page: Awaited<ReturnType<typeof list>>) => page.edges.map(({ node }) => node.id);
    const first = await list({ filter, first: 2 });
    expect([nodes(first), first.pageInfo]).toEqual([ids.slice(0, 2), { hasNextPage: true, hasPreviousPage: false }]);
    const second = await list({ filter, first: 3, after: first.edges[1]?.cursor });
    expect([nodes(second), second.pageInfo.hasNextPage]).toEqual([ids.slice(2), false]);
    const back = await list({ filter, last: 2, before: second.edges[0]?.cursor });
    expect(nodes(back)).toEqual(ids.slice(0, 2));
    expect(first.totalCount).toBe(5);
  });

  test('are found by what became of them', async () => {
    const recipient = 'states@example.com';
    const [pending, broken] = [await writeMail(shop, { recipient }), await writeMail(shop, { recipient })];
    await setMail(shop, broken, failed);
    const found = async (status: 'PENDING' | 'SENT' | 'SKIPPED' | 'FAILED') =>
      (await list({ filter: { recipient, status } })).edges.map(({ node }) => [rowId(node.id), node.error]);
    expect(await found('PENDING')).toEqual([[pending, null]]);
    expect(await found('FAILED')).toEqual([[broken, '550 no such user']]);
    expect(await found('SENT')).toEqual([]);
    expect(await found('SKIPPED')).toEqual([]);
  });

  test.each(['', 'nobody@example.com', 'a\u0000b', '%'])(
    'to an address that got none (%j) are none',
    async (recipient) => {
      expect(await list({ filter: { recipient } })).toMatchObject({ edges: [], totalCount: 0 });
    },
  );

  test('cost the same statements, however many they are', async () => {
    const recipient = 'many@example.com';
    const person = await newPerson(shop);
    const another = await newPerson(shop);
    const userId = rowId(person.userId);
    await writeMail(shop, { recipient, userId });
    await list({ filter: { recipient } });
    const count = async () => (await recordStatements(() => list({ filter: { recipient } }))).statements.length;
    const one = await count();
    for (let n = 0; n < 5; n += 1)
      await writeMail(shop, { recipient, userId: n % 2 === 0 ? userId : rowId(another.userId) });
    expect(await count()).toBe(one);
  });
});

describe('mailRetry', () => {
  test('has one that failed sent again, and is put on record', async () => {
    const id = await writeMail(shop);
    await setMail(shop, id, failed);
    expect(await retry(id)).toEqual({
      mail: { id: globalId('Mail', id), status: 'PENDING', attempts: 0, error: null, settledAt: null },
      errors: [],
    });
    expect(await mailState(shop, id)).toMatchObject({ status: 'PENDING', attempts: 0, settled: false, claimed: false });
    const { staffActions } = await staff.client.data(recordDocument, { id: globalId('Mail', id) });
    expect(known(staffActions).nodes).toEqual([
      {
        kind: 'MAIL_RETRIED',
        actor: { id: staff.userId },
        subject: { id: globalId('Mail', id) },
        changes: [
          { field: 'status', before: 'FAILED', after: 'PENDING' },
          { field: 'attempts', before: '3', after: '0' },
          { field: 'error', before: '550 no such user', after: null },
        ],
      },
    ]);
  });

  test.each([
    ['PENDING', 'attempts = 0'],
    ['SENT', "status = 'SENT', settled_at = now()"],
    ['SKIPPED', "status = 'SKIPPED', settled_at = now()"],
  ])('refuses one that is %s', async (status, assignments) => {
    const id = await writeMail(shop);
    await setMail(shop, id, assignments);
    expect(await changingNothing(shop, () => retry(id))).toEqual({
      mail: null,
      errors: [
        { code: 'CONFLICT', message: `Only a failed email can be sent again; this one is ${status}.`, path: ['id'] },
      ],
    });
  });

  test('knows no mail that is not there, and no ID that is none', async () => {
    const nobody = await changingNothing(shop, () => retry('01900000-0000-7000-8000-000000000000'));
    expect(nobody.errors.map(({ code, path }) => [code, path])).toEqual([['NOT_FOUND', ['id']]]);
    const { mailRetry } = await staff.client.data(retryDocument, { id: globalId('User', rowId(staff.userId)) });
    expect(known(mailRetry).errors.map(({ code, path }) => [code, path])).toEqual([['INVALID_INPUT', ['id']]]);
  });

  test('of two at the same time is done once', async () => {
    const id = await writeMail(shop);
    await setMail(shop, id, failed);
    await using barrier = await holdBarrier(shop.db, 'SELECT FROM mails WHERE id = $1 FOR UPDATE', [id]);
    await using locks = await watchLocks(shop.db);
    const both = Promise.all([retry(id), retry(id)]);
    await locks.untilWaiting(2, 'FROM mails');
    await barrier.release();
    const codes = (await both).map(({ errors }) => errors.map(({ code }) => code));
    expect(codes.toSorted((a, b) => a.length - b.length)).toEqual([[], ['CONFLICT']]);
    const { staffActions } = await staff.client.data(recordDocument, { id: globalId('Mail', id) });
    expect(known(staffActions).nodes).toHaveLength(1);
  });
});
