import fc from 'fast-check';
import type {
  PromotionEffect,
  PromotionScope,
  PromotionTerms,
  QuoteInput,
  QuoteLineInput,
  ShippingInput,
  Targets,
  TaxInput,
  TaxRateTerms,
} from '../../src/modules/pricing/quote.types.ts';

/* Random carts. Values are small and few, so that lines, targets, bands and limits meet each other often. */

/** Targets that name nothing: as targets they mean all goods, as exclusions none. */
export const NOTHING: Targets = { productIds: [], variantIds: [], categoryIds: [], tags: [] };

const product = fc.constantFrom('p1', 'p2', 'p3');
const variant = fc.constantFrom('v1', 'v2', 'v3', 'v4');
const category = fc.constantFrom('c1', 'c2');
const tag = fc.constantFrom('new', 'sale');
const taxCategory = fc.constantFrom('standard', 'reduced', 'zero', 'unknown');
const amount = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 20_000 }));
const minor = amount.map(BigInt);
const positive = amount.map((value) => BigInt(value + 1));
const ppm = fc.oneof(fc.constantFrom(1_000_000, 500_000, 333_333, 100_000, 1), fc.integer({ min: 1, max: 1_000_000 }));

function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant<T[]>([]) },
    { weight: 1, arbitrary: fc.array(arbitrary, { maxLength: 2 }) },
  );
}

function orNull<T>(arbitrary: fc.Arbitrary<T>, weight = 2): fc.Arbitrary<T | null> {
  return fc.oneof({ weight, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
}

const targets: fc.Arbitrary<Targets> = fc.record({
  productIds: rarely(product),
  variantIds: rarely(variant),
  categoryIds: rarely(category),
  tags: rarely(tag),
});

const line: fc.Arbitrary<Omit<QuoteLineInput, 'id'>> = fc.record({
  variantId: variant,
  productId: product,
  categoryId: orNull(category, 1),
  tags: rarely(tag),
  quantity: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 20 })),
  unitPriceMinor: amount,
  taxCategoryId: orNull(taxCategory, 1),
  weightGrams: orNull(fc.integer({ min: 0, max: 2000 }), 1),
  requiresShipping: fc.constantFrom(true, true, true, false),
});

/** Sets of units, of which some are reduced. */
export const buyXGetY = fc.record({
  kind: fc.constant('BUY_X_GET_Y' as const),
  ppm,
  buyQuantity: fc.integer({ min: 1, max: 3 }),
  getQuantity: fc.integer({ min: 1, max: 2 }),
  maxSets: orNull(fc.integer({ min: 1, max: 3 }), 1),
  getTargets: orNull(targets, 1),
});

const effects: Record<PromotionScope, fc.Arbitrary<PromotionEffect>> = {
  LINES: fc.oneof<fc.Arbitrary<PromotionEffect>[]>(
    fc.record({ kind: fc.constant('PERCENT' as const), ppm }),
    fc.record({ kind: fc.constant('FIXED_EACH' as const), amountMinor: positive }),
    fc.record({ kind: fc.constant('FIXED_ACROSS' as const), amountMinor: positive }),
    fc.constant({ kind: 'FREE' as const }),
    buyXGetY,
  ),
  ORDER: fc.oneof<fc.Arbitrary<PromotionEffect>[]>(
    fc.record({ kind: fc.constant('PERCENT' as const), ppm }),
    fc.record({ kind: fc.constant('FIXED_ACROSS' as const), amountMinor: positive }),
    fc.constant({ kind: 'FREE' as const }),
  ),
  SHIPPING: fc.oneof<fc.Arbitrary<PromotionEffect>[]>(
    fc.record({ kind: fc.constant('PERCENT' as const), ppm }),
    fc.record({ kind: fc.constant('FIXED_ACROSS' as const), amountMinor: positive }),
    fc.constant({ kind: 'FREE' as const }),
  ),
};

