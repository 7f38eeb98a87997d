import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPerson, newStaff, type Person } from '../support/accounts.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, shopperOf, type Shopper } from '../support/shopper.ts';
import { transports, watch, watchNow } from '../support/watch.ts';

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

interface Changed {
  orderPaymentStatusChanged: {
    cursor: string;
    from: string;
    to: string;
    order: { id: string; paymentStatus: string; accessToken: string | null };
  };
}

const query = (args = '') =>
  `subscription { orderPaymentStatusChanged${args} { cursor from to order { id paymentStatus accessToken } } }`;

async function place(shopper: Shopper) {
  const variant = await makeVariant(shop, { onHand: 20 });
  await shopper.add({ variantId: variant.globalId, quantity: 1 });
  const { order } = await shopper.checkout({ idempotencyKey: crypto.randomUUID(), email: 'me@example.com' });
  return { id: known(order).id, accessToken: known(known(order).accessToken) };
}

async function mark(as: 'orderMarkAsPaid' | 'orderMarkAsRefunded', id: string): Promise<void> {
  const answer = await staff.client.data<Record<string, { errors: unknown[] }>>(
    `mutation { ${as}(input: { id: "${id}" }) { errors { code } } }`,
  );
  expect(answer[as]?.errors).toEqual([]);
}

const steps = ({ orderPaymentStatusChanged: { from, to, order } }: Changed) => [from, to, order.id];

describe.each(transports)('over %s', (transport) => {
  test('a payment status that staff change by hand reaches the owner, the holder of the access token, and staff', async () => {
    const [ada, eve, guest] = [await newPerson(shop), await newPerson(shop), await enter(shop)];
    const [adas, guests] = [await place(shopperOf(ada.client)), await place(guest)];
    const open = (args: string, viewer: object) => watchNow<Changed>(shop, transport, query(args), viewer);
    const toAda = await open('', { accessToken: ada.accessToken });
    const toEve = await open('', { accessToken: eve.accessToken });
    const toGuest = await open('', { cartToken: guest.token });
    const toHolder = await open(`(accessToken: "${guests.accessToken}")`, {});
    const toStaff = await open('', { accessToken: staff.accessToken });

    await mark('orderMarkAsPaid', adas.id);
    await mark('orderMarkAsPaid', guests.id);
    await mark('orderMarkAsRefunded', adas.id);

    const first = await toAda.events.take();
    expect(steps(first)).toEqual(['PENDING', 'PAID', adas.id]);
    expect(first.orderPaymentStatusChanged.order.accessToken).toBe(adas.accessToken);
    expect(steps(await toAda.events.take())).toEqual(['PAID', 'REFUNDED', adas.id]);
    expect(steps(await toGuest.events.take())).toEqual(['PENDING', 'PAID', guests.id]);
    expect((await toHolder.events.take()).orderPaymentStatusChanged.order).toEqual({
      id: guests.id,
      paymentStatus: 'PAID',
      accessToken: guests.accessToken,
    });
    const seen = [await toStaff.events.take(), await toStaff.events.take(), await toStaff.events.take()];
    expect(seen.map(steps)).toEqual([
      ['PENDING', 'PAID', adas.id],
      ['PENDING', 'PAID', guests.id],
      ['PAID', 'REFUNDED', adas.id],
    ]);
    // It can be gone on from.
    const after = `(after: "${first.orderPaymentStatusChanged.cursor}")`;
    const resumed = watch<Changed>(shop, transport, query(after), { accessToken: ada.accessToken });
    expect(steps(await resumed.events.take())).toEqual(['PAID', 'REFUNDED', adas.id]);
    expect([...toEve.events.left, ...toGuest.events.left, ...toHolder.events.left]).toEqual([]);

    const codes = await watch(shop, transport, query(`(orderId: "${adas.id}")`), { accessToken: eve.accessToken })
      .ended;
    expect(codes).toEqual(['FORBIDDEN']);
  });
});
