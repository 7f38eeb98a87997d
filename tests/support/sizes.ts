/**
 * How many random cases or callers a test tries: all that were promised where CI runs the tests (`CI=true`), and a part
 * of them in daily work, where a run should end soon.
 */
export function sized({ inCi, daily }: { inCi: number; daily: number }): number {
  return process.env.CI === 'true' ? inCi : daily;
}
