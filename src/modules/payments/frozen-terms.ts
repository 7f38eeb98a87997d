import type { PaymentTerms } from './payment.types.ts';

// JSON knows no integers of that size, and a quote is full of them.
const TAG = '$bigint';

/** Writes terms as JSON. */
export function writeTerms(terms: PaymentTerms): string {
  return JSON.stringify(terms, (_key, value: unknown) =>
    typeof value === 'bigint' ? { [TAG]: value.toString() } : value,
  );
}

/** Reads terms as `writeTerms` wrote them, from JSON that was parsed already. */
export function readTerms(stored: unknown): PaymentTerms {
  return revive(stored) as PaymentTerms;
}

function revive(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  const tagged = (value as { [TAG]?: unknown })[TAG];
  if (typeof tagged === 'string') return BigInt(tagged);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
}
