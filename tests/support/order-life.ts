import { graphql } from '../generated/gql/index.ts';
import type {
  OrderCancelInput,
  OrderLifeErrorFragment,
  OrderLifeOrderFragment,
  OrderMarkAsPaidInput,
  OrderMarkAsRefundedInput,
  OrderStatusUpdateInput,
  ShopperOrderFragment,
} from '../generated/gql/graphql.ts';
import { newEmail, type Person } from './accounts.ts';
import { rowsOf } from './books.ts';
import type { Client } from './client.ts';
import type { World } from './fixtures.ts';
import { known } from './known.ts';
import { enter, shopperOf, rowId } from './shopper.ts';
import type { TestShop } from './shop.ts';

graphql(`
  fragment OrderLifeOrder on Order {
    id
    number
    status
    paymentStatus
    email
    accessToken
    customer {
      id
    }
    shippingAddress {
      city
    }
    placedAt
    updatedAt
    history {
      from
      to
      note
      occurredAt
    }
  }
`);

graphql(`
  fragment OrderLifeError on UserError {
    __typename
    code
    message
    path
    ... on InvalidTransitionError {
      from
      to
    }
  }
`);

/** What can be done to an order, as typed documents. */
export const orderLifeDocuments = {
  cancel: graphql(`
    mutation OrderLifeCancel($input: OrderCancelInput!) {
      orderCancel(input: $input) {
        order {
          ...OrderLifeOrder
        }
        errors {
          ...OrderLifeError
        }
      }
    }
  `),
  update: graphql(`
    mutation OrderLifeUpdate($input: OrderStatusUpdateInput!) {
      orderStatusUpdate(input: $input) {
        order {
          ...OrderLifeOrder
        }
        errors {
          ...OrderLifeError
        }
      }
    }
  `),
  pay: graphql(`
    mutation OrderLifePay($input: OrderMarkAsPaidInput!) {
      orderMarkAsPaid(input: $input) {
        order {
          ...OrderLifeOrder
        }
        errors {
          ...OrderLifeError
        }
      }
    }
  `),
  refund: graphql(`
    mutation OrderLifeRefund($input: OrderMarkAsRefundedInput!) {
      orderMarkAsRefunded(input: $input) {
        order {
          ...OrderLifeOrder
        }
        errors {
          ...OrderLifeError
        }
      }
    }
  `),
  read: graphql(`
    query OrderLifeRead($id: ID, $accessToken: String, $number: String, $email: String) {
      order(id: $id, accessToken: $accessToken, number: $number, email: $email) {
        ...OrderLifeOrder
      }
    }
  `),
};

/** What a step was answered. */
export interface OrderAnswer {
  order: OrderLifeOrderFragment | null;
  errors: OrderLifeErrorFragment[];
}

/** One caller, and what can be done to orders as such; each call gives the payload, errors and all. */
export function orderLifeOf(client: Client) {
  const documents = orderLifeDocuments;
  return {
    cancel: async (input: OrderCancelInput): Promise<OrderAnswer> =>
      known((await client.data(documents.cancel, { input })).orderCancel),
    update: async (input: OrderStatusUpdateInput): Promise<OrderAnswer> =>
      known((await client.data(documents.update, { input })).orderStatusUpdate),
    pay: async (input: OrderMarkAsPaidInput): Promise<OrderAnswer> =>
      known((await client.data(documents.pay, { input })).orderMarkAsPaid),
    refund: async (input: OrderMarkAsRefundedInput): Promise<OrderAnswer> =>
      known((await client.data(documents.refund, { input })).orderMarkAsRefunded),
    read: async (by: { id?: string; accessToken?: string; number?: string; email?: string }) =>
      (await client.data(documents.read, by)).order,
  };
}

export type OrderLifeCaller = ReturnType<typeof orderLifeOf>;

export const ADDRESS = { name: 'Ada', line1: '1 St', city: 'London', postalCode: 'N1 9GU', countryCode: 'GB' };

let count = 0;

/** Buys something as this caller, and gives the order. */
export async function buy(
  client: Client,
  lines: readonly { sku: string; quantity: number }[],
  input: { email?: string; idempotencyKey?: string } = {},
): Promise<ShopperOrderFragment> {
  count += 1;
  const shopper = shopperOf(client);
  const added = await shopper.add(...lines);
  const { order, errors } = await shopper.checkout({
    idempotencyKey: `key ${count}`,
    shippingAddress: ADDRESS,
    ...input,
  });
  if (order === null) throw new Error(JSON.stringify([added.errors, errors]));
  return order;
}

/** A guest with an order. */
export async function guestWithOrder(
  shop: Pick<TestShop, 'client'>,
  lines: readonly { sku: string; quantity: number }[],
  input: { email?: string; idempotencyKey?: string } = {},
) {
  const { client, token } = await enter(shop);
  const order = await buy(client, lines, { email: newEmail(), ...input });
  return { client, token, order, id: order.id, accessToken: known(order.accessToken) };
}

type Status = OrderLifeOrderFragment['status'];

/** Takes an order that was just placed as far as this, the way that it goes. */
export async function bringTo(staff: Person, id: string, status: Status): Promise<void> {
  const life = orderLifeOf(staff.client);
  const steps = {
    PLACED: [],
    FULFILLED: [() => life.update({ id, status: 'FULFILLED' })],
    DELIVERED: [() => life.update({ id, status: 'FULFILLED' }), () => life.update({ id, status: 'DELIVERED' })],
    CANCELLED: [() => life.cancel({ id })],
  }[status];
  for (const step of steps) known((await step()).order);
}

/** The record of what staff did to an order, oldest first. */
export function recordsOf({ db }: Pick<World, 'db'>, orderId: string): Promise<Record<string, unknown>[]> {
  return rowsOf(
    db,
    `SELECT actor_id AS actor, kind, subject_type AS type, changes, note FROM staff_actions WHERE subject_id = $1 ORDER BY id`,
    [rowId(orderId)],
  );
}

/** Does as if mail to a user's address had arrived. */
export async function confirmAddress({ db }: Pick<World, 'db'>, person: Person): Promise<void> {
  await rowsOf(db, 'UPDATE users SET email_verified_at = clock_timestamp() WHERE id = $1', [rowId(person.userId)]);
}
