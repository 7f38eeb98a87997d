import { describe, expect, it } from 'vitest';
import { containedTax, divideHalfUp, shareOut } from '../../src/modules/pricing/arithmetic.ts';
import { quote } from '../../src/modules/pricing/quote.ts';
import type {
  PromotionTerms,
  QuoteInput,
  QuoteLineInput,
  ShippingMethodTerms,
  TaxInput,
} from '../../src/modules/pricing/quote.types.ts';
import { NOTHING } from './carts.ts';

const ALL = ['LINES', 'ORDER', 'SHIPPING'] as const;

function line(of: Partial<QuoteLineInput> & { id: string; unitPriceMinor: number }): QuoteLineInput {
  return {
    variantId: of.id,
    productId: `product of ${of.id}`,
    categoryId: null,
    tags: [],
    quantity: 1,
    taxCategoryId: null,
    weightGrams: null,
    requiresShipping: true,
    ...of,
  };
}

function promotion(of: Partial<PromotionTerms> & Pick<PromotionTerms, 'id' | 'scope' | 'effect'>): PromotionTerms {
  return {
    title: of.id,
    targets: NOTHING,
    exclusions: NOTHING,
    minSubtotalMinor: null,
    minQuantity: null,
    countries: [],
    priority: 0,
    combinesWith: [],
    budgetLeftMinor: null,
    obstacle: null,
    ...of,
  };
}

function method(of: Partial<ShippingMethodTerms> & { id: string; price?: bigint }): ShippingMethodTerms {
  const { price = 490n, ...rest } = of;
  return {
    title: of.id,
    taxCategoryId: null,
    freeFromMinor: null,
    bands: [{ basis: 'SUBTOTAL', from: 0n, to: null, priceMinor: price }],
    ...rest,
  };
}

function taxes(ppm: number, more: Partial<TaxInput> = {}): TaxInput {
  return {
    included: true,
    defaultCategoryId: 'standard',
    rates: new Map([['standard', { title: 'VAT', ppm }]]),
    relief: null,
    ...more,
  };
}

function cart(of: Partial<QuoteInput> & { lines: QuoteLineInput[] }): QuoteInput {
  return { currency: 'EUR', promotions: [], codes: [], shipping: null, tax: null, ...of };
}

const PERCENT_10 = { kind: 'PERCENT', ppm: 100_000 } as const;

describe('rounding', () => {
  it('shares an amount out by largest remainder', () => {
    expect(shareOut(299n, [4300n, 1400n, 2300n])).toEqual([161n, 52n, 86n]);
    expect(shareOut(300n, [4300n, 1400n, 2300n])).toEqual([161n, 53n, 86n]);
    expect(shareOut(1n, [5n, 5n, 5n])).toEqual([1n, 0n, 0n]);
    expect(shareOut(5n, [0n, 0n])).toEqual([0n, 0n]);
  });

  it('rounds half up', () => {
    expect([divideHalfUp(5n, 2n), divideHalfUp(4n, 3n), divideHalfUp(5n, 3n), divideHalfUp(0n, 7n)]).toEqual([
      3n,
      1n,
      2n,
      0n,
    ]);
  });

  it.each([
    [3000n, 190_000, 479n],
    [1042n, 240_000, 202n],
    [2224n, 190_000, 355n],
    // Not 20 % of the gross.
    [12_000n, 200_000, 2000n],
  ])('finds the tax that %d contains at %d ppm', (gross, ppm, tax) => {
    expect(containedTax(gross, ppm)).toBe(tax);
  });

  it('rounds percentages per line, never per unit', () => {
    // 123 units of 9.99 with 9.6 % off: per unit 0.96 each, 118.08 in all; per line 117.96.
    const of = quote(
      cart({
        lines: [line({ id: 'a', unitPriceMinor: 999, quantity: 123 })],
        promotions: [promotion({ id: 'p', scope: 'LINES', effect: { kind: 'PERCENT', ppm: 96_000 } })],
      }),
    );
    expect(of.discountMinor).toBe(11_796n);
    expect(of.totalMinor).toBe(111_081n);
  });

  it('taxes a line of three units once', () => {
    const of = quote(cart({ lines: [line({ id: 'a', unitPriceMinor: 108, quantity: 3 })], tax: taxes(190_000) }));
    expect(of.totalMinor).toBe(324n);
    expect(of.totalMinor - of.taxMinor).toBe(272n);
  });
});

