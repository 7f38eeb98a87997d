import { requestError } from '../context/request-error.ts';

/**
 * Checks the name of a time zone. Offsets such as `+02:00` are rejected: PostgreSQL reads their sign the other way around.
 * @throws BAD_REQUEST
 */
export function assertTimeZone(name: string): void {
  try {
    if (/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) {
      new Intl.DateTimeFormat('en', { timeZone: name }).format();
      return;
    }
  } catch {
    // Rejected below.
  }
  throw requestError('BAD_REQUEST', '`timeZone` must be the IANA name of a time zone, such as `Europe/Berlin`.');
}
