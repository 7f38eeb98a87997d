/** How many times as long a request or a task may take in a shop a thousand times as large. */
export const MOST = 3;

/** The last line of a benchmark that compares two shops. @param what was measured, in the plural */
export function verdictOf(failed: number, what: string): string {
  return failed === 0
    ? `\nNothing takes more than ${MOST} times as long.`
    : `\n${failed} ${what} take more than ${MOST} times as long.`;
}