describe('promotions', () => {
  it('10 % of each line and 10 % of the order each add up to their own total', () => {
    const lines = [4, 4, 4].map((unitPriceMinor, index) => line({ id: `l${index}`, unitPriceMinor }));
    const perLine = quote(cart({ lines, promotions: [promotion({ id: 'p', scope: 'LINES', effect: PERCENT_10 })] }));
    const ofOrder = quote(cart({ lines, promotions: [promotion({ id: 'p', scope: 'ORDER', effect: PERCENT_10 })] }));
    expect([perLine.discountMinor, ofOrder.discountMinor]).toEqual([0n, 1n]);
    expect(ofOrder.lines.map(({ discountMinor }) => discountMinor)).toEqual([1n, 0n, 0n]);
  });

  it('take percentages of what is left, so that two of 60 % leave 16 %', () => {
    const of = quote(
      cart({
        lines: [line({ id: 'a', unitPriceMinor: 10_000 })],
        promotions: ['p', 'q'].map((id) =>
          promotion({ id, scope: 'LINES', effect: { kind: 'PERCENT', ppm: 600_000 }, combinesWith: ALL }),
        ),
      }),
    );
    expect(of.totalMinor).toBe(1600n);
    expect(of.discounts.map(({ amountMinor }) => amountMinor)).toEqual([6000n, 2400n]);
  });

  it('are listed in the order in which they apply: lines, buy X get Y, order, however the cart lists lines and promotions', () => {
    // The first line is reduced by the promotion of the order alone.
    const lines = [
      line({ id: 'a', unitPriceMinor: 1000 }),
      line({ id: 'b', unitPriceMinor: 1000, tags: ['off'] }),
      line({ id: 'c', unitPriceMinor: 1000, quantity: 2, tags: ['two'] }),
      line({ id: 'd', unitPriceMinor: 1000, tags: ['more'] }),
    ];
    const tagged = (tag: string) => ({ ...NOTHING, tags: [tag] });
    const promotions = [
      promotion({ id: '1', scope: 'ORDER', effect: PERCENT_10, combinesWith: ALL }),
      promotion({
        id: '2',
        scope: 'LINES',
        effect: {
          kind: 'BUY_X_GET_Y',
          buyQuantity: 1,
          getQuantity: 1,
          getTargets: tagged('two'),
          ppm: 500_000,
          maxSets: null,
        },
        targets: tagged('two'),
        combinesWith: ALL,
      }),
      promotion({ id: '3', scope: 'LINES', effect: PERCENT_10, targets: tagged('off'), combinesWith: ALL }),
      promotion({
        id: '4',
        scope: 'LINES',
        effect: PERCENT_10,
        targets: tagged('more'),
        combinesWith: ALL,
        priority: 9,
      }),
    ];
    const orders = [
      { lines, promotions },
      { lines: lines.toReversed(), promotions: promotions.toReversed() },
    ];
    for (const of of orders) {
      const { discounts, hash } = quote(cart(of));
      expect(discounts.map(({ promotionId }) => promotionId)).toEqual(['4', '3', '2', '1']);
      expect(hash).toBe(quote(cart({ lines, promotions })).hash);
    }
  });

  it('that may not be combined give the best total, and of equal ones the lower id', () => {
    const lines = [line({ id: 'a', unitPriceMinor: 1000 })];
    const off = (id: string, amountMinor: bigint) =>
      promotion({ id, scope: 'ORDER', effect: { kind: 'FIXED_ACROSS', amountMinor } });
    const best = quote(cart({ lines, promotions: [off('a', 100n), off('b', 300n), off('c', 200n)] }));
    expect(best.discounts.map(({ promotionId }) => promotionId)).toEqual(['b']);
    const equal = quote(cart({ lines, promotions: [off('c', 300n), off('b', 300n)] }));
    expect(equal.discounts.map(({ promotionId }) => promotionId)).toEqual(['b']);
  });

  it('give the best total also where buy X get Y takes more off beside another than alone', () => {
    const lines = [
      line({ id: 'dear', unitPriceMinor: 10_000, quantity: 4 }),
      line({ id: 'cheap', unitPriceMinor: 1_000, quantity: 2 }),
    ];
    const effect = { kind: 'BUY_X_GET_Y', ppm: 1_000_000, buyQuantity: 1, getQuantity: 2, maxSets: 1 } as const;
    const sets = ['first', 'second'].map((id) =>
      promotion({ id, scope: 'LINES', effect: { ...effect, getTargets: null }, combinesWith: ['LINES'] }),
    );
    const order = promotion({ id: 'order', scope: 'ORDER', effect: { kind: 'FIXED_ACROSS', amountMinor: 10_000n } });
    // The first set has the two cheap units, which leaves two dear ones to the second.
    expect(quote(cart({ lines, promotions: sets })).totalMinor).toBe(20_000n);
    expect(quote(cart({ lines, promotions: [order] })).totalMinor).toBe(32_000n);
    expect(quote(cart({ lines, promotions: [...sets, order] })).totalMinor).toBe(20_000n);
  });

  it('are combined only if each allows the scope of the other', () => {
    const lines = [line({ id: 'a', unitPriceMinor: 1000 })];
    const of = (a: PromotionTerms['combinesWith'], b: PromotionTerms['combinesWith']) =>
      quote(
        cart({
          lines,
          promotions: [
            promotion({ id: 'a', scope: 'LINES', effect: PERCENT_10, combinesWith: a }),
            promotion({ id: 'b', scope: 'ORDER', effect: { kind: 'FIXED_ACROSS', amountMinor: 50n }, combinesWith: b }),
          ],
        }),
      ).discountMinor;
    expect(of(['ORDER'], ['LINES'])).toBe(150n);
    expect(of(['ORDER'], [])).toBe(100n);
    expect(of(['LINES'], ['ORDER'])).toBe(100n);
  });

  it('buy two, get one free: the cheapest units, each counted once', () => {
    const terms = promotion({
      id: 'p',
      scope: 'LINES',
      effect: { kind: 'BUY_X_GET_Y', ppm: 1_000_000, buyQuantity: 2, getQuantity: 1, maxSets: null, getTargets: null },
    });
    const lines = [
      line({ id: 'dear', unitPriceMinor: 900, quantity: 4 }),
      line({ id: 'cheap', unitPriceMinor: 100, quantity: 3 }),
    ];
    const of = quote(cart({ lines, promotions: [terms] }));
    // Seven units: two sets of three, and so two free units.
    expect(of.lines.map(({ discountMinor }) => discountMinor)).toEqual([0n, 200n]);
    const twice = quote(
      cart({ lines, promotions: [terms, { ...terms, id: 'q' }].map((each) => ({ ...each, combinesWith: ALL })) }),
    );
    expect(twice.discountMinor).toBe(200n);
  });

  it('buy one of some goods, get others at half price', () => {
    const of = quote(
      cart({
        lines: [
          line({ id: 'pot', unitPriceMinor: 3000, quantity: 2 }),
          line({ id: 'lid', unitPriceMinor: 1000, quantity: 3 }),
        ],
        promotions: [
          promotion({
            id: 'p',
            scope: 'LINES',
            targets: { ...NOTHING, variantIds: ['pot'] },
            effect: {
              kind: 'BUY_X_GET_Y',
              ppm: 500_000,
              buyQuantity: 1,
              getQuantity: 1,
              maxSets: null,
              getTargets: { ...NOTHING, variantIds: ['lid'] },
            },
          }),
        ],
      }),
    );
    expect(of.lines.map(({ discountMinor }) => discountMinor)).toEqual([0n, 1000n]);
  });

  it('never take a line below 0, and 100 % off leaves a total of 0', () => {
    const of = quote(
      cart({
        lines: [line({ id: 'a', unitPriceMinor: 1000 })],
        promotions: [
          promotion({ id: 'a', scope: 'LINES', effect: { kind: 'FIXED_EACH', amountMinor: 5000n }, combinesWith: ALL }),
          promotion({ id: 'b', scope: 'ORDER', effect: { kind: 'FREE' }, combinesWith: ALL }),
        ],
      }),
    );
    expect(of.totalMinor).toBe(0n);
    expect(of.discounts.map(({ promotionId }) => promotionId)).toEqual(['a']);
  });

  it('say why a code takes nothing off', () => {
    const lines = [line({ id: 'a', unitPriceMinor: 1000 })];
    const reason = (of: Partial<PromotionTerms>) =>
      quote(
        cart({
          lines,
          promotions: [promotion({ id: 'p', scope: 'LINES', effect: PERCENT_10, ...of })],
          codes: [{ code: 'CODE', promotionId: 'p' }],
        }),
      ).codes.map(({ status, reason: why }) => why ?? status);
    expect(reason({})).toEqual(['APPLIED']);
    expect(reason({ obstacle: 'ENDED' })).toEqual(['ENDED']);
    expect(reason({ targets: { ...NOTHING, tags: ['sale'] } })).toEqual(['NO_TARGET']);
    expect(reason({ minSubtotalMinor: 1001n })).toEqual(['MIN_SUBTOTAL_NOT_REACHED']);
    expect(reason({ minSubtotalMinor: 1000n })).toEqual(['APPLIED']);
    expect(reason({ minQuantity: 2 })).toEqual(['MIN_QUANTITY_NOT_REACHED']);
    expect(reason({ countries: ['DE'] })).toEqual(['OTHER_DESTINATION']);
    expect(reason({ budgetLeftMinor: 99n })).toEqual(['BUDGET_USED_UP']);
    expect(reason({ budgetLeftMinor: 100n })).toEqual(['APPLIED']);
    expect(reason({ scope: 'SHIPPING' })).toEqual(['NO_SHIPPING']);
    expect(reason({ effect: { kind: 'PERCENT', ppm: 1 } })).toEqual(['NOTHING_TO_REDUCE']);
    expect(quote(cart({ lines, codes: [{ code: 'WHAT', promotionId: null }] })).codes).toEqual([
      { code: 'WHAT', status: 'UNKNOWN', reason: null, promotionId: null },
    ]);
  });

  it('name the code that lost against a better one', () => {
    const of = quote(
      cart({
        lines: [line({ id: 'a', unitPriceMinor: 1000 })],
        promotions: [
          promotion({ id: 'a', scope: 'ORDER', effect: { kind: 'FIXED_ACROSS', amountMinor: 100n } }),
          promotion({ id: 'b', scope: 'ORDER', effect: { kind: 'FIXED_ACROSS', amountMinor: 200n } }),
        ],
        codes: [
          { code: 'A', promotionId: 'a' },
          { code: 'B', promotionId: 'b' },
        ],
      }),
    );
    expect(of.codes.map(({ reason }) => reason)).toEqual(['NOT_COMBINABLE', null]);
    expect(of.discounts.map(({ code }) => code)).toEqual(['B']);
  });
});

