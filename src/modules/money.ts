import { currencyDigits } from '../config/currencies.ts';

/** An amount in minor units (cents, yen) of one currency. */
export interface Money {
  minor: bigint;
  currency: string;
}

/**
 * How many decimals a currency has: 2 for EUR, 0 for JPY, 3 for KWD (ISO 4217).
 * @throws Error where the code names no currency
 */
export function fractionDigits(currency: string): number {
  const digits = currencyDigits(currency);
  if (digits === null) throw new Error(`${currency} is not an ISO 4217 currency.`);
  return digits;
}

/** The exact decimal of an amount: 1990 cents are `19.90`. */
export function toDecimal({ minor, currency }: Money): string {
  const digits = fractionDigits(currency);
  const sign = minor < 0n ? '-' : '';
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, '0');
  if (digits === 0) return sign + text;
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/**
 * The minor units of a decimal, or null where it has more decimals than the currency. Trailing zeros do not count.
 * @param decimal as the Decimal scalar gives it: digits with at most one point, perhaps a minus
 */
export function parseDecimal(decimal: string, currency: string): bigint | null {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(decimal) ?? [];
  if (whole === '') return null;
  const digits = fractionDigits(currency);
  const significant = fraction.replace(/0+$/, '');
  if (significant.length > digits) return null;
  return BigInt(sign + whole + significant.padEnd(digits, '0'));
}

/** An amount as people read it: `$19.90`. */
export function formatMoney(money: Money): string {
  // The digits are given: without them ICU's own would round.
  const digits = fractionDigits(money.currency);
  const format = new Intl.NumberFormat('en', {
    style: 'currency',
    currency: money.currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // As text, so that no amount is too large to be exact.
  return format.format(toDecimal(money) as `${number}`);
}
