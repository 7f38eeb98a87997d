import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { accountDocuments, login, newPerson, type Auth, type Person } from '../support/accounts.ts';
import { holdBarrier, holdCarts, watchLocks, type LockWatch } from '../support/barriers.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { inCrowd, newBuyer, type Buyer } from '../support/buyer.ts';
import { levelOf, makeOverdue, makeProduct, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { enter, rowId, shopperOf } from '../support/shopper.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

let shop: TestShop & World;
let watch: LockWatch;
beforeEach(async () => {
  const opened = await createTestShop({ env: { DATABASE_POOL_SIZE: '20' } });
  shop = { ...opened, eventLog: opened.app.eventLog };
  watch = await watchLocks(shop.db);
});
afterEach(async () => {
  await watch[Symbol.asyncDispose]();
  await shop.dispose();
});

const loginWith = (token: string, email: string): Promise<Auth> => login(shop.client({ cartToken: token }), { email });

async function liveCarts(person: Person): Promise<string[]> {
  const rows = await rowsOf<{ id: string }>(shop.db, `SELECT id FROM carts WHERE user_id = $1 AND status = 'ACTIVE'`, [
    rowId(person.userId),
  ]);
  return rows.map((row) => row.id);
}

/** Waits for the holders of the user's row, as a log-in does that came second. */
const holdUser = (person: Person) =>
  holdBarrier(shop.db, 'SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [rowId(person.userId)]);

describe('40 log-ins at once, each with a cart', () => {
  test('lose and double no hold, let no deadlock out, and leave one live cart a user', async () => {
    const { variants } = await makeProduct(shop, { variants: Array.from({ length: 4 }, () => ({ onHand: 5000 })) });
    // Four people with ten devices each, some with a cart already, some of the guests' carts past their time.
    const people = await inCrowd(Array.from({ length: 4 }), 4, () => newPerson(shop));
    for (const person of people.slice(0, 2)) {
      await shopperOf(person.client).add({ variantId: known(variants[0]).globalId, quantity: 1 });
    }
    const devices = people.flatMap((person) => Array.from({ length: 10 }, (_, index) => ({ person, index })));
    const guests = await inCrowd(devices, 10, async ({ index }): Promise<Buyer> => {
      const guest = await newBuyer(shop);
      const lines = [index % 4, (index + 1) % 4].map((at) => ({
        variantId: known(variants[at]).globalId,
        quantity: 1 + (index % 3),
      }));
      // Some name the variants in the opposite order.
      const { codes } = await guest.add(...(index % 2 === 0 ? lines : lines.toReversed()));
      expect(codes).toEqual([]);
      return guest;
    });
    const overdue = guests.filter((_guest, index) => index % 10 === 9);
    const ids = await Promise.all(overdue.map(async (guest) => rowId(known(await guest.cart()).id)));
    await makeOverdue(shop, ids);

    const answers = await inCrowd(devices, 40, async ({ person }, index) =>
      loginWith(known(guests[index]).token, person.email),
    );
    expect(answers.flatMap((auth) => [...auth.errors, ...auth.cartNotices])).toEqual([]);

    for (const person of people) expect(await liveCarts(person)).toHaveLength(1);
    // Each device but the overdue one brought 2 lines of 1 + index % 3 units: 2 × (1+2+3+1+2+3+1+2+3) = 36.
    const held = await rowsOf<{ units: number }>(
      shop.db,
      `SELECT sum(l.quantity)::int AS units FROM cart_lines l JOIN carts c ON c.id = l.cart_id WHERE c.status = 'ACTIVE' GROUP BY c.user_id ORDER BY 1`,
    );
    expect(held.map((row) => row.units)).toEqual([36, 36, 37, 37]);
    const reasons = await rowsOf(
      shop.db,
      `SELECT reason, sum(held_delta)::int AS units FROM stock_movements WHERE held_delta <> 0 GROUP BY reason ORDER BY 1`,
    );
    // Of the overdue ones each held 2 × 1 units, which came back; of the others nothing did.
    expect(reasons).toEqual([
      { reason: 'HOLD', units: 4 * 38 + 2 },
      { reason: 'RELEASE', units: -4 * 2 },
    ]);
    await shop.app.relay.flush();
    expect(await findFaults(shop.db, { numbered: true })).toEqual([]);
    expect(shop.logs.filter((line) => line.level >= 50)).toEqual([]);
  });
});

describe('two devices that log in at once', () => {
  test('share one cart, made by whichever came first', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 10 }] });
    const variantId = known(variants[0]).globalId;
    const person = await newPerson(shop);
    const guests = [await newBuyer(shop), await newBuyer(shop)];
    for (const guest of guests) await guest.add({ variantId, quantity: 2 });

    await using barrier = await holdUser(person);
    const both = Promise.all(guests.map((guest) => loginWith(guest.token, person.email)));
    await watch.untilWaiting(2, 'FROM users');
    await barrier.release();
    const carts = (await both).map((auth) => known(auth.cart));
    expect(carts[0]?.id).toBe(carts[1]?.id);
    expect(await liveCarts(person)).toHaveLength(1);
    expect(await levelOf(shop, known(variants[0]).id)).toEqual({ onHand: 10, held: 4, available: 6 });
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('with the same guest, take its cart over once', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 10 }] });
    const person = await newPerson(shop);
    const guest = await newBuyer(shop);
    await guest.add({ variantId: known(variants[0]).globalId, quantity: 3 });
    await using barrier = await holdUser(person);
    const both = Promise.all([loginWith(guest.token, person.email), loginWith(guest.token, person.email)]);
    await watch.untilWaiting(2, 'FROM users');
    await barrier.release();
    expect((await both).map((auth) => auth.cart?.totalQuantity)).toEqual([3, 3]);
    expect(await levelOf(shop, known(variants[0]).id)).toEqual({ onHand: 10, held: 3, available: 7 });
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('and two people who log in with the same guest: one of them gets the cart', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 10 }] });
    const people = [await newPerson(shop), await newPerson(shop)];
    const guest = await newBuyer(shop);
    await guest.add({ variantId: known(variants[0]).globalId, quantity: 3 });
    const cartId = rowId(known(await guest.cart()).id);
    await using barrier = await holdCarts(shop.db, cartId);
    const both = Promise.all(people.map((person) => loginWith(guest.token, person.email)));
    // One waits for the cart, the other one for the guest, which the first has.
    await watch.untilWaiting(2);
    await barrier.release();
    expect((await both).map((auth) => auth.cart?.totalQuantity ?? 0).toSorted((a, b) => a - b)).toEqual([0, 3]);
    expect(await levelOf(shop, known(variants[0]).id)).toEqual({ onHand: 10, held: 3, available: 7 });
    expect(await findFaults(shop.db)).toEqual([]);
  });
});

