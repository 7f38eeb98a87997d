import type { Delivery } from './load.ts';

/** What a claim came to. */
export interface Claim {
  name: string;
  passed: boolean;
  detail: string;
}

/** Milliseconds from commit to subscriber. */
export interface Latency {
  p50: number;
  p99: number;
}

/** The latency of the events that were committed from one moment on, up to another. */
export function latencyOf(deliveries: readonly Delivery[], fromMs = 0, toMs = Infinity): Latency {
  const times = deliveries
    .filter(({ committedAt }) => committedAt >= fromMs && committedAt < toMs)
    .map(({ committedAt, deliveredAt }) => deliveredAt - committedAt)
    .toSorted((a, b) => a - b);
  return { p50: at(times, 0.5), p99: at(times, 0.99) };
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return at(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** The mean; NaN of nothing. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
}
