import { html } from 'hono/html';
import { formatMoney } from '../modules/money.ts';
import type { ReadOrder } from '../modules/orders/order.service.ts';
import type { Html } from './html.ts';

const STATUS: Readonly<Record<ReadOrder['status'], string>> = {
  PLACED: 'It is placed; we are getting it ready.',
  FULFILLED: 'It is on its way.',
  DELIVERED: 'It was delivered.',
  CANCELLED: 'It was cancelled.',
};
const PAYMENT: Readonly<Record<ReadOrder['paymentStatus'], string>> = {
  PENDING: 'not paid yet',
  PAID: 'paid',
  REFUNDED: 'paid back',
};

/** What was ordered, and where it is in its life. */
export function orderTable({ status, paymentStatus, placedAt, currency, totalMinor, lines }: ReadOrder): Html {
  const date = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(placedAt);
  return html`<p>${STATUS[status]}</p>
    <table>
      ${lines.map(
        ({ title, sku, quantity, unitPriceMinor }) =>
          html`<tr>
            <td>${quantity} × ${title}<br /><span class="quiet">${sku}</span></td>
            <td>${formatMoney({ minor: BigInt(unitPriceMinor) * BigInt(quantity), currency })}</td>
          </tr>`,
      )}
      <tr class="total">
        <td>Total, ${PAYMENT[paymentStatus]}</td>
        <td>${formatMoney({ minor: totalMinor, currency })}</td>
      </tr>
    </table>
    <p class="quiet">Placed on ${date}.</p>`;
}
