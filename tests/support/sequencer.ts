import { readFileSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What makes a file slow, and seconds that one with it takes, roughly, on two cores. */
const SLOW: readonly (readonly [RegExp, number])[] = [
  [/support\/browser\.ts/, 40],
  [/\btorture\(|runAsProcess|startShopProcess|startProcess/, 20],
  [/startEmbeddedPostgres|spawn\(|startRedis|openNodes/, 10],
];
const BYTES_PER_SECOND = 3_000;

/** How long a file will take, guessed from what is in it. */
export function guessSeconds(source: string): number {
  const slow = SLOW.filter(([pattern]) => pattern.test(source)).map(([, seconds]) => seconds);
  return Math.max(0, ...slow) + source.length / BYTES_PER_SECOND;
}

/**
 * Starts the files that take longest first, so that the run does not end with one worker on a long file and the other idle.
 * Vitest knows how long a file takes only where a run before this one left a cache, which a fresh clone does not have.
 */
export default class LongestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const guesses = new Map(files.map(({ moduleId }) => [moduleId, guessSeconds(readFileSync(moduleId, 'utf8'))]));
    const guess = ({ moduleId }: TestSpecification) => guesses.get(moduleId) ?? 0;
    return Promise.resolve(files.toSorted((a, b) => guess(b) - guess(a)));
  }
}
