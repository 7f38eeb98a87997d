import { containedTax, partOf, shareOut } from './arithmetic.ts';
import type { QuoteLineInput, TaxAmount, TaxInput, TaxRateTerms } from './quote.types.ts';

/** The tax that was taken out of prices, or that is to be paid on what is left. */
type Rates = ReadonlyMap<string, TaxRateTerms>;

function rateOf(rates: Rates, tax: TaxInput, categoryId: string | null): TaxRateTerms | null {
  const id = categoryId ?? tax.defaultCategoryId;
  return id === null ? null : (rates.get(id) ?? null);
}

/** Whether the tax is contained in the amounts of the quote. Prices from which tax was taken out are without tax. */
export function isIncluded(tax: TaxInput | null): boolean {
  return tax !== null && tax.included && tax.relief === null;
}

/** The tax that is taken out of what a line costs before discounts; 0 unless there is a relief. */
export function reliefOf(
  tax: TaxInput | null,
  line: Pick<QuoteLineInput, 'taxCategoryId'>,
  grossMinor: bigint,
): bigint {
  if (tax?.relief == null || !tax.included) return 0n;
  const rate = rateOf(tax.relief, tax, line.taxCategoryId);
  return rate === null ? 0n : containedTax(grossMinor, rate.ppm);
}

function taxOf(tax: TaxInput, rate: TaxRateTerms, amountMinor: bigint): TaxAmount {
  return {
    ...rate,
    amountMinor: isIncluded(tax) ? containedTax(amountMinor, rate.ppm) : partOf(amountMinor, rate.ppm),
  };
}

/** The tax of a line, on what it costs after discounts; null where it is free of tax. */
export function taxOfLine(
  tax: TaxInput | null,
  line: Pick<QuoteLineInput, 'taxCategoryId'>,
  discountedMinor: bigint,
): TaxAmount | null {
  if (tax === null) return null;
  const rate = rateOf(tax.rates, tax, line.taxCategoryId);
  return rate === null ? null : taxOf(tax, rate, discountedMinor);
}

/** The lines as far as the tax on shipping depends on them. */
export interface Weighed {
  line: Pick<QuoteLineInput, 'taxCategoryId' | 'quantity'>;
  discountedMinor: bigint;
  totalMinor: bigint;
}

function compareRates(a: TaxRateTerms | null, b: TaxRateTerms | null): number {
  return (b?.ppm ?? -1) - (a?.ppm ?? -1) || ((a?.title ?? '') < (b?.title ?? '') ? -1 : 1);
}

/**
 * Parts of the price of shipping, each with its rate: one part by the method's own category, else parts in proportion to what
 * the goods of each rate cost (if they are all free, before discounts; if they never cost anything, by units).
 */
function partsOf(
  rates: Rates,
  tax: TaxInput,
  { amountMinor, categoryId, goods }: { amountMinor: bigint; categoryId: string | null; goods: readonly Weighed[] },
): { rate: TaxRateTerms | null; amountMinor: bigint }[] {
  if (categoryId !== null) return [{ rate: rates.get(categoryId) ?? null, amountMinor }];
  const weighings: ((item: Weighed) => bigint)[] = [
    ({ discountedMinor }) => discountedMinor,
    ({ totalMinor }) => totalMinor,
    ({ line }) => BigInt(line.quantity),
  ];
  const weightOf = weighings.find((weigh) => goods.some((item) => weigh(item) > 0n));
  if (weightOf === undefined) return [];
  const groups = new Map<string, { rate: TaxRateTerms | null; weight: bigint }>();
  for (const item of goods) {
    const rate = rateOf(rates, tax, item.line.taxCategoryId);
    const key = rate === null ? '' : `${rate.ppm} ${rate.title}`;
    const group = groups.get(key) ?? { rate, weight: 0n };
    group.weight += weightOf(item);
    groups.set(key, group);
  }
  const sorted = [...groups.values()].toSorted((a, b) => compareRates(a.rate, b.rate));
  const shares = shareOut(
    amountMinor,
    sorted.map(({ weight }) => weight),
  );
  return sorted.map(({ rate }, index) => ({ rate, amountMinor: shares[index] ?? 0n }));
}

/**
 * The price of shipping without the relief, and its tax by rate.
 * @param of the price after promotions, the method's category, and the goods
 */
export function taxShipping(
  tax: TaxInput | null,
  of: { amountMinor: bigint; categoryId: string | null; goods: readonly Weighed[] },
): { amountMinor: bigint; taxes: TaxAmount[] } {
  if (tax === null || of.amountMinor === 0n) return { amountMinor: of.amountMinor, taxes: [] };
  let { amountMinor } = of;
  if (tax.included && tax.relief !== null) {
    for (const part of partsOf(tax.relief, tax, of)) {
      if (part.rate !== null) amountMinor -= containedTax(part.amountMinor, part.rate.ppm);
    }
  }
  const taxes = partsOf(tax.rates, tax, { ...of, amountMinor }).flatMap((part) =>
    part.rate === null || part.amountMinor === 0n ? [] : [taxOf(tax, part.rate, part.amountMinor)],
  );
  return { amountMinor, taxes };
}
