import { Link } from 'wouter';
import type { OrderDetailsFragment } from '../../generated/graphql.ts';
import { Icon } from '../../shared/components/icon.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatMoney, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { useLive } from '../../shared/use-live.ts';
import { Totals } from '../cart/totals.tsx';
import { countryName } from '../checkout/countries.ts';
import { Picture } from '../components/picture.tsx';
import { CancelOrder } from './cancel-order.tsx';
import './order-details.ts';
import { Refunds } from './refunds.tsx';
import './order-view.css';

const STATUS = graphql(`
  subscription OrderViewStatus($orderId: ID, $accessToken: String, $after: EventCursor) {
    orderStatusChanged(orderId: $orderId, accessToken: $accessToken, after: $after) {
      cursor
      order {
        id
        status
        history {
          to
          occurredAt
        }
      }
    }
  }
`);

const PAYMENT = graphql(`
  subscription OrderViewPayment($orderId: ID, $accessToken: String, $after: EventCursor) {
    orderPaymentStatusChanged(orderId: $orderId, accessToken: $accessToken, after: $after) {
      cursor
      order {
        id
        paymentStatus
        ...OrderRefunds
      }
    }
  }
`);

const STEPS = [
  { status: 'PLACED', name: 'Placed', text: 'We have your order and are getting it ready.' },
  { status: 'FULFILLED', name: 'On its way', text: 'Your order has left us and is on its way to you.' },
  { status: 'DELIVERED', name: 'Delivered', text: 'Your order has arrived. Enjoy it.' },
] as const;

const PAYMENTS = {
  PENDING: 'Not paid yet',
  AUTHORIZED: 'Approved by your bank',
  PARTIALLY_PAID: 'Paid in part',
  PAID: 'Paid',
  PARTIALLY_REFUNDED: 'Refunded in part',
  REFUNDED: 'Refunded',
} as const;

/** An order and what becomes of it, as it happens. */
export function OrderView({
  order,
  after,
  accessToken,
}: {
  order: OrderDetailsFragment;
  after: string | null | undefined;
  /** Grants access to the order without a session of its owner. */
  accessToken?: string;
}) {
  const which = accessToken === undefined ? { orderId: order.id } : { accessToken };
  useLive(STATUS, { variables: which, after });
  useLive(PAYMENT, { variables: which, after });
  return (
    <article className="order">
      <header className="stack">
        <h1>Order {order.number}</h1>
        <Progress order={order} />
      </header>
      <div className="order-columns">
        <section aria-labelledby="order-lines">
          <h2 id="order-lines">What you bought</h2>
          <ul>
            {order.lines.map((line) => (
              <OrderLine key={line.id} line={line} />
            ))}
          </ul>
          <Totals of={{ ...order, shippingTitle: order.shippingMethodTitle ?? null }} />
        </section>
        <section className="stack order-facts" aria-label="Details">
          <dl>
            <dt>Payment</dt>
            <dd data-testid="payment">{PAYMENTS[order.paymentStatus]}</dd>
            <Refunds refunds={order.refunds} />
            <dt>Placed</dt>
            <dd>{formatTime(order.placedAt)}</dd>
            <dt>E-mail</dt>
            <dd>{order.email}</dd>
            {order.shippingAddress != null && (
              <>
                <dt>Goes to</dt>
                <dd>
                  <Address address={order.shippingAddress} />
                </dd>
              </>
            )}
          </dl>
          {order.status === 'PLACED' && <CancelOrder order={order} accessToken={accessToken} />}
        </section>
      </div>
    </article>
  );
}

function Progress({ order: { status, history } }: { order: OrderDetailsFragment }) {
  const at = STEPS.findIndex((step) => step.status === status);
  const timeOf = (wanted: string) => history.findLast(({ to }) => to === wanted)?.occurredAt;
  if (status === 'CANCELLED') {
    return (
      <Notice>
        <p>
          <strong>Cancelled</strong>. Nothing is sent.
        </p>
      </Notice>
    );
  }
  return (
    <>
      <p className="order-text" role="status">
        {STEPS[at]?.text}
      </p>
      <ol className="order-steps">
        {STEPS.map(({ status: step, name }, index) => {
          const time = index <= at ? timeOf(step) : undefined;
          return (
            <li
              key={step}
              className={index <= at ? 'order-step-done' : ''}
              aria-current={index === at ? 'step' : undefined}
            >
              <span className="order-step-mark">{index <= at && <Icon name="check" size={18} />}</span>
              <strong>{name}</strong>
              <span className="quiet small">{time === undefined ? ' ' : formatTime(time)}</span>
            </li>
          );
        })}
      </ol>
    </>
  );
}

function OrderLine({ line: { title, quantity, total, variant } }: { line: OrderDetailsFragment['lines'][number] }) {
  return (
    <li className="order-line">
      <Picture image={variant?.product.images[0]} title="" />
      <p>
        {variant == null ? title : <Link href={`/products/${variant.product.slug}`}>{title}</Link>}
        <br />
        <span className="quiet small number">× {quantity}</span>
      </p>
      <strong className="number">{formatMoney(total)}</strong>
    </li>
  );
}

function Address({ address }: { address: NonNullable<OrderDetailsFragment['shippingAddress']> }) {
  return <address>{[...address.formatted, countryName(address.countryCode)].join('\n')}</address>;
}
