import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import { createSigner } from '../../infra/signer.ts';
import type { StockAlertService } from '../stock-alerts/stock-alert.service.ts';
import type { OrderService } from '../orders/order.service.ts';
import { refuse } from '../user-error.ts';
import { emailConfirmationRequested } from './account.events.ts';
import * as repository from './account.repository.ts';
import { isGenuine, readToken, signToken } from '../../infra/signed-token.ts';

/*
 * The link in the mail to a new address. Its token is bound to the address: it is worth nothing once the user has another one.
 */

/** How users show that mail to their address arrives. */
export interface EmailConfirmation {
  /** The token for the link to a user's present address, good for seven days. */
  emailConfirmationToken(userId: string): Promise<string>;
  /** Has another mail with such a link sent, unless the address is confirmed. */
  requestEmailConfirmation(userId: string): Promise<void>;
  /**
   * Confirms the address that a token was made for; what guests ordered with it, and wait for, becomes the user's. A second time
   * it changes nothing.
   * @returns the user's id
   * @throws Refusal: TOKEN_INVALID
   */
  confirmEmail(token: string): Promise<string>;
}

const PURPOSE = 'email confirmation';
const LIFETIME_SECONDS = 7 * 24 * 60 * 60;

/** Wires the confirmation of addresses. */
export function createEmailConfirmation(deps: {
  db: Database;
  eventLog: EventLog;
  /** Read when they are called: orders and stock alerts are made after accounts. */
  services: Readonly<{
    orders: Pick<OrderService, 'joinGuestOrders'>;
    stockAlerts: Pick<StockAlertService, 'join'>;
  }>;
  secrets: readonly string[];
}): EmailConfirmation {
  const { db, eventLog, services } = deps;
  const signer = createSigner(deps.secrets);

  return {
    async emailConfirmationToken(userId) {
      const [user] = await repository.findUsers(db, [userId]);
      if (user === undefined) throw new Error(`there is no user ${userId}`);
      const expiry = Math.floor((await readClock(db)).getTime() / 1000) + LIFETIME_SECONDS;
      return signToken(signer, PURPOSE, { id: userId, expiry, bound: user.email.toLowerCase() });
    },

    requestEmailConfirmation: (userId) =>
      db.transaction(async (tx) => {
        await repository.lockUser(tx, userId);
        const [user] = await repository.findUsers(tx, [userId]);
        if (user === undefined || user.emailVerifiedAt !== null) return;
        await eventLog.append(tx, await readClock(tx), [emailConfirmationRequested.of(userId, { userId })]);
      }),

    async confirmEmail(token) {
      const given = readToken(token) ?? invalid();
      return db.transaction(async (tx) => {
        await repository.lockUser(tx, given.id);
        const [user] = await repository.findUsers(tx, [given.id]);
        const at = await readClock(tx);
        if (user === undefined || !isGenuine(signer, PURPOSE, given, { bound: user.email.toLowerCase(), at }))
          invalid();
        await repository.confirmEmailOf(tx, user.id, at);
        const confirmed = { ...user, emailVerifiedAt: user.emailVerifiedAt ?? at };
        await services.orders.joinGuestOrders(tx, confirmed);
        await services.stockAlerts.join(tx, confirmed);
        return user.id;
      });
    },
  };
}

function invalid(): never {
  refuse('TOKEN_INVALID', 'The link is invalid or has expired. Request a new one.', ['token']);
}
