import { createHash } from 'node:crypto';
import { findBest } from './best-promotions.ts';
import { byStep, mostOff, toCandidate, type Candidate } from './promotion-steps.ts';
import { applySet, basisOf, itemize, weighedOf, type Basis, type PricedSet } from './quote-set.ts';
import { dependsOnGoods, type UntaxedOption } from './quote-shipping.ts';
import { isIncluded, taxShipping } from './quote-tax.ts';
import { sumByPromotion, sumByRate } from './sums.ts';
import type {
  AppliedAmount,
  AppliedPromotion,
  InapplicableReason,
  PromotionTerms,
  Quote,
  QuotedCode,
  QuoteInput,
  ShippingMethodTerms,
  ShippingOption,
} from './quote.types.ts';

/** A bound for the search: no set costs less than the goods less the most that each promotion can take off, with tax and rounding. */
function floorsOf(input: QuoteInput, basis: Basis): (set: readonly Candidate[]) => bigint {
  const ppm = isIncluded(input.tax)
    ? 0
    : Math.max(0, ...[...(input.tax?.rates.values() ?? [])].map((rate) => rate.ppm));
  const slack = BigInt(2 * basis.lines.length);
  const goods = basis.totals.reduce((sum, total) => sum + total, 0n);
  const mosts = new Map<string, bigint>();
  const mostOf = (candidate: Candidate): bigint => {
    const { id, scope } = candidate.terms;
    const known = mosts.get(id);
    if (known !== undefined) return known;
    const untouched = { costs: [...basis.totals], quantities: basis.quantities, counted: basis.lines.map(() => 0) };
    const off = scope === 'SHIPPING' ? 0n : mostOff(candidate, untouched);
    const most = off + slack + (off * BigInt(ppm)) / 1_000_000n;
    mosts.set(id, most);
    return most;
  };
  return (set) => set.reduce((floor, candidate) => floor - mostOf(candidate), goods);
}

function hashOf(of: Omit<Quote, 'hash'>, input: QuoteInput): string {
  const paid = [
    of.currency,
    of.pricesIncludeTax,
    of.lines
      .map((line, index) => {
        const { variantId, quantity, unitPriceMinor } = input.lines[index] ?? {
          variantId: '',
          quantity: 0,
          unitPriceMinor: 0,
        };
        return [variantId, unitPriceMinor, quantity, `${line.discountedMinor}`, `${line.taxMinor}`].join(' ');
      })
      .toSorted(),
    of.discounts.map(({ promotionId, amountMinor }) => [promotionId, `${amountMinor}`]),
    of.shippingMethod?.methodId ?? null,
    of.shippingDiscounts.map(({ promotionId, amountMinor }) => [promotionId, `${amountMinor}`]),
    `${of.shippingMinor}`,
    of.taxes.map(({ title, ppm, amountMinor }) => [title, ppm, `${amountMinor}`]),
    `${of.totalMinor}`,
  ];
  return createHash('sha256').update(JSON.stringify(paid)).digest('base64url');
}

/** What each promotion took off, in the order in which promotions are applied: those of lines first, then those of the order. */
function appliedOf(
  amounts: readonly AppliedAmount[],
  terms: ReadonlyMap<string, PromotionTerms>,
  codes: QuoteInput['codes'],
): AppliedPromotion[] {
  return sumByPromotion(amounts)
    .flatMap(({ promotionId, amountMinor }) => {
      const promotion = terms.get(promotionId);
      return promotion === undefined ? [] : [{ terms: promotion, amountMinor }];
    })
    .toSorted(byStep)
    .map(({ terms: { id, title, scope }, amountMinor }) => {
      const code = codes.find(({ promotionId }) => promotionId === id)?.code ?? null;
      return { promotionId: id, title, scope, code, amountMinor };
    });
}

function codesOf(
  codes: QuoteInput['codes'],
  priced: PricedSet,
  reasons: ReadonlyMap<string, InapplicableReason>,
): QuotedCode[] {
  return codes.map(({ code, promotionId }) => {
    if (promotionId === null) return { code, status: 'UNKNOWN', reason: null, promotionId };
    if (priced.appliedIds.includes(promotionId)) return { code, status: 'APPLIED', reason: null, promotionId };
    const reason = priced.overBudget.has(promotionId) ? 'BUDGET_USED_UP' : reasons.get(promotionId);
    return { code, status: 'NOT_APPLICABLE', reason: reason ?? 'NOT_COMBINABLE', promotionId };
  });
}

