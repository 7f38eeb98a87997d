import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newStaff } from '../../support/accounts.ts';
import { globalId, makeProduct, setPrice } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { addressIn, pricedDocuments, pricedShopper, pricesOf } from '../../support/priced-cart.ts';
import { changePromotion, clearTerms, makePromotion, makeZone, usageOf } from '../../support/pricing.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';
import { recordStatements } from '../../support/statements.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ PRICES_INCLUDE_TAX: '1', BCRYPT_COST: '4' });
});
afterEach(() => clearTerms(shop));
afterAll(() => shop.dispose());

const withCart = (of?: Parameters<typeof pricedShopper>[1]) => pricedShopper(shop, of);

const money = (amount: string) => ({ amount });

describe('a cart without any terms', () => {
  test('costs what its lines cost, and its price takes no statement', async () => {
    const shopper = await withCart();
    const cart = await shopper.cart();
    expect(cart).toMatchObject({
      subtotal: money('20.00'),
      discountTotal: money('0.00'),
      shippingTotal: money('0.00'),
      taxTotal: money('0.00'),
      total: money('20.00'),
      requiresShipping: false,
      shippingMethods: [],
      shippingMethod: null,
      discountCodes: [],
      taxes: [],
    });
    const { statements } = await recordStatements(() => shopper.cart());
    expect(statements.filter((name) => name.startsWith('pricing_'))).toEqual([]);
  });
});

describe('discount codes', () => {
  test('are answered one by one: applied, not applicable and why, unknown', async () => {
    await makePromotion(shop, { title: 'Ten off', codes: ['TEN'], percent_ppm: 100_000, combines_with: ['ORDER'] });
    await makePromotion(shop, { title: 'Big carts', codes: ['Big'], min_subtotal_minor: 100_000 });
    await makePromotion(shop, { codes: ['OLD'], ends_at: new Date(Date.now() - 1000) });
    await makePromotion(shop, { codes: ['SOON'], starts_at: new Date(Date.now() + 3_600_000) });
    const shopper = await withCart();
    const { cart, errors } = await shopper.setCodes(' ten', 'big', 'old', 'soon', 'what');
    expect(errors).toEqual([]);
    expect(cart?.discountCodes).toEqual([
      { code: 'ten', status: 'APPLIED', message: null },
      { code: 'big', status: 'NOT_APPLICABLE', message: 'The amount in your cart is too small for this code.' },
      { code: 'old', status: 'NOT_APPLICABLE', message: 'This code has expired.' },
      { code: 'soon', status: 'NOT_APPLICABLE', message: 'This code is not valid yet.' },
      { code: 'what', status: 'UNKNOWN', message: 'There is no such code.' },
    ]);
    expect(cart).toMatchObject({
      discounts: [{ title: 'Ten off', code: 'ten', amount: money('2.00') }],
      discountTotal: money('2.00'),
      total: money('18.00'),
      lines: [{ total: money('20.00'), discountTotal: money('2.00'), discountedTotal: money('18.00') }],
    });
    const cleared = await shopper.setCodes();
    expect(cleared.cart).toMatchObject({ discountCodes: [], total: money('20.00'), version: (cart?.version ?? 0) + 1 });
  });

  test('are compared without regard to case and width, and one that comes twice counts once', async () => {
    await makePromotion(shop, { codes: ['Sümmer-10'], percent_ppm: 100_000, combines_with: ['ORDER'] });
    const shopper = await withCart();
    const { cart } = await shopper.setCodes('ＳÜＭＭＥＲ-10', 'sümmer-10');
    expect(cart?.discountCodes).toEqual([{ code: 'ＳÜＭＭＥＲ-10', status: 'APPLIED', message: null }]);
    expect(cart?.total).toEqual(money('18.00'));
  });

  test('at most ten, of at most 64 characters, are accepted', async () => {
    const shopper = await withCart();
    await changingNothing(shop, async () => {
      const many = await shopper.setCodes(...Array.from({ length: 11 }, (_, index) => `C${index}`));
      expect(many.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['codes'] }]);
      const long = await shopper.setCodes('x'.repeat(65));
      expect(long.errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['codes', '0'] }]);
    });
  });

  test('cannot be set without a cart', async () => {
    const stranger = pricesOf({ client: shop.client() });
    expect((await stranger.setCodes('TEN')).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  });
});

