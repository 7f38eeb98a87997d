import { defineConsumer, type Consumer } from '../../events/consumer.ts';
import type { StoredEvent } from '../../events/event.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import {
  emailConfirmationRequested,
  passwordChanged,
  passwordResetRequested,
  userRegistered,
} from '../accounts/account.events.ts';
import { cartChanged } from '../cart/cart.events.ts';
import { orderLinkRequested, orderPlaced, orderStatusChanged } from '../orders/order.events.ts';
import {
  authorizationLapsing,
  paymentFailed,
  paymentReceivedLate,
  refundSucceeded,
} from '../payments/payment.events.ts';
import {
  findRecipientOfCart,
  findRecipientOfOrder,
  findRecipientOfPayment,
  findRecipientOfUser,
  findStaff,
  type Recipient,
} from './mail-notices.repository.ts';
import type { MailSettingsService } from './mail-settings.service.ts';
import type { MailService } from './mail.service.ts';
import type { MailData, MailTemplate } from './mail.types.ts';

/** The mail that an event calls for, and who gets it. */
interface Notice {
  template: MailTemplate;
  data: MailData;
  recipient: (source: Queryable) => Promise<Recipient | readonly Recipient[] | null>;
}

/** So many of the staff are sent a mail about one thing. */
const MOST_STAFF = 20;

/** A mail to a user about the user's own account. */
function toUser(template: MailTemplate, data: MailData & { userId: string }): Notice {
  return { template, data, recipient: (source) => findRecipientOfUser(source, data.userId) };
}

function noticeOf(event: StoredEvent): Notice | null {
  const placed = orderPlaced.read(event);
  if (placed !== null) {
    const { orderId } = placed;
    return { template: 'order-placed', data: { orderId }, recipient: (tx) => findRecipientOfOrder(tx, orderId) };
  }
  const moved = orderStatusChanged.read(event);
  if (moved !== null) {
    const { orderId, from, to } = moved;
    const data = { orderId, from, to };
    return { template: 'order-status-changed', data, recipient: (tx) => findRecipientOfOrder(tx, orderId) };
  }
  const link = orderLinkRequested.read(event);
  if (link !== null) {
    const { orderId } = link;
    return { template: 'order-link', data: { orderId }, recipient: (tx) => findRecipientOfOrder(tx, orderId) };
  }
  const changed = cartChanged.read(event);
  if (changed !== null) {
    const { kind, cartId, variantId } = changed;
    // The one whose own change it was is in no such event.
    if (kind !== 'LOW_STOCK' || variantId === undefined) return null;
    return { template: 'low-stock', data: { cartId, variantId }, recipient: (tx) => findRecipientOfCart(tx, cartId) };
  }
  const payment = paymentNoticeOf(event);
  if (payment !== null) return payment;
  const registered = userRegistered.read(event);
  if (registered !== null) return toUser('welcome', registered);
  const confirmation = emailConfirmationRequested.read(event);
  if (confirmation !== null) return toUser('confirm-address', confirmation);
  const password = passwordChanged.read(event);
  if (password !== null) return toUser('password-changed', { ...password, at: event.occurredAt.toISOString() });
  const reset = passwordResetRequested.read(event);
  if (reset === null) return null;
  const { userId, resetId } = reset;
  // Nobody has an account with that address.
  return userId === null ? null : toUser('password-reset', { userId, resetId });
}

/** Mail about payments: to the customer, but for authorizations that lapse, which staff must capture. */
function paymentNoticeOf(event: StoredEvent): Notice | null {
  const toPayer = (template: MailTemplate, data: MailData & { paymentId: string }): Notice => ({
    template,
    data,
    recipient: (source) => findRecipientOfPayment(source, data.paymentId),
  });
  const failed = paymentFailed.read(event);
  if (failed !== null) return toPayer('payment-failed', { paymentId: failed.paymentId });
  const late = paymentReceivedLate.read(event);
  if (late !== null) return toPayer('payment-received-late', { paymentId: late.paymentId, orderId: late.orderId });
  const refunded = refundSucceeded.read(event);
  if (refunded !== null) {
    const { paymentId, orderId, refundId } = refunded;
    return toPayer('refund-succeeded', { paymentId, orderId, refundId });
  }
  const lapsing = authorizationLapsing.read(event);
  if (lapsing === null || lapsing.orderId === null) return null;
  const { paymentId, orderId } = lapsing;
  return {
    template: 'authorization-lapsing',
    data: { paymentId, orderId },
    recipient: (source) => findStaff(source, MOST_STAFF),
  };
}

/**
 * Writes down the mail that an event calls for: one for each event, to somebody who wants it. What it says is made when it is
 * sent. An event that comes twice makes no second one.
 */
export function createMailNotices(deps: {
  mails: Pick<MailService, 'write'>;
  mailSettings: Pick<MailSettingsService, 'wanted'>;
}): Consumer {
  const { mails, mailSettings } = deps;
  return defineConsumer({
    name: 'mail-notices',
    types: [
      orderPlaced,
      orderStatusChanged,
      orderLinkRequested,
      cartChanged,
      userRegistered,
      emailConfirmationRequested,
      passwordChanged,
      passwordResetRequested,
      paymentFailed,
      paymentReceivedLate,
      refundSucceeded,
      authorizationLapsing,
    ].map(({ type }) => type),
    async handle(tx, event) {
      const notice = noticeOf(event);
      const found = notice === null ? null : await notice.recipient(tx);
      if (notice === null || found === null) return 'DONE';
      const { template, data } = notice;
      const cause = `event:${event.seq}`;
      const recipients = 'email' in found ? [found] : found;
      const letters = recipients.map(({ email: recipient, userId }) => ({ cause, template, recipient, userId, data }));
      const wanted = await mailSettings.wanted(tx, letters);
      if (wanted.length > 0) await mails.write(tx, await readClock(tx), wanted);
      return 'DONE';
    },
  });
}
