import { compile } from 'html-to-text';
import { createElement, type FunctionComponent } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { BackInStock } from './back-in-stock.tsx';
import { ConfirmAddress } from './confirm-address.tsx';
import { LowStock } from './low-stock.tsx';
import { OrderLink } from './order-link.tsx';
import { OrderPlaced } from './order-placed.tsx';
import { OrderStatusChanged } from './order-status-changed.tsx';
import { PasswordChanged } from './password-changed.tsx';
import { PasswordReset } from './password-reset.tsx';
import { AuthorizationLapsing, PaymentFailed, PaymentReceivedLate, RefundSucceeded } from './payment.tsx';
import { Welcome } from './welcome.tsx';

// Loads React: imported by the thread that renders, and as types.

const pages = {
  ...{ BackInStock, ConfirmAddress, LowStock, OrderLink, OrderPlaced, OrderStatusChanged, PasswordChanged },
  ...{ PasswordReset, AuthorizationLapsing, PaymentFailed, PaymentReceivedLate, RefundSucceeded, Welcome },
};
type Pages = typeof pages;

/** A page by the name of its template and the template's props: plain data, which can be sent to another thread. */
export type Page = { [Name in keyof Pages]: { name: Name; props: Parameters<Pages[Name]>[0] } }[keyof Pages];

/** The two parts of an email. */
export interface RenderedPage {
  html: string;
  text: string;
}

/** How the text part is made of the HTML: headings keep their case, links are written out, lines are not wrapped. */
const toText = compile({
  wordwrap: false,
  selectors: [
    { selector: 'img', format: 'skip' },
    { selector: '[data-skip-in-text=true]', format: 'skip' },
    { selector: 'h1', options: { uppercase: false } },
    { selector: 'h2', options: { uppercase: false } },
    { selector: 'a', options: { hideLinkHrefIfSameAsText: true, linkBrackets: false as const } },
    { selector: 'table.lines', format: 'dataTable', options: { uppercaseHeaderCells: false, maxColumnWidth: 50 } },
  ],
});

/** Mail programs know this one best. */
const DOCTYPE =
  '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">';

/** Renders a page as HTML and as plain text. */
export async function renderPage({ name, props }: Page): Promise<RenderedPage> {
  // No page waits for anything, so there is no need for a stream, as which React Email renders.
  const html = renderToStaticMarkup(createElement(pages[name] as FunctionComponent<object>, props));
  return { html: DOCTYPE + html, text: toText(html) };
}