describe('promotions', () => {
  test('that apply automatically need no code, and the best of those that exclude each other counts', async () => {
    await makePromotion(shop, { title: 'Small', percent_ppm: 50_000 });
    await makePromotion(shop, { title: 'Large', percent_ppm: 200_000 });
    const shopper = await withCart();
    expect(await shopper.cart()).toMatchObject({
      discounts: [{ title: 'Large', code: null, amount: money('4.00') }],
      total: money('16.00'),
    });
  });

  test('reach products by tag, category, and ID', async () => {
    const tagged = await makeProduct(shop, { tags: ['sale'], variants: [{ price: 1000 }] });
    const other = await makeProduct(shop, { variants: [{ price: 1000 }] });
    await makePromotion(shop, { scope: 'LINES', percent_ppm: 500_000, tags: ['sale'] });
    const shopper = await enter(shop);
    await shopper.add(
      { variantId: known(tagged.variants[0]).globalId, quantity: 1 },
      { variantId: known(other.variants[0]).globalId, quantity: 1 },
    );
    const cart = await pricesOf(shopper).cart();
    expect(cart.lines.map(({ discountTotal }) => discountTotal.amount)).toEqual(['5.00', '0.00']);
  });

  test('that end are seen by the next reading, and an edit is, too', async () => {
    const { id } = await makePromotion(shop, { percent_ppm: 100_000 });
    const shopper = await withCart();
    const before = await shopper.cart();
    expect(before.total).toEqual(money('18.00'));
    await changePromotion(shop, id, 'percent_ppm = 200000');
    const edited = await shopper.cart();
    expect(edited.total).toEqual(money('16.00'));
    await changePromotion(shop, id, 'ends_at = clock_timestamp()');
    const ended = await shopper.cart();
    expect(ended.total).toEqual(money('20.00'));
    expect(new Set([before, edited, ended].map(({ quoteHash }) => quoteHash)).size).toBe(3);
  });

  test('for first orders ask for earlier ones, also of a guest with the same address', async () => {
    await makePromotion(shop, { codes: ['FIRST'], first_order_only: true });
    const email = 'first@example.com';
    const first = await withCart();
    await first.setCodes('FIRST');
    expect((await first.buy({ email })).order?.total).toEqual(money('18.00'));
    const second = await withCart();
    await second.setCodes('first');
    await second.setEmail('First@example.com');
    expect((await second.cart()).discountCodes).toMatchObject([
      { status: 'NOT_APPLICABLE', message: 'This code is for first orders only.' },
    ]);
    expect((await second.buy({ email })).order?.total).toEqual(money('20.00'));
  });
});

describe('an order', () => {
  test('freezes what the cart cost: later changes of promotions, shipping and tax change nothing', async () => {
    const promotion = await makePromotion(shop, { title: 'Ten off', codes: ['TEN'] });
    await makeZone(shop, {
      name: 'Germany',
      countries: ['DE'],
      isHome: true,
      tax: 19,
      methods: [{ title: 'Parcel', price: 490, freeFrom: 5000 }],
    });
    const shopper = await withCart();
    await shopper.setCodes('TEN');
    const { cart } = await shopper.setAddress(addressIn('DE'));
    expect(cart).toMatchObject({
      requiresShipping: true,
      shippingMethods: [{ method: { title: 'Parcel' }, price: money('4.90') }],
      shippingTotal: money('4.90'),
      freeShippingRemaining: money('32.00'),
      taxes: [{ title: 'VAT of Germany', rate: '19', amount: money('3.65') }],
      taxTotal: money('3.65'),
      pricesIncludeTax: true,
      total: money('22.90'),
    });
    const { order, errors } = await shopper.buy({ expectedTotal: '22.90' });
    expect(errors).toEqual([]);
    const frozen = {
      subtotal: money('20.00'),
      discountCodes: ['TEN'],
      discounts: [{ title: 'Ten off', code: 'TEN', amount: money('2.00') }],
      discountTotal: money('2.00'),
      shippingMethodTitle: 'Parcel',
      shippingTotal: money('4.90'),
      taxes: [{ title: 'VAT of Germany', rate: '19', amount: money('3.65') }],
      taxTotal: money('3.65'),
      pricesIncludeTax: true,
      total: money('22.90'),
      lines: [
        {
          total: money('20.00'),
          discountTotal: money('2.00'),
          taxTotal: money('2.87'),
          discountedTotal: money('18.00'),
        },
      ],
    };
    expect(order).toMatchObject(frozen);
    await changePromotion(shop, promotion.id, "title = 'Other', percent_ppm = 900000");
    await clearTerms(shop);
    const { order: again } = await shopper.client.data(pricedDocuments.order, { id: known(order).id });
    expect(again).toMatchObject(frozen);
  });

  test('is refused with what changed, if the total is another', async () => {
    await makePromotion(shop, { title: 'Ten off' });
    const shopper = await withCart();
    await changingNothing(shop, async () => {
      const { order, errors } = await shopper.buy({ expectedTotal: '20.00' });
      expect(order).toBeNull();
      expect(errors).toMatchObject([
        {
          code: 'TOTAL_CHANGED',
          expected: money('20.00'),
          actual: money('18.00'),
          subtotal: money('20.00'),
          discounts: [{ title: 'Ten off' }],
          shippingTotal: money('0.00'),
          taxTotal: money('0.00'),
        },
      ]);
    });
  });
});

