import { reductionsOf, type Candidate, type Goods } from './promotion-steps.ts';
import { quoteShipping, weightOf, type QuotedShipping } from './quote-shipping.ts';
import { isIncluded, reliefOf, taxOfLine, taxShipping, type Weighed } from './quote-tax.ts';
import type { AppliedAmount, QuotedLine, QuoteInput, QuoteLineInput, TaxAmount } from './quote.types.ts';
import { lineTotalMinor } from './totals.ts';

/*
 * What a cart costs under one set of promotions. The search for the best set asks for totals alone; only the best set is itemized.
 */

/** The lines of a cart before discounts. */
export interface Basis {
  lines: QuoteLineInput[];
  /** By line: price times quantity, less the relief. */
  totals: bigint[];
  reliefs: bigint[];
  quantities: number[];
  weightGrams: bigint;
}

/** The lines of a cart in the order of their ids, so that the order in which a cart lists them never matters. */
export function basisOf(input: QuoteInput): Basis {
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

/** The goods as far as the tax on shipping depends on them. @param costs by line, after discounts */
export function weighedOf(basis: Basis, costs: readonly bigint[]): Weighed[] {
  return basis.lines.map((line, index) => ({
    line,
    discountedMinor: costs[index] ?? 0n,
    totalMinor: basis.totals[index] ?? 0n,
  }));
}

/** A cart under a set of promotions. Lines are in the order of the basis. */
export interface PricedSet {
  /** By line: what it costs after discounts. */
  costs: readonly bigint[];
  /** By line. */
  discounts: readonly AppliedAmount[][];
  shipping: QuotedShipping;
  totalMinor: bigint;
  /** IDs of the promotions that took something off, in ascending order. */
  appliedIds: string[];
  /** Promotions whose budget does not cover what they would take off. */
  overBudget: ReadonlySet<string>;
}

/** Applies a set of promotions, which is in the order in which to apply it: the steps of docs/pricing.md. */
export function applySet(input: QuoteInput, basis: Basis, set: readonly Candidate[]): PricedSet {
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
    }
    if (reductions.length > 0) applied.add(id);
  }

  const { costs } = goods;
  const goodsMinor = costs.reduce((sum, cost) => sum + cost, 0n);
  const onShipping = set.filter(({ terms }) => terms.scope === 'SHIPPING');
  const shipping = quoteShipping(input, { weightGrams: basis.weightGrams, goodsMinor }, onShipping);
  for (const { promotionId } of shipping.discounts) applied.add(promotionId);
  return {
    costs,
    discounts,
    shipping,
    totalMinor: goodsMinor + withTax(input, basis, { costs, shipping }),
    appliedIds: [...applied].toSorted(),
    overBudget,
  };
}

type Charged = Pick<PricedSet, 'costs' | 'shipping'>;

function taxedShipping(input: QuoteInput, basis: Basis, { costs, shipping }: Charged): ReturnType<typeof taxShipping> {
  return taxShipping(input.tax, {
    amountMinor: shipping.method?.priceMinor ?? 0n,
    categoryId: shipping.method?.terms.taxCategoryId ?? null,
    goods: weighedOf(basis, costs),
  });
}

/** What is to be paid beside the goods: the shipping, and all tax that prices do not contain. */
function withTax(input: QuoteInput, basis: Basis, of: Charged): bigint {
  // Contained in the prices, tax changes no total: it is not computed for sets that are merely compared.
  if (input.tax === null || isIncluded(input.tax)) return of.shipping.method?.priceMinor ?? 0n;
  const { amountMinor, taxes } = taxedShipping(input, basis, of);
  let sum = amountMinor;
  for (const tax of taxes) sum += tax.amountMinor;
  for (const [index, line] of basis.lines.entries()) {
    sum += taxOfLine(input.tax, line, of.costs[index] ?? 0n)?.amountMinor ?? 0n;
  }
  return sum;
}

/** What a set comes to, with the tax of each line and of the shipping. */
export function itemize(
  input: QuoteInput,
  basis: Basis,
  { costs, discounts, shipping }: PricedSet,
): { lines: QuotedLine[]; shippingMinor: bigint; shippingTaxes: TaxAmount[] } {
  const lines = basis.lines.map((line, index) => {
    const discountedMinor = costs[index] ?? 0n;
    const totalMinor = basis.totals[index] ?? 0n;
    const tax = taxOfLine(input.tax, line, discountedMinor);
    return {
      id: line.id,
      totalMinor,
      reliefMinor: basis.reliefs[index] ?? 0n,
      discounts: discounts[index] ?? [],
      discountMinor: totalMinor - discountedMinor,
      discountedMinor,
      tax,
      taxMinor: tax?.amountMinor ?? 0n,
    };
  });
  const { amountMinor, taxes } = taxedShipping(input, basis, { costs, shipping });
  return { lines, shippingMinor: amountMinor, shippingTaxes: taxes };
}
