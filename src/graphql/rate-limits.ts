import type { CartConfig } from '../config/config.ts';
import type { Limit } from '../infra/rate-limit-counters.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/**
 * Every limit there is. "By client" is by client address (see client-address.ts), behind which there may be an office: what
 * people do who shop there must never come near it.
 */
export function rateLimitsOf({ maxUnitsPerVariant }: Pick<CartConfig, 'maxUnitsPerVariant'>) {
  return {
    /** Whatever is sent, by any transport: ten a second, for a minute on end. A page takes a handful. */
    operationsByClient: { points: 600, seconds: MINUTE },

    /** Guesses at one password. A log-in that succeeds does not count. */
    loginsByEmail: { points: 10, seconds: 15 * MINUTE },
    /** Guesses at one password of many, or at many of them. */
    loginsByClient: { points: 100, seconds: 15 * MINUTE },

    /** Registering tells whether an address is taken, and costs a hash of a password. */
    registrationsByEmail: { points: 5, seconds: HOUR },
    registrationsByClient: { points: 60, seconds: HOUR },

    /** A token can be spent once; a client that sends the same one over and over is broken. */
    refreshesByToken: { points: 30, seconds: MINUTE },
    /** Each tab comes once in 15 minutes. Tokens cannot be guessed: this only spares the database. */
    refreshesByClient: { points: 300, seconds: 15 * MINUTE },

    /** Guesses at the present password, by somebody who found a session open. */
    passwordsByUser: { points: 10, seconds: 15 * MINUTE },
    passwordsByClient: { points: 100, seconds: 15 * MINUTE },

    /** Mails that anybody can have sent to an address. */
    resetsByEmail: { points: 5, seconds: HOUR },
    resetsByClient: { points: 60, seconds: HOUR },
    /** Tokens cannot be guessed: this spares the hashing of passwords. */
    resetAttemptsByClient: { points: 100, seconds: 15 * MINUTE },
    confirmationsByUser: { points: 5, seconds: HOUR },

    /** A guest is made by the first thing put in a cart, and each can hold as much as a cart takes. A campus is one network. */
    guestsByClient: { points: 300, seconds: HOUR },
    /** Units put in carts, whether they stay there or not: so many can one client keep from all others. */
    unitsByClient: { points: Math.max(1000, 10 * maxUnitsPerVariant), seconds: 15 * MINUTE },

    /** Anyone can type an address: each alert is a mail to it. */
    stockAlertsByClient: { points: 60, seconds: HOUR },
  } as const satisfies Record<string, Limit>;
}

export type RateLimitName = keyof ReturnType<typeof rateLimitsOf>;
export type RateLimits = Readonly<Record<RateLimitName, Limit>>;

/** What there was too much of, for the message. */
export const tooMany: Readonly<Record<RateLimitName, string>> = {
  operationsByClient: 'requests from your network',
  loginsByEmail: 'log-ins with this address',
  loginsByClient: 'log-ins from your network',
  registrationsByEmail: 'registrations with this address',
  registrationsByClient: 'registrations from your network',
  refreshesByToken: 'refreshes with this token',
  refreshesByClient: 'refreshes from your network',
  passwordsByUser: 'changes of this password',
  passwordsByClient: 'changes of passwords from your network',
  resetsByEmail: 'links for this address',
  resetsByClient: 'links for forgotten passwords from your network',
  resetAttemptsByClient: 'resets of passwords from your network',
  confirmationsByUser: 'links to confirm this address',
  guestsByClient: 'new carts from your network',
  unitsByClient: 'units put in carts from your network',
  stockAlertsByClient: 'stock alerts from your network',
};
