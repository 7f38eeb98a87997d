/** Decimal places of a percentage: a part per million is 0.0001 %. */
export const PERCENT_DIGITS = 4;

/** Parts per million as a decimal of percent: 88,750 is `8.875`. */
export function toPercent(ppm: number): string {
  const digits = String(ppm).padStart(PERCENT_DIGITS + 1, '0');
  const fraction = digits.slice(-PERCENT_DIGITS).replace(/0+$/, '');
  const whole = digits.slice(0, -PERCENT_DIGITS);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/**
 * The parts per million of a percentage, or null if the percentage has more than 4 decimal places. Trailing zeros do not count.
 * @param percent as the Decimal scalar gives it: digits with at most one point, perhaps a minus
 */
export function parsePercent(percent: string): bigint | null {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(percent) ?? [];
  const significant = fraction.replace(/0+$/, '');
  if (whole === '' || significant.length > PERCENT_DIGITS) return null;
  return BigInt(sign + whole + significant.padEnd(PERCENT_DIGITS, '0'));
}
