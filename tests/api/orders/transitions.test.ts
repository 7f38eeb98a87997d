import { v7 as uuid } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { rowId } from '../../support/shopper.ts';
import { findFaults } from '../../support/books.ts';
import { globalId, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import {
  bringTo,
  guestWithOrder,
  orderLifeDocuments,
  orderLifeOf,
  recordsOf,
  type OrderAnswer,
  type OrderLifeCaller,
} from '../../support/order-life.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf } from '../../support/records.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
let life: OrderLifeCaller;
let sku: string;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  life = orderLifeOf(staff.client);
  ({ sku } = await makeVariant(shop, { onHand: 10_000 }));
});
afterEach(async () => {
  const faults = await findFaults(shop.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
});
afterAll(() => shop.dispose());

const placed = () => guestWithOrder(shop, [{ sku, quantity: 1 }]);

const STATUSES = ['PLACED', 'FULFILLED', 'DELIVERED', 'CANCELLED'] as const;
type Status = (typeof STATUSES)[number];
const pairs = STATUSES.flatMap((from) => STATUSES.map((to): [Status, Status] => [from, to]));

const PAYMENTS = ['PENDING', 'PAID', 'REFUNDED'] as const;
type Payment = (typeof PAYMENTS)[number];

/** A new order that was brought this far. */
async function newOrder(status: Status, present: Payment = 'PENDING') {
  const order = await placed();
  // It is paid before it is cancelled: after that it cannot be.
  if (present !== 'PENDING') known((await life.pay({ id: order.id })).order);
  if (present === 'REFUNDED') known((await life.refund({ id: order.id })).order);
  await bringTo(staff, order.id, status);
  return order;
}

const standing = new Map<string, ReturnType<typeof newOrder>>();

/** An order for those that are refused, which change nothing of it: the first that asks for one of this kind makes it. */
function standingOrder(status: Status, present: Payment = 'PENDING') {
  const kind = `${status} ${present}`;
  const order = standing.get(kind) ?? newOrder(status, present);
  standing.set(kind, order);
  return order;
}

/** What an order is moved by. */
const ALLOWED = new Set(['orderStatusUpdate PLACED FULFILLED', 'orderStatusUpdate FULFILLED DELIVERED']);

describe('orderStatusUpdate', () => {
  test.each(pairs)('from %s to %s', async (from, to) => {
    const isAllowed = ALLOWED.has(`orderStatusUpdate ${from} ${to}`);
    const { id } = await (isAllowed ? newOrder(from) : standingOrder(from));
    const before = known(await life.read({ id }));
    expect(before.status).toBe(from);
    if (isAllowed) {
      const { order, errors } = await life.update({ id, status: to });
      expect(errors).toEqual([]);
      expect(order).toMatchObject({ id, status: to, paymentStatus: 'PENDING' });
      expect(known(order).history.slice(0, -1)).toEqual(before.history);
      expect(known(order).history.at(-1)).toMatchObject({ from, to, note: null });
      return;
    }
    const answer = await changingNothing(shop, () => life.update({ id, status: to }));
    expect(answer).toEqual({
      order: null,
      errors: [
        {
          __typename: 'InvalidTransitionError',
          code: 'INVALID_TRANSITION',
          message:
            to === 'CANCELLED'
              ? 'To cancel an order, use orderCancel while the order is PLACED.'
              : `An order cannot change from ${from} to ${to}.`,
          path: ['status'],
          from,
          to,
        },
      ],
    });
  });

  test('is written to the history, to an event and to the record with one timestamp', async () => {
    const { id, client } = await placed();
    const { order } = await life.update({ id, status: 'FULFILLED', note: '  Two parcels:\r\none\n two ' });
    const { placedAt, updatedAt, history } = known(order);
    expect(history).toEqual([
      { from: null, to: 'PLACED', note: null, occurredAt: placedAt },
      { from: 'PLACED', to: 'FULFILLED', note: 'Two parcels:\none\n two', occurredAt: updatedAt },
    ]);
    expect(Date.parse(updatedAt)).toBeGreaterThan(Date.parse(placedAt));
    // Its guest sees the same.
    expect(known(await orderLifeOf(client).read({ id })).history).toEqual(history);
    expect(await eventsOf(shop, rowId(id))).toEqual([
      { type: 'order_placed', payload: { orderId: rowId(id) } },
      { type: 'order_status_changed', payload: { orderId: rowId(id), from: 'PLACED', to: 'FULFILLED' } },
    ]);
    expect(await recordsOf(shop, id)).toEqual([
      {
        actor: rowId(staff.userId),
        kind: 'ORDER_STATUS_UPDATED',
        type: 'Order',
        changes: [{ field: 'status', before: 'PLACED', after: 'FULFILLED' }],
        note: 'Two parcels:\none\n two',
      },
    ]);
  });
});

describe('orderCancel', () => {
  test.each(STATUSES)('from %s', async (from) => {
    const { id, client } = await (from === 'PLACED' ? newOrder(from) : standingOrder(from));
    const cancel = () => orderLifeOf(client).cancel({ id });
    if (from === 'PLACED') {
      const { order, errors } = await cancel();
      expect(errors).toEqual([]);
      expect(order).toMatchObject({ status: 'CANCELLED', history: [{ to: 'PLACED' }, { from, to: 'CANCELLED' }] });
      return;
    }
    expect(await changingNothing(shop, cancel)).toEqual({
      order: null,
      errors: [
        {
          __typename: 'InvalidTransitionError',
          code: 'INVALID_TRANSITION',
          message: `An order cannot change from ${from} to CANCELLED.`,
          path: ['id'],
          from,
          to: 'CANCELLED',
        },
      ],
    });
  });
});

describe('the payment of an order', () => {
  const operations: { to: Payment; from: Payment; send: (id: string) => Promise<OrderAnswer> }[] = [
    { to: 'PAID', from: 'PENDING', send: (id) => life.pay({ id }) },
    { to: 'REFUNDED', from: 'PAID', send: (id) => life.refund({ id }) },
  ];
  const cases = operations.flatMap(({ to, from, send }) =>
    PAYMENTS.flatMap((present) =>
      STATUSES.map((status) => {
        const fine = present === from && !(to === 'PAID' && status === 'CANCELLED');
        return { status, present, to, fine, send };
      }),
    ),
  );

  test.each(cases)(
    'of one that is $status, from $present to $to: $fine',
    async ({ status, present, to, fine, send }) => {
      const { id } = await (fine ? newOrder(status, present) : standingOrder(status, present));
      const before = known(await life.read({ id }));
      expect(before).toMatchObject({ status, paymentStatus: present });
      if (fine) {
        const { order, errors } = await send(id);
        expect(errors).toEqual([]);
        // No step of its status, so nothing in its history.
        expect(order).toEqual({ ...before, paymentStatus: to, updatedAt: known(order).updatedAt });
        expect(Date.parse(known(order).updatedAt)).toBeGreaterThanOrEqual(Date.parse(before.updatedAt));
        return;
      }
      const { order, errors } = await changingNothing(shop, () => send(id));
      expect(order).toBeNull();
      expect(errors).toEqual([
        {
          __typename: 'GenericError',
          code: 'INVALID_TRANSITION',
          message:
            present === 'PENDING' && to === 'PAID'
              ? 'The order is cancelled and can no longer be paid.'
              : `The payment status of an order cannot change from ${present} to ${to}.`,
          path: ['id'],
        },
      ]);
    },
  );

  test('makes events and an entry in the record', async () => {
    const { id } = await placed();
    await life.pay({ id, note: 'By bank transfer' });
    await life.refund({ id });
    const payload = { orderId: rowId(id) };
    expect(await eventsOf(shop, rowId(id))).toEqual([
      { type: 'order_placed', payload },
      { type: 'order_paid', payload: { ...payload, from: 'PENDING' } },
      { type: 'order_refunded', payload: { ...payload, from: 'PAID' } },
    ]);
    const entry = { actor: rowId(staff.userId), type: 'Order' };
    expect(await recordsOf(shop, id)).toEqual([
      {
        ...entry,
        kind: 'ORDER_MARKED_AS_PAID',
        changes: [{ field: 'paymentStatus', before: 'PENDING', after: 'PAID' }],
        note: 'By bank transfer',
      },
      {
        ...entry,
        kind: 'ORDER_MARKED_AS_REFUNDED',
        changes: [{ field: 'paymentStatus', before: 'PAID', after: 'REFUNDED' }],
        note: null,
      },
    ]);
  });
});

describe('the work of staff on an order', () => {
  const { update, pay, refund } = orderLifeDocuments;
  const operations = { orderStatusUpdate: update, orderMarkAsPaid: pay, orderMarkAsRefunded: refund };
  const names = ['orderStatusUpdate', 'orderMarkAsPaid', 'orderMarkAsRefunded'] as const;
  const inputOf = (name: (typeof names)[number], id: string) =>
    name === 'orderStatusUpdate' ? { id, status: 'FULFILLED' } : { id };

  test.each(names)('%s is refused to guests and customers, its owner among them', async (name) => {
    const { id, client } = await placed();
    const customer = await newPerson(shop);
    for (const [caller, code] of [
      [shop.client(), 'UNAUTHENTICATED'],
      [client, 'UNAUTHENTICATED'],
      [customer.client, 'FORBIDDEN'],
    ] as const) {
      // What is beside it in the same operation is done all the same.
      const input = Object.entries(inputOf(name, id)).map(([field, value]) =>
        field === 'id' ? `id: "${value}"` : `${field}: ${value}`,
      );
      const document = `mutation {
        ${name}(input: { ${input.join(', ')} }) { order { id } errors { code } }
        orderCancel(input: { id: "${globalId('Order', uuid())}" }) { errors { code } }
      }`;
      const answer = await changingNothing(shop, () => caller.execute(document));
      expect({ data: answer.data, codes: answer.codes, status: answer.status }).toEqual({
        data: { [name]: null, orderCancel: { errors: [{ code: 'NOT_FOUND' }] } },
        codes: [code],
        status: 200,
      });
    }
  });

  test.each(names)('%s finds no order where there is none, and takes no ID of anything else', async (name) => {
    const send = async (id: string) => {
      const variables = { input: inputOf(name, id) } as never;
      const data = await staff.client.data<Record<string, OrderAnswer>>(operations[name] as never, variables);
      return data[name];
    };
    const cases: [string, string][] = [
      [globalId('Order', uuid()), 'NOT_FOUND'],
      [globalId('User', uuid()), 'INVALID_INPUT'],
      ['nonsense', 'INVALID_INPUT'],
    ];
    for (const [id, code] of cases) {
      expect(await changingNothing(shop, () => send(id))).toMatchObject({
        order: null,
        errors: [{ code, path: ['id'] }],
      });
    }
  });

  test('takes a note of 1,000 characters in several lines, and none that is longer or holds control characters', async () => {
    const { id } = await placed();
    const wrong = ['x'.repeat(1001), 'a\u0000b', 'a\uD83D', 'a\u001Bb'];
    for (const note of wrong) {
      const answers = await changingNothing(shop, async () => [
        await life.update({ id, status: 'FULFILLED', note }),
        await life.pay({ id, note }),
      ]);
      for (const { order, errors } of answers) {
        expect({ order, errors }).toMatchObject({ order: null, errors: [{ code: 'INVALID_INPUT', path: ['note'] }] });
      }
    }
    const { errors } = await changingNothing(shop, () => life.cancel({ id, reason: 'x'.repeat(1001) }));
    expect(errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['reason'] }]);
    const longest = `${'x'.repeat(499)}\n${'🐝'.repeat(250)}`;
    expect(known((await life.update({ id, status: 'FULFILLED', note: longest })).order).history[1]?.note).toBe(longest);
    expect(known((await life.update({ id, status: 'DELIVERED', note: ' \n ' })).order).history[2]?.note).toBeNull();
  });
});

describe('the shop itself', () => {
  test('cancels orders and marks them as paid, which is in their history and not in the record of the staff', async () => {
    const { orders } = shop.app.services;
    const [unpaid, paid] = [await placed(), await placed()];
    await orders.cancel(rowId(unpaid.id), { by: 'SHOP' }, 'Not paid in time.');
    await orders.markAsPaid({ orderId: rowId(paid.id), by: { by: 'SHOP' }, note: null });

    const cancelled = known(await life.read({ id: unpaid.id }));
    expect(cancelled).toMatchObject({ status: 'CANCELLED' });
    expect(cancelled.history.at(-1)).toMatchObject({ from: 'PLACED', to: 'CANCELLED', note: 'Not paid in time.' });
    expect(await life.read({ id: paid.id })).toMatchObject({ status: 'PLACED', paymentStatus: 'PAID' });
    for (const { id } of [unpaid, paid]) expect(await recordsOf(shop, id)).toEqual([]);
    // What the table of transitions does not allow, the shop cannot do either.
    await expect(orders.cancel(rowId(unpaid.id), { by: 'SHOP' }, null)).rejects.toThrow('INVALID_TRANSITION');
  });
});
