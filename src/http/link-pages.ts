import type { IncomingMessage } from 'node:http';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import type { ShopServices } from '../modules/services.ts';
import { Refusal } from '../modules/user-error.ts';
import { page, PLAIN_PAGE_POLICY, type Html } from './html.ts';
import { orderTable } from './order-table.ts';
import type { Page } from './pages.ts';

/*
 * Where links in mails lead in a shop that has no front end of its own: plain pages, without scripts or cookies. What a link
 * grants, it grants by its token. Opening a page changes nothing, since programs open links, too; its button does.
 */

/** What the pages need of the shop. */
export interface LinkPagesOptions {
  shopName: string;
  accounts: Pick<ShopServices['accounts'], 'confirmEmail' | 'isPasswordResetOpen' | 'setForgottenPassword'>;
  orders: Pick<ShopServices['orders'], 'orderOfToken' | 'read'>;
  /** Counts a request against its client's general limit; the seconds to wait where that is used up. */
  admit(incoming: IncomingMessage): Promise<number | null>;
}

/** A form holds a token and a password. */
const MAX_BODY = 10_000;

const sorry = html`<p class="wrong">This link is not valid, or not any more.</p>
  <p class="quiet">Links hold for a while, and some of them only once. Ask the shop for another one.</p>`;

/** Makes the pages, all of them below `/mail`. */
export function createLinkPages({ shopName, accounts, orders, admit }: LinkPagesOptions): Page {
  const app = new Hono<{ Bindings: { incoming: IncomingMessage } }>();
  const show = async (title: string, body: Html, status = 200): Promise<Response> =>
    new Response(String(await page({ shopName, title, body })), {
      status,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': PLAIN_PAGE_POLICY,
        'cache-control': 'no-store',
      },
    });

  app.use(async (c, next) => {
    const wait = await admit(c.env.incoming);
    if (wait === null) return next();
    c.res = await show('Too many requests', html`<p>Try again in ${wait} seconds.</p>`, 429);
    c.res.headers.set('retry-after', String(wait));
    return undefined;
  });
  app.use(bodyLimit({ maxSize: MAX_BODY }));

  app.get('/mail/order', async (c) => {
    const orderId = orders.orderOfToken(c.req.query('token') ?? '');
    const order = orderId === null ? null : await orders.read(orderId);
    return order === null ? show('Your order', sorry, 404) : show(`Order ${order.number}`, orderTable(order));
  });

  app.get('/mail/confirm-email', (c) => {
    const token = c.req.query('token') ?? '';
    return show(
      'Confirm your address',
      html`<p>Confirm that mail to this address reaches you.</p>
        <form method="post" action="/mail/confirm-email">
          <input type="hidden" name="token" value="${token}" />
          <button>Confirm</button>
        </form>`,
    );
  });

  app.post('/mail/confirm-email', async (c) => {
    const { token } = await fields(c.req.raw);
    try {
      await accounts.confirmEmail(token ?? '');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show('Confirm your address', sorry, 400);
    }
    return show('Your address is confirmed', html`<p>Thank you. You can close this page.</p>`);
  });

  const passwordForm = (token: string, wrong: string | null) =>
    html`${wrong === null ? '' : html`<p class="wrong">${wrong}</p>`}
      <form method="post" action="/mail/reset-password">
        <input type="hidden" name="token" value="${token}" />
        <label for="password">New password</label>
        <input id="password" type="password" name="newPassword" autocomplete="new-password" required minlength="10" />
        <p class="quiet">Ten characters or more. You will be logged out on all your devices.</p>
        <button>Set password</button>
      </form>`;

  app.get('/mail/reset-password', async (c) => {
    const token = c.req.query('token') ?? '';
    const open = await accounts.isPasswordResetOpen(token);
    return open ? show('Choose a new password', passwordForm(token, null)) : show('Choose a new password', sorry, 404);
  });

  app.post('/mail/reset-password', async (c) => {
    const { token = '', newPassword = '' } = await fields(c.req.raw);
    try {
      await accounts.setForgottenPassword({ token, newPassword });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const fault = error.errors.find(({ code }) => code === 'INVALID_INPUT');
      if (fault === undefined) return show('Choose a new password', sorry, 400);
      const wrong = `The password ${fault.message.replace(/^newPassword /, '')}`;
      return show('Choose a new password', passwordForm(token, wrong), 400);
    }
    return show('Your password is set', html`<p>Log in with it now. All your devices were logged out.</p>`);
  });

  app.notFound(() => show('There is nothing here', html``, 404));
  app.onError((error) => {
    // Anything else is for who serves the pages to tell of.
    if (!(error instanceof HTTPException)) throw error;
    return show('That was too much', html`<p>The page was sent more than it takes.</p>`, error.status);
  });
  return async (request, incoming) => app.fetch(request, { incoming });
}

/** The texts of a form; what is no form has none. */
async function fields(request: Request): Promise<Record<string, string>> {
  const type = request.headers.get('content-type') ?? '';
  if (!type.startsWith('application/x-www-form-urlencoded')) return {};
  return Object.fromEntries(new URLSearchParams(await request.text()));
}
