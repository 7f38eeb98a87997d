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
  findRecipientOfCart,
  findRecipientOfOrder,
  findRecipientOfUser,
  type Recipient,
} from './mail-notices.repository.ts';
import type { MailSettingsService } from './mail-settings.service.ts';
import type { MailService } from './mail.service.ts';
import type { MailData, MailTemplate } from './mail.types.ts';

/** The mail that an event calls for, and who gets it. */
interface Notice {
  template: MailTemplate;
  data: MailData;
  recipient: (source: Queryable) => Promise<Recipient | null>;
}

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
    ].map(({ type }) => type),
    async handle(tx, event) {
      const notice = noticeOf(event);
      const recipient = notice === null ? null : await notice.recipient(tx);
      if (notice === null || recipient === null) return 'DONE';
      const { template, data } = notice;
      const mail = {
        cause: `event:${event.seq}`,
        template,
        recipient: recipient.email,
        userId: recipient.userId,
        data,
      };
      const wanted = await mailSettings.wanted(tx, [mail]);
      if (wanted.length > 0) await mails.write(tx, await readClock(tx), wanted);
      return 'DONE';
    },
  });
}