describe('a log-in, and meanwhile', () => {
  test('the user’s first add from another device: one live cart with both', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 10 }] });
    const variantId = known(variants[0]).globalId;
    const person = await newPerson(shop);
    const guest = await newBuyer(shop);
    await guest.add({ variantId, quantity: 2 });
    await using barrier = await holdUser(person);
    const entering = loginWith(guest.token, person.email);
    await watch.untilWaiting(1, 'FROM users');
    const adding = shopperOf(person.client).add({ variantId, quantity: 1 });
    await watch.untilWaiting(2, 'users');
    await barrier.release();
    await Promise.all([entering, adding]);
    expect((await shopperOf(person.client).cart())?.totalQuantity).toBe(3);
    expect(await liveCarts(person)).toHaveLength(1);
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('the guest’s checkout: bought once, and nothing is left to take over', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 10 }] });
    const { id, globalId: variantId } = known(variants[0]);
    const person = await newPerson(shop);
    const guest = await newBuyer(shop);
    await guest.add({ variantId, quantity: 2 });
    await using barrier = await holdBarrier(shop.db, 'SELECT FROM product_variants WHERE id = $1 FOR NO KEY UPDATE', [
      id,
    ]);
    // The checkout has the cart, and waits for the variant; the log-in waits for the cart.
    const buying = guest.checkout('once');
    await watch.untilWaiting(1, 'product_variants');
    const entering = loginWith(guest.token, person.email);
    await watch.untilWaiting(2);
    await barrier.release();
    expect((await buying).order?.totalQuantity).toBe(2);
    expect(await entering).toMatchObject({ cart: null, cartNotices: [], errors: [] });
    expect(await levelOf(shop, id)).toEqual({ onHand: 8, held: 0, available: 8 });
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('somebody who wants the last unit: it is never free between the two carts', async () => {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: 1 }] });
    const { id, globalId: variantId } = known(variants[0]);
    const person = await newPerson(shop);
    const guest = await newBuyer(shop);
    await guest.add({ variantId, quantity: 1 });
    const rival = await newBuyer(shop);
    await using barrier = await holdUser(person);
    const entering = loginWith(guest.token, person.email);
    await watch.untilWaiting(1, 'FROM users');
    const before = await rival.add({ variantId, quantity: 1 });
    await barrier.release();
    const [auth, after] = await Promise.all([entering, rival.add({ variantId, quantity: 1 })]);
    expect([before.codes, after.codes]).toEqual([['INSUFFICIENT_STOCK'], ['INSUFFICIENT_STOCK']]);
    expect(auth.cart?.totalQuantity).toBe(1);
    expect(await levelOf(shop, id)).toEqual({ onHand: 1, held: 1, available: 0 });
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('a change of the password: the old one, checked before, lets nobody in after', async () => {
    const person = await newPerson(shop);
    const guest = await enter(shop);
    const before = guest.cart();
    await using barrier = await holdUser(person);
    const input = { currentPassword: 'a long enough password', newPassword: 'another good password' };
    const changing = person.client.data(accountDocuments.changePassword, { input });
    await watch.untilWaiting(1, 'FROM users');
    const entering = loginWith(guest.token, person.email);
    await watch.untilWaiting(2, 'FROM users');
    await barrier.release();
    expect((await changing).passwordChange?.errors).toEqual([]);
    expect((await entering).errors).toMatchObject([{ code: 'INVALID_CREDENTIALS' }]);
    expect(await guest.cart()).toEqual(await before);
    const live = await rowsOf(shop.db, 'SELECT FROM sessions WHERE user_id = $1 AND ended_at IS NULL', [
      rowId(person.userId),
    ]);
    expect(live).toHaveLength(1);
  });
});
