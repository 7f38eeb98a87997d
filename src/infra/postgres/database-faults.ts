import { TurnstileTimeout } from '../limits/turnstile.ts';

/** Classes of SQLSTATE that say something of the server, and nothing of the statement. */
const AWAY = /^(08|53|57P|58|25006|25P0[34]|F0)/;
/** Lost to others at the same time, however often it was run again: another time it goes through. */
const CONTENTION = /^(40|55P03)/;
/** The server is there and does not let us do our work: it took too long, or access, database or statements are gone. */
const TROUBLE = /^(57014|28|3D000|26000|42P05|XX00[012])/;
const NETWORK =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|EADDRNOTAVAIL|EMFILE|ENFILE|ENOBUFS)/;
/** What the server says of a statement that it refused: nothing of the statement was done. */
const SQLSTATE = /^[0-9A-Z]{5}$/;
// The driver and its pool have no codes for these.
const DRIVER =
  /(^|\n)(Connection terminated|Client has encountered a connection error|Client was closed and is not queryable|timeout e(xceeded|xpired)|Query read timeout|Cannot use a pool after|The server does not support SSL|There was an error establishing an SSL|Client network socket disconnected)/;
/** Prisma's own codes and kinds for what says something of the server. */
const PRISMA_CODES = /^(P1001|P1002|P1008|P1017|P2024|P2028|P2034|P2037)$/;
const PRISMA_KINDS =
  /^(DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections|TlsConnectionError|TransactionWriteConflict)$/;

interface Fault {
  code?: unknown;
  syscall?: unknown;
  message?: unknown;
  cause?: unknown;
  meta?: { driverAdapterError?: { cause?: { kind?: unknown; originalCode?: unknown } } };
}

/**
 * A change was sent to the database, and whether it was made is not known: the connection broke before the answer to its
 * COMMIT. Sending it again may do it twice, unless it has an idempotency key.
 */
export class OutcomeUnknownError extends Error {
  constructor(cause: unknown) {
    super('the connection broke before the database said whether the change was made', { cause });
    this.name = 'OutcomeUnknownError';
  }
}

/** Whether a server that is there refused to write: it is a replica, or its disk or memory is full. */
export function isRefusedWrite(error: unknown): boolean {
  return /^(25006|53[12]00|58030)$/.test(String((error as { code?: unknown } | null)?.code));
}

/** Whether an error is the database's absence (or its being too busy), and not a fault of what was asked of it. */
export function isDatabaseAway(error: unknown): boolean {
  return matches(error, [AWAY, CONTENTION, NETWORK]);
}

/** Whether a transaction lost to others: to a deadlock, or because it waited for a lock for too long. */
export function isContention(error: unknown): boolean {
  return CONTENTION.test(String((error as { code?: unknown } | null)?.code));
}

/**
 * Whether an error is the database's trouble, for a client to try again later. Beside its absence these are faults that
 * another attempt may meet again, such as a statement that took too long.
 */
export function isDatabaseTrouble(error: unknown): boolean {
  return matches(error, [AWAY, CONTENTION, NETWORK, TROUBLE]);
}

/**
 * Whether the server may have done what was sent although an error came back: the connection broke, or the server ended it.
 * @param error of a statement that was sent
 */
export function mayHaveBeenDone(error: unknown): boolean {
  const { code, severity } = (error ?? {}) as { code?: unknown; severity?: unknown };
  const said = typeof code === 'string' && SQLSTATE.test(code) && typeof severity === 'string';
  return !said || severity === 'FATAL' || severity === 'PANIC' || code.startsWith('57P');
}

function matches(error: unknown, codes: readonly RegExp[]): boolean {
  if (error instanceof TurnstileTimeout || error instanceof OutcomeUnknownError) return true;
  if (error instanceof AggregateError) return error.errors.some((one) => matches(one, codes));
  const { code, syscall, message, meta } = (error ?? {}) as Fault;
  // A server that was stopped has taken its Unix socket away.
  if (code === 'ENOENT' && syscall === 'connect') return true;
  if (typeof code === 'string' && (PRISMA_CODES.test(code) || codes.some((pattern) => pattern.test(code)))) return true;
  const { kind, originalCode } = meta?.driverAdapterError?.cause ?? {};
  if (typeof kind === 'string' && PRISMA_KINDS.test(kind)) return true;
  if (typeof originalCode === 'string' && codes.some((pattern) => pattern.test(originalCode))) return true;
  return typeof message === 'string' && DRIVER.test(message);
}
