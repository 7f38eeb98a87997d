import { readClock } from '../../infra/clock.ts';
import type { Database } from '../../infra/database.ts';
import { createSigner } from '../../infra/signer.ts';
import type { StockAlertService } from '../notifications/stock-alert.service.ts';
import type { OrderService } from '../orders/order.service.ts';
import { refuse } from '../user-error.ts';
import * as repository from './account.repository.ts';

/*
 * The link in the mail to a new address. Its token names the user, the address and an end, all of it signed: no row holds it,
 * and it is worth nothing once the user has another address.
 */

/** How users show that mail to their address arrives. */
export interface EmailConfirmation {
  /** The token for the link to a user's present address, good for seven days. */
  emailConfirmationToken(userId: string): Promise<string>;
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
/** A uuid's 16 bytes, the end's 6 bytes of seconds, the tag. */
const TOKEN = /^([\w-]{22})\.([\w-]{8})\.([\w-]{43})$/;

function signed(userId: string, email: string, expiry: number): string {
  return `${userId} ${email.toLowerCase()} ${expiry}`;
}

function readToken(token: string): { userId: string; expiry: number; tag: string } | null {
  const [, id, end, tag] = TOKEN.exec(token) ?? [];
  if (id === undefined || end === undefined || tag === undefined) return null;
  const hex = Buffer.from(id, 'base64url').toString('hex');
  const userId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { userId, expiry: Buffer.from(end, 'base64url').readUIntBE(0, 6), tag };
}

/** Wires the confirmation of addresses. */
export function createEmailConfirmation(deps: {
  db: Database;
  orders: Pick<OrderService, 'joinGuestOrders'>;
  stockAlerts: Pick<StockAlertService, 'join'>;
  secrets: readonly string[];
}): EmailConfirmation {
  const { db, orders, stockAlerts } = deps;
  const signer = createSigner(deps.secrets);

  return {
    async emailConfirmationToken(userId) {
      const [user] = await repository.findUsers(db, [userId]);
      if (user === undefined) throw new Error(`there is no user ${userId}`);
      const expiry = Math.floor((await readClock(db)).getTime() / 1000) + LIFETIME_SECONDS;
      const end = Buffer.alloc(6);
      end.writeUIntBE(expiry, 0, 6);
      const id = Buffer.from(userId.replaceAll('-', ''), 'hex').toString('base64url');
      return `${id}.${end.toString('base64url')}.${signer.sign(PURPOSE, signed(userId, user.email, expiry))}`;
    },

    async confirmEmail(token) {
      const given = readToken(token) ?? invalid();
      const { userId, expiry, tag } = given;
      return db.transaction(async (tx) => {
        await repository.lockUser(tx, userId);
        const [user] = await repository.findUsers(tx, [userId]);
        if (user === undefined || !signer.verify(PURPOSE, signed(userId, user.email, expiry), tag)) invalid();
        const at = await readClock(tx);
        if (at.getTime() >= expiry * 1000) invalid();
        await repository.confirmEmailOf(tx, userId, at);
        const confirmed = { ...user, emailVerifiedAt: user.emailVerifiedAt ?? at };
        await orders.joinGuestOrders(tx, confirmed);
        await stockAlerts.join(tx, confirmed);
        return userId;
      });
    },
  };
}

function invalid(): never {
  refuse('TOKEN_INVALID', 'The link is not valid, or not any more: ask for another one.', ['token']);
}