/**
 * Computes what a cart costs: the only place where the shop adds up prices. Pure: the same input gives the same quote everywhere,
 * and the order of lines, promotions and codes changes nothing of what is paid.
 *
 * The steps, each on the result of the one before: lines; promotions of lines, then buy X get Y, then promotions of the order;
 * shipping and its promotions; tax by line, half up. Amounts that cover several lines are shared out by largest remainder.
 * Of promotions that cannot be combined those are taken that make the total the lowest.
 */
export function quote(input: QuoteInput): Quote {
  const basis = basisOf(input);
  const countryCode = input.shipping?.countryCode ?? null;
  const reasons = new Map<string, InapplicableReason>();
  const candidates: Candidate[] = [];
  for (const terms of input.promotions) {
    const candidate = toCandidate(terms, { lines: basis.lines, totals: basis.totals, countryCode });
    if (typeof candidate === 'string') reasons.set(terms.id, candidate);
    else candidates.push(candidate);
  }
  const methods: readonly ShippingMethodTerms[] = input.shipping?.methods ?? [];
  const best = findBest(candidates, {
    evaluate: (set) => applySet(input, basis, set),
    floorOf: floorsOf(input, basis),
    lineCount: basis.lines.length,
    shippingDependsOnGoods: dependsOnGoods(methods),
  });
  // Those that were left out, or did nothing: would they have done something alone?
  for (const candidate of candidates) {
    const { id, scope } = candidate.terms;
    if (best.appliedIds.includes(id) || !input.codes.some(({ promotionId }) => promotionId === id)) continue;
    const alone = applySet(input, basis, [candidate]);
    if (alone.overBudget.has(id)) reasons.set(id, 'BUDGET_USED_UP');
    else if (!alone.appliedIds.includes(id)) {
      reasons.set(id, scope === 'SHIPPING' && best.shipping.method === null ? 'NO_SHIPPING' : 'NOTHING_TO_REDUCE');
    }
  }

  const priced = itemize(input, basis, best);
  const terms = new Map(input.promotions.map((promotion) => [promotion.id, promotion]));
  const byId = new Map(priced.lines.map((line) => [line.id, line]));
  const lines = input.lines.flatMap(({ id }) => byId.get(id) ?? []);
  const taxes = sumByRate([...priced.lines.flatMap((line) => line.tax ?? []), ...priced.shippingTaxes]);
  const { shipping } = best;
  const method = shipping.method;
  const charged = ({ methodId, title, listMinor, priceMinor }: UntaxedOption): ShippingOption => {
    const categoryId = methods.find(({ id }) => id === methodId)?.taxCategoryId ?? null;
    const of = { amountMinor: priceMinor, categoryId, goods: weighedOf(basis, best.costs) };
    return { methodId, title, listMinor, priceMinor, chargedMinor: taxShipping(input.tax, of).amountMinor };
  };
  const result: Omit<Quote, 'hash'> = {
    currency: input.currency,
    pricesIncludeTax: isIncluded(input.tax),
    quantity: basis.quantities.reduce((sum, quantity) => sum + quantity, 0),
    lines,
    subtotalMinor: lines.reduce((sum, { totalMinor }) => sum + totalMinor, 0n),
    discounts: appliedOf(
      priced.lines.flatMap((line) => line.discounts),
      terms,
      input.codes,
    ),
    discountMinor: lines.reduce((sum, { discountMinor }) => sum + discountMinor, 0n),
    shippingState: shipping.state,
    shippingOptions: shipping.options.map(charged),
    shippingMethod: method === null ? null : charged(method),
    shippingDiscounts: appliedOf(shipping.discounts, terms, input.codes),
    shippingMinor: priced.shippingMinor,
    shippingTaxes: priced.shippingTaxes,
    freeShippingRemainingMinor: shipping.freeRemainingMinor,
    taxes,
    taxMinor: taxes.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
    totalMinor: best.totalMinor,
    codes: codesOf(input.codes, best, reasons),
  };
  return { ...result, hash: hashOf(result, input) };
}
