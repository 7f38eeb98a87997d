/** Classes of SQLSTATE that say something of the server, and nothing of the statement. */
const AWAY = /^(08|53|57P|58|25006|F0)/;
/** Lost to others at the same time, however often it was run again: another time it goes through. */
const CONTENTION = /^(40|55P03)/;
const NETWORK = /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/;
// The driver and its pool have no codes for these.
const DRIVER =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Cannot use a pool after)/;

/** Whether an error is the database's absence (or its being too busy), and not a fault of what was asked of it. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway);
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && [AWAY, CONTENTION, NETWORK].some((pattern) => pattern.test(code))) return true;
  return typeof message === 'string' && DRIVER.test(message);
}