describe('limits', () => {
  test('count orders that use a promotion, give the use back at cancellation once, and refuse beyond', async () => {
    const { id } = await makePromotion(shop, { codes: ['ONE'], usage_limit: 1, budget_minor: 10_000 });
    const first = await withCart();
    await first.setCodes('ONE');
    const { order } = await first.buy();
    expect(await usageOf(shop, id)).toEqual({ used: 1, spent: 200 });

    const second = await withCart();
    const { cart } = await second.setCodes('ONE');
    expect(cart?.discountCodes).toMatchObject([{ status: 'NOT_APPLICABLE', message: 'This code has been used up.' }]);
    await changingNothing(shop, async () => {
      expect((await second.buy()).errors).toMatchObject([{ code: 'DISCOUNT_LIMIT_REACHED' }]);
    });

    const cancel = () => first.client.data(pricedDocuments.cancel, { id: known(order).id });
    await cancel();
    expect(await usageOf(shop, id)).toEqual({ used: 0, spent: 0 });
    await cancel();
    expect(await usageOf(shop, id)).toEqual({ used: 0, spent: 0 });
    expect((await second.buy()).errors).toEqual([]);
    expect(await usageOf(shop, id)).toEqual({ used: 1, spent: 200 });
  });

  test('per customer count the address of a guest, whatever its capitals', async () => {
    await makePromotion(shop, { codes: ['ONCE'], usage_limit_per_customer: 1 });
    const buy = async (email: string) => {
      const shopper = await withCart();
      await shopper.setCodes('ONCE');
      return shopper.buy({ email });
    };
    expect((await buy('once@example.com')).order?.total).toEqual(money('18.00'));
    expect((await buy('Once@Example.com')).errors).toMatchObject([{ code: 'DISCOUNT_LIMIT_REACHED' }]);
    expect((await buy('other@example.com')).order?.total).toEqual(money('18.00'));
  });
});

describe('a limit that staff set later', () => {
  test('counts the orders that had the promotion before, but for cancelled ones', async () => {
    const staff = await newStaff(shop);
    const { id } = await makePromotion(shop, { codes: ['LATER'] });
    const orders: string[] = [];
    for (const email of ['one@example.com', 'two@example.com', 'three@example.com', 'three@example.com']) {
      const shopper = await withCart();
      await shopper.setCodes('LATER');
      orders.push(known((await shopper.buy({ email })).order).id);
    }
    const cancel = (order: string | undefined) => staff.client.data(pricedDocuments.cancel, { id: known(order) });
    await cancel(orders[0]);
    expect(await usageOf(shop, id)).toEqual({ used: 0, spent: 0 });
    const update = async (changes: object) => {
      const { promotionUpdate } = await staff.client.data<{ promotionUpdate: { errors: { path: string[] }[] } }>(
        'mutation ($input: PromotionUpdateInput!) { promotionUpdate(input: $input) { errors { path } } }',
        { input: { id: globalId('Promotion', id), ...changes } },
      );
      return promotionUpdate.errors.map(({ path }) => path[0]);
    };
    await changingNothing(shop, async () => {
      expect(await update({ usageLimit: 2, budget: '5.99' })).toEqual(['usageLimit', 'budget']);
    });
    expect(await update({ usageLimitPerCustomer: 2 })).toEqual([]);
    expect(await usageOf(shop, id)).toEqual({ used: 3, spent: 600 });

    const again = await withCart();
    await again.setCodes('LATER');
    expect((await again.buy({ email: 'Three@example.com' })).errors).toMatchObject([
      { code: 'DISCOUNT_LIMIT_REACHED' },
    ]);
    await cancel(orders[3]);
    expect(await usageOf(shop, id)).toEqual({ used: 2, spent: 400 });
    expect((await again.buy({ email: 'three@example.com' })).errors).toEqual([]);

    // While it has no limit again, nothing is counted; with the next one, everything is.
    expect(await update({ usageLimitPerCustomer: null })).toEqual([]);
    const free = await withCart();
    await free.setCodes('LATER');
    await free.buy({ email: 'five@example.com' });
    expect(await usageOf(shop, id)).toEqual({ used: 3, spent: 600 });
    expect(await update({ usageLimit: 4 })).toEqual([]);
    expect(await usageOf(shop, id)).toEqual({ used: 4, spent: 800 });
    const last = await withCart();
    await last.setCodes('LATER');
    expect((await last.buy()).errors).toMatchObject([{ code: 'DISCOUNT_LIMIT_REACHED' }]);
  });
});

