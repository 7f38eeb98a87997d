import { Hono } from 'hono';
import { html } from 'hono/html';
import type { ShopServices } from '../modules/module.ts';
import { Refusal } from '../modules/user-error.ts';
import { readForm } from './form.ts';
import type { Html } from './html.ts';
import { orderTable } from './order-table.ts';

/*
 * Where links in mails lead in a shop that has no front end of its own: plain pages, without scripts or cookies. What a link
 * grants, it grants by its token. Opening a page changes nothing, since programs open links, too; its button does.
 */

const sorry = html`<p class="wrong">This link is invalid or has expired.</p>
  <p class="quiet">
    Links are valid for a limited time, and some of them can be used only once. Request a new link from the shop.
  </p>`;

/** Page of an expired order link: the holder can request a new link, which goes to the order's own address. */
const endedLink = (token: string) =>
  html`<p class="wrong">This link has expired.</p>
    <form method="post" action="/mail/order-link">
      <input type="hidden" name="token" value="${token}" />
      <button>Send me a new link</button>
    </form>
    <p class="quiet">We send the link to the email address of the order.</p>`;

/** Makes them. */
export function createLinkPages({
  accounts,
  orders,
  answer,
}: Pick<ShopServices, 'accounts' | 'orders'> & {
  /** Answers with a page of the shop's. */
  answer: (status: number, title: string, body: Html) => Promise<Response>;
}): Hono {
  const app = new Hono();
  const show = (title: string, body: Html, status = 200) => answer(status, title, body);

  app.get('/mail/order', async (c) => {
    const token = c.req.query('token') ?? '';
    const orderId = await orders.orderOfToken(token);
    if (orderId === null && orders.orderOfEndedToken(token) !== null) return show('Your order', endedLink(token), 410);
    const order = orderId === null ? null : await orders.read(orderId);
    return order === null ? show('Your order', sorry, 404) : show(`Order ${order.number}`, orderTable(order));
  });

  app.post('/mail/order', async (c) => {
    const orderId = await orders.orderOfToken(c.req.query('token') ?? '');
    if (orderId === null) return show('Your order', sorry, 404);
    try {
      await orders.cancel(orderId, { by: 'VIEWER', owner: null, grantedOrderId: orderId, staffId: null }, null);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const order = await orders.read(orderId);
      const body =
        order === null
          ? sorry
          : html`<p class="wrong">The order can no longer be cancelled.</p>
              ${orderTable(order)}`;
      return show(order === null ? 'Your order' : `Order ${order.number}`, body, 409);
    }
    const order = await orders.read(orderId);
    return order === null ? show('Your order', sorry, 404) : show(`Order ${order.number}`, orderTable(order));
  });

  app.post('/mail/order-link', async (c) => {
    const { token = '' } = await readForm(c.req.raw);
    const orderId = orders.orderOfEndedToken(token);
    if (orderId === null) return show('Your order', sorry, 404);
    await orders.requestLink(orderId);
    return show('New link sent', html`<p>We have sent a new link to the email address of the order.</p>`);
  });

  app.get('/mail/confirm-email', (c) => {
    const token = c.req.query('token') ?? '';
    return show(
      'Confirm your email address',
      html`<p>Confirm that this email address is yours.</p>
        <form method="post" action="/mail/confirm-email">
          <input type="hidden" name="token" value="${token}" />
          <button>Confirm</button>
        </form>`,
    );
  });

  app.post('/mail/confirm-email', async (c) => {
    const { token } = await readForm(c.req.raw);
    try {
      await accounts.confirmEmail(token ?? '');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show('Confirm your email address', sorry, 400);
    }
    return show('Email address confirmed', html`<p>Thank you. You can close this page.</p>`);
  });

  const passwordForm = (token: string, wrong: string | null) =>
    html`${wrong === null ? '' : html`<p class="wrong">${wrong}</p>`}
      <form method="post" action="/mail/reset-password">
        <input type="hidden" name="token" value="${token}" />
        <label for="password">New password</label>
        <input id="password" type="password" name="newPassword" autocomplete="new-password" required minlength="10" />
        <p class="quiet">At least 10 characters. You will be logged out on all devices.</p>
        <button>Set password</button>
      </form>`;

  app.get('/mail/reset-password', async (c) => {
    const token = c.req.query('token') ?? '';
    const open = await accounts.isPasswordResetOpen(token);
    return open ? show('Choose a new password', passwordForm(token, null)) : show('Choose a new password', sorry, 404);
  });

  app.post('/mail/reset-password', async (c) => {
    const { token = '', newPassword = '' } = await readForm(c.req.raw);
    try {
      await accounts.setForgottenPassword({ token, newPassword });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const fault = error.errors.find(({ code }) => code === 'INVALID_INPUT');
      if (fault === undefined) return show('Choose a new password', sorry, 400);
      const wrong = `The password ${fault.message.replace(/^newPassword /, '')}`;
      return show('Choose a new password', passwordForm(token, wrong), 400);
    }
    return show(
      'Password changed',
      html`<p>Log in with your new password. You have been logged out on all devices.</p>`,
    );
  });

  return app;
}
