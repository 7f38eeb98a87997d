import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { ContentfulDeliveriesQueryVariables } from '../../generated/gql/graphql.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import {
  applyAll,
  deliver,
  deliverAndApply,
  deliveriesOf,
  newEntryId,
  productOf,
  SECRET,
} from '../../support/contentful.ts';
import { globalId, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';
import { recordStatements } from '../../support/statements.ts';

const listDocument = graphql(`
  query ContentfulDeliveries($filter: WebhookDeliveryFilter, $first: Int, $after: String, $last: Int, $before: String) {
    webhookDeliveries(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      edges {
        cursor
        node {
          id
          source
          topic
          entryId
          body
          status
          reason
          attempts
          receivedAt
          settledAt
          product {
            slug
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
  mutation ContentfulDeliveryRetry($id: ID!) {
    webhookDeliveryRetry(input: { id: $id }) {
      webhookDelivery {
        id
        status
        reason
        attempts
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
  query ContentfulRecord($id: ID!) {
    staffActions(filter: { subjectId: $id }) {
      nodes {
        kind
        note
        actor {
          email
        }
        subject {
          __typename
          id
        }
      }
    }
  }
`);

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ CONTENTFUL_WEBHOOK_SECRET: SECRET, BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(async () => {
  const faults = await findFaults(shop.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
  await shop.dispose();
});

const list = async (variables: ContentfulDeliveriesQueryVariables = {}) =>
  known((await staff.client.data(listDocument, variables)).webhookDeliveries);
const retry = async (id: string) => known((await staff.client.data(retryDocument, { id })).webhookDeliveryRetry);

/** A delivery that failed since its slug was another product's. */
async function failedDelivery(): Promise<{ entryId: string; id: string; slug: string; productId: string }> {
  const entryId = newEntryId();
  const slug = `taken-${entryId}`;
  const product = await makeProduct(shop, { slug });
  await deliverAndApply(shop, { id: entryId, fields: { title: 'First', slug: `own-${entryId}`, price: 1, stock: 2 } });
  const outcome = await deliverAndApply(shop, {
    id: entryId,
    fields: { title: 'Next', slug, stock: 5 },
    revision: 2,
    minute: 1,
  });
  expect(outcome).toEqual({ status: 'FAILED', reason: 'The slug is already used by another product.' });
  const { id } = known((await deliveriesOf(shop, entryId)).at(-1));
  return { entryId, id: globalId('WebhookDelivery', id), slug, productId: product.id };
}

describe('webhookDeliveries', () => {
  test('lists what arrived, newest first, and its outcome', async () => {
    const id = newEntryId();
    await deliverAndApply(shop, { id, fields: { title: 'Listed', slug: `listed-${id}`, price: 1 } });
    await deliver(shop, { id, topic: 'archive', fields: { title: 'x'.repeat(5000) }, minute: 1 });
    const [latest, before] = (await list({ first: 2 })).edges.map((edge) => edge.node);
    expect(latest).toMatchObject({
      source: 'contentful',
      topic: 'ContentManagement.Entry.archive',
      entryId: id,
      status: 'PENDING',
      reason: null,
      attempts: 0,
      settledAt: null,
      product: null,
    });
    expect(latest?.body).toHaveLength(2000);
    expect(before).toMatchObject({ status: 'APPLIED', attempts: 1, product: { slug: `listed-${id}` } });
    expect(known(JSON.parse(known(before).body)) as object).toMatchObject({ sys: { id } });
    expect(Date.parse(known(before?.settledAt))).toBeGreaterThanOrEqual(Date.parse(known(before?.receivedAt)));
    await applyAll(shop);
  });

  test('pages, by status too, in a number of statements that does not grow', async () => {
    for (let i = 0; i < 3; i += 1) await failedDelivery();
    const all = await list({ filter: { status: 'FAILED' }, first: 100 });
    expect(all.totalCount).toBe(all.edges.length);
    expect(new Set(all.edges.map((edge) => edge.node.status))).toEqual(new Set(['FAILED']));
    const [first, second, third] = all.edges.map((edge) => edge.node.id);
    const page = await list({ filter: { status: 'FAILED' }, first: 1, after: known(all.edges[0]).cursor });
    expect(page.edges.map((edge) => edge.node.id)).toEqual([second]);
    expect(page.pageInfo).toEqual({ hasNextPage: true, hasPreviousPage: true });
    const back = await list({ filter: { status: 'FAILED' }, last: 1, before: known(all.edges[1]).cursor });
    expect(back.edges.map((edge) => edge.node.id)).toEqual([first]);
    expect(third).toBeDefined();
    const statements = async (size: number) => (await recordStatements(() => list({ first: size }))).statements.length;
    expect(await statements(50)).toBe(await statements(2));
  });

  test('is for staff alone, by ID too', async () => {
    const { id } = await failedDelivery();
    const { client } = await newPerson(shop);
    expect((await client.execute(listDocument, {})).codes).toEqual(['FORBIDDEN']);
    expect((await shop.client().execute(listDocument, {})).codes).toEqual(['UNAUTHENTICATED']);
    const node = '{ node(id: "ID") { id } }'.replace('ID', id);
    expect((await client.data(node)).node).toBeNull();
    expect((await staff.client.data(node)).node).toEqual({ id });
  });
});

describe('webhookDeliveryRetry', () => {
  test('has a failed one be applied once more, and is recorded', async () => {
    const { id, slug, productId, entryId } = await failedDelivery();
    await rowsOf(shop.db, `UPDATE products SET slug = slug || '-free' WHERE id = $1`, [productId]);
    const again = await retry(id);
    expect(again).toEqual({
      webhookDelivery: { id, status: 'PENDING', reason: null, attempts: 0, settledAt: null },
      errors: [],
    });
    // One that waits does so already.
    expect(await changingNothing(shop, () => retry(id))).toEqual(again);
    await applyAll(shop);
    expect(await productOf(shop, entryId)).toMatchObject({ slug, title: 'Next', onHand: 5 });
    const { staffActions } = await staff.client.data(recordDocument, { id });
    expect(staffActions?.nodes).toEqual([
      {
        kind: 'WEBHOOK_DELIVERY_RETRIED',
        note: 'The slug is already used by another product.',
        actor: { email: staff.email },
        subject: { __typename: 'WebhookDelivery', id },
      },
    ]);
    const done = await changingNothing(shop, () => retry(id));
    expect(done.errors).toEqual([
      { code: 'CONFLICT', message: 'Only a failed delivery can be retried.', path: ['id'] },
    ]);
  });

  test('of an old one waits longer after each attempt, as that of a new one does', async () => {
    const { id } = await failedDelivery();
    await rowsOf(
      shop.db,
      `UPDATE webhook_deliveries SET received_at = received_at - interval '20 days' WHERE id = $1`,
      [rowId(id)],
    );
    await retry(id);
    const { webhooks } = shop.app.services;
    const isLost = async () => (await webhooks.findLost(100)).some((lost) => lost.id === rowId(id));
    const triedAgo = (seconds: number, attempts: number) =>
      rowsOf(
        shop.db,
        `UPDATE webhook_deliveries SET attempts = $3, tried_at = clock_timestamp() - make_interval(secs => $2) WHERE id = $1`,
        [rowId(id), seconds, attempts],
      );
    expect(await isLost()).toBe(false);
    await triedAgo(31, 0);
    expect(await isLost()).toBe(true);
    await triedAgo(31, 3);
    expect(await isLost()).toBe(false);
    await triedAgo(241, 3);
    expect(await isLost()).toBe(true);
  });

  test('is skipped where something later was applied since', async () => {
    const { id, entryId } = await failedDelivery();
    await deliverAndApply(shop, { id: entryId, fields: { title: 'Third', stock: 7 }, revision: 3, minute: 2 });
    await retry(id);
    await applyAll(shop);
    expect((await deliveriesOf(shop, entryId)).map(({ status }) => status)).toEqual(['APPLIED', 'SKIPPED', 'APPLIED']);
    expect(await productOf(shop, entryId)).toMatchObject({ title: 'Third', onHand: 7 });
  });

  test('refuses what is not there', async () => {
    const nobody = globalId('WebhookDelivery', crypto.randomUUID());
    const answers = await changingNothing(shop, () => Promise.all([retry(nobody), retry('x')]));
    expect(answers.map(({ errors }) => errors.map(({ code, path }) => [code, path]))).toEqual([
      [['NOT_FOUND', ['id']]],
      [['INVALID_INPUT', ['id']]],
    ]);
  });
});

describe('old deliveries', () => {
  test('are deleted a month after they were settled; those that wait are kept', async () => {
    const { webhooks } = shop.app.services;
    const [young, old, waiting] = [newEntryId(), newEntryId(), newEntryId()];
    for (const id of [young, old, waiting]) await deliver(shop, { id, topic: 'delete' });
    await rowsOf(
      shop.db,
      `UPDATE webhook_deliveries SET status = 'SKIPPED', settled_at = clock_timestamp() - interval '31 days', received_at = clock_timestamp() - interval '31 days' WHERE subject = $1`,
      [old],
    );
    await rowsOf(
      shop.db,
      `UPDATE webhook_deliveries SET status = 'SKIPPED', settled_at = clock_timestamp() - interval '29 days', received_at = clock_timestamp() - interval '40 days' WHERE subject = $1`,
      [young],
    );
    await rowsOf(
      shop.db,
      `UPDATE webhook_deliveries SET received_at = clock_timestamp() - interval '40 days' WHERE subject = $1`,
      [waiting],
    );
    expect(await webhooks.prune()).toBe(1);
    const counts = await Promise.all([young, old, waiting].map(async (id) => (await deliveriesOf(shop, id)).length));
    expect(counts).toEqual([1, 0, 1]);
    // The one that waits for so long is one whose job was lost.
    expect((await webhooks.findLost(10)).map(({ id: lost }) => lost)).toEqual([
      known((await deliveriesOf(shop, waiting))[0]).id,
    ]);
    await applyAll(shop);
    expect(await webhooks.findLost(10)).toEqual([]);
  });
});
