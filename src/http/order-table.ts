import { html } from 'hono/html';
import { formatMoney } from '../modules/money.ts';
import { totalOfLine } from '../modules/pricing/totals.ts';
import type { ReadOrder } from '../modules/orders/order.service.ts';
import type { Html } from './html.ts';

const STATUS: Readonly<Record<ReadOrder['status'], string>> = {
  PLACED: 'We have received your order and are preparing it.',
  FULFILLED: 'Your order is on its way.',
  DELIVERED: 'Your order was delivered.',
  CANCELLED: 'Your order was cancelled.',
};
const PAYMENT: Readonly<Record<ReadOrder['paymentStatus'], string>> = {
  PENDING: 'not paid yet',
  AUTHORIZED: 'payment authorized',
  PARTIALLY_PAID: 'partly paid',
  PAID: 'paid',
  PARTIALLY_REFUNDED: 'partly refunded',
  REFUNDED: 'refunded',
};

/** The order's lines, its status, where it goes, and a button to cancel it while that is possible. */
export function orderTable(order: ReadOrder): Html {
  const { status, paymentStatus, placedAt, currency, totalMinor, lines } = order;
  const address = addressLines(order);
  const date = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(placedAt);
  return html`<p>${STATUS[status]}</p>
    <table>
      ${lines.map(
        (line) =>
          html`<tr>
            <td>${line.quantity} × ${line.title}<br /><span class="quiet">${line.sku}</span></td>
            <td>${formatMoney({ minor: totalOfLine(line), currency })}</td>
          </tr>`,
      )}
      ${partsOf(order).map(
        ({ title, minor }) =>
          html`<tr>
            <td>${title}</td>
            <td>${formatMoney({ minor, currency })}</td>
          </tr>`,
      )}
      <tr class="total">
        <td>Total, ${PAYMENT[paymentStatus]}</td>
        <td>${formatMoney({ minor: totalMinor, currency })}</td>
      </tr>
    </table>
    ${
      address.length === 0
        ? ''
        : html`<h2>Shipping address</h2>
            <p>${address.map((line) => html`${line}<br />`)}</p>`
    }
    <p class="quiet">Placed on ${date}.</p>
    ${status === 'PLACED' ? html`<form method="post"><button class="second">Cancel this order</button></form>` : ''}`;
}

/** What the order costs apart from its lines; empty where there is nothing else. */
function partsOf(order: ReadOrder): { title: string; minor: bigint }[] {
  const { subtotalMinor, discountMinor, shippingMinor, taxMinor, shippingMethodTitle, pricesIncludeTax } = order;
  if (discountMinor === 0n && shippingMinor === 0n && taxMinor === 0n && shippingMethodTitle === null) return [];
  return [
    { title: 'Subtotal', minor: subtotalMinor },
    ...(discountMinor === 0n ? [] : [{ title: 'Discounts', minor: -discountMinor }]),
    ...(shippingMethodTitle === null ? [] : [{ title: `Shipping: ${shippingMethodTitle}`, minor: shippingMinor }]),
    ...(taxMinor === 0n ? [] : [{ title: pricesIncludeTax ? 'Includes tax' : 'Tax', minor: taxMinor }]),
  ];
}

function addressLines(order: ReadOrder): string[] {
  const { shippingName, shippingLine1, shippingLine2, shippingCity, shippingRegion, shippingPostalCode } = order;
  const place = [shippingPostalCode, shippingCity, shippingRegion].filter(Boolean).join(' ');
  return [shippingName, shippingLine1, shippingLine2, place, order.shippingCountryCode].filter(
    (line): line is string => line !== null && line !== '',
  );
}