/** A promotion without its id. */
export const promotion: fc.Arbitrary<Omit<PromotionTerms, 'id'>> = fc
  .constantFrom<PromotionScope>('LINES', 'LINES', 'ORDER', 'SHIPPING')
  .chain((scope) =>
    fc.record({
      title: fc.constant('A promotion'),
      scope: fc.constant(scope),
      effect: effects[scope],
      targets: fc.oneof({ weight: 2, arbitrary: fc.constant(NOTHING) }, { weight: 1, arbitrary: targets }),
      exclusions: fc.oneof({ weight: 4, arbitrary: fc.constant(NOTHING) }, { weight: 1, arbitrary: targets }),
      minSubtotalMinor: orNull(minor, 4),
      minQuantity: orNull(fc.integer({ min: 0, max: 10 }), 6),
      countries: fc.oneof(
        { weight: 6, arbitrary: fc.constant<string[]>([]) },
        { weight: 1, arbitrary: fc.subarray(['DE', 'US'], { minLength: 1 }) },
      ),
      priority: fc.integer({ min: 0, max: 2 }),
      combinesWith: fc.oneof(
        fc.subarray<PromotionScope>(['LINES', 'ORDER', 'SHIPPING']),
        fc.constant<PromotionScope[]>(['LINES', 'ORDER', 'SHIPPING']),
      ),
      budgetLeftMinor: orNull(minor, 6),
      obstacle: fc.oneof(
        { weight: 20, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.constant('USED_UP' as const) },
      ),
    }),
  );

const band = fc.record({
  basis: fc.constantFrom('WEIGHT' as const, 'SUBTOTAL' as const),
  from: fc.oneof(fc.constant(0n), minor),
  to: fc.constant<bigint | null>(null),
  priceMinor: minor,
});

const shipping: fc.Arbitrary<ShippingInput | null> = fc.oneof(
  fc.constant(null),
  fc.record({
    countryCode: fc.constantFrom('DE', 'US', 'JP', null),
    methods: fc
      .array(
        fc.record({
          title: fc.constant('Parcel'),
          taxCategoryId: orNull(taxCategory, 1),
          freeFromMinor: orNull(minor, 1),
          bands: fc.array(band, { minLength: 1, maxLength: 3 }),
        }),
        { maxLength: 3 },
      )
      .map((methods) => methods.map((method, index) => ({ id: `m${index}`, ...method }))),
    chosenMethodId: fc.constantFrom(null, 'm0', 'm1', 'm2', 'gone'),
  }),
);

const RATES: readonly [string, TaxRateTerms][] = [
  ['standard', { title: 'Standard', ppm: 190_000 }],
  ['reduced', { title: 'Reduced', ppm: 70_000 }],
  ['zero', { title: 'Zero', ppm: 0 }],
];
const rates = fc.subarray([...RATES]).map((chosen) => new Map(chosen));

const tax: fc.Arbitrary<TaxInput | null> = fc.oneof(
  fc.constant(null),
  fc.record({
    included: fc.boolean(),
    defaultCategoryId: fc.constantFrom('standard', 'standard', null),
    rates,
    relief: orNull(rates, 3),
  }),
);

/** Any cart. IDs are not in the order of the lists. */
export function cart({ maxLines = 6, maxPromotions = 5 } = {}): fc.Arbitrary<QuoteInput> {
  const ids = (prefix: string, most: number) =>
    fc.shuffledSubarray(
      Array.from({ length: most }, (_, index) => `${prefix}${index}`),
      { minLength: most },
    );
  return fc
    .record({
      lines: fc.array(line, { maxLength: maxLines }),
      lineIds: ids('l', maxLines),
      promotions: fc.array(promotion, { maxLength: maxPromotions }),
      promotionIds: ids('r', maxPromotions),
      coded: fc.subarray(Array.from({ length: maxPromotions }, (_, index) => `r${index}`)),
      unknown: fc.boolean(),
      shipping,
      tax,
    })
    .map(({ lines, lineIds, promotions, promotionIds, coded, unknown, ...rest }) => ({
      currency: 'EUR',
      ...rest,
      lines: lines.map((of, index) => ({ id: lineIds[index] ?? '', ...of })),
      promotions: promotions.map((of, index) => ({ id: promotionIds[index] ?? '', ...of })),
      codes: [
        ...coded
          .filter((id) => promotionIds.indexOf(id) < promotions.length)
          .map((promotionId) => ({ code: promotionId.toUpperCase(), promotionId })),
        ...(unknown ? [{ code: 'WHAT', promotionId: null }] : []),
      ],
    }));
}
