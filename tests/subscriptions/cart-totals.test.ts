import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeVariant } from '../support/fixtures.ts';
import { pricesOf } from '../support/priced-cart.ts';
import { changePromotion, clearTerms, makePromotion, makeZone } from '../support/pricing.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { settled } from '../support/settled.ts';
import { enter } from '../support/shopper.ts';
import { watch, watchNow } from '../support/watch.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterEach(() => clearTerms(shop));
afterAll(() => shop.dispose());

interface Changed {
  cartChanged: { cursor: string; kind: string; cart: { total: { amount: string } } };
}

const CHANGES = 'subscription { cartChanged { cursor kind cart { total { amount } } } }';

const inShort = ({ cartChanged: { kind, cart } }: Changed) => [kind, cart.total.amount];

/** A guest with goods for 20.00 in the cart. */
async function withCart() {
  const variant = await makeVariant(shop, { price: 1000, onHand: 50 });
  const shopper = await enter(shop);
  await shopper.add({ sku: variant.sku, quantity: 2 });
  return { ...shopper, ...pricesOf(shopper) };
}

test('a total that a promotion changes makes an event at once, and an unchanged total does not', async () => {
  const [shopper, other] = [await withCart(), await enter(shop)];
  const mine = await watchNow<Changed>(shop, 'WebSocket', CHANGES, { cartToken: shopper.token });
  const empty = await watchNow<Changed>(shop, 'WebSocket', CHANGES, { cartToken: other.token });
  const { id } = await makePromotion(shop, { percent_ppm: 100_000 });
  expect(inShort(await mine.events.take())).toEqual(['TOTALS', '18.00']);
  await changePromotion(shop, id, "title = 'Another name', percent_ppm = 100000");
  await changePromotion(shop, id, 'min_subtotal_minor = 1000');
  await changePromotion(shop, id, 'percent_ppm = 250000');
  expect(inShort(await mine.events.take())).toEqual(['TOTALS', '15.00']);
  await settled(shop);
  expect([mine.events.left, empty.events.left]).toEqual([[], []]);
  // What the owner changes arrives as such, and only once.
  await shopper.setCodes('WHAT');
  expect(inShort(await mine.events.take())).toEqual(['DISCOUNT_CODES', '15.00']);
  await settled(shop);
  expect([mine.events.left, empty.events.left]).toEqual([[], []]);
});

test('a promotion that begins or ends by the clock is announced, once', async () => {
  const shopper = await withCart();
  const { id } = await makePromotion(shop, { percent_ppm: 100_000, ends_at: new Date(Date.now() + 3_600_000) });
  const mine = await watchNow<Changed>(shop, 'SSE', CHANGES, { cartToken: shopper.token });
  const { pricing } = shop.app.services;
  await pricing.announceWindows();
  await shop.db.query({ text: `UPDATE promotions SET ends_at = clock_timestamp() WHERE id = $1` }, [id]);
  const announced = await Promise.all([pricing.announceWindows(), pricing.announceWindows()]);
  expect(announced.filter(Boolean)).toHaveLength(1);
  expect(inShort(await mine.events.take())).toEqual(['TOTALS', '20.00']);
  expect(await pricing.announceWindows()).toBe(false);
});

test('a promotion that an order uses up changes the totals of the other carts', async () => {
  await makePromotion(shop, { usage_limit: 1 });
  const [first, second] = [await withCart(), await withCart()];
  expect((await second.cart()).total.amount).toBe('18.00');
  const watched = await watchNow<Changed>(shop, 'WebSocket', CHANGES, { cartToken: second.token });
  const { order } = await first.buy();
  expect(order?.total.amount).toBe('18.00');
  expect(inShort(await watched.events.take())).toEqual(['TOTALS', '20.00']);
});

test('a subscriber who reconnects receives the change of terms in the meantime', async () => {
  const shopper = await withCart();
  await shopper.setAddress({
    name: 'Ada Baker',
    line1: 'Hauptstr. 1',
    city: 'Berlin',
    postalCode: '10115',
    countryCode: 'DE',
  });
  const before = await watchNow<Changed>(shop, 'WebSocket', CHANGES, { cartToken: shopper.token });
  await shopper.setCodes('WHAT');
  const { cursor } = (await before.events.take()).cartChanged;
  before.stop();
  await makeZone(shop, { name: 'Germany', countries: ['DE'], methods: [{ title: 'Parcel', price: 490 }] });
  const resumed = watch<Changed>(shop, 'WebSocket', CHANGES.replace('cartChanged', `cartChanged(after: "${cursor}")`), {
    cartToken: shopper.token,
  });
  expect(inShort(await resumed.events.take())).toEqual(['TOTALS', '24.90']);
});