describe('shipping', () => {
  const lines = [line({ id: 'a', unitPriceMinor: 2000, weightGrams: 600, quantity: 2 })];
  const shipping = (methods: ShippingMethodTerms[], chosenMethodId: string | null = null) => ({
    countryCode: 'DE',
    methods,
    chosenMethodId,
  });

  it('takes the only method by itself, and asks for a choice among several', () => {
    expect(quote(cart({ lines, shipping: shipping([method({ id: 'm' })]) }))).toMatchObject({
      shippingState: 'CHOSEN',
      shippingMinor: 490n,
      totalMinor: 4490n,
    });
    const two = [method({ id: 'm' }), method({ id: 'n', price: 900n })];
    expect(quote(cart({ lines, shipping: shipping(two) }))).toMatchObject({
      shippingState: 'METHOD_REQUIRED',
      totalMinor: 4000n,
    });
    expect(quote(cart({ lines, shipping: shipping(two, 'n') }))).toMatchObject({
      shippingState: 'CHOSEN',
      totalMinor: 4900n,
    });
    expect(quote(cart({ lines, shipping: shipping(two, 'gone') }))).toMatchObject({
      shippingState: 'UNAVAILABLE',
      shippingMethod: null,
      totalMinor: 4000n,
    });
  });

  it('is free from an amount of discounted goods on, and says what is missing', () => {
    const of = (unitPriceMinor: number, promotions: PromotionTerms[] = []) =>
      quote(
        cart({
          lines: [line({ id: 'a', unitPriceMinor })],
          promotions,
          shipping: shipping([method({ id: 'm', freeFromMinor: 5000n })]),
        }),
      );
    expect(of(4250)).toMatchObject({ shippingMinor: 490n, freeShippingRemainingMinor: 750n });
    expect(of(5000)).toMatchObject({ shippingMinor: 0n, freeShippingRemainingMinor: null });
    // 10 % off would cost more in shipping than it takes off: the best total goes without.
    const off = promotion({ id: 'p', scope: 'ORDER', effect: { kind: 'PERCENT', ppm: 10_000 } });
    expect(of(5000, [off])).toMatchObject({ shippingMinor: 0n, totalMinor: 5000n });
    const more = promotion({ id: 'p', scope: 'ORDER', effect: { kind: 'PERCENT', ppm: 200_000 } });
    expect(of(5000, [more])).toMatchObject({ shippingMinor: 490n, totalMinor: 4490n });
  });

  it('goes by weight: a band begins at its lower value', () => {
    const parcel = method({
      id: 'm',
      bands: [
        { basis: 'WEIGHT', from: 0n, to: 1200n, priceMinor: 400n },
        { basis: 'WEIGHT', from: 1200n, to: 5000n, priceMinor: 700n },
      ],
    });
    const of = (grams: number) =>
      quote(cart({ lines: [line({ id: 'a', unitPriceMinor: 1, weightGrams: grams })], shipping: shipping([parcel]) }));
    expect([of(1199).shippingMinor, of(1200).shippingMinor]).toEqual([400n, 700n]);
    expect(of(5000)).toMatchObject({ shippingState: 'UNAVAILABLE', shippingOptions: [] });
  });

  it('needs neither address nor method where nothing requires it, or the shop has no zones', () => {
    const download = [line({ id: 'a', unitPriceMinor: 500, requiresShipping: false })];
    const nowhere = { countryCode: null, methods: [], chosenMethodId: null };
    expect(quote(cart({ lines: download, shipping: nowhere })).shippingState).toBe('NOT_NEEDED');
    expect(quote(cart({ lines, shipping: nowhere })).shippingState).toBe('ADDRESS_REQUIRED');
    expect(quote(cart({ lines })).shippingState).toBe('NOT_NEEDED');
  });
});

