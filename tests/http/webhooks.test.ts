import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebhookSource } from '../../src/modules/webhooks/webhook.types.ts';
import { refuse } from '../../src/modules/user-error.ts';
import { graphql } from '../generated/gql/index.ts';
import { newStaff, type Person } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { globalId, makeProduct } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

// A source of the tests' own, as a module would register one: deliveries of any system take the same way.

const SECRET = 'a secret of the courier';
const sign = (body: string) => createHmac('sha256', SECRET).update(body).digest('hex');

interface Parcel {
  id: string;
  event: 'parcel.arrived' | 'parcel.lost' | 'ping';
  parcel?: string;
  productId?: string;
}

const courier: WebhookSource = {
  name: 'courier',
  isAuthentic: ({ headers, body }) => Promise.resolve(headers['x-signature'] === sign(Buffer.from(body).toString())),
  read(_request, text) {
    if (!text.startsWith('{')) return 'MALFORMED';
    const { id, event, parcel } = JSON.parse(text) as Parcel;
    return event === 'ping' ? 'IGNORED' : { topic: event, key: id, subject: parcel ?? null };
  },
  async prepare({ topic, body }) {
    if (topic === 'parcel.lost') refuse('CONFLICT', 'The parcel is lost.');
    const { productId } = JSON.parse(body) as Parcel;
    return () =>
      Promise.resolve({
        status: 'APPLIED',
        reason: null,
        object: productId === undefined ? null : { type: 'Product', id: productId },
      });
  },
  describe: ({ errors }) => errors.map(({ message }) => message).join(' '),
};

const listDocument = graphql(`
  query CourierDeliveries {
    webhookDeliveries(first: 10) {
      nodes {
        id
        source
        topic
        subject
        entryId
        status
        reason
        body
        object {
          __typename
          id
        }
        product {
          id
        }
      }
    }
  }
`);

const retryDocument = graphql(`
  mutation CourierRetry($id: ID!) {
    webhookDeliveryRetry(input: { id: $id }) {
      webhookDelivery {
        status
      }
      errors {
        code
      }
    }
  }
`);

describe('a source of webhooks', () => {
  let shop: TestShop;
  let staff: Person;
  beforeAll(async () => {
    shop = await createTestShop({
      overrides: {
        quiet: true,
        services(real) {
          real.webhooks.register(courier);
          return real;
        },
      },
    });
    staff = await newStaff(shop);
  });
  afterAll(() => shop.dispose());

  const send = (parcel: Parcel | string, signature?: string) => {
    const body = typeof parcel === 'string' ? parcel : JSON.stringify(parcel);
    const headers = { 'content-type': 'application/json', 'x-signature': signature ?? sign(body) };
    return shop.request({ method: 'POST', path: '/webhooks/courier', headers, body });
  };
  const rows = () => rowsOf<{ id: string }>(shop.db, 'SELECT id FROM webhook_deliveries ORDER BY received_at, id');
  const deliveries = async () => (await staff.client.data(listDocument)).webhookDeliveries?.nodes ?? [];

  test('answers at once, stores each delivery once, and nothing that is not signed, not wanted or not readable', async () => {
    const parcel: Parcel = { id: 'd1', event: 'parcel.arrived', parcel: 'P1' };
    expect((await send(parcel, 'forged')).status).toBe(401);
    expect((await send({ id: 'd0', event: 'ping' })).status).toBe(202);
    expect((await send('no JSON')).status).toBe(400);
    expect((await shop.request({ method: 'POST', path: '/webhooks/nobody', body: '{}' })).status).toBe(404);
    expect(await rows()).toEqual([]);

    expect([(await send(parcel)).status, (await send(parcel)).status]).toEqual([202, 202]);
    expect(await rows()).toHaveLength(1);
  });

  test('has deliveries applied and shown to staff, with their object', async () => {
    const product = await makeProduct({ db: shop.db, eventLog: shop.app.eventLog });
    const sent: Parcel = { id: 'd2', event: 'parcel.arrived', parcel: 'P2', productId: product.id };
    await send(sent);
    for (const { id } of await rows()) await shop.app.services.webhooks.apply(id);

    const id = globalId('Product', product.id);
    const [second, first] = await deliveries();
    expect(second).toMatchObject({
      ...{ source: 'courier', topic: 'parcel.arrived', subject: 'P2', entryId: 'P2', status: 'APPLIED', reason: null },
      ...{ body: JSON.stringify(sent), object: { __typename: 'Product', id }, product: { id } },
    });
    expect(first).toMatchObject({ status: 'APPLIED', object: null, product: null });
  });

  test('has refused deliveries fail with a reason, and staff retry them', async () => {
    await send({ id: 'd3', event: 'parcel.lost' });
    const { id } = known((await rows()).at(-1));
    await shop.app.services.webhooks.apply(id);
    expect((await deliveries())[0]).toMatchObject({
      ...{ subject: null, entryId: '', status: 'FAILED', reason: 'The parcel is lost.' },
    });
    const { webhookDeliveryRetry } = await staff.client.data(retryDocument, { id: globalId('WebhookDelivery', id) });
    expect(webhookDeliveryRetry).toEqual({ webhookDelivery: { status: 'PENDING' }, errors: [] });
  });
});
