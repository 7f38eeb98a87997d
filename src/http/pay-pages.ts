import { Hono } from 'hono';
import { html } from 'hono/html';
import { formatMoney } from '../modules/money.ts';
import {
  CHALLENGE_OUTCOMES,
  DISPUTE_OUTCOMES,
  PAY_OUTCOMES,
  type OutcomeButton,
  type PayStep,
  type ShownPayment,
  type TestPayments,
} from '../modules/payments/test-payments.types.ts';
import { FormTooLargeError, readForm } from './form.ts';
import { answerPage, type Html } from './html.ts';
import type { Page } from './pages.ts';

/*
 * The pay page of the `test` provider, which plays the bank. Anyone with the payment's reference, which is in the
 * address, may choose the bank's response. There are no cookies, so scripts can post the form as well.
 */

const TITLES: Readonly<Record<PayStep, string>> = {
  PAY: 'Test payment',
  CONFIRM: 'Confirm your payment',
  DECIDE: 'Disputed payment',
  WAIT: 'Payment in progress',
  OVER: 'Payment finished',
};

const TEXTS: Readonly<Record<Exclude<PayStep, 'OVER'>, string>> = {
  PAY: 'This page stands in for a bank. No money is moved. Choose what the bank answers.',
  CONFIRM: 'Your bank asks whether you want to make this payment.',
  DECIDE: 'The customer has disputed this payment. Choose what the bank decides.',
  WAIT: 'The bank is processing this payment. Nothing can be changed now.',
};

const OVER_TEXTS: Readonly<Partial<Record<ShownPayment['state'], string>>> = {
  AUTHORIZED: 'This payment was approved.',
  CAPTURED: 'This payment was approved, and the shop has received the money.',
  CANCELLED: 'This payment was cancelled.',
  FAILED: 'This payment failed.',
};

const BUTTONS: Readonly<Record<PayStep, Readonly<Record<string, OutcomeButton>>>> = {
  PAY: PAY_OUTCOMES,
  CONFIRM: CHALLENGE_OUTCOMES,
  DECIDE: DISPUTE_OUTCOMES,
  WAIT: {},
  OVER: {},
};

/**
 * Makes the pages, all of them below `/pay/test`.
 * @param options.payments null if there is no `test` provider, as in production
 * @returns null if there are no pages
 */
export function createPayPages({
  shopName,
  payments,
}: {
  shopName: string;
  payments: TestPayments | null;
}): Page | null {
  if (payments === null) return null;
  const app = new Hono();

  const notFound = () =>
    answerPage(404, { shopName, title: 'Payment not found', body: html`<p>There is no such payment.</p>` });

  async function show(reference: string, status = 200, wrong: string | null = null): Promise<Response> {
    const payment = await payments?.read(reference);
    if (payment == null) return notFound();
    const title = TITLES[payment.step];
    const formTarget = new URL(payment.returnUrl).origin;
    return answerPage(status, { shopName, title, body: bodyOf(payment, wrong), formTarget });
  }

  app.get('/pay/test/:reference', (c) => show(c.req.param('reference')));

  app.post('/pay/test/:reference', async (c) => {
    const reference = c.req.param('reference');
    const { outcome = '' } = await readForm(c.req.raw);
    const result = await payments.choose(reference, outcome);
    if (result === 'UNKNOWN') return show(reference, 400, 'Choose one of the outcomes below.');
    if (result === 'NOT_NOW') return show(reference, 409, 'This outcome cannot be chosen now.');
    const payment = await payments.read(reference);
    if (result === null || payment === null) return notFound();
    // A relative address, so that the page works under any host name.
    const to = payment.step === 'CONFIRM' ? `/pay/test/${encodeURIComponent(reference)}` : payment.returnUrl;
    return c.redirect(to, 303);
  });

  app.notFound(notFound);
  // Other errors are logged by the server of all pages.
  app.onError((error) => {
    if (!(error instanceof FormTooLargeError)) throw error;
    return answerPage(413, { shopName, title: 'The form is too large', body: html`<p>Nothing was changed.</p>` });
  });
  return async (request) => app.fetch(request);
}

function bodyOf(payment: ShownPayment, wrong: string | null): Html {
  const { step, state, amountMinor: minor, currency, description, failure, returnUrl } = payment;
  const buttons = Object.entries(BUTTONS[step]);
  return html`${wrong === null ? '' : html`<p class="wrong" role="alert">${wrong}</p>`}
    ${failure === null ? '' : html`<p class="wrong">${failure}</p>`}
    <p>${step === 'OVER' ? OVER_TEXTS[state] : TEXTS[step]}</p>
    <table>
      <tr class="total">
        <td>${description}</td>
        <td>${formatMoney({ minor, currency })}</td>
      </tr>
    </table>
    ${
      buttons.length === 0
        ? ''
        : html`<form method="post">
            <table>
              ${buttons.map(
                ([outcome, { label, effect }]) =>
                  html`<tr>
                    <td>${effect}</td>
                    <td>
                      <button
                        class="${outcome === 'pay' || outcome === 'confirm' ? '' : 'second'}"
                        name="outcome"
                        value="${outcome}"
                      >
                        ${label}
                      </button>
                    </td>
                  </tr>`,
              )}
            </table>
          </form>`
    }
    <p><a href="${returnUrl}">Back to the shop</a></p>`;
}
