import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { login, newEmail, newPerson, PASSWORD, personOf, register, type Person } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { levelOf, makeProduct, setPrice, type MadeProduct, type World } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { eventsOf, ledgerOf, stepsOf } from '../../support/records.ts';
import { enter, linesOf, rowId, shopperOf, type Shopper } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';

let shop: TestShop & World;
beforeAll(async () => {
  const opened = await createApiNode({ env: { CART_MAX_UNITS_PER_VARIANT: '10', CART_MAX_LINES: '3' } });
  shop = { ...opened, eventLog: opened.app.eventLog };
});
afterAll(() => shop.dispose());

const variantsOf = async (count = 1, onHand = 20): Promise<MadeProduct['variants']> =>
  (await makeProduct(shop, { variants: Array.from({ length: count }, () => ({ onHand })) })).variants;

const shopperFor = (person: Person): Shopper => shopperOf(person.client);

/** Logs in as somebody who is this guest until then. */
async function loginAs(guest: { token: string }, email: string) {
  return login(shop.client({ cartToken: guest.token }), { email });
}

async function rowOf(cartId: string) {
  const text = `SELECT status, version, guest_id IS NULL AS "ofUser", merged_into_id AS into, hold_started_at AS since, expires_at AS until
                  FROM carts WHERE id = $1`;
  const [row] = await rowsOf<{
    status: string;
    version: number;
    ofUser: boolean;
    into: string | null;
    since: Date;
    until: Date;
  }>(shop.db, text, [rowId(cartId)]);
  return known(row);
}

/** Everything that was written about a variant: nothing is said of a hold that only changes carts. */
const storyOf = async (variantId: string) => ({
  level: await levelOf(shop, variantId),
  ledger: (await ledgerOf(shop, variantId)).map(({ reason, heldDelta, heldAfter }) => [reason, heldDelta, heldAfter]),
  steps: await stepsOf(shop, variantId),
});

