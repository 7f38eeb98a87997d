/**
 * Has Ctrl-C and SIGTERM end a short command by `process.exit`, so that what stops the embedded database is run. Without it
 * the signal ends the process at once, and the database stays behind.
 */
export function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
