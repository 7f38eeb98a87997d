import { Caller, type Answer } from './caller.ts';

/** What one caller does next: a request, or several that follow each other and count as one. */
export type Step = (caller: Caller) => Promise<Answer>;

/** What a round gave. */
export interface Round {
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** An answer that makes the figures worthless. */
export class BenchFault extends Error {}

/**
 * Sends callers, each with its own connection, and counts what they get done.
 * @param steps of each caller; null: this caller has nothing left to do
 * @param ms a caller that is through with a step after this time stops. Infinity: until no caller has anything left to do
 * @throws BenchFault for an answer with errors
 */
export async function runRound(url: string, steps: readonly (() => Step | null)[], ms: number): Promise<Round> {
  const callers = await Promise.all(steps.map(() => Caller.open(url)));
  try {
    const took: number[] = [];
    const began = performance.now();
    await Promise.all(
      callers.map(async (caller, index) => {
        for (let now = performance.now(); now - began < ms;) {
          const step = steps[index]?.() ?? null;
          if (step === null) return;
          check(await step(caller));
          const then = performance.now();
          took.push(then - now);
          now = then;
        }
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    const sorted = took.toSorted((a, b) => a - b);
    const quantile = (q: number) => sorted[Math.min(took.length - 1, Math.floor(q * took.length))] ?? Number.NaN;
    return { perSecond: took.length / seconds, p50: quantile(0.5), p99: quantile(0.99) };
  } finally {
    for (const caller of callers) caller.close();
  }
}

/** @throws BenchFault if this is not a successful answer */
export function check({ status, body }: Answer): void {
  // Also the errors of a payload. None of the documents asks for errors where there may be any.
  if (status !== 200 || /"errors":\[\{|"data":null|\{"errors":/.test(body))
    throw new BenchFault(`status ${status}: ${body.slice(0, 500)}`);
}

/** The median of numbers that are not empty. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
