import { formatMoney } from '../../shared/format.ts';
import './totals.css';

interface Money {
  amount: string;
  currencyCode: string;
}

interface Discount {
  title: string;
  code?: string | null;
  amount: Money;
}

/** What a cart or an order costs, part by part. */
export interface Priced {
  subtotal: Money;
  discounts: readonly Discount[];
  shippingDiscounts: readonly Discount[];
  shippingTotal: Money;
  /** The method that is paid for; null: none. */
  shippingTitle?: string | null;
  shippingMethod?: { method: { title: string } } | null;
  taxes: readonly { title: string; rate: string; amount: Money }[];
  pricesIncludeTax: boolean;
  total: Money;
}

/** The parts of a total, and the total itself. Parts that are nothing are left out. */
export function Totals({ of }: { of: Priced }) {
  const method = of.shippingTitle ?? of.shippingMethod?.method.title ?? null;
  const parts = [...of.discounts, ...of.shippingDiscounts];
  const isPlain = parts.length === 0 && method === null && of.taxes.length === 0;
  return (
    <dl className="totals">
      {!isPlain && <Part words="Subtotal" amount={formatMoney(of.subtotal)} />}
      {of.discounts.map((discount) => (
        <Reduction key={discount.title + (discount.code ?? '')} discount={discount} />
      ))}
      {method !== null && <Part words={`Shipping: ${method}`} amount={formatMoney(of.shippingTotal)} />}
      {of.shippingDiscounts.map(({ title, code }) => (
        <Part key={title + (code ?? '')} words={`${title}${code == null ? '' : ` (${code})`}`} amount="applied" />
      ))}
      {!of.pricesIncludeTax &&
        of.taxes.map(({ title, rate, amount }) => (
          <Part key={title + rate} words={`${title} ${rate} %`} amount={formatMoney(amount)} />
        ))}
      <div className="totals-total">
        <dt>Total</dt>
        <dd>
          <strong className="number">{formatMoney(of.total)}</strong>
        </dd>
      </div>
      {of.pricesIncludeTax &&
        of.taxes.map(({ title, rate, amount }) => (
          <Part key={title + rate} words={`Includes ${title} ${rate} %`} amount={formatMoney(amount)} />
        ))}
    </dl>
  );
}

function Reduction({ discount: { title, code, amount } }: { discount: Discount }) {
  const minus = formatMoney({ ...amount, amount: `-${amount.amount}` });
  return <Part words={code == null ? title : `${title} (${code})`} amount={minus} />;
}

function Part({ words, amount }: { words: string; amount: string }) {
  return (
    <div>
      <dt>{words}</dt>
      <dd className="number">{amount}</dd>
    </div>
  );
}

/** How far it is to free shipping. */
export function FreeShipping({ remaining }: { remaining?: Money | null }) {
  if (remaining == null) return null;
  return <p className="quiet small">{formatMoney(remaining)} more for free shipping.</p>;
}
