import { createHash } from 'node:crypto';
import { findBest } from './best-promotions.ts';
import { reductionsOf, toCandidate, type Candidate, type Goods } from './promotion-steps.ts';
import { dependsOnGoods, quoteShipping, weightOf, type QuotedShipping, type UntaxedOption } from './quote-shipping.ts';
import { isIncluded, reliefOf, taxOfLine, taxShipping, type Weighed } from './quote-tax.ts';
import { sumByPromotion, sumByRate } from './sums.ts';
import { lineTotalMinor } from './totals.ts';
import type {
  AppliedAmount,
  AppliedPromotion,
  InapplicableReason,
  PromotionTerms,
  Quote,
  QuotedCode,
  QuotedLine,
  QuoteInput,
  QuoteLineInput,
  ShippingMethodTerms,
  ShippingOption,
  TaxAmount,
} from './quote.types.ts';

/** What a cart costs under one set of promotions. Lines are in the order of their ids. */
interface Priced {
  lines: (QuotedLine & { discounts: AppliedAmount[] })[];
  shipping: QuotedShipping;
  shippingMinor: bigint;
  shippingTaxes: TaxAmount[];
  totalMinor: bigint;
  /** IDs of the promotions that took something off, in ascending order. */
  appliedIds: string[];
  /** Promotions whose budget does not cover what they would take off. */
  overBudget: Set<string>;
}

/** The lines of a cart before discounts. */
interface Basis {
  lines: QuoteLineInput[];
  /** By line: price times quantity, less the relief. */
  totals: bigint[];
  reliefs: bigint[];
  quantities: number[];
  weightGrams: bigint;
}

function basisOf(input: QuoteInput): Basis {
  const lines = [...input.lines].toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const grosses = lines.map(lineTotalMinor);
  const reliefs = lines.map((line, index) => reliefOf(input.tax, line, grosses[index] ?? 0n));
  return {
    lines,
    reliefs,
    totals: grosses.map((gross, index) => gross - (reliefs[index] ?? 0n)),
    quantities: lines.map(({ quantity }) => quantity),
    weightGrams: weightOf(lines),
  };
}

/** The lines as far as the tax on shipping depends on them. */
function weighedOf(basis: Basis, lines: readonly Pick<QuotedLine, 'discountedMinor' | 'totalMinor'>[]): Weighed[] {
  return lines.map(({ discountedMinor, totalMinor }, index) => ({
    line: basis.lines[index] ?? { taxCategoryId: null, quantity: 0 },
    discountedMinor,
    totalMinor,
  }));
}

/** Prices a cart with a set of promotions, which is in the order in which to apply it: the steps of docs/pricing.md. */
function price(input: QuoteInput, basis: Basis, set: readonly Candidate[]): Priced {
  const goods: Goods = { costs: [...basis.totals], quantities: basis.quantities, counted: basis.lines.map(() => 0) };
  const discounts: AppliedAmount[][] = basis.lines.map(() => []);
  const applied = new Set<string>();
  const overBudget = new Set<string>();
  for (const candidate of set) {
    const { id, scope, budgetLeftMinor } = candidate.terms;
    if (scope === 'SHIPPING') continue;
    const countedBefore = budgetLeftMinor === null ? null : [...goods.counted];
    const reductions = reductionsOf(candidate, goods);
    if (countedBefore !== null && budgetLeftMinor !== null) {
      if (reductions.reduce((sum, { amountMinor }) => sum + amountMinor, 0n) > budgetLeftMinor) {
        goods.counted = countedBefore;
        overBudget.add(id);
        continue;
      }
    }
    for (const { index, amountMinor } of reductions) {
      goods.costs[index] = (goods.costs[index] ?? 0n) - amountMinor;
      discounts[index]?.push({ promotionId: id, amountMinor });
      applied.add(id);
    }
  }

  let totalMinor = 0n;
  const lines = basis.lines.map((line, index) => {
    const discountedMinor = goods.costs[index] ?? 0n;
    const total = basis.totals[index] ?? 0n;
    const tax = taxOfLine(input.tax, line, discountedMinor);
    totalMinor += discountedMinor;
    return {
      id: line.id,
      totalMinor: total,
      reliefMinor: basis.reliefs[index] ?? 0n,
      discounts: discounts[index] ?? [],
      discountMinor: total - discountedMinor,
      discountedMinor,
      tax,
      taxMinor: tax?.amountMinor ?? 0n,
    };
  });
  const goodsMinor = totalMinor;
  const onShipping = set.filter(({ terms }) => terms.scope === 'SHIPPING');
  const shipping = quoteShipping(input, { weightGrams: basis.weightGrams, goodsMinor }, onShipping);
  for (const { promotionId } of shipping.discounts) applied.add(promotionId);
  const { amountMinor: shippingMinor, taxes: shippingTaxes } = taxShipping(input.tax, {
    amountMinor: shipping.method?.priceMinor ?? 0n,
    categoryId: shipping.method?.terms.taxCategoryId ?? null,
    goods: weighedOf(basis, lines),
  });
  totalMinor += shippingMinor;
  if (!isIncluded(input.tax)) {
    for (const { taxMinor } of lines) totalMinor += taxMinor;
    for (const { amountMinor } of shippingTaxes) totalMinor += amountMinor;
  }
  return { lines, shipping, shippingMinor, shippingTaxes, totalMinor, appliedIds: [...applied].toSorted(), overBudget };
}

