import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPerson, newStaff, type Person } from '../support/accounts.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, shopperOf, type Shopper } from '../support/shopper.ts';
import { transports, watch, watchNow, type Viewer } from '../support/watch.ts';

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

interface Changed {
  orderStatusChanged: {
    cursor: string;
    from: string;
    to: string;
    order: { id: string; status: string; accessToken: string | null };
  };
}

const query = (args = '') =>
  `subscription { orderStatusChanged${args} { cursor from to order { id status accessToken } } }`;

async function place(shopper: Shopper, email?: string) {
  const variant = await makeVariant(shop, { onHand: 20 });
  await shopper.add({ variantId: variant.globalId, quantity: 1 });
  const idempotencyKey = crypto.randomUUID();
  const { order } = await shopper.checkout(email === undefined ? { idempotencyKey } : { idempotencyKey, email });
  return { id: known(order).id, accessToken: known(known(order).accessToken) };
}

async function move(id: string, status: 'FULFILLED' | 'DELIVERED'): Promise<void> {
  const answer = await staff.client.data<{ orderStatusUpdate: { errors: unknown[] } }>(
    `mutation { orderStatusUpdate(input: { id: "${id}", status: ${status} }) { errors { code } } }`,
  );
  expect(answer.orderStatusUpdate.errors).toEqual([]);
}

const steps = ({ orderStatusChanged: { from, to, order } }: Changed) => [from, to, order.id];

describe.each(transports)('over %s', (transport) => {
  const open = (args: string, viewer: Viewer) => watchNow<Changed>(shop, transport, query(args), viewer);
  const codes = (args: string, viewer: Viewer = {}) => watch(shop, transport, query(args), viewer).ended;

  test('owners receive events of their own orders, staff of all, and each goes on after a cursor', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const guest = await enter(shop);
    const [adas, guests] = [await place(shopperOf(ada.client)), await place(guest, 'guest@example.com')];
    const toAda = await open('', { accessToken: ada.accessToken });
    const toEve = await open('', { accessToken: eve.accessToken });
    const toGuest = await open('', { cartToken: guest.token });
    const toStaff = await open('', { accessToken: staff.accessToken });

    await move(adas.id, 'FULFILLED');
    await move(guests.id, 'FULFILLED');
    await ada.client.data('{ shop { name } }');
    await guest.client.data(`mutation { orderCancel(input: { id: "${guests.id}" }) { errors { code } } }`);
    await move(adas.id, 'DELIVERED');

    const first = await toAda.events.take();
    expect(steps(first)).toEqual(['PLACED', 'FULFILLED', adas.id]);
    expect(first.orderStatusChanged.order.accessToken).toBe(adas.accessToken);
    expect(steps(await toAda.events.take())).toEqual(['FULFILLED', 'DELIVERED', adas.id]);
    expect(steps(await toGuest.events.take())).toEqual(['PLACED', 'FULFILLED', guests.id]);
    const seen = [await toStaff.events.take(), await toStaff.events.take(), await toStaff.events.take()];
    expect(seen.map(steps)).toEqual([
      ['PLACED', 'FULFILLED', adas.id],
      ['PLACED', 'FULFILLED', guests.id],
      ['FULFILLED', 'DELIVERED', adas.id],
    ]);
    // Staff are not handed what grants the order.
    expect(seen.map(({ orderStatusChanged }) => orderStatusChanged.order.accessToken)).toEqual([null, null, null]);
    for (const { events } of [toAda, toGuest, toEve]) expect(events.left).toEqual([]);

    const resumed = watch<Changed>(shop, transport, query(`(after: "${first.orderStatusChanged.cursor}")`), {
      accessToken: ada.accessToken,
    });
    expect(steps(await resumed.events.take())).toEqual(['FULFILLED', 'DELIVERED', adas.id]);
  });

  test('one order by its ID, and one by its access token, without a name', async () => {
    const ada = await newPerson(shop);
    const [one, two] = [await place(shopperOf(ada.client)), await place(shopperOf(ada.client))];
    const byId = await open(`(orderId: "${one.id}")`, { accessToken: ada.accessToken });
    const byToken = await open(`(accessToken: "${two.accessToken}")`, {});
    await move(one.id, 'FULFILLED');
    await move(two.id, 'FULFILLED');
    expect(steps(await byId.events.take())).toEqual(['PLACED', 'FULFILLED', one.id]);
    const event = await byToken.events.take();
    expect(event.orderStatusChanged.order).toEqual({ id: two.id, status: 'FULFILLED', accessToken: two.accessToken });
    expect([byId.events.left, byToken.events.left]).toEqual([[], []]);
  });

  test('another one’s order is refused like one that is not there', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const { id, accessToken } = await place(shopperOf(ada.client));
    const nobodys = Buffer.from('Order:00000000-0000-7000-8000-000000000000').toString('base64');
    const { token: cartToken } = await enter(shop);
    for (const orderId of [id, nobodys]) {
      expect(await codes(`(orderId: "${orderId}")`, { accessToken: eve.accessToken })).toEqual(['FORBIDDEN']);
      expect(await codes(`(orderId: "${orderId}")`, { cartToken })).toEqual(['FORBIDDEN']);
      expect(await codes(`(orderId: "${orderId}")`)).toEqual(['UNAUTHENTICATED']);
    }
    expect(await codes(`(accessToken: "${accessToken.slice(0, -1)}")`)).toEqual(['FORBIDDEN']);
    expect(await codes('(orderId: "x")', { cartToken })).toEqual(['BAD_REQUEST']);
    expect(await codes(`(orderId: "${id}", accessToken: "${accessToken}")`)).toEqual(['BAD_REQUEST']);
  });
});
