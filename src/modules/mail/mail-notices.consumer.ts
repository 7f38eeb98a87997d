import { defineConsumer, type Consumer } from '../../events/consumer.ts';
import type { StoredEvent } from '../../events/event.ts';
import { onlyIf } from '../../events/only.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Transaction } from '../../infra/postgres/database.ts';
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
import { findRecipients, findStaff, type Recipient, type Subject } from './mail-notices.repository.ts';
import type { MailSettingsService } from './mail-settings.service.ts';
import type { MailService } from './mail.service.ts';
import type { MailData, MailTemplate, NewMail } from './mail.types.ts';

/** The mail that an event calls for, and who gets it. */
interface Notice {
  template: MailTemplate;
  data: MailData;
  /** What decides who gets it. */
  to: { subject: Subject; id: string } | 'STAFF';
}

/** So many of the staff are sent a mail about one thing. */
const MOST_STAFF = 20;

/** A mail to a user about the user's own account. */
function toUser(template: MailTemplate, data: MailData & { userId: string }): Notice {
  return { template, data, to: { subject: 'USER', id: data.userId } };
}

function noticeOf(event: StoredEvent): Notice | null {
  const placed = orderPlaced.read(event);
  if (placed !== null) {
    const { orderId } = placed;
    return { template: 'order-placed', data: { orderId }, to: { subject: 'ORDER', id: orderId } };
  }
  const moved = orderStatusChanged.read(event);
  if (moved !== null) {
    const { orderId, from, to } = moved;
    const data = { orderId, from, to };
    return { template: 'order-status-changed', data, to: { subject: 'ORDER', id: orderId } };
  }
  const link = orderLinkRequested.read(event);
  if (link !== null) {
    const { orderId } = link;
    return { template: 'order-link', data: { orderId }, to: { subject: 'ORDER', id: orderId } };
  }
  const changed = cartChanged.read(event);
  if (changed !== null) {
    const { kind, cartId, variantId } = changed;
    // The one whose own change it was is in no such event.
    if (kind !== 'LOW_STOCK' || variantId === undefined) return null;
    return { template: 'low-stock', data: { cartId, variantId }, to: { subject: 'CART', id: cartId } };
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
  // The address has no account.
  return userId === null ? null : toUser('password-reset', { userId, resetId });
}

/** Mail about payments: to the customer, but for authorizations that lapse, which staff must capture. */
function paymentNoticeOf(event: StoredEvent): Notice | null {
  const toPayer = (template: MailTemplate, data: MailData & { paymentId: string }): Notice => ({
    template,
    data,
    to: { subject: 'PAYMENT', id: data.paymentId },
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
    to: 'STAFF',
  };
}

/** A notice, and the event that calls for it. */
type Called = Notice & { event: StoredEvent };

/** Finds who gets the mails. @returns the recipients of each notice, in the order of the notices */
async function findRecipientsOf(tx: Transaction, notices: readonly Called[]): Promise<(readonly Recipient[])[]> {
  const idsOf = (subject: Subject) =>
    notices.flatMap(({ to }) => (to !== 'STAFF' && to.subject === subject ? [to.id] : []));
  const subjects = { ORDER: idsOf('ORDER'), CART: idsOf('CART'), USER: idsOf('USER'), PAYMENT: idsOf('PAYMENT') };
  const find = await findRecipients(tx, subjects);
  const staff = notices.some(({ to }) => to === 'STAFF') ? await findStaff(tx, MOST_STAFF) : [];
  return notices.map(({ to }) => {
    if (to === 'STAFF') return staff;
    const recipient = find(to.subject, to.id);
    return recipient === null ? [] : [recipient];
  });
}

/**
 * Writes down the emails that events call for: one for each event, if the recipient wants it. The text is composed when the email is
 * sent. An event that comes twice adds no second email.
 */
export function createMailNotices(deps: {
  mails: Pick<MailService, 'write'>;
  mailSettings: Pick<MailSettingsService, 'wanted'>;
}): Consumer {
  const { mails, mailSettings } = deps;

  async function handleTogether(tx: Transaction, events: readonly StoredEvent[]): Promise<void> {
    const notices = events.flatMap((event): Called[] => {
      const notice = noticeOf(event);
      return notice === null ? [] : [{ ...notice, event }];
    });
    if (notices.length === 0) return;
    const recipients = await findRecipientsOf(tx, notices);
    const letters = notices.flatMap(({ template, data, event }, index): NewMail[] =>
      (recipients[index] ?? []).map(({ email: recipient, userId }) => {
        return { cause: `event:${event.seq}`, template, recipient, userId, data };
      }),
    );
    const wanted = await mailSettings.wanted(tx, letters);
    if (wanted.length > 0) await mails.write(tx, await readClock(tx), wanted);
  }

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
    // Carts change all the time, nearly always by what their owners do.
    only: [onlyIf(cartChanged, ['kind', '==', 'LOW_STOCK'])],
    async handle(tx, event) {
      await handleTogether(tx, [event]);
      return 'DONE';
    },
    handleTogether,
  });
}
