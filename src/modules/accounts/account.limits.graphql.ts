import { limitedBy } from '../../graphql/schema/limited-fields.ts';
import {
  byEmail,
  byEmailAndNetwork,
  byNetwork,
  type FieldAsk,
  type RateLimit,
} from '../../graphql/limits/rate-limits.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Registering reveals whether an address is taken, and costs a hash of a password. */
const registrationsByEmail: RateLimit = {
  name: 'registrationsByEmail',
  points: 5,
  seconds: HOUR,
  tooMany: 'registrations with this email address',
};
const registrationsByClient: RateLimit = {
  name: 'registrationsByClient',
  points: 60,
  seconds: HOUR,
  tooMany: 'registrations from your network',
};

/** Guesses at one password from one network. A log-in that succeeds does not count. */
const loginsByEmailAndClient: RateLimit = {
  name: 'loginsByEmailAndClient',
  points: 10,
  seconds: 15 * MINUTE,
  tooMany: 'failed logins with this email address from your network',
};
/** Guesses at one password from however many networks: so many that a few strangers cannot keep the owner out. */
const loginsByEmail: RateLimit = {
  name: 'loginsByEmail',
  points: 300,
  seconds: 15 * MINUTE,
  tooMany: 'failed logins with this email address',
};
/** Guesses on a device on which the owner has logged in before, which the other limits do not touch. */
const loginsByDevice: RateLimit = {
  name: 'loginsByDevice',
  points: 10,
  seconds: 15 * MINUTE,
  tooMany: 'failed logins on this device',
};
/** Guesses at one password of many, or at many of them. */
const loginsByClient: RateLimit = {
  name: 'loginsByClient',
  points: 100,
  seconds: 15 * MINUTE,
  tooMany: 'logins from your network',
};

/** A token can be spent once; a client that sends the same one over and over is broken. */
const refreshesByToken: RateLimit = {
  name: 'refreshesByToken',
  points: 30,
  seconds: MINUTE,
  tooMany: 'session refreshes with this token',
};
/** Each tab comes once in 15 minutes. Tokens cannot be guessed: this only spares the database. */
const refreshesByClient: RateLimit = {
  name: 'refreshesByClient',
  points: 300,
  seconds: 15 * MINUTE,
  tooMany: 'session refreshes from your network',
};

/** Guesses at the current password by someone who found an open session. */
const passwordsByUser: RateLimit = {
  name: 'passwordsByUser',
  points: 10,
  seconds: 15 * MINUTE,
  tooMany: 'password changes of this account',
};
const passwordsByClient: RateLimit = {
  name: 'passwordsByClient',
  points: 100,
  seconds: 15 * MINUTE,
  tooMany: 'password changes from your network',
};

/** Mails that anybody can have sent to an address. */
const resetsByEmail: RateLimit = {
  name: 'resetsByEmail',
  points: 5,
  seconds: HOUR,
  tooMany: 'password reset emails for this email address',
};
const resetsByClient: RateLimit = {
  name: 'resetsByClient',
  points: 60,
  seconds: HOUR,
  tooMany: 'password reset requests from your network',
};
/** Tokens cannot be guessed: this spares the hashing of passwords. */
const resetAttemptsByClient: RateLimit = {
  name: 'resetAttemptsByClient',
  points: 100,
  seconds: 15 * MINUTE,
  tooMany: 'password resets from your network',
};
const confirmationsByUser: RateLimit = {
  name: 'confirmationsByUser',
  points: 5,
  seconds: HOUR,
  tooMany: 'confirmation emails for this email address',
};
/** Tokens that did not fit. */
const confirmationTokensByClient: RateLimit = {
  name: 'confirmationTokensByClient',
  points: 100,
  seconds: 15 * MINUTE,
  tooMany: 'invalid links from your network',
};

interface WithEmail {
  input: { email: string };
}

/** `register` reveals whether an address is taken. */
export const registerLimits = limitedBy<WithEmail>([registrationsByEmail, registrationsByClient], ({ input }, ctx) => [
  byEmail(registrationsByEmail, input.email),
  byNetwork(registrationsByClient, ctx),
]);

/** `login` confirms guesses at a password. */
export const loginLimits = limitedBy<{ input: { email: string; deviceToken?: string | null } }>(
  [loginsByEmailAndClient, loginsByEmail, loginsByDevice, loginsByClient],
  ({ input: { email, deviceToken } }, ctx) => {
    const back = { back: 'SUCCESS' } as const;
    const device = ctx.services.accounts.knownDevice(deviceToken ?? ctx.cookies.deviceToken, email);
    if (device !== null) return [{ limit: loginsByDevice, key: device, ...back }];
    return [
      byEmailAndNetwork(loginsByEmailAndClient, email, ctx, back),
      byEmail(loginsByEmail, email, back),
      byNetwork(loginsByClient, ctx),
    ];
  },
);

/** `refreshSession` confirms guesses at a token. */
export const refreshLimits = limitedBy<{ input?: { refreshToken?: string | null } | null }>(
  [refreshesByToken, refreshesByClient],
  ({ input }, ctx) => {
    const token = input?.refreshToken ?? ctx.cookies.refreshToken;
    const byToken: FieldAsk[] = token === undefined ? [] : [{ limit: refreshesByToken, key: token }];
    return [...byToken, byNetwork(refreshesByClient, ctx)];
  },
);

/** `passwordChange` confirms guesses at the present password. */
export const passwordChangeLimits = limitedBy([passwordsByUser, passwordsByClient], (_args, ctx) => {
  const { user } = ctx.viewer;
  const byUser: FieldAsk[] = user === null ? [] : [{ limit: passwordsByUser, key: user.userId }];
  return [...byUser, byNetwork(passwordsByClient, ctx)];
});

/** `passwordResetRequest` has mail sent to an address of the caller's choice. */
export const resetRequestLimits = limitedBy<WithEmail>([resetsByEmail, resetsByClient], ({ input }, ctx) => [
  byEmail(resetsByEmail, input.email),
  byNetwork(resetsByClient, ctx),
]);

/** `passwordReset` confirms guesses at a token. */
export const resetLimits = limitedBy([resetAttemptsByClient], (_args, ctx) => [byNetwork(resetAttemptsByClient, ctx)]);

/** `emailVerifyRequest` sends mail. */
export const confirmationRequestLimits = limitedBy([confirmationsByUser], (_args, { viewer: { user } }) =>
  user === null ? [] : [{ limit: confirmationsByUser, key: user.userId }],
);

/** `emailVerify` confirms guesses at a token. */
export const confirmationLimits = limitedBy([confirmationTokensByClient], (_args, ctx) => [
  byNetwork(confirmationTokensByClient, ctx, { back: 'SUCCESS' }),
]);