/** A bound for the search: no set costs less than the goods less what each promotion takes off alone, with tax and rounding. */
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
    const costs = [...basis.totals];
    const alone = { costs, quantities: basis.quantities, counted: basis.lines.map(() => 0) };
    const off =
      scope === 'SHIPPING'
        ? 0n
        : reductionsOf(candidate, alone).reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
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

/** What each promotion took off, in the order in which they first did. */
function appliedOf(
  amounts: readonly AppliedAmount[],
  terms: ReadonlyMap<string, PromotionTerms>,
  codes: QuoteInput['codes'],
): AppliedPromotion[] {
  return sumByPromotion(amounts).flatMap(({ promotionId, amountMinor }) => {
    const promotion = terms.get(promotionId);
    if (promotion === undefined) return [];
    const code = codes.find((entered) => entered.promotionId === promotionId)?.code ?? null;
    return [{ promotionId, title: promotion.title, scope: promotion.scope, code, amountMinor }];
  });
}

function codesOf(
  codes: QuoteInput['codes'],
  priced: Priced,
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
  const priced = findBest(candidates, {
    evaluate: (set) => price(input, basis, set),
    floorOf: floorsOf(input, basis),
    lineCount: basis.lines.length,
    shippingDependsOnGoods: dependsOnGoods(methods),
  });
  // Those that were left out, or did nothing: would they have done something alone?
  for (const candidate of candidates) {
    const { id, scope } = candidate.terms;
    if (priced.appliedIds.includes(id) || !input.codes.some(({ promotionId }) => promotionId === id)) continue;
    const alone = price(input, basis, [candidate]);
    if (alone.overBudget.has(id)) reasons.set(id, 'BUDGET_USED_UP');
    else if (!alone.appliedIds.includes(id)) {
      reasons.set(id, scope === 'SHIPPING' && priced.shipping.method === null ? 'NO_SHIPPING' : 'NOTHING_TO_REDUCE');
    }
  }

  const terms = new Map(input.promotions.map((promotion) => [promotion.id, promotion]));
  const byId = new Map(priced.lines.map((line) => [line.id, line]));
  const lines = input.lines.flatMap(({ id }) => byId.get(id) ?? []);
  const taxes = sumByRate([...priced.lines.flatMap((line) => line.tax ?? []), ...priced.shippingTaxes]);
  const { shipping } = priced;
  const method = shipping.method;
  const charged = ({ methodId, title, listMinor, priceMinor }: UntaxedOption): ShippingOption => {
    const categoryId = methods.find(({ id }) => id === methodId)?.taxCategoryId ?? null;
    const of = { amountMinor: priceMinor, categoryId, goods: weighedOf(basis, priced.lines) };
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
    totalMinor: priced.totalMinor,
    codes: codesOf(input.codes, priced, reasons),
  };
  return { ...result, hash: hashOf(result, input) };
}
