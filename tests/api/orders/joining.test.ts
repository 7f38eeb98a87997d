import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { login, newEmail, newPerson, personOf, register, type Person } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { ADDRESS, buy, confirmAddress, guestWithOrder, orderLifeOf } from '../../support/order-life.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter, shopperOf, rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

// What guests ordered joins the account of their address: once it is confirmed, and not before.

let shop: QuietShop;
let sku: string;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  ({ sku } = await makeVariant(shop, { onHand: 10_000 }));
});
afterEach(async () => {
  const faults = await findFaults(shop.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
});
afterAll(() => shop.dispose());

const orderAs = (email: string, idempotencyKey?: string) =>
  guestWithOrder(shop, [{ sku, quantity: 1 }], idempotencyKey === undefined ? { email } : { email, idempotencyKey });

/** Opens the link in the mail to a person's address. */
async function confirm(person: Person, client = shop.client()): Promise<void> {
  const token = await shop.app.services.accounts.emailConfirmationToken(rowId(person.userId));
  const document = 'mutation ($token: String!) { emailVerify(input: { token: $token }) { errors { code } } }';
  expect(await client.data(document, { token })).toEqual({ emailVerify: { errors: [] } });
}

/** The numbers of a person's orders, newest first. */
async function ordersOf({ client }: Pick<Person, 'client'>): Promise<string[]> {
  const { me } = await client.data<{ me: { orders: { nodes: { number: string }[] } } }>(
    '{ me { orders { nodes { number } } } }',
  );
  return me.orders.nodes.map((node) => node.number);
}

const comeBack = async ({ email }: Person, token?: string) =>
  personOf(shop, email, await login(shop.client(token === undefined ? {} : { cartToken: token }), { email }));

describe('what a guest ordered', () => {
  test('joins the account when its address is confirmed, in any browser that opens the link', async () => {
    const email = newEmail();
    const orders = [await orderAs(email), await orderAs(email)];
    const other = await orderAs(newEmail());
    const ada = await newPerson(shop, { email });
    expect(await ordersOf(ada)).toEqual([]);
    await confirm(ada);
    expect(await ordersOf(ada)).toEqual(orders.map(({ order }) => order.number).toReversed());
    expect(await orderLifeOf(other.client).read({ id: other.id })).toMatchObject({ id: other.id, customer: null });
  });

  test('joins whatever the capitals of either address', async () => {
    const email = newEmail();
    const { order } = await orderAs(email.toUpperCase());
    const ada = await newPerson(shop, { email: email.replace('person', 'Person') });
    await confirm(ada);
    expect(await ordersOf(ada)).toEqual([order.number]);
  });

  test('does not join an address that is like it', async () => {
    const email = newEmail();
    await orderAs(`x${email}`);
    await orderAs(email.replace('example.com', 'example.com.au'));
    const ada = await newPerson(shop, { email });
    await confirm(ada);
    expect(await ordersOf(ada)).toEqual([]);
  });

  test('joins no account whose address is not confirmed: neither by registering nor by a log-in', async () => {
    const email = newEmail();
    const { id, client, order, token } = await orderAs(email);
    const auth = await register(shop.client({ cartToken: token }), { email });
    const eve = personOf(shop, email, auth);
    for (const person of [eve, await comeBack(eve), await comeBack(eve, token)]) {
      expect(await ordersOf(person)).toEqual([]);
      expect(await orderLifeOf(person.client).read({ id })).toBeNull();
    }
    // It stays the guest's.
    expect(await orderLifeOf(client).read({ id })).toMatchObject({ id, accessToken: order.accessToken });
  });

  test('after the address was confirmed joins at the next log-in, from whatever device', async () => {
    const ada = await newPerson(shop);
    await confirm(ada);
    const elsewhere = await orderAs(ada.email);
    const here = await orderAs(ada.email.toUpperCase());
    // A cart is on the way, too.
    await shopperOf(here.client).add({ sku, quantity: 2 });
    expect(await ordersOf(ada)).toEqual([]);
    const back = await comeBack(ada, here.token);
    expect(await ordersOf(back)).toEqual([here.order.number, elsewhere.order.number]);
    expect((await shopperOf(back.client).cart())?.totalQuantity).toBe(2);
    // And who came without a guest's token.
    const later = await orderAs(ada.email);
    expect(await ordersOf(await comeBack(ada))).toEqual([
      later.order.number,
      here.order.number,
      elsewhere.order.number,
    ]);
  });

  test('joins when the link is opened once more', async () => {
    const ada = await newPerson(shop);
    await confirm(ada);
    const { order } = await orderAs(ada.email);
    await confirm(ada);
    expect(await ordersOf(ada)).toEqual([order.number]);
  });

  test('stays with the account that it joined, also if another account has the address later', async () => {
    const email = newEmail();
    const { order } = await orderAs(email);
    const ada = await newPerson(shop, { email });
    await confirm(ada);
    await rowsOf(shop.db, 'UPDATE users SET email = $2 WHERE id = $1', [rowId(ada.userId), newEmail()]);
    const bob = await newPerson(shop, { email });
    await confirm(bob);
    expect(await ordersOf(bob)).toEqual([]);
    expect(await ordersOf(ada)).toEqual([order.number]);
    // For the books, which look at the present address.
    await rowsOf(shop.db, 'DELETE FROM sessions WHERE user_id = $1', [rowId(bob.userId)]);
    await rowsOf(shop.db, 'DELETE FROM users WHERE id = $1', [rowId(bob.userId)]);
    await rowsOf(shop.db, 'UPDATE users SET email = $2 WHERE id = $1', [rowId(ada.userId), email]);
  });
});

describe('an order that joined', () => {
  async function joined() {
    const email = newEmail();
    const guest = await orderAs(email);
    const ada = await newPerson(shop, { email });
    await confirm(ada);
    return { ...guest, email, ada };
  }

  test('is as it was, but for whose it is and when it changed', async () => {
    const { id, ada, order, accessToken } = await joined();
    const found = known(await orderLifeOf(ada.client).read({ id }));
    const { number, placedAt, history, status, paymentStatus } = order;
    const { city } = ADDRESS;
    expect(found).toEqual({
      ...{ id, number, placedAt, history, status, paymentStatus, accessToken },
      email: ada.email,
      customer: { id: ada.userId },
      shippingAddress: { city },
      updatedAt: found.updatedAt,
    });
    expect(Date.parse(found.updatedAt)).toBeGreaterThan(Date.parse(order.updatedAt));
  });

  test('is not found by number and address any more, still by its access token, and no longer by its guest', async () => {
    const { id, client, accessToken, order, email } = await joined();
    const [stranger, guest] = [orderLifeOf(shop.client()), orderLifeOf(client)];
    expect(await stranger.read({ number: order.number, email })).toBeNull();
    expect(await stranger.read({ accessToken })).toMatchObject({ id, accessToken, customer: null });
    expect(await guest.read({ id })).toBeNull();
    expect(await client.data('query ($id: ID!) { node(id: $id) { id } }', { id })).toEqual({ node: null });
    const refused = await changingNothing(shop, () => guest.cancel({ id }));
    expect(refused.errors).toMatchObject([{ code: 'NOT_FOUND', path: ['id'] }]);
    expect((await guest.cancel({ id, accessToken })).order).toMatchObject({ status: 'CANCELLED' });
  });

  test('is cancelled by its user', async () => {
    const { id, ada } = await joined();
    expect((await orderLifeOf(ada.client).cancel({ id })).order).toMatchObject({ status: 'CANCELLED' });
  });

  test('is returned again to the guest who repeats the checkout, and to the user', async () => {
    const email = newEmail();
    const { client, order } = await orderAs(email, 'a key');
    const ada = await newPerson(shop, { email });
    await confirm(ada);
    // There is something in the cart by now, which must not be bought under this key.
    const shopper = shopperOf(client);
    await shopper.add({ sku, quantity: 1 });
    const input = { idempotencyKey: 'a key', email, shippingAddress: ADDRESS };
    const again = await changingNothing(shop, () => shopper.checkout(input));
    const { updatedAt } = known(again.order);
    expect(again).toEqual({ order: { ...order, updatedAt }, errors: [] });
    const asUser = await changingNothing(shop, () => shopperOf(ada.client).checkout(input));
    expect(asUser).toEqual({ order: { ...order, updatedAt }, errors: [] });
    expect((await shopper.checkout({ ...input, expectedTotal: '1.00' })).errors).toMatchObject([
      { code: 'IDEMPOTENCY_KEY_REUSED' },
    ]);
  });
});

describe('orders under the same key', () => {
  test('of a user and of guests all join, and the user’s own keeps it', async () => {
    const ada = await newPerson(shop);
    const own = await buy(ada.client, [{ sku, quantity: 1 }], { idempotencyKey: 'a key' });
    const guests = [await orderAs(ada.email, 'a key'), await orderAs(ada.email, 'a key')];
    const another = await orderAs(ada.email, 'another key');
    await confirm(ada);
    const numbers = [own, ...guests.map(({ order }) => order), another.order].map((order) => order.number);
    expect(await ordersOf(ada)).toEqual(numbers.toReversed());

    const again = (idempotencyKey: string, input = {}) =>
      shopperOf(ada.client).checkout({ idempotencyKey, shippingAddress: ADDRESS, ...input });
    expect((await again('a key')).order?.id).toBe(own.id);
    expect((await again('another key', { email: ada.email })).order?.id).toBe(another.id);
    const keys = await rowsOf<{ key: string }>(
      shop.db,
      'SELECT idempotency_key AS key FROM orders WHERE user_id = $1 ORDER BY placed_at',
      [rowId(ada.userId)],
    );
    expect(keys.map(({ key }) => key.replace(/^(joined ).*/, '$1'))).toEqual([
      'a key',
      'joined ',
      'joined ',
      'another key',
    ]);
  });

  test('of guests alone: the first keeps it', async () => {
    const ada = await newPerson(shop);
    const guests = [await orderAs(ada.email, 'a key'), await orderAs(ada.email, 'a key')];
    await confirmAddress(shop, ada);
    const back = await comeBack(ada);
    expect(await ordersOf(back)).toHaveLength(2);
    const input = { idempotencyKey: 'a key', email: ada.email, shippingAddress: ADDRESS };
    expect((await shopperOf(back.client).checkout(input)).order?.id).toBe(guests[0]?.id);
  });

  test('of a user, from now on: what a guest placed under it is not given for something else', async () => {
    const ada = await newPerson(shop);
    await orderAs(ada.email, 'a key');
    await confirm(ada);
    const shopper = shopperOf(ada.client);
    await shopper.add({ sku, quantity: 1 });
    const { order, errors } = await shopper.checkout({ idempotencyKey: 'a key' });
    expect({ order, errors }).toMatchObject({ order: null, errors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
  });
});

test('a guest who never ordered, or has a cart alone, brings no order', async () => {
  const ada = await newPerson(shop);
  await confirm(ada);
  const guest = await enter(shop);
  await guest.add({ sku, quantity: 1 });
  const back = await comeBack(ada, guest.token);
  expect(await ordersOf(back)).toEqual([]);
  expect((await shopperOf(back.client).cart())?.totalQuantity).toBe(1);
});
