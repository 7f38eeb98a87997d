import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf } from '../../support/books.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { globalId } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { addressIn, pricedDocuments, pricedShopper } from '../../support/priced-cart.ts';
import { clearTerms, makePromotion, makeZone, usageOf } from '../../support/pricing.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';

// Faults of other shops that were reported in public, each by what must not happen.

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ PRICES_INCLUDE_TAX: '1', BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterEach(() => clearTerms(shop));
afterAll(() => shop.dispose());

const withCart = (of?: Parameters<typeof pricedShopper>[1]) => pricedShopper(shop, of);
const money = (amount: string) => ({ amount });
type Shopper = Awaited<ReturnType<typeof withCart>>;

/** Buys as clients do: a shop that is too busy to answer is asked again, with the same key. */
async function buyPersistently(shopper: Shopper, expectedTotal: string): ReturnType<Shopper['buy']> {
  const idempotencyKey = crypto.randomUUID();
  for (;;) {
    try {
      return await shopper.buy({ idempotencyKey, expectedTotal });
    } catch (error) {
      if (!String(error).includes('UNAVAILABLE')) throw error;
    }
  }
}

const cancel = ({ client }: Pick<Person, 'client'>, id: string) => client.data(pricedDocuments.cancel, { id });

describe('promotions', () => {
  test('callers at the same time never use a code more often than its limit (saleor #544)', async () => {
    const { id } = await makePromotion(shop, { codes: ['THREE'], usage_limit: 3 });
    const shoppers = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const shopper = await withCart({ quantity: 1 });
        await shopper.setCodes('three');
        return shopper;
      }),
    );
    const answers = await Promise.all(shoppers.map((shopper) => buyPersistently(shopper, '9.00')));
    expect(answers.filter(({ order }) => order !== null)).toHaveLength(3);
    expect(new Set(answers.flatMap(({ errors }) => errors.map(({ code }) => code)))).toEqual(
      new Set(['DISCOUNT_LIMIT_REACHED']),
    );
    expect(await usageOf(shop, id)).toEqual({ used: 3, spent: 300 });
  });

  test('the order of the winner of the last use is not touched by the loser (saleor #15855)', async () => {
    const { id } = await makePromotion(shop, { codes: ['LAST'], usage_limit: 1 });
    const [winner, loser] = [await withCart(), await withCart()];
    await winner.setCodes('LAST');
    await loser.setCodes('LAST');
    const { order } = await winner.buy();
    const read = () =>
      rowsOf(
        shop.db,
        `SELECT o.status, o.payment_status, o.total_minor::int AS total, o.updated_at, u.returned_at
           FROM orders o JOIN promotion_uses u ON u.order_id = o.id WHERE u.promotion_id = $1`,
        [id],
      );
    const before = await read();
    expect(before).toMatchObject([{ status: 'PLACED', total: 1800, returned_at: null }]);
    const { errors } = await loser.buy();
    expect(errors).toMatchObject([{ code: 'DISCOUNT_LIMIT_REACHED' }]);
    // Neither a second attempt nor giving up changes anything.
    await loser.setCodes();
    expect((await loser.buy()).order?.total).toEqual(money('20.00'));
    expect(await read()).toEqual(before);
    expect(known(order).status).toBe('PLACED');
  });

  test('a promotion that takes nothing off does not use up its limit (vendure #5278)', async () => {
    const { id } = await makePromotion(shop, { codes: ['TINY'], percent_ppm: 1, usage_limit: 5 });
    const shopper = await withCart();
    await shopper.setCodes('TINY');
    expect((await shopper.buy()).errors).toEqual([]);
    expect(await usageOf(shop, id)).toEqual({ used: 0, spent: 0 });
  });

  test('the limits of automatic promotions are not ignored (vendure #4353)', async () => {
    const limited = await makePromotion(shop, { usage_limit: 1 });
    const [first, second] = [await withCart(), await withCart()];
    expect((await first.buy()).order?.total).toEqual(money('18.00'));
    expect((await second.cart()).total).toEqual(money('20.00'));
    expect((await second.buy()).order?.total).toEqual(money('20.00'));
    expect(await usageOf(shop, limited.id)).toEqual({ used: 1, spent: 200 });

    const { id } = await makePromotion(shop, { budget_minor: 300 });
    const [third, fourth] = [await withCart(), await withCart()];
    expect((await third.buy()).order?.total).toEqual(money('18.00'));
    // 1.00 is left, which does not cover 2.00.
    expect((await fourth.buy()).order?.total).toEqual(money('20.00'));
    expect(await usageOf(shop, id)).toEqual({ used: 1, spent: 200 });
  });

  test('a cancelled order does not keep its use (vendure #1466)', async () => {
    const { id } = await makePromotion(shop, { codes: ['BACK'], usage_limit: 1, budget_minor: 200 });
    const [first, second] = [await withCart(), await withCart()];
    await first.setCodes('BACK');
    await second.setCodes('BACK');
    const { order } = await first.buy();
    expect(await usageOf(shop, id)).toEqual({ used: 1, spent: 200 });
    await Promise.all([cancel(first, known(order).id), cancel(staff, known(order).id)]);
    expect(await usageOf(shop, id)).toEqual({ used: 0, spent: 0 });
    expect((await second.buy()).order?.total).toEqual(money('18.00'));
  });

  test('an order of many lines is one use, in the counters and in the report (sylius #5412)', async () => {
    const { id } = await makePromotion(shop, { codes: ['LINES'], scope: 'LINES', usage_limit: 9 });
    const shopper = await withCart({ prices: [1000, 2000, 3000, 4000], quantity: 1 });
    await shopper.setCodes('LINES');
    expect((await shopper.buy()).order?.total).toEqual(money('90.00'));
    expect(await usageOf(shop, id)).toEqual({ used: 1, spent: 1000 });
    const { promotion } = await staff.client.data<{ promotion: { usage: object } }>(
      `query ($id: ID!) { promotion(id: $id) {
         usage { sums { orderCount revenue { amount } discountTotal { amount } } } } }`,
      { id: globalId('Promotion', id) },
    );
    expect(promotion.usage).toEqual({
      sums: { orderCount: 1, revenue: money('90.00'), discountTotal: money('10.00') },
    });
  });

  test('a percentage is not rounded per unit (vendure #3003)', async () => {
    await makePromotion(shop, { scope: 'LINES', percent_ppm: 100_000 });
    const shopper = await withCart({ price: 8229, quantity: 15 });
    // 10 % of 1234.35 is 123.44. Per unit it would be 8.23, and 123.45 in all.
    expect(await shopper.cart()).toMatchObject({ discountTotal: money('123.44'), total: money('1110.91') });
  });

  test('percentages are not taken of the undiscounted price until goods are free (saleor #17453)', async () => {
    for (const title of ['One', 'Two'])
      await makePromotion(shop, { title, scope: 'LINES', percent_ppm: 600_000, combines_with: ['LINES'] });
    const shopper = await withCart({ price: 10_000, quantity: 1 });
    const cart = await shopper.cart();
    expect(cart.discounts.map(({ amount }) => amount.amount)).toEqual(['60.00', '24.00']);
    expect(cart.total).toEqual(money('16.00'));
  });

  test('a cart with 100 % off is not refused at the checkout (sylius #11530)', async () => {
    await makePromotion(shop, { codes: ['GIFT'], kind: 'FREE' });
    const shopper = await withCart();
    await shopper.setCodes('GIFT');
    const { order, errors } = await shopper.buy({ expectedTotal: '0' });
    expect(errors).toEqual([]);
    expect(order?.total).toEqual(money('0.00'));
  });
});

