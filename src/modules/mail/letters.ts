import { setImmediate as nextTurn } from 'node:timers/promises';
import { render, toPlainText } from '@react-email/components';
import type { ReactElement } from 'react';
import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { AccountService } from '../accounts/account.service.ts';
import type { OrderService } from '../orders/order.service.ts';
import { orderStatuses } from '../orders/order.types.ts';
import { instantInWords, oneLine } from './letter-text.ts';
import * as views from './letter-views.ts';
import { BackInStock } from './letters/back-in-stock.tsx';
import { ConfirmAddress } from './letters/confirm-address.tsx';
import type { Frame } from './letters/layout.tsx';
import { LowStock } from './letters/low-stock.tsx';
import { OrderLink } from './letters/order-link.tsx';
import { OrderPlaced } from './letters/order-placed.tsx';
import { OrderStatusChanged, statusTexts } from './letters/order-status-changed.tsx';
import { PasswordChanged } from './letters/password-changed.tsx';
import { PasswordReset } from './letters/password-reset.tsx';
import { AuthorizationLapsing, PaymentFailed, PaymentReceivedLate, RefundSucceeded } from './letters/payment.tsx';
import { Welcome } from './letters/welcome.tsx';
import { createLinks } from './links.ts';
import type { MailSettingsService } from './mail-settings.service.ts';
import { mailTemplates, type Letters, type MailRow, type MailTemplate } from './mail.types.ts';
import type { StockAlertService } from '../stock-alerts/stock-alert.service.ts';

/** A letter before it is finished HTML and text. */
interface Draft {
  subject: string;
  body: ReactElement;
}

/** Writes the letter of a mail; null where there is nothing to say any more. */
type Writer = (mail: MailRow, frame: Frame) => Promise<Draft | null>;

const ofOrder = z.object({ orderId: z.guid() });
const ofStep = ofOrder.extend({ to: z.enum(orderStatuses).exclude(['PLACED']) });
const ofPayment = z.object({ paymentId: z.guid() });
const ofPaidOrder = ofPayment.extend({ orderId: z.guid() });
const ofRefund = ofPayment.extend({ orderId: z.guid().nullable(), refundId: z.guid() });
const ofCart = z.object({ cartId: z.guid(), variantId: z.guid() });
const ofAlert = z.object({ alertId: z.guid() });
const ofUser = z.object({ userId: z.guid() });
const ofReset = ofUser.extend({ resetId: z.guid() });
const ofChange = ofUser.extend({ at: z.iso.datetime() });

/** Subjects stay in one line, and short enough for a list of mails. */
const MOST_OF_SUBJECT = 120;

/** How the text part is made of the HTML: nothing shouted, links written out, lines left as long as they are. */
const asText = {
  wordwrap: false,
  selectors: [
    { selector: 'h1', options: { uppercase: false } },
    { selector: 'h2', options: { uppercase: false } },
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, linkBrackets: false as const } },
    { selector: 'table.lines', format: 'dataTable', options: { uppercaseHeaderCells: false, maxColumnWidth: 50 } },
  ],
};

/**
 * Finishes letters, one at a time, in steps of a few milliseconds: it is the processor's work, and a batch of letters must not
 * keep all the requests waiting that come meanwhile.
 */
function createFinishing(): (body: ReactElement) => Promise<{ html: string; text: string }> {
  let before: Promise<unknown> = Promise.resolve();
  async function finish(body: ReactElement) {
    await nextTurn();
    const html = await render(body);
    await nextTurn();
    return { html, text: toPlainText(html, asText) };
  }
  return (body) => {
    const finished = before.then(() => finish(body));
    before = finished.catch(() => {});
    return finished;
  };
}

/**
 * Makes letters of mails. The secrets of their links are made here, and go nowhere but into the letter.
 * @param deps.publicUrl where the outside reaches the shop
 */
