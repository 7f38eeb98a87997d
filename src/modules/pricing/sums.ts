import { divideHalfUp } from './arithmetic.ts';
import type { AppliedAmount, TaxAmount } from './quote.types.ts';

/** Adds amounts up by promotion, in the order in which the promotions first appear. */
export function sumByPromotion<T extends AppliedAmount>(amounts: readonly T[]): T[] {
  const sums = new Map<string, T>();
  for (const amount of amounts) {
    const sum = sums.get(amount.promotionId)?.amountMinor ?? 0n;
    sums.set(amount.promotionId, { ...amount, amountMinor: sum + amount.amountMinor });
  }
  return [...sums.values()];
}

/** Adds taxes up by rate, the highest first. */
export function sumByRate(taxes: readonly TaxAmount[]): TaxAmount[] {
  const sums = new Map<string, TaxAmount>();
  for (const { title, ppm, amountMinor } of taxes) {
    const key = `${ppm} ${title}`;
    sums.set(key, { title, ppm, amountMinor: (sums.get(key)?.amountMinor ?? 0n) + amountMinor });
  }
  return [...sums.values()].toSorted((a, b) => b.ppm - a.ppm || (a.title < b.title ? -1 : 1));
}

/**
 * What was paid for the first units of a line, rounded half up.
 * @param paidMinor for all units, in minor units of the currency
 */
export function paidForUnits(paidMinor: bigint, units: number, ofUnits: number): bigint {
  return divideHalfUp(paidMinor * BigInt(units), BigInt(ofUnits));
}
