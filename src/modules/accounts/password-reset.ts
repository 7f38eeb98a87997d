import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import { createSigner } from '../../infra/signer.ts';
import { refuse } from '../user-error.ts';
import { passwordChanged, passwordResetRequested } from './account.events.ts';
import * as repository from './account.repository.ts';
import * as resets from './password-reset.repository.ts';
import type { Passwords } from './password.ts';
import type { SessionService } from './session.service.ts';
import { isGenuine, readToken, signToken } from '../../infra/signed-token.ts';

/*
 * The link in the email to a user who forgot the password. It is valid for an hour, for one use, and only until another link of the
 * user is used or the password is changed in another way.
 */

/** Password reset by email. */
export interface PasswordReset {
  /** Has a link emailed to the address if it has an account. Nothing reveals whether it has. */
  requestPasswordReset(email: string): Promise<void>;
  /** The token for the link, made when the email is sent; null if the link can no longer be used. */
  passwordResetToken(resetId: string): Promise<string | null>;
  /** Whether a token could still be used now. */
  isPasswordResetOpen(token: string): Promise<boolean>;
  /**
   * Sets another password by the token of a link, as `resetPassword` does, and leaves it to the user to log in.
   * @throws Refusal: TOKEN_INVALID, INVALID_INPUT
   */
  setForgottenPassword(change: { token: string; newPassword: string }): Promise<void>;
}

/** What goes with setting the password, in one transaction under the user's lock. */
export type AfterReset<T> = (tx: Transaction, userId: string) => Promise<T>;

const PURPOSE = 'password reset';
const LIFETIME_SECONDS = 60 * 60;

/** Wires it. */
export function createPasswordReset(deps: {
  db: Database;
  eventLog: EventLog;
  sessions: Pick<SessionService, 'endAll'>;
  passwords: Passwords;
  secrets: readonly string[];
}): Omit<PasswordReset, 'setForgottenPassword'> & {
  /**
   * Sets the password for which a token stands, ends all sessions, and confirms the address, to which the link was sent.
   * @param work runs inside the transaction, and may be run again
   * @throws Refusal: TOKEN_INVALID
   */
  reset<T>(change: { token: string; newPassword: string }, work: AfterReset<T>): Promise<T>;
} {
  const { db, eventLog, sessions, passwords } = deps;
  const signer = createSigner(deps.secrets);

  const expiryOf = (expiresAt: Date) => Math.floor(expiresAt.getTime() / 1000);

  /** The user whose link it is; null where the token opens nothing. */
  async function userOf(token: string): Promise<{ resetId: string; userId: string } | null> {
    const given = readToken(token);
    if (given === null) return null;
    const at = await readClock(db);
    if (!isGenuine(signer, PURPOSE, given, { bound: '', at })) return null;
    const found = await resets.findOpenReset(db, given.id);
    return found === null ? null : { resetId: given.id, userId: found.userId };
  }

  return {
    requestPasswordReset: (email) =>
      db.transaction(async (tx) => {
        const at = await readClock(tx);
        const id = uuid();
        const userId = await resets.insertReset(tx, { id, email, at, seconds: LIFETIME_SECONDS });
        await eventLog.append(tx, at, [passwordResetRequested.of(id, { userId, resetId: id })]);
      }),

    async passwordResetToken(resetId) {
      const found = await resets.findOpenReset(db, resetId);
      return found === null
        ? null
        : signToken(signer, PURPOSE, { id: resetId, expiry: expiryOf(found.expiresAt), bound: '' });
    },

    isPasswordResetOpen: async (token) => (await userOf(token)) !== null,

    async reset({ token, newPassword }, work) {
      // Looked at first: a token that opens nothing costs no hash.
      const found = (await userOf(token)) ?? invalid();
      const hash = await passwords.hash(newPassword);
      return db.transaction(async (tx) => {
        await repository.lockUser(tx, found.userId);
        // A concurrent reset with the same link has held this lock.
        if ((await resets.findOpenReset(tx, found.resetId)) === null) invalid();
        const at = await readClock(tx);
        await repository.setPasswordHash(tx, found.userId, hash);
        await repository.confirmEmailOf(tx, found.userId, at);
        await resets.closeResets(tx, found.userId, at);
        await sessions.endAll(tx, found.userId, 'PASSWORD_CHANGED');
        await eventLog.append(tx, at, [passwordChanged.of(found.userId, { userId: found.userId })]);
        return work(tx, found.userId);
      });
    },
  };
}

function invalid(): never {
  refuse('TOKEN_INVALID', 'The link is invalid or has expired. Request a new one.', ['token']);
}
