import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newPerson } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { makeOverdue, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import type { TestShop } from '../../support/shop.ts';
import { linesOf, rowId, shopperOf } from '../../support/shopper.ts';
import { callerFrom, createThrottledShop, newAddress } from '../../support/throttling.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createThrottledShop();
});
afterAll(() => shop.dispose());

const variantWith = (onHand: number) => makeVariant(shop.app, { onHand });

/** Somebody without a cart, from an address. */
function newcomer(address: string, at = shop) {
  return shopperOf(callerFrom(at, address));
}

/** A guest from an address who asks for units; what the shop says, in short, and the guest. */
async function take(address: string, sku: string, quantity: number, at = shop) {
  const shopper = newcomer(address, at);
  const { cart, errors } = await shopper.add({ sku, quantity });
  if (cart != null) shopper.client.use(known(cart.token));
  return { shopper, cart, codes: errors.map(({ code }) => code), errors };
}

test.each([
  ['one address', () => '10.200.0.1', 20],
  ['the /64 networks of one /56', (i: number) => `2001:db8:a1:5${(i % 7).toString(16).padStart(2, '0')}::1`, 30],
  ['the /56 networks of one /48', (i: number) => `2001:db8:a2:${(i % 16).toString(16)}00::1`, 35],
])('%s cannot hold all', async (_what, addressOf, most) => {
  const { sku } = await variantWith(40);
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, i) => take(addressOf(i), sku, 1)));
  expect(outcomes.filter(({ codes }) => codes.length === 0)).toHaveLength(most);
  expect(new Set(outcomes.flatMap(({ codes }) => codes))).toEqual(new Set(['LIMIT_EXCEEDED']));
  expect((await take(newAddress(), sku, 40 - most)).codes).toEqual([]);
});

test('a line that grows, and a cart that is taken again, count as well', async () => {
  const { sku } = await variantWith(10);
  const address = newAddress();
  const { shopper, cart } = await take(address, sku, 3);
  const line = known(cart?.lines[0]);
  expect((await shopper.update({ id: line.id, quantity: 6 })).errors).toMatchObject([
    { code: 'LIMIT_EXCEEDED', limit: 5, requested: 6, path: ['lines', '0', 'quantity'], ofVariant: { sku } },
  ]);
  expect((await shopper.update({ id: line.id, quantity: 5 })).errors).toEqual([]);

  await makeOverdue(shop.app, [rowId(known(cart).id)]);
  // A hold that is over keeps nobody out.
  expect((await take(address, sku, 3)).codes).toEqual([]);
  const reclaimed = await shopper.reclaim(known(cart).id);
  expect(reclaimed.errors).toMatchObject([{ code: 'LIMIT_EXCEEDED', limit: 5 }]);
  expect(linesOf(reclaimed.cart)).toMatchObject([[sku, 2, expect.any(String)]]);
});

describe('shoppers of a campus', () => {
  test.each([1, 2, 4])('can hold all %i units of a variant', async (onHand) => {
    const { sku } = await variantWith(onHand);
    expect((await take(newAddress(), sku, onHand)).codes).toEqual([]);
  });

  test('buy everything, one after the other', async () => {
    const { sku } = await variantWith(8);
    const address = newAddress();
    for (let n = 0; n < 8; n += 1) {
      const { shopper, codes } = await take(address, sku, 1);
      expect(codes).toEqual([]);
      const { errors } = await shopper.checkout({ idempotencyKey: 'k', email: `student-${n}@example.com` });
      expect(errors).toEqual([]);
    }
    expect((await take(newAddress(), sku, 1)).codes).toEqual(['INSUFFICIENT_STOCK']);
  });

  test('hold what they like with accounts whose address is confirmed, and with no others', async () => {
    const { sku } = await variantWith(20);
    const address = newAddress();
    expect((await take(address, sku, 10)).codes).toEqual([]);
    const { email, accessToken } = await newPerson(shop);
    const user = shopperOf(callerFrom(shop, address, { headers: { authorization: `Bearer ${accessToken}` } }));
    expect((await user.add({ sku, quantity: 1 })).errors).toMatchObject([{ code: 'LIMIT_EXCEEDED' }]);
    await shop.db.query(
      { name: 'test_confirm', text: 'UPDATE users SET email_verified_at = clock_timestamp() WHERE email = $1' },
      [email],
    );
    expect((await user.add({ sku, quantity: 10 })).errors).toEqual([]);
  });
});

test('CART_NETWORK_SHARE_PERCENT=100 lets one network hold all', async () => {
  const open = await createThrottledShop({}, { env: { CART_NETWORK_SHARE_PERCENT: '100' } });
  onTestFinished(() => open.dispose());
  const { sku } = await makeVariant(open.app, { onHand: 30 });
  expect((await take(newAddress(), sku, 30, open)).codes).toEqual([]);
});

test('a cart keeps no address of its shopper', async () => {
  const { sku } = await variantWith(10);
  const { cart } = await take('2001:db8:abcd:1234::1', sku, 1);
  const [row] = await rowsOf<{ networks: string[] }>(shop.db, 'SELECT networks FROM carts WHERE id = $1', [
    rowId(known(cart).id),
  ]);
  expect(row?.networks).toEqual(Array(3).fill(expect.stringMatching(/^[\w-]{16}$/)));
});

test('after all this the books add up', async () => {
  expect(await findFaults(shop.db)).toEqual([]);
});
