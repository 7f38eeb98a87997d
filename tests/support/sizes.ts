/** Whether CI runs the tests (`CI=true`): with all that was promised of them. In daily work a run should end soon. */
export const isCi = process.env.CI === 'true';

/** How many random cases or callers a test tries. */
export function sized({ inCi, daily }: { inCi: number; daily: number }): number {
  return isCi ? inCi : daily;
}

/** For tests of random values that wait for nothing: a counterexample is no accident of a busy machine, and may not come a second time. */
export const ONCE = { retry: 0 } as const;