describe('shipping', () => {
  test('needs an address and, among several, a method; the only one is taken by itself', async () => {
    const zone = await makeZone(shop, {
      name: 'Germany',
      countries: ['DE'],
      methods: [
        { title: 'Parcel', price: 490 },
        { title: 'Express', price: 1290 },
      ],
    });
    await makeZone(shop, { name: 'World', isRest: true, methods: [{ title: 'Air mail', price: 1990 }] });
    const shopper = await withCart();
    await changingNothing(shop, async () => {
      expect((await shopper.buy()).errors).toMatchObject([{ code: 'SHIPPING_ADDRESS_REQUIRED' }]);
      expect((await shopper.buy({ shippingAddress: addressIn('DE') })).errors).toMatchObject([
        { code: 'SHIPPING_METHOD_REQUIRED', path: ['shippingMethodId'] },
      ]);
      expect((await shopper.setMethod(known(zone.methods[0]).globalId)).errors).toMatchObject([
        { code: 'SHIPPING_ADDRESS_REQUIRED' },
      ]);
    });
    await shopper.setAddress(addressIn('DE'));
    const chosen = await shopper.setMethod(known(zone.methods[1]).globalId);
    expect(chosen.cart).toMatchObject({ shippingTotal: money('12.90'), total: money('32.90') });
    // The choice stays and its price does not: abroad it is not available any more.
    const { cart } = await shopper.setAddress(addressIn('JP'));
    expect(cart).toMatchObject({ shippingMethod: null, shippingTotal: money('0.00'), total: money('20.00') });
    expect((await shopper.buy()).errors).toMatchObject([{ code: 'SHIPPING_METHOD_UNAVAILABLE' }]);
    await shopper.setMethod(null);
    expect((await shopper.cart()).shippingTotal).toEqual(money('19.90'));
    expect((await shopper.buy()).order).toMatchObject({ shippingMethodTitle: 'Air mail', total: money('39.90') });
  });

  test('promotions reduce it', async () => {
    await makeZone(shop, { name: 'Germany', countries: ['DE'], methods: [{ title: 'Parcel', price: 490 }] });
    await makePromotion(shop, { title: 'Free shipping', codes: ['SHIP'], scope: 'SHIPPING', kind: 'FREE' });
    const shopper = await withCart();
    await shopper.setAddress(addressIn('DE'));
    const { cart } = await shopper.setCodes('SHIP');
    expect(cart).toMatchObject({
      discounts: [],
      shippingDiscounts: [{ title: 'Free shipping', amount: money('4.90') }],
      shippingTotal: money('0.00'),
      total: money('20.00'),
    });
  });
});

describe('tax', () => {
  test('goes by the address, and by the home of the shop until there is one', async () => {
    await makeZone(shop, { name: 'Germany', countries: ['DE'], isHome: true, tax: 19 });
    await makeZone(shop, { name: 'America', countries: ['US'], tax: 8.875 });
    const shopper = await withCart({ price: 3000, quantity: 1 });
    expect((await shopper.cart()).taxes).toEqual([{ title: 'VAT of Germany', rate: '19', amount: money('4.79') }]);
    const abroad = await shopper.setAddress(addressIn('US'));
    expect(abroad.cart).toMatchObject({
      taxes: [{ title: 'VAT of America', rate: '8.875', amount: money('2.45') }],
      total: money('30.00'),
    });
    const exported = await shopper.setAddress(addressIn('JP'));
    expect(exported.cart).toMatchObject({ taxes: [], taxTotal: money('0.00'), total: money('30.00') });
  });
});

test('a line keeps the price at which it was added', async () => {
  const shopper = await withCart();
  await setPrice(shop, shopper.variant.id, 5000);
  expect((await shopper.cart()).total).toEqual(money('20.00'));
});
