/** A million: rates are in parts of it. */
export const PPM = 1_000_000n;

/** The quotient of two numbers that are not negative, rounded half up. */
export function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor);
}

/** So many parts per million of an amount, rounded half up. */
export function partOf(amountMinor: bigint, ppm: number): bigint {
  return divideHalfUp(amountMinor * BigInt(ppm), PPM);
}

/** The tax that an amount contains, such that the amount without it is rounded half up. */
export function containedTax(grossMinor: bigint, ppm: number): bigint {
  return grossMinor - divideHalfUp(grossMinor * PPM, PPM + BigInt(ppm));
}

/**
 * Shares an amount out in proportion to weights, by the method of the largest remainder: each share is rounded down, and the
 * units that are left go to the largest remainders. Of equal remainders the earlier weight wins.
 * @param weights not negative; without a positive one nothing is shared out
 * @returns a share for each weight, which add up to the amount; no share is above its weight unless the amount is above their sum
 */
export function shareOut(amountMinor: bigint, weights: readonly bigint[]): bigint[] {
  let sum = 0n;
  for (const weight of weights) sum += weight;
  if (sum === 0n) return weights.map(() => 0n);
  let left = amountMinor;
  const remainders: { index: number; remainder: bigint }[] = [];
  const shares = weights.map((weight, index) => {
    const product = amountMinor * weight;
    const share = product / sum;
    const remainder = product - share * sum;
    left -= share;
    if (remainder > 0n) remainders.push({ index, remainder });
    return share;
  });
  if (left === 0n) return shares;
  remainders.sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of remainders.slice(0, Number(left))) shares[index] = (shares[index] ?? 0n) + 1n;
  return shares;
}
