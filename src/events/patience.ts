import { isDatabaseAway } from '../infra/postgres/database-faults.ts';

/*
 * An event that cannot be read now is tried again for a while: most often the database is only failing over. An event that
 * still cannot be read ends the stream, so that its consumer comes back to it. No cursor moves past it.
 */

/** The fields of an event could not be read for a while. Subscribe again after the last cursor. */
export class ReadingFailedError extends Error {
  constructor(cause: unknown) {
    super('The shop cannot read its data at the moment: subscribe again after the last cursor you saw.', { cause });
    this.name = 'ReadingFailedError';
  }
}

const WITHIN_MS = 5_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Runs something, and again where the database was at fault, until it succeeds.
 * @param attempt what to run; its argument says whether this is a retry
 * @param options.isOver whether the result is no longer needed: then the last failure is thrown
 * @throws ReadingFailedError with the last failure as its cause, after five seconds of failures
 */
export async function patiently<T>(
  attempt: (again: boolean) => Promise<T>,
  { isOver }: { isOver: () => boolean },
): Promise<T> {
  const until = performance.now() + WITHIN_MS;
  let again = false;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await attempt(again);
    } catch (error) {
      if (!isDatabaseFault(error) || isOver()) throw error;
      if (performance.now() + pause > until) throw new ReadingFailedError(error);
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (isOver()) throw error;
      again = true;
    }
  }
}

interface Fault {
  originalError?: unknown;
  code?: unknown;
  severity?: unknown;
  meta?: { driverAdapterError?: unknown };
}

/**
 * Whether the database is at fault: it is away, or answered with an error of its own. (A fault of the program would only be
 * met again.)
 */
export function isDatabaseFault(error: unknown): boolean {
  const { originalError, code, severity, meta } = (error ?? {}) as Fault;
  if (originalError != null) return isDatabaseFault(originalError);
  if (isDatabaseAway(error) || meta?.driverAdapterError !== undefined) return true;
  return typeof code === 'string' && code.length === 5 && typeof severity === 'string';
}
