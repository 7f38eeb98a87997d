/** What must be there for a test to go on. */
export function known<T>(value: T | null | undefined, what = 'what the test needs'): T {
  if (value === null || value === undefined) throw new Error(`${what} is not there`);
  return value;
}
