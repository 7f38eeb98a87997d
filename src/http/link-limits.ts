import type { ServerResponse } from 'node:http';

/*
 * Guesses at the tokens of links in mails. Each page counts to the rate limit of the mutation that does what the page does, so that
 * nobody has twice as many guesses by using both.
 */

interface LinkLimits {
  /** By name, as modules declare them. A page that shows that the token was right gives these back. */
  guesses: readonly string[];
  /** What counts in any case, such as a mail that is sent. */
  always: readonly string[];
}

const NONE: LinkLimits = { guesses: [], always: [] };

const LIMITS: Readonly<Record<string, LinkLimits>> = {
  '/mail/order': { guesses: ['orderTokensByClient'], always: [] },
  'POST /mail/order-link': { guesses: ['orderTokensByClient'], always: ['orderLinksByClient'] },
  '/mail/stock-alert': { guesses: ['alertTokensByClient'], always: [] },
  'POST /mail/confirm-email': { guesses: ['confirmationTokensByClient'], always: [] },
  '/mail/reset-password': { guesses: ['resetAttemptsByClient'], always: [] },
  'POST /mail/reset-password': { guesses: [], always: ['resetAttemptsByClient'] },
};

/** The rate limits to which a request to a page counts. */
export function linkLimitsOf(method: string | undefined, path: string): LinkLimits {
  return LIMITS[`${method} ${path}`] ?? LIMITS[path] ?? NONE;
}

/** Whether a page was answered as for a token that is not valid. One that is over, or too late, was valid. */
export function isWrongGuess({ statusCode }: Pick<ServerResponse, 'statusCode'>): boolean {
  return statusCode === 400 || statusCode === 404;
}
