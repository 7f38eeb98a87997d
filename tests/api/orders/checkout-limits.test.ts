import { afterAll, beforeAll, expect, test } from 'vitest';
import { newEmail, newPerson } from '../../support/accounts.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import type { TestShop } from '../../support/shop.ts';
import { shopperDocuments, shopperOf } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';
import { callerFrom, createThrottledShop, expectRefused, newAddress, times } from '../../support/throttling.ts';

const QUARTER = 15 * 60;
const HOUR = 60 * 60;

let shop: TestShop;
let sku: string;
beforeAll(async () => {
  shop = await createThrottledShop();
  ({ sku } = await makeVariant(shop.app, { onHand: 1000 }));
});
afterAll(() => shop.dispose());

/** A guest with something in the cart. */
async function guestAt(address = newAddress()) {
  const shopper = shopperOf(callerFrom(shop, address));
  const { cart } = await shopper.add({ sku, quantity: 1 });
  shopper.client.use(known(cart?.token));
  return shopper;
}

let keys = 0;
const input = (email?: string) => {
  keys += 1;
  return { input: { idempotencyKey: `key ${keys}`, ...(email === undefined ? {} : { email }) } };
};
const checkout = async (shopper: { client: ReturnType<typeof callerFrom> }, email?: string) =>
  shopper.client.execute(shopperDocuments.checkout, input(email));
const bought = ({ data, codes }: Awaited<ReturnType<typeof checkout>>) => [codes, data?.checkout?.errors];

test('one address gets ten orders an hour, from wherever, whether the order or the cart names it', async () => {
  const email = newEmail();
  const answers = await times(10, async (i) => {
    const guest = await guestAt();
    if (i % 2 === 0) return checkout(guest, i % 4 === 0 ? email : email.toUpperCase());
    await guest.setEmail(email);
    return checkout(guest);
  });
  expect(answers.map(bought)).toEqual(Array.from({ length: 10 }, () => [[], []]));
  const guest = await guestAt();
  expectRefused(await changingNothing(shop, () => checkout(guest, email)), 'checkout', HOUR);
  expect(bought(await checkout(guest, newEmail()))).toEqual([[], []]);
});

test('one network places forty orders in 15 minutes, each alias among them; what is refused does not count', async () => {
  const address = newAddress();
  const guest = await guestAt(address);
  const none = await times(3, () => guest.client.execute(shopperDocuments.checkout, input('nonsense')));
  expect(none.map(({ data }) => data?.checkout?.errors[0]?.code)).toEqual(Array(3).fill('INVALID_INPUT'));
  const answers = await times(10, () =>
    Promise.all(Array.from({ length: 4 }, async () => checkout(await guestAt(address), newEmail()))),
  );
  expect(answers.flat().map(bought)).toEqual(Array.from({ length: 40 }, () => [[], []]));
  expectRefused(await changingNothing(shop, () => checkout(guest, newEmail())), 'checkout', QUARTER);
});

test('an account that orders to its own address is not kept out by what strangers order to it', async () => {
  const { email, accessToken } = await newPerson(shop);
  await times(10, async () => checkout(await guestAt(), email));
  expectRefused(await checkout(await guestAt(), email), 'checkout', HOUR);
  const own = shopperOf(callerFrom(shop, newAddress(), { headers: { authorization: `Bearer ${accessToken}` } }));
  await own.add({ sku, quantity: 1 });
  expect(bought(await checkout(own))).toEqual([[], []]);
});

test('one address is set as that of twenty carts an hour', async () => {
  const email = newEmail();
  const set = async () => (await guestAt()).client.execute(shopperDocuments.setEmail, { input: { email } });
  expect((await times(20, set)).flatMap(({ codes }) => codes)).toEqual([]);
  expectRefused(await set(), 'cartEmailSet', HOUR);
});
