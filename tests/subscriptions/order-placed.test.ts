import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPerson, newStaff, type Person } from '../support/accounts.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter } from '../support/shopper.ts';
import { transports, watch, watchNow } from '../support/watch.ts';

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

interface Placed {
  orderPlaced: {
    cursor: string;
    occurredAt: string;
    order: { id: string; email: string; placedAt: string; lines: { quantity: number; variant: { sku: string } }[] };
  };
}

const PLACED =
  'subscription { orderPlaced { cursor occurredAt order { id email placedAt lines { quantity variant { sku } } } } }';

async function place(email: string, quantity: number) {
  const guest = await enter(shop);
  const variant = await makeVariant(shop, { onHand: 20 });
  await guest.add({ variantId: variant.globalId, quantity });
  const { order } = await guest.checkout({ idempotencyKey: 'once', email });
  return { id: known(order).id, sku: variant.sku };
}

describe.each(transports)('over %s', (transport) => {
  test('staff see orders the moment they are placed, in order, and go on after a cursor', async () => {
    const viewer = { accessToken: staff.accessToken };
    const { events, stop } = await watchNow<Placed>(shop, transport, PLACED, viewer);
    const one = await place('one@example.com', 2);
    const first = (await events.take()).orderPlaced;
    expect(first.order).toEqual({
      id: one.id,
      email: 'one@example.com',
      placedAt: first.occurredAt,
      lines: [{ quantity: 2, variant: { sku: one.sku } }],
    });
    stop();
    const two = await place('two@example.com', 1);
    const three = await place('three@example.com', 1);
    const resumed = watch<Placed>(
      shop,
      transport,
      `subscription { orderPlaced(after: "${first.cursor}") { order { id } } }`,
      viewer,
    );
    expect(
      [await resumed.events.take(), await resumed.events.take()].map((event) => event.orderPlaced.order.id),
    ).toEqual([two.id, three.id]);
  });

  test('a field of the order that nothing is selected of but its name is no fault', async () => {
    const viewer = { accessToken: staff.accessToken };
    const query = 'subscription { orderPlaced { order { __typename } } }';
    const { events } = await watchNow<{ orderPlaced: unknown }>(shop, transport, query, viewer);
    await place('name@example.com', 1);
    expect((await events.take()).orderPlaced).toEqual({ order: { __typename: 'Order' } });
  });

  test('nobody else does', async () => {
    expect(await watch(shop, transport, PLACED).ended).toEqual(['UNAUTHENTICATED']);
    const { token } = await enter(shop);
    expect(await watch(shop, transport, PLACED, { cartToken: token }).ended).toEqual(['UNAUTHENTICATED']);
    const { accessToken } = await newPerson(shop);
    expect(await watch(shop, transport, PLACED, { accessToken }).ended).toEqual(['FORBIDDEN']);
  });
});