describe('the cart of a guest who registers', () => {
  test("becomes the user's: units held all the while, at the prices of the lines", async () => {
    const [jar] = await variantsOf();
    const { id, sku } = known(jar);
    const guest = await enter(shop);
    const { cart: guests } = await guest.add({ sku, quantity: 2 });
    await setPrice(shop, id, 1500);
    await guest.add({ sku, quantity: 1 });
    const before = await storyOf(id);

    const client = shop.client({ cartToken: guest.token });
    const auth = await register(client, { email: newEmail() });
    expect(auth.cartNotices).toEqual([]);
    expect(linesOf(auth.cart)).toEqual([
      [sku, 2, '10.00'],
      [sku, 1, '15.00'],
    ]);
    expect(auth.cart).toMatchObject({ status: 'ACTIVE', token: null, email: auth.user?.email, version: 2 });
    expect(await storyOf(id)).toEqual(before);
    expect(before.level).toEqual({ onHand: 20, held: 3, available: 17 });

    const [from, into] = [await rowOf(known(guests).id), await rowOf(known(auth.cart).id)];
    expect(from).toMatchObject({ status: 'MERGED', version: 4, ofUser: false, into: rowId(known(auth.cart).id) });
    expect(into).toMatchObject({ status: 'ACTIVE', ofUser: true, since: from.since });
    const guestId = (await eventsOf(shop, rowId(known(guests).id)))[0]?.payload.guestId;
    expect((await eventsOf(shop, rowId(known(guests).id))).at(-1)).toEqual({
      type: 'cart_changed',
      payload: {
        cartId: rowId(known(guests).id),
        guestId,
        userId: null,
        kind: 'MERGED',
        version: 4,
        intoCartId: rowId(known(auth.cart).id),
      },
    });
    expect(await eventsOf(shop, rowId(known(auth.cart).id))).toEqual([
      {
        type: 'cart_changed',
        payload: {
          cartId: rowId(known(auth.cart).id),
          guestId: null,
          userId: rowId(known(auth.user).id),
          kind: 'LINES',
          version: 2,
        },
      },
    ]);
    // The guest has nothing left, and is nobody's way to the user's cart.
    expect(await guest.cart()).toBeNull();
    expect(await client.data('query ($id: ID!) { node(id: $id) { id } }', { id: known(auth.cart).id })).toEqual({
      node: null,
    });
  });

  test('is not touched where the registration is refused', async () => {
    const [jar] = await variantsOf();
    const taken = await newPerson(shop);
    const guest = await enter(shop);
    const { cart } = await guest.add({ sku: known(jar).sku, quantity: 2 });
    const refused = await register(shop.client({ cartToken: guest.token }), { email: taken.email });
    expect(refused.errors).toMatchObject([{ code: 'EMAIL_TAKEN' }]);
    const wrong = await login(shop.client({ cartToken: guest.token }), {
      email: taken.email,
      password: 'not the password',
    });
    expect(wrong.errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
    expect(await guest.cart()).toEqual(cart);
  });
});

describe('the cart of a guest who logs in', () => {
  test('is added to the live one, line by line; who logs in again adds nothing', async () => {
    const [jar, lid] = await variantsOf(2);
    const ada = await newPerson(shop);
    const { cart: mine } = await shopperFor(ada).add({ sku: known(jar).sku, quantity: 3 });
    const guest = await enter(shop);
    await guest.add({ sku: known(jar).sku, quantity: 2 }, { sku: known(lid).sku, quantity: 1 });
    const { cart, cartNotices } = await loginAs(guest, ada.email);
    expect(cartNotices).toEqual([]);
    expect(cart?.id).toBe(mine?.id);
    expect(linesOf(cart)).toEqual([
      [known(jar).sku, 5, '10.00'],
      [known(lid).sku, 1, '10.00'],
    ]);
    expect(cart?.version).toBe(3);
    expect((await storyOf(known(jar).id)).ledger).toEqual([
      ['INITIAL', 0, 0],
      ['HOLD', 3, 3],
      ['HOLD', 2, 5],
    ]);
    expect((await loginAs(guest, ada.email)).cart).toEqual(cart);
    // What is bought then was held by two carts.
    const { order } = await shopperFor(ada).checkout({ idempotencyKey: 'merged' });
    expect(order).toMatchObject({ totalQuantity: 6, email: ada.email });
    expect(await levelOf(shop, known(jar).id)).toEqual({ onHand: 15, held: 0, available: 15 });
  });

  test.each([
    ["the guest's", true],
    ["the user's", false],
  ])('keeps the older start of holding: %s', async (_whose, guestFirst) => {
    const [jar] = await variantsOf();
    const ada = await newPerson(shop);
    const guest = await enter(shop);
    const holders = [guest, shopperFor(ada)];
    const [first, second] = guestFirst ? holders : holders.toReversed();
    const { cart: older } = await known(first).add({ sku: known(jar).sku, quantity: 1 });
    await rowsOf(shop.db, `UPDATE carts SET hold_started_at = hold_started_at - interval '50 minutes' WHERE id = $1`, [
      rowId(known(older).id),
    ]);
    const { since } = await rowOf(known(older).id);
    await known(second).add({ sku: known(jar).sku, quantity: 1 });
    const { cart } = await loginAs(guest, ada.email);
    const merged = await rowOf(known(cart).id);
    expect(merged.since).toEqual(since);
    // An hour after the older start, which comes before a quarter of an hour from now.
    expect(merged.until.getTime()).toBe(since.getTime() + 60 * 60 * 1000);
  });

  test('leaves behind what does not fit, names it, and gives it back', async () => {
    const [jar, lid, cap, pot] = (await variantsOf(4)).map((variant) => known(variant));
    const ada = await newPerson(shop);
    await shopperFor(ada).add({ sku: known(jar).sku, quantity: 7 }, { sku: known(lid).sku, quantity: 1 });
    const guest = await enter(shop);
    await guest.add(
      { sku: known(jar).sku, quantity: 5 },
      { sku: known(cap).sku, quantity: 2 },
      { sku: known(pot).sku, quantity: 4 },
    );
    const { cart, cartNotices, user } = await loginAs(guest, ada.email);
    expect(user?.id).toBe(ada.userId);
    expect(linesOf(cart)).toEqual([
      [known(jar).sku, 10, '10.00'],
      [known(lid).sku, 1, '10.00'],
      [known(cap).sku, 2, '10.00'],
    ]);
    expect(cartNotices).toMatchObject([
      {
        __typename: 'LimitExceededError',
        code: 'LIMIT_EXCEEDED',
        path: null,
        limit: 10,
        requested: 12,
        variant: { sku: known(jar).sku },
      },
      {
        __typename: 'LimitExceededError',
        code: 'LIMIT_EXCEEDED',
        path: null,
        limit: 3,
        requested: 4,
        variant: { sku: known(pot).sku },
      },
    ]);
    expect(await storyOf(known(jar).id)).toEqual({
      level: { onHand: 20, held: 10, available: 10 },
      ledger: [
        ['INITIAL', 0, 0],
        ['HOLD', 7, 7],
        ['HOLD', 5, 12],
        ['RELEASE', -2, 10],
      ],
      steps: [
        [0, 20],
        [20, 13],
        [13, 8],
        [8, 10],
      ],
    });
    expect(await storyOf(known(cap).id)).toMatchObject({
      ledger: [
        ['INITIAL', 0, 0],
        ['HOLD', 2, 2],
      ],
    });
    expect(await storyOf(known(pot).id)).toMatchObject({
      ledger: [
        ['INITIAL', 0, 0],
        ['HOLD', 4, 4],
        ['RELEASE', -4, 0],
      ],
    });
  });

  test('is given back whole where nothing of it fits, and the live one stays as it was', async () => {
    const [jar] = await variantsOf();
    const ada = await newPerson(shop);
    const { cart: mine } = await shopperFor(ada).add({ sku: known(jar).sku, quantity: 10 });
    const guest = await enter(shop);
    const { cart: guests } = await guest.add({ sku: known(jar).sku, quantity: 3 });
    const { cart, cartNotices } = await loginAs(guest, ada.email);
    expect(cartNotices).toMatchObject([{ limit: 10, requested: 13 }]);
    expect({ ...cart, token: null }).toEqual({ ...mine, token: null });
    expect(await rowOf(known(guests).id)).toMatchObject({ status: 'MERGED', into: null });
    expect(await levelOf(shop, known(jar).id)).toEqual({ onHand: 20, held: 10, available: 10 });
  });

  test('is taken over although what it holds is no longer sold', async () => {
    const product = await makeProduct(shop, {});
    const guest = await enter(shop);
    await guest.add({ sku: known(product.variants[0]).sku, quantity: 1 });
    await rowsOf(shop.db, `UPDATE products SET status = 'ARCHIVED' WHERE id = $1`, [product.id]);
    const ada = await newPerson(shop);
    const { cart } = await loginAs(guest, ada.email);
    expect(cart?.totalQuantity).toBe(1);
  });

  test('is no more where it is empty, and makes none for the user', async () => {
    const guest = await enter(shop);
    const ada = await newPerson(shop);
    expect(await loginAs(guest, ada.email)).toMatchObject({ cart: null, cartNotices: [], errors: [] });
    expect(await guest.cart()).toBeNull();
  });

  test("past its time is expired first, and can be reclaimed by the user, into a cart that is the user's", async () => {
    const [jar, lid] = await variantsOf(2);
    const guest = await enter(shop);
    const { cart: guests } = await guest.add({ sku: known(jar).sku, quantity: 3 });
    const cartId = known(guests).id;
    await rowsOf(
      shop.db,
      `UPDATE carts SET hold_started_at = now() - interval '1 hour', expires_at = now() - interval '1 second' WHERE id = $1`,
      [rowId(cartId)],
    );
    const ada = await newPerson(shop);
    const { cart, cartNotices } = await loginAs(guest, ada.email);
    expect(cartNotices).toEqual([]);
    expect(cart).toMatchObject({ id: cartId, status: 'EXPIRED', totalQuantity: 3 });
    expect(await levelOf(shop, known(jar).id)).toEqual({ onHand: 20, held: 0, available: 20 });
    expect(await guest.cart()).toBeNull();
    const refused = await guest.reclaim(cartId);
    expect(refused.errors).toMatchObject([{ code: 'NOT_FOUND' }]);

    const { cart: live } = await shopperFor(ada).add({ sku: known(lid).sku, quantity: 1 });
    const reclaimed = await shopperFor(ada).reclaim(cartId);
    expect(reclaimed.errors).toEqual([]);
    expect(reclaimed.cart).toMatchObject({ id: live?.id, totalQuantity: 4 });
    expect(await levelOf(shop, known(jar).id)).toEqual({ onHand: 20, held: 3, available: 17 });
  });

  test("finds the user's own past its time, expires it, and begins another", async () => {
    const [jar] = await variantsOf();
    const ada = await newPerson(shop);
    const { cart: mine } = await shopperFor(ada).add({ sku: known(jar).sku, quantity: 4 });
    await rowsOf(
      shop.db,
      `UPDATE carts SET hold_started_at = now() - interval '1 hour', expires_at = now() - interval '1 second' WHERE id = $1`,
      [rowId(known(mine).id)],
    );
    const guest = await enter(shop);
    await guest.add({ sku: known(jar).sku, quantity: 1 });
    const { cart } = await loginAs(guest, ada.email);
    expect(cart?.id).not.toBe(mine?.id);
    expect(cart?.totalQuantity).toBe(1);
    expect(await levelOf(shop, known(jar).id)).toEqual({ onHand: 20, held: 1, available: 19 });
    expect(await rowOf(known(mine).id)).toMatchObject({ status: 'EXPIRED' });
  });

  test("is named by the guest's token although somebody else is logged in here, and that one's cart is let be", async () => {
    const [jar] = await variantsOf();
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    await shopperFor(eve).add({ sku: known(jar).sku, quantity: 1 });
    const guest = await enter(shop);
    await guest.add({ sku: known(jar).sku, quantity: 2 });
    const client = shop.client({ cartToken: guest.token, headers: { authorization: `Bearer ${eve.accessToken}` } });
    expect((await login(client, { email: ada.email })).cart?.totalQuantity).toBe(2);
    expect((await shopperFor(eve).cart())?.totalQuantity).toBe(1);
  });
});

test('a user who was no guest has a cart of their own, that no guest sees', async () => {
  const [jar] = await variantsOf();
  const email = newEmail();
  const ada = personOf(shop, email, await register(shop.client(), { email, password: PASSWORD }));
  expect(await shopperFor(ada).cart()).toBeNull();
  const { cart } = await shopperFor(ada).add({ sku: known(jar).sku, quantity: 1 });
  expect(cart).toMatchObject({ token: null, email });
  const phone = personOf(shop, email, await login(shop.client(), { email }));
  expect(await shopperFor(phone).cart()).toEqual(cart);
  const eve = await newPerson(shop);
  for (const client of [eve.client, shop.client()]) {
    expect(await client.data('query ($id: ID!) { node(id: $id) { id } }', { id: known(cart).id })).toEqual({
      node: null,
    });
  }
});

test('after all of this the books agree', async () => {
  await shop.app.relay.flush();
  expect(await findFaults(shop.db, { numbered: true })).toEqual([]);
});
