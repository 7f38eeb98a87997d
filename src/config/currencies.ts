import { data } from 'currency-codes';

/**
 * The currencies in which a shop can sell, by ISO 4217. A fixed table, never the runtime's: ICU gives a currency other
 * digits from one version to the next, and a stored amount must not change its meaning with the version of Node.
 */
const digitsByCode = new Map<string, number>([
  ...data.filter(({ code }) => isMoney(code)).map(({ code, digits }) => [code, digits] as const),
  // Amendment 176 (in force since 31 March 2025) is newer than the package's list.
  ['XCG', 2],
]);

/** Codes in X name metals, baskets, tests and nothing at all, apart from the francs and dollars of monetary unions. */
function isMoney(code: string): boolean {
  return !code.startsWith('X') || ['XAF', 'XCD', 'XOF', 'XPF'].includes(code);
}

/**
 * How many decimals a currency has by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD.
 * @param code three capital letters
 * @returns null where the code names no currency
 */
export function currencyDigits(code: string): number | null {
  return digitsByCode.get(code) ?? null;
}
