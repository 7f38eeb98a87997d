import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { CartService } from '../cart/cart.service.ts';
import type { StockAlertService } from '../stock-alerts/stock-alert.service.ts';
import type { OrderService } from '../orders/order.service.ts';
import { parseInput } from '../input.ts';
import { refuse, type UserError } from '../user-error.ts';
import { passwordChanged, userRegistered } from './account.events.ts';
import * as repository from './account.repository.ts';
import type { Credentials, User } from './account.repository.ts';
import { createEmailConfirmation, type EmailConfirmation } from './email-confirmation.ts';
import { createKnownDevices, type KnownDevices } from './known-device.ts';
import { createPasswordReset, type PasswordReset } from './password-reset.ts';
import { closeResets } from './password-reset.repository.ts';
import { createPasswords, newPassword as newPasswordRule } from './password.ts';
import type { IssuedTokens, SessionService } from './session.service.ts';

export type { User } from './account.repository.ts';

/** Context of a login besides the credentials: the device, and the guest or session by which it was known so far. */
export interface Entry {
  userAgent: string | null;
  guestId: string | null;
  sessionId?: string | null;
}

/** Result of a login. */
export interface Entered {
  user: User;
  tokens: IssuedTokens;
  /** What of the guest's cart did not fit the user's. */
  cartNotices: readonly UserError[];
}

/** The use cases of accounts. Refusals are thrown as `Refusal`, and nothing has changed then. */
export interface AccountService extends EmailConfirmation, PasswordReset, KnownDevices {
  /** @throws Refusal: EMAIL_TAKEN */
  register(account: { email: string; name: string; password: string }, entry: Entry): Promise<Entered>;
  /** @throws Refusal: INVALID_CREDENTIALS, the same for an unknown address and for a wrong password */
  login(credentials: { email: string; password: string }, entry: Entry): Promise<Entered>;
  /**
   * Sets another password, ends every session, the one that asks included (there may be a stolen copy of it), and begins a new
   * one.
   * @throws Refusal: INVALID_CREDENTIALS
   */
  changePassword(change: {
    userId: string;
    userAgent: string | null;
    currentPassword: string;
    newPassword: string;
  }): Promise<IssuedTokens>;
  /**
   * Sets another password by the token of a link, which can be used once; ends every session, confirms the address, and
   * logs in.
   * @throws Refusal: TOKEN_INVALID
   */
  resetPassword(change: { token: string; newPassword: string }, entry: Entry): Promise<Entered>;
  /** Users by ID. The caller checks who may see them. */
  byIds(ids: readonly string[]): Promise<User[]>;
}

const forgottenPassword = z.object({ token: z.string(), newPassword: newPasswordRule });

