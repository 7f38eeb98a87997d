/** Whether CI runs the tests (`CI=true`): with all that was promised of them. In daily work a run should end soon. */
export const isCi = process.env.CI === 'true';

/** How many random cases or callers a test tries. */
export function sized({ inCi, daily }: { inCi: number; daily: number }): number {
  return isCi ? inCi : daily;
}

/** For property-based tests that do not depend on timing: a retry would draw other values and hide a counterexample. */
export const ONCE = { retry: 0 } as const;