export function createLetters(deps: {
  db: Database;
  shop: Config['shop'];
  publicUrl: string;
  services: {
    orders: Pick<OrderService, 'accessToken'>;
    accounts: Pick<AccountService, 'emailConfirmationToken' | 'passwordResetToken'>;
    mailSettings: Pick<MailSettingsService, 'wanted' | 'unsubscribeToken'>;
    stockAlerts: Pick<StockAlertService, 'cancelToken'>;
  };
}): Letters {
  const { db, shop, publicUrl, services } = deps;
  const links = createLinks({ storefrontUrl: shop.storefrontUrl ?? (shop.window ? publicUrl : null), publicUrl });
  const finish = createFinishing();
  const shopName = oneLine(shop.name, 80);
  const confirmLink = async (userId: string) =>
    links.confirmEmail(await services.accounts.emailConfirmationToken(userId));
  const orderLink = async (orderId: string) => links.order(services.orders.accessToken(orderId, await readClock(db)));

  const writers: Readonly<Record<MailTemplate, Writer>> = {
    async 'order-placed'({ data }, frame) {
      const { orderId } = ofOrder.parse(data);
      const order = await views.viewOrder(db, orderId);
      if (order === null) return null;
      const body = OrderPlaced({ frame, order, link: await orderLink(orderId) });
      return { subject: `Order ${order.number}: thank you`, body };
    },

    async 'order-status-changed'({ data }, frame) {
      const { orderId, to } = ofStep.parse(data);
      const order = await views.viewOrder(db, orderId);
      if (order === null) return null;
      const note = await views.viewNote(db, orderId, to);
      const body = OrderStatusChanged({ frame, order, to, note, link: await orderLink(orderId) });
      return { subject: `Order ${order.number}: ${statusTexts[to].subject}`, body };
    },

    async 'order-link'({ data }, frame) {
      const { orderId } = ofOrder.parse(data);
      const order = await views.viewOrder(db, orderId);
      if (order === null) return null;
      const body = OrderLink({ frame, number: order.number, link: await orderLink(orderId) });
      return { subject: `Your link to order ${order.number}`, body };
    },

    async 'payment-failed'({ data }, frame) {
      const payment = await views.viewPayment(db, ofPayment.parse(data).paymentId);
      if (payment === null || payment.isForgotten) return null;
      const subject = payment.isReturned ? 'Your payment came too late' : 'Your payment failed';
      return { subject: `${subject}: ${shopName}`, body: PaymentFailed({ frame, payment }) };
    },

    async 'payment-received-late'({ data }, frame) {
      const { paymentId, orderId } = ofPaidOrder.parse(data);
      const [payment, order] = [await views.viewPayment(db, paymentId), await views.viewOrder(db, orderId)];
      if (payment === null || order === null) return null;
      const body = PaymentReceivedLate({ frame, payment, order, link: await orderLink(orderId) });
      return { subject: `Order ${order.number}: your payment has arrived`, body };
    },

    async 'refund-succeeded'({ data }, frame) {
      const { paymentId, orderId, refundId } = ofRefund.parse(data);
      const payment = await views.viewPayment(db, paymentId, refundId);
      if (payment === null || payment.refund === null) return null;
      const { refund, orderNumber } = payment;
      const link = orderId === null ? null : await orderLink(orderId);
      const subject =
        orderNumber === null ? `Your refund: ${shopName}` : `Order ${orderNumber}: ${refund.amount} refunded`;
      return { subject, body: RefundSucceeded({ frame, refund, orderNumber, link }) };
    },

    async 'authorization-lapsing'({ data }, frame) {
      const payment = await views.viewPayment(db, ofPayment.parse(data).paymentId);
      if (payment === null || payment.wasCaptured) return null;
      const subject = `Order ${payment.orderNumber ?? ''}: capture ${payment.amount}`;
      return { subject, body: AuthorizationLapsing({ frame, payment }) };
    },

    async 'low-stock'({ data }, frame) {
      const found = await views.viewInCart(db, links, ofCart.parse(data));
      if (found === null) return null;
      return {
        subject: `Almost sold out: ${found.product.title}`,
        body: LowStock({ frame, ...found, cartUrl: links.cart() }),
      };
    },

    async 'back-in-stock'({ data }, frame) {
      const { alertId } = ofAlert.parse(data);
      const product = await views.viewOfAlert(db, links, alertId);
      if (product === null) return null;
      const cancelUrl = links.cancelStockAlert(services.stockAlerts.cancelToken(alertId));
      const subject = product.isAvailable ? `Back in stock: ${product.title}` : `Sold out again: ${product.title}`;
      return { subject, body: BackInStock({ frame, product, cancelUrl }) };
    },

    async 'password-reset'({ data }, frame) {
      const { userId, resetId } = ofReset.parse(data);
      const user = await views.viewUser(db, userId);
      const token = await services.accounts.passwordResetToken(resetId);
      if (user === null || token === null) return null;
      const body = PasswordReset({ frame, user, link: links.resetPassword(token) });
      return { subject: `Choose a new password for ${shopName}`, body };
    },

    async 'password-changed'({ data }, frame) {
      const { userId, at } = ofChange.parse(data);
      const user = await views.viewUser(db, userId);
      if (user === null) return null;
      const body = PasswordChanged({ frame, user, at: instantInWords(new Date(at)) });
      return { subject: `Your password for ${shopName} was changed`, body };
    },

    async welcome({ data }, frame) {
      const { userId } = ofUser.parse(data);
      const user = await views.viewUser(db, userId);
      if (user === null) return null;
      const link = user.isConfirmed ? null : await confirmLink(userId);
      return { subject: `Welcome to ${shopName}`, body: Welcome({ frame, user, link }) };
    },

    async 'confirm-address'({ data }, frame) {
      const { userId } = ofUser.parse(data);
      const user = await views.viewUser(db, userId);
      if (user === null || user.isConfirmed) return null;
      const body = ConfirmAddress({ frame, link: await confirmLink(userId) });
      return { subject: `Confirm your email address for ${shopName}`, body };
    },
  };

  return {
    async compose(mail) {
      // Asked again: it may have been turned off since the mail was written down.
      if ((await services.mailSettings.wanted(db, [mail])).length === 0) return null;
      const kind = mailTemplates[mail.template];
      const unsubscribeUrl =
        kind === null ? null : links.unsubscribe(services.mailSettings.unsubscribeToken(mail.recipient, kind));
      const draft = await writers[mail.template](mail, { shopName, homeUrl: links.home(), unsubscribeUrl });
      if (draft === null) return null;
      const { html, text } = await finish(draft.body);
      return { subject: oneLine(draft.subject, MOST_OF_SUBJECT), html, text, unsubscribeUrl };
    },
  };
}
