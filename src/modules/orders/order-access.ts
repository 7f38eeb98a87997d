import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Statement } from '../../infra/postgres/database.ts';
import { readSignedId } from '../../infra/signed-id.ts';
import { isGenuine, readToken, signToken } from '../../infra/signed-token.ts';
import { createSigner } from '../../infra/signer.ts';
import { orderLinkRequested } from './order.events.ts';

/*
 * The token that grants access to one order: in the links of its emails, and in the answer to the checkout. Tokens expire, since
 * emails are forwarded and mailboxes change hands. The holder of an expired one can have a new one sent to the order's address.
 */

/** Access to orders by token. */
export interface OrderAccess {
  /**
   * A token that grants this order alone, for 180 days.
   * @param at the database's time
   */
  accessToken(orderId: string, at: Date): string;
  /** The order that a token grants; null where it is none of ours, or has ended. */
  orderOfToken(token: string): Promise<string | null>;
  /** The order whose token it is or was, ended or not; null where we signed no such token. It grants nothing. */
  orderOfEndedToken(token: string): string | null;
  /** Has a mail with a new link sent to the address of an order. */
  requestLink(orderId: string): Promise<void>;
}

const PURPOSE = 'order access until';
/** Of tokens without an end, as mails had them before: they hold as long after the last change of their order. */
const FORMER_PURPOSE = 'order access';
const LIFETIME_DAYS = 180;
const DAY_SECONDS = 24 * 60 * 60;

const isRecent: Statement = {
  name: 'order_changed_within',
  text: 'SELECT id FROM orders WHERE id = $1 AND updated_at > clock_timestamp() - make_interval(days => $2)',
};

/** Wires it. */
export function createOrderAccess(deps: { db: Database; eventLog: EventLog; secrets: readonly string[] }): OrderAccess {
  const { db, eventLog } = deps;
  const signer = createSigner(deps.secrets);
  const former = (token: string) => readSignedId(signer, FORMER_PURPOSE, token);
  const genuine = (token: string, at: Date) => {
    const read = readToken(token);
    return read !== null && isGenuine(signer, PURPOSE, read, { bound: '', at }) ? read.id : null;
  };
  return {
    accessToken(orderId, at) {
      // At the end of a day, so that a checkout that is sent again gets the token of the first time.
      const expiry = (Math.ceil(at.getTime() / 1000 / DAY_SECONDS) + LIFETIME_DAYS) * DAY_SECONDS;
      return signToken(signer, PURPOSE, { id: orderId, expiry, bound: '' });
    },

    async orderOfToken(token) {
      const orderId = former(token);
      if (orderId !== null) return (await db.query(isRecent, [orderId, LIFETIME_DAYS])).length > 0 ? orderId : null;
      return readToken(token) === null ? null : genuine(token, await readClock(db));
    },

    // No end lies before the beginning of time.
    orderOfEndedToken: (token) => former(token) ?? genuine(token, new Date(0)),

    requestLink: (orderId) =>
      db.transaction(async (tx) => {
        await eventLog.append(tx, await readClock(tx), [orderLinkRequested.of(orderId, { orderId })]);
      }),
  };
}
