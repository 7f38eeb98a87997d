import { partOf } from './arithmetic.ts';
import type { Candidate } from './promotion-steps.ts';
import type {
  AppliedAmount,
  QuoteInput,
  ShippingBand,
  ShippingMethodTerms,
  ShippingOption,
  ShippingState,
} from './quote.types.ts';

/** An option before it is taxed. */
export type UntaxedOption = Omit<ShippingOption, 'chargedMinor'>;

/** What shipping costs, before it is taxed. */
export interface QuotedShipping {
  state: ShippingState;
  options: UntaxedOption[];
  method: (UntaxedOption & { terms: ShippingMethodTerms }) | null;
  discounts: AppliedAmount[];
  freeRemainingMinor: bigint | null;
}

function contains({ from, to }: ShippingBand, value: bigint): boolean {
  return value >= from && (to === null || value < to);
}

/** The price of a method before promotions, or null where it is not available for such a cart. */
function listPrice(
  { bands, freeFromMinor }: ShippingMethodTerms,
  { weightGrams, goodsMinor }: { weightGrams: bigint; goodsMinor: bigint },
): bigint | null {
  let price: bigint | null = null;
  for (const band of bands) {
    if (!contains(band, band.basis === 'WEIGHT' ? weightGrams : goodsMinor)) continue;
    if (price === null || band.priceMinor < price) price = band.priceMinor;
  }
  return price !== null && freeFromMinor !== null && goodsMinor >= freeFromMinor ? 0n : price;
}

/** What promotions of shipping take off a price, in their order. */
function reduce(
  listMinor: bigint,
  promotions: readonly Candidate[],
): { priceMinor: bigint; discounts: AppliedAmount[] } {
  let priceMinor = listMinor;
  const discounts: AppliedAmount[] = [];
  for (const { terms } of promotions) {
    const { effect } = terms;
    const wanted =
      effect.kind === 'PERCENT'
        ? partOf(priceMinor, effect.ppm)
        : 'amountMinor' in effect
          ? effect.amountMinor
          : priceMinor;
    const amountMinor = wanted < priceMinor ? wanted : priceMinor;
    if (amountMinor === 0n || (terms.budgetLeftMinor !== null && amountMinor > terms.budgetLeftMinor)) continue;
    priceMinor -= amountMinor;
    discounts.push({ promotionId: terms.id, amountMinor });
  }
  return { priceMinor, discounts };
}

/** Whether the price of shipping depends on what the goods cost. */
export function dependsOnGoods(methods: readonly ShippingMethodTerms[]): boolean {
  return methods.some(
    ({ bands, freeFromMinor }) => freeFromMinor !== null || bands.some(({ basis }) => basis === 'SUBTOTAL'),
  );
}

/** Grams of everything that requires shipping. */
export function weightOf(lines: QuoteInput['lines']): bigint {
  return lines.reduce(
    (sum, { weightGrams, quantity, requiresShipping }) =>
      requiresShipping ? sum + BigInt(weightGrams ?? 0) * BigInt(quantity) : sum,
    0n,
  );
}

/**
 * Prices the methods that are available, and finds the one that is chosen: the only one is chosen by itself.
 * @param goods the weight, and what the goods cost after discounts
 * @param promotions those of shipping, in the order in which to apply them
 */
export function quoteShipping(
  { shipping, lines }: Pick<QuoteInput, 'shipping' | 'lines'>,
  goods: { weightGrams: bigint; goodsMinor: bigint },
  promotions: readonly Candidate[],
): QuotedShipping {
  const none = { options: [], method: null, discounts: [], freeRemainingMinor: null };
  if (shipping === null || !lines.some((line) => line.requiresShipping)) return { state: 'NOT_NEEDED', ...none };
  if (shipping.countryCode === null) return { state: 'ADDRESS_REQUIRED', ...none };
  const priced = shipping.methods.flatMap((terms) => {
    const listMinor = listPrice(terms, goods);
    if (listMinor === null) return [];
    const { priceMinor, discounts } = reduce(listMinor, promotions);
    return [{ terms, methodId: terms.id, title: terms.title, listMinor, priceMinor, discounts }];
  });
  const options = priced.map(({ methodId, title, listMinor, priceMinor }) => ({
    methodId,
    title,
    listMinor,
    priceMinor,
  }));
  const { chosenMethodId } = shipping;
  const chosen =
    chosenMethodId === null
      ? priced.length === 1
        ? priced[0]
        : undefined
      : priced.find(({ methodId }) => methodId === chosenMethodId);
  if (chosen === undefined) {
    const state = chosenMethodId === null && priced.length > 0 ? 'METHOD_REQUIRED' : 'UNAVAILABLE';
    return { ...none, state, options };
  }
  const { discounts, ...method } = chosen;
  const { freeFromMinor } = chosen.terms;
  const isShort = freeFromMinor !== null && goods.goodsMinor < freeFromMinor && chosen.priceMinor > 0n;
  return {
    state: 'CHOSEN',
    options,
    method,
    discounts,
    freeRemainingMinor: isShort ? freeFromMinor - goods.goodsMinor : null,
  };
}
