import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { AccountService } from '../accounts/account.service.ts';
import type { OrderService } from '../orders/order.service.ts';
import { orderStatuses } from '../orders/order.types.ts';
import { instantInWords, oneLine } from './letter-text.ts';
import * as views from './letter-views.ts';
import type { LetterRenderer } from './letter-renderer.ts';
import type { Frame } from './letters/layout.tsx';
import type { Page } from './letters/pages.ts';
import { statusTexts } from './letters/status-texts.ts';
import { createLinks } from './links.ts';
import type { MailSettingsService } from './mail-settings.service.ts';
import { mailTemplates, type Letters, type MailRow, type MailTemplate } from './mail.types.ts';
import type { StockAlertService } from '../stock-alerts/stock-alert.service.ts';

/** A letter before it is rendered. */
interface Draft {
  subject: string;
  page: Page;
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

/**
 * Makes letters of mails. The secrets of their links are made here, and go nowhere but into the letter.
 * @param deps.publicUrl where the outside reaches the shop
 */
export function createLetters(deps: {
  db: Database;
  shop: Config['shop'];
  publicUrl: string;
  renderer: Pick<LetterRenderer, 'render'>;
  services: {
    orders: Pick<OrderService, 'accessToken'>;
    accounts: Pick<AccountService, 'emailConfirmationToken' | 'passwordResetToken'>;
    mailSettings: Pick<MailSettingsService, 'wanted' | 'unsubscribeToken'>;
    stockAlerts: Pick<StockAlertService, 'cancelToken'>;
  };
}): Letters {
  const { db, shop, publicUrl, services, renderer } = deps;
  const links = createLinks({ storefrontUrl: shop.storefrontUrl ?? (shop.window ? publicUrl : null), publicUrl });
  const shopName = oneLine(shop.name, 80);
  const confirmLink = async (userId: string) =>
    links.confirmEmail(await services.accounts.emailConfirmationToken(userId));
  const readOrder = views.createOrderViewer(db);
  const orderLink = (orderId: string, at: Date) => links.order(services.orders.accessToken(orderId, at));

  const writers: Readonly<Record<MailTemplate, Writer>> = {
    async 'order-placed'({ data }, frame) {
      const { orderId } = ofOrder.parse(data);
      const found = await readOrder(orderId);
      if (found === null) return null;
      const { order, readAt } = found;
      const page: Page = { name: 'OrderPlaced', props: { frame, order, link: orderLink(orderId, readAt) } };
      return { subject: `Order ${order.number}: thank you`, page };
    },

    async 'order-status-changed'({ data }, frame) {
      const { orderId, to } = ofStep.parse(data);
      const found = await readOrder(orderId);
      if (found === null) return null;
      const { order, readAt } = found;
      const note = await views.viewNote(db, orderId, to);
      const page: Page = {
        name: 'OrderStatusChanged',
        props: { frame, order, to, note, link: orderLink(orderId, readAt) },
      };
      return { subject: `Order ${order.number}: ${statusTexts[to].subject}`, page };
    },

    async 'order-link'({ data }, frame) {
      const { orderId } = ofOrder.parse(data);
      const found = await readOrder(orderId);
      if (found === null) return null;
      const { order, readAt } = found;
      const page: Page = {
        name: 'OrderLink',
        props: { frame, number: order.number, link: orderLink(orderId, readAt) },
      };
      return { subject: `Your link to order ${order.number}`, page };
    },

    async 'payment-failed'({ data }, frame) {
      const payment = await views.viewPayment(db, ofPayment.parse(data).paymentId);
      if (payment === null || payment.isForgotten) return null;
      const subject = payment.isReturned ? 'Your payment came too late' : 'Your payment failed';
      return { subject: `${subject}: ${shopName}`, page: { name: 'PaymentFailed', props: { frame, payment } } };
    },

    async 'payment-received-late'({ data }, frame) {
      const { paymentId, orderId } = ofPaidOrder.parse(data);
      const [payment, found] = [await views.viewPayment(db, paymentId), await readOrder(orderId)];
      if (payment === null || found === null) return null;
      const { order, readAt } = found;
      const page: Page = {
        name: 'PaymentReceivedLate',
        props: { frame, payment, order, link: orderLink(orderId, readAt) },
      };
      return { subject: `Order ${order.number}: your payment has arrived`, page };
    },

    async 'refund-succeeded'({ data }, frame) {
      const { paymentId, orderId, refundId } = ofRefund.parse(data);
      const payment = await views.viewPayment(db, paymentId, refundId);
      if (payment === null || payment.refund === null) return null;
      const { refund, orderNumber } = payment;
      const link = orderId === null ? null : orderLink(orderId, await readClock(db));
      const subject =
        orderNumber === null ? `Your refund: ${shopName}` : `Order ${orderNumber}: ${refund.amount} refunded`;
      return { subject, page: { name: 'RefundSucceeded', props: { frame, refund, orderNumber, link } } };
    },

    async 'authorization-lapsing'({ data }, frame) {
      const payment = await views.viewPayment(db, ofPayment.parse(data).paymentId);
      if (payment === null || payment.wasCaptured) return null;
      const subject = `Order ${payment.orderNumber ?? ''}: capture ${payment.amount}`;
      return { subject, page: { name: 'AuthorizationLapsing', props: { frame, payment } } };
    },

    async 'low-stock'({ data }, frame) {
      const found = await views.viewInCart(db, links, ofCart.parse(data));
      if (found === null) return null;
      return {
        subject: `Almost sold out: ${found.product.title}`,
        page: { name: 'LowStock', props: { frame, ...found, cartUrl: links.cart() } },
      };
    },

    async 'back-in-stock'({ data }, frame) {
      const { alertId } = ofAlert.parse(data);
      const product = await views.viewOfAlert(db, links, alertId);
      if (product === null) return null;
      const cancelUrl = links.cancelStockAlert(services.stockAlerts.cancelToken(alertId));
      const subject = product.isAvailable ? `Back in stock: ${product.title}` : `Sold out again: ${product.title}`;
      return { subject, page: { name: 'BackInStock', props: { frame, product, cancelUrl } } };
    },

    async 'password-reset'({ data }, frame) {
      const { userId, resetId } = ofReset.parse(data);
      const user = await views.viewUser(db, userId);
      const token = await services.accounts.passwordResetToken(resetId);
      if (user === null || token === null) return null;
      const page: Page = { name: 'PasswordReset', props: { frame, user, link: links.resetPassword(token) } };
      return { subject: `Choose a new password for ${shopName}`, page };
    },

    async 'password-changed'({ data }, frame) {
      const { userId, at } = ofChange.parse(data);
      const user = await views.viewUser(db, userId);
      if (user === null) return null;
      const page: Page = { name: 'PasswordChanged', props: { frame, user, at: instantInWords(new Date(at)) } };
      return { subject: `Your password for ${shopName} was changed`, page };
    },

    async welcome({ data }, frame) {
      const { userId } = ofUser.parse(data);
      const user = await views.viewUser(db, userId);
      if (user === null) return null;
      const link = user.isConfirmed ? null : await confirmLink(userId);
      return { subject: `Welcome to ${shopName}`, page: { name: 'Welcome', props: { frame, user, link } } };
    },

    async 'confirm-address'({ data }, frame) {
      const { userId } = ofUser.parse(data);
      const user = await views.viewUser(db, userId);
      if (user === null || user.isConfirmed) return null;
      const page: Page = { name: 'ConfirmAddress', props: { frame, link: await confirmLink(userId) } };
      return { subject: `Confirm your email address for ${shopName}`, page };
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
      const { html, text } = await renderer.render(draft.page);
      return { subject: oneLine(draft.subject, MOST_OF_SUBJECT), html, text, unsubscribeUrl };
    },
  };
}
