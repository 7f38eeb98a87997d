/** Puts a figure that was measured, or a count of what was tried, into the run's output. */
export function report(line: string): void {
  // oxlint-disable-next-line no-console -- the one place in which tests have something to say
  console.log(line);
}