describe('shipping and tax', () => {
  const parcel = (price: number, freeFrom?: number) => ({
    name: 'Germany',
    countries: ['DE'],
    isHome: true,
    methods: [{ title: 'Parcel', price, ...(freeFrom === undefined ? {} : { freeFrom }) }],
  });

  test('no amount has more decimals in the table than are charged (medusa #14818)', async () => {
    await makeZone(shop, { ...parcel(499), tax: 8.875 });
    await makePromotion(shop, { percent_ppm: 333_333 });
    const shopper = await withCart({ prices: [333, 777, 1111], quantity: 3 });
    await shopper.setAddress(addressIn('DE'));
    const { order } = await shopper.buy();
    const paid = known(order);
    const [row] = await rowsOf<Record<string, bigint | number>>(
      shop.db,
      `SELECT o.total_minor, o.subtotal_minor - o.discount_minor + o.shipping_minor AS parts, o.tax_minor,
              (SELECT sum(amount_minor)::bigint FROM order_taxes t WHERE t.order_id = o.id) AS taxes,
              (SELECT sum(amount_minor)::bigint FROM order_discounts d WHERE d.order_id = o.id) AS discounts, o.discount_minor
         FROM orders o ORDER BY placed_at DESC LIMIT 1`,
    );
    const { total_minor: total, parts, tax_minor: tax, taxes, discounts, discount_minor: discount } = known(row);
    expect([parts, taxes, discounts]).toEqual([total, tax, discount]);
    expect(paid.total.amount).toBe((Number(total) / 100).toFixed(2));
    const columns = await rowsOf<{ name: string }>(
      shop.db,
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
        WHERE column_name LIKE '%minor' AND data_type NOT IN ('integer', 'bigint')`,
    );
    expect(columns).toEqual([]);
  });

  test('the price of shipping does not stay when the address changes (medusa #5407)', async () => {
    await makeZone(shop, parcel(490));
    const { methods } = await makeZone(shop, {
      name: 'America',
      countries: ['US'],
      methods: [{ title: 'Air', price: 1990 }],
    });
    const shopper = await withCart();
    await shopper.setAddress(addressIn('DE'));
    const chosen = known((await shopper.cart()).shippingMethods[0]).method.id;
    await shopper.setMethod(chosen);
    const { cart } = await shopper.setAddress(addressIn('US'));
    // The method that was chosen does not go there: nothing of it is charged, and nobody can buy with it.
    expect(cart).toMatchObject({ shippingMethod: null, shippingTotal: money('0.00') });
    expect((await shopper.buy()).errors).toMatchObject([{ code: 'SHIPPING_METHOD_UNAVAILABLE' }]);
    await shopper.setMethod(known(methods[0]).globalId);
    expect((await shopper.buy()).order?.total).toEqual(money('39.90'));
  });

  test('the price of shipping does not stay when lines change (medusa #4707)', async () => {
    await makeZone(shop, parcel(490, 3000));
    const shopper = await withCart();
    await shopper.setAddress(addressIn('DE'));
    expect((await shopper.cart()).shippingTotal).toEqual(money('4.90'));
    await shopper.add({ sku: shopper.variant.sku, quantity: 1 });
    expect(await shopper.cart()).toMatchObject({ shippingTotal: money('0.00'), freeShippingRemaining: null });
    const line = known((await shopper.cart()).lines[0]);
    await shopper.update({ id: line.id, quantity: 1 });
    expect(await shopper.cart()).toMatchObject({ shippingTotal: money('4.90'), freeShippingRemaining: money('20.00') });
  });

  test('shipping is not free by a rate that staff have changed since (medusa #14484)', async () => {
    const { methods } = await makeZone(shop, parcel(490, 1500));
    const shopper = await withCart();
    await shopper.setAddress(addressIn('DE'));
    const seen = (await shopper.cart()).total.amount;
    expect(seen).toBe('20.00');
    const { shippingMethodUpdate } = await staff.client.data<{ shippingMethodUpdate: { errors: [] } }>(
      `mutation ($id: ID!) { shippingMethodUpdate(input: { id: $id, freeFrom: "50.00" }) { errors { code } } }`,
      { id: known(methods[0]).globalId },
    );
    expect(shippingMethodUpdate.errors).toEqual([]);
    expect((await shopper.buy({ expectedTotal: seen })).errors).toMatchObject([{ code: 'TOTAL_CHANGED' }]);
    expect(await shopper.cart()).toMatchObject({ shippingTotal: money('4.90'), total: money('24.90') });
    expect((await shopper.buy({ expectedTotal: '24.90' })).order?.total).toEqual(money('24.90'));
  });

  test('the tax rate does not stay when the country changes (saleor #12861)', async () => {
    await makeZone(shop, { name: 'Germany', countries: ['DE'], isHome: true, tax: 19 });
    await makeZone(shop, { name: 'America', countries: ['US'], tax: 8.875 });
    const shopper = await withCart({ price: 3000, quantity: 1 });
    await shopper.setAddress(addressIn('DE'));
    expect((await shopper.cart()).taxes).toEqual([{ title: 'VAT of Germany', rate: '19', amount: money('4.79') }]);
    await shopper.setAddress(addressIn('US'));
    const taxes = [{ title: 'VAT of America', rate: '8.875', amount: money('2.45') }];
    expect((await shopper.cart()).taxes).toEqual(taxes);
    expect((await shopper.buy()).order).toMatchObject({ taxes, total: money('30.00') });
  });

  test('20 % that are contained in a price are not 20 % of the price (openfoodnetwork #6463)', async () => {
    await makeZone(shop, { name: 'Home', countries: ['DE'], isHome: true, tax: 20 });
    const shopper = await withCart({ price: 1200, quantity: 1 });
    expect(await shopper.cart()).toMatchObject({ taxTotal: money('2.00'), total: money('12.00') });
  });

  test('shipping is not taxed once per line (bagisto #5758)', async () => {
    await makeZone(shop, { ...parcel(1200), tax: 20 });
    const shopper = await withCart({ prices: [1200, 2400, 3600], quantity: 1 });
    await shopper.setAddress(addressIn('DE'));
    // 2.00, 4.00 and 6.00 of the goods, and 2.00 of the shipping.
    expect(await shopper.cart()).toMatchObject({
      shippingTotal: money('12.00'),
      taxes: [{ rate: '20', amount: money('14.00') }],
      total: money('84.00'),
    });
  });
});