describe('tax', () => {
  it('is added to prices without tax, after discounts', () => {
    const of = quote(
      cart({
        lines: [line({ id: 'a', unitPriceMinor: 1000 })],
        promotions: [promotion({ id: 'p', scope: 'ORDER', effect: PERCENT_10 })],
        tax: taxes(88_750, { included: false }),
      }),
    );
    expect(of).toMatchObject({ pricesIncludeTax: false, taxMinor: 80n, totalMinor: 980n });
  });

  it('keeps gross prices abroad, or takes the tax out of them', () => {
    const lines = [line({ id: 'a', unitPriceMinor: 2224 })];
    const home = taxes(190_000).rates;
    const kept = quote(cart({ lines, tax: taxes(0, { rates: new Map() }) }));
    expect(kept).toMatchObject({ totalMinor: 2224n, taxMinor: 0n });
    const net = quote(cart({ lines, tax: taxes(0, { rates: new Map(), relief: home }) }));
    expect(net).toMatchObject({ totalMinor: 1869n, taxMinor: 0n, pricesIncludeTax: false });
    const abroad = quote(cart({ lines, tax: taxes(200_000, { relief: home }) }));
    expect(abroad).toMatchObject({ subtotalMinor: 1869n, taxMinor: 374n, totalMinor: 2243n });
  });

  it('is taken out of the price at which each shipping method is offered, too', () => {
    const home = taxes(190_000).rates;
    const of = quote(
      cart({
        lines: [line({ id: 'a', unitPriceMinor: 2224 })],
        promotions: [
          promotion({ id: 'p', scope: 'SHIPPING', effect: { kind: 'PERCENT', ppm: 500_000 }, combinesWith: ALL }),
        ],
        shipping: {
          countryCode: 'JP',
          methods: [method({ id: 'air', price: 2380n }), method({ id: 'sea', price: 1190n })],
          chosenMethodId: 'air',
        },
        tax: taxes(0, { rates: new Map(), relief: home }),
      }),
    );
    expect(of.shippingOptions.map(({ priceMinor, chargedMinor }) => [priceMinor, chargedMinor])).toEqual([
      [1190n, 1000n],
      [595n, 500n],
    ]);
    expect(of.shippingMethod?.chargedMinor).toBe(1000n);
    expect([of.shippingMinor, of.totalMinor]).toEqual([1000n, 2869n]);
  });

  it('on shipping is in proportion to the goods, once and not once per line', () => {
    const rates = new Map([
      ['standard', { title: 'Standard', ppm: 190_000 }],
      ['reduced', { title: 'Reduced', ppm: 70_000 }],
    ]);
    const of = (taxCategoryId: string | null) =>
      quote(
        cart({
          lines: [
            line({ id: 'a', unitPriceMinor: 1000, quantity: 3 }),
            line({ id: 'b', unitPriceMinor: 1000, taxCategoryId: 'reduced' }),
          ],
          shipping: {
            countryCode: 'DE',
            methods: [method({ id: 'm', price: 1000n, taxCategoryId })],
            chosenMethodId: null,
          },
          tax: taxes(0, { included: false, rates }),
        }),
      );
    expect(of(null).shippingTaxes).toEqual([
      { title: 'Standard', ppm: 190_000, amountMinor: 143n },
      { title: 'Reduced', ppm: 70_000, amountMinor: 18n },
    ]);
    expect(of('reduced').shippingTaxes).toEqual([{ title: 'Reduced', ppm: 70_000, amountMinor: 70n }]);
    expect(of('reduced').taxes).toEqual([
      { title: 'Standard', ppm: 190_000, amountMinor: 570n },
      { title: 'Reduced', ppm: 70_000, amountMinor: 140n },
    ]);
  });
});

describe('the hash', () => {
  const input = cart({ lines: [line({ id: 'a', unitPriceMinor: 1000 })] });

  it('changes with what is to be paid, and with nothing else', () => {
    const { hash } = quote(input);
    expect(quote({ ...input, codes: [{ code: 'WHAT', promotionId: null }] }).hash).toBe(hash);
    expect(quote({ ...input, lines: [line({ id: 'b', variantId: 'a', unitPriceMinor: 1000 })] }).hash).toBe(hash);
    for (const other of [
      { ...input, currency: 'USD' },
      { ...input, lines: [line({ id: 'a', unitPriceMinor: 500, quantity: 2 })] },
      { ...input, tax: taxes(190_000) },
      { ...input, promotions: [promotion({ id: 'p', scope: 'ORDER', effect: PERCENT_10 })] },
    ]) {
      expect(quote(other).hash).not.toBe(hash);
    }
  });
});
