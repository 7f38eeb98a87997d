import { performance } from 'node:perf_hooks';
import { quote } from '../src/modules/pricing/quote.ts';
import type { PromotionTerms, QuoteInput, QuoteLineInput } from '../src/modules/pricing/quote.types.ts';

/*
 * How long a quote takes: `npm run bench:quote`. Prints the median of many quotes of a cart of 100 lines with 50 promotions, in
 * several shapes, and fails if one takes longer than 5 ms.
 */

const LINES = 100;
const PROMOTIONS = 50;
const LIMIT_MS = 5;
const RUNS = 200;

const NOTHING = { productIds: [], variantIds: [], categoryIds: [], tags: [] };
const ALL = ['LINES', 'ORDER', 'SHIPPING'] as const;
const pad = (n: number) => String(n).padStart(3, '0');

function line(index: number): QuoteLineInput {
  return {
    id: `line-${pad((index * 37) % LINES)}`,
    variantId: `variant-${index}`,
    productId: `product-${index % 40}`,
    categoryId: `category-${index % 7}`,
    tags: [`tag-${index % 5}`, `tag-${index % 3}`],
    quantity: 1 + (index % 4),
    unitPriceMinor: 199 + ((index * 7919) % 9000),
    taxCategoryId: index % 3 === 0 ? 'reduced' : null,
    weightGrams: 250,
    requiresShipping: true,
  };
}

function effectOf(index: number): Pick<PromotionTerms, 'scope' | 'effect'> {
  switch (index % 6) {
    case 0:
      return { scope: 'LINES', effect: { kind: 'PERCENT', ppm: 20_000 } };
    case 1:
      return { scope: 'LINES', effect: { kind: 'FIXED_EACH', amountMinor: 5n } };
    case 2:
      return { scope: 'ORDER', effect: { kind: 'FIXED_ACROSS', amountMinor: 100n } };
    case 3:
      return { scope: 'ORDER', effect: { kind: 'PERCENT', ppm: 10_000 } };
    case 4:
      return {
        scope: 'LINES',
        effect: { kind: 'BUY_X_GET_Y', ppm: 500_000, buyQuantity: 2, getQuantity: 1, maxSets: 2, getTargets: null },
      };
    default:
      return { scope: 'SHIPPING', effect: { kind: 'PERCENT', ppm: 100_000 } };
  }
}

function promotion(index: number, of: Partial<PromotionTerms>): PromotionTerms {
  return {
    id: `promotion-${pad(index)}`,
    title: `Promotion ${index}`,
    targets: NOTHING,
    exclusions: NOTHING,
    minSubtotalMinor: null,
    minQuantity: null,
    countries: [],
    priority: index % 3,
    combinesWith: ALL,
    budgetLeftMinor: index % 10 === 0 ? 1_000_000n : null,
    obstacle: null,
    ...effectOf(index),
    ...of,
  };
}

function cart(of: (index: number) => Partial<PromotionTerms>, freeFrom: bigint | null = null): QuoteInput {
  const rates = new Map([
    ['standard', { title: 'VAT', ppm: 190_000 }],
    ['reduced', { title: 'VAT', ppm: 70_000 }],
  ]);
  const promotions = Array.from({ length: PROMOTIONS }, (_, index) => promotion(index, of(index)));
  return {
    currency: 'EUR',
    lines: Array.from({ length: LINES }, (_, index) => line(index)),
    promotions,
    codes: promotions.slice(0, 10).map(({ id }) => ({ code: id.toUpperCase(), promotionId: id })),
    shipping: {
      countryCode: 'DE',
      methods: ['a', 'b', 'c'].map((id, index) => ({
        id,
        title: id,
        taxCategoryId: null,
        freeFromMinor: freeFrom,
        bands: [{ basis: 'WEIGHT', from: 0n, to: null, priceMinor: BigInt(490 + 200 * index) }],
      })),
      chosenMethodId: 'a',
    },
    tax: { included: true, defaultCategoryId: 'standard', rates, relief: null },
  };
}

const narrow = (index: number): Partial<PromotionTerms> => ({
  targets: { ...NOTHING, categoryIds: [`category-${index % 7}`], tags: [`tag-${index % 5}`] },
});

const CASES: Readonly<Record<string, QuoteInput>> = {
  'all apply to everything': cart(() => ({})),
  'each applies to some lines': cart(narrow),
  'shipping is free from an amount': cart(narrow, 100_000n),
  'no two may be combined': cart(() => ({ combinesWith: [] })),
  'some may be combined': cart((index) => ({ combinesWith: index % 2 === 0 ? ['SHIPPING'] : ALL })),
  'none applies': cart(() => ({ minQuantity: 10_000 })),
};

const only = process.argv[2];
let isSlow = false;
for (const [name, input] of Object.entries(CASES)) {
  if (only !== undefined && !name.includes(only)) continue;
  for (let warm = 0; warm < RUNS; warm += 1) quote(input);
  const took = Array.from({ length: RUNS }, () => {
    const began = performance.now();
    quote(input);
    return performance.now() - began;
  }).toSorted((a, b) => a - b);
  const median = took[Math.floor(RUNS / 2)] ?? 0;
  const high = took[Math.floor(RUNS * 0.95)] ?? 0;
  isSlow ||= median > LIMIT_MS;
  console.log(`${name.padEnd(34)} median ${median.toFixed(2)} ms, 95 % ${high.toFixed(2)} ms`);
}
console.log(isSlow ? `\nSlower than ${LIMIT_MS} ms.` : `\nAll within ${LIMIT_MS} ms.`);
process.exit(isSlow ? 1 : 0);
