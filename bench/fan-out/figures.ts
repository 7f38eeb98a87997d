/** What one round of one sender came to. */
export interface Figures {
  /** Messages a second, to the last one. */
  rate: number;
  /** Milliseconds from the event to a subscriber. */
  p50: number;
  p99: number;
}

/** The one in the middle. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value below which such a part of all lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
