import { Hono } from 'hono';
import { html } from 'hono/html';
import type { MailKind } from '../modules/mail/mail.types.ts';
import type { ShopServices } from '../modules/module.ts';
import { Refusal } from '../modules/user-error.ts';
import { FormTooLargeError, readForm } from './form.ts';
import { answerPage, type Html } from './html.ts';
import { createLinkPages } from './link-pages.ts';
import type { Page } from './pages.ts';

/*
 * The pages to which links in mails lead. To open one changes nothing, since programs that look for bad links open them all;
 * its button does. The token in the link identifies the caller. No cookie is read, so a POST may come from anywhere, as that of
 * a mail program does (RFC 8058).
 */

/** What a kind of mail is about, in the middle of a sentence. */
const about: Readonly<Record<MailKind, string>> = {
  ORDER_STATUS: 'the status of your orders',
  LOW_STOCK: 'items in your cart that are almost sold out',
  BACK_IN_STOCK: 'items that are back in stock',
};

/** Makes the pages, all of them below `/mail`. */
export function createMailPages({
  shopName,
  services,
}: {
  shopName: string;
  services: Pick<ShopServices, 'accounts' | 'orders' | 'mailSettings' | 'stockAlerts'>;
}): Page {
  const { mailSettings: settings, stockAlerts } = services;
  const app = new Hono();
  const answer = (status: number, title: string, body: Html) => answerPage(status, { shopName, title, body });
  const badLink = () =>
    answer(
      400,
      'Invalid link',
      html`<p>The link is incomplete or was not sent by us. Open it again from the email.</p>`,
    );

  app.get('/mail/unsubscribe', async (c) => {
    const found = await settings.readUnsubscribeToken(c.req.query('token') ?? '');
    if (found === null) return badLink();
    return found.isOff ? answer(200, 'You are unsubscribed', off(found)) : answer(200, 'Unsubscribe', on(found));
  });

  app.post('/mail/unsubscribe', async (c) => {
    const found = await settings.readUnsubscribeToken(c.req.query('token') ?? '');
    if (found === null) return badLink();
    // A mail program's one click is a POST, whatever it holds.
    const { undo } = await readForm(c.req.raw);
    if (undo === '1') {
      await settings.resubscribe(found);
      return answer(200, 'You are subscribed again', on(found));
    }
    await settings.unsubscribe(found);
    return answer(200, 'You are unsubscribed', off(found));
  });

  app.get('/mail/stock-alert', (c) => {
    if (!stockAlerts.isCancelToken(c.req.query('token') ?? '')) return badLink();
    return answer(
      200,
      'Cancel this notice?',
      html`<p>You asked us to notify you when an item is back in stock.</p>
        <form method="post"><button>Cancel this notice</button></form>`,
    );
  });

  app.post('/mail/stock-alert', async (c) => {
    try {
      await stockAlerts.cancelByToken(c.req.query('token') ?? '');
    } catch (error) {
      if (error instanceof Refusal) return badLink();
      throw error;
    }
    return answer(200, 'Notice cancelled', html`<p>We will not send you an email about this item.</p>`);
  });

  app.route('/', createLinkPages({ ...services, answer }));
  app.notFound(() => answer(404, 'Page not found', html`<p>This page does not exist.</p>`));
  // Other errors are logged by the server of all pages.
  app.onError((error) => {
    if (error instanceof FormTooLargeError)
      return answer(413, 'The form is too large', html`<p>Nothing was changed.</p>`);
    throw error;
  });
  return async (request) => app.fetch(request);
}

function on({ email, kind }: { email: string; kind: MailKind }): Html {
  return html`<p>We send emails to ${email} about ${about[kind]}.</p>
    <form method="post"><button>Unsubscribe</button></form>`;
}

function off({ email, kind }: { email: string; kind: MailKind }): Html {
  return html`<p>We no longer send emails to ${email} about ${about[kind]}. You will still receive required emails.</p>
    ${kind === 'BACK_IN_STOCK' ? html`<p class="quiet">Back-in-stock notices that you requested without an account were cancelled.</p>` : ''}
    <form method="post"><input type="hidden" name="undo" value="1" /><button class="second">Undo</button></form>`;
}