/** Wires the accounts. */
export function createAccountService(deps: {
  db: Database;
  eventLog: EventLog;
  sessions: SessionService;
  /** Read when they are called: carts, orders and stock alerts are made after accounts. */
  services: Readonly<{
    cart: Pick<CartService, 'merge' | 'withOverdueReleased'>;
    orders: Pick<OrderService, 'joinGuestOrders'>;
    stockAlerts: Pick<StockAlertService, 'join'>;
  }>;
  secrets: readonly string[];
  config: { bcryptCost: number };
}): AccountService {
  const { db, eventLog, sessions, services, config } = deps;
  const passwords = createPasswords({ cost: config.bcryptCost });
  const { reset, ...passwordReset } = createPasswordReset({ ...deps, passwords });

  /**
   * Begins a session and takes the guest's cart over, in one transaction: a log-in that was answered has the cart, and one
   * that was not can be sent again, with the guest's token, as if it were the first. The caller has the user's lock, so
   * two devices that come in at once find one live cart. What was ordered with the user's address joins, too, and what it
   * waits for, if it is confirmed.
   */
  async function enter(tx: Transaction, user: User, { userAgent, guestId, sessionId = null }: Entry): Promise<Entered> {
    const joinOrders = () => services.orders.joinGuestOrders(tx, user);
    let cartNotices: readonly UserError[] = [];
    if (guestId === null) await joinOrders();
    else cartNotices = await services.cart.merge(tx, { guestId, userId: user.id, whenCartsAreLocked: joinOrders });
    await services.stockAlerts.join(tx, user);
    await sessions.replace(tx, { guestId, sessionId });
    return { user, tokens: await sessions.open(tx, user.id, userAgent), cartNotices };
  }

  /**
   * Runs work under the user's lock, provided that the hash against which the password was checked is still the user's.
   * (bcrypt is slow, and no lock is held meanwhile.)
   * @returns null if the hash has changed: check the password again
   */
  function withVerified<T>(checked: Credentials, work: (tx: Transaction) => Promise<T>): Promise<T | null> {
    return services.cart.withOverdueReleased(() =>
      db.transaction(async (tx) => {
        await repository.lockUser(tx, checked.id);
        const now = await repository.findCredentials(tx, checked.id);
        return now?.passwordHash === checked.passwordHash ? work(tx) : null;
      }),
    );
  }

  return {
    ...createEmailConfirmation(deps),
    ...createKnownDevices(deps),
    ...passwordReset,

    async register({ email, name, password }, entry) {
      const passwordHash = await passwords.hash(password);
      return services.cart.withOverdueReleased(() =>
        db.transaction(async (tx) => {
          const user = await repository.insertUser(tx, { id: uuid(), email, name, passwordHash });
          if (user === null) refuse('EMAIL_TAKEN', 'An account with this email address already exists.', ['email']);
          await eventLog.append(tx, user.createdAt, [userRegistered.of(user.id, { userId: user.id })]);
          return enter(tx, user, entry);
        }),
      );
    },

    async login({ email, password }, entry) {
      for (;;) {
        const found = await repository.findCredentialsByEmail(db, email);
        const fits = await passwords.verify(password, found?.passwordHash ?? null);
        if (found === null || !fits) {
          refuse('INVALID_CREDENTIALS', 'The email address or the password is wrong.', ['password']);
        }
        const renewed = passwords.isStale(found.passwordHash) ? await passwords.hash(password) : null;
        const entered = await withVerified(found, async (tx) => {
          const [user] = await repository.findUsers(tx, [found.id]);
          if (user === undefined) throw new Error(`user ${found.id} is gone under its lock`);
          if (renewed !== null) await repository.setPasswordHash(tx, found.id, renewed);
          return enter(tx, user, entry);
        });
        if (entered !== null) return entered;
      }
    },

    async changePassword({ userId, userAgent, currentPassword, newPassword }) {
      for (;;) {
        const found = await repository.findCredentials(db, userId);
        const fits = await passwords.verify(currentPassword, found?.passwordHash ?? null);
        if (found === null || !fits) {
          refuse('INVALID_CREDENTIALS', 'The current password is wrong.', ['currentPassword']);
        }
        const hash = await passwords.hash(newPassword);
        const done = await withVerified(found, async (tx) => {
          await repository.setPasswordHash(tx, userId, hash);
          await sessions.endAll(tx, userId, 'PASSWORD_CHANGED');
          const at = await readClock(tx);
          await closeResets(tx, userId, at);
          await eventLog.append(tx, at, [passwordChanged.of(userId, { userId })]);
          return sessions.open(tx, userId, userAgent);
        });
        if (done !== null) return done;
      }
    },

    resetPassword: (change, entry) =>
      services.cart.withOverdueReleased(() =>
        reset(change, async (tx, userId) => {
          const [user] = await repository.findUsers(tx, [userId]);
          if (user === undefined) throw new Error(`user ${userId} is gone under its lock`);
          return enter(tx, user, entry);
        }),
      ),

    async setForgottenPassword(change) {
      await reset(parseInput(forgottenPassword, change), async (tx, userId) => {
        const [user] = await repository.findUsers(tx, [userId]);
        if (user === undefined) return;
        await services.orders.joinGuestOrders(tx, user);
        await services.stockAlerts.join(tx, user);
      });
    },

    byIds: (ids) => repository.findUsers(db, ids),
  };
}
