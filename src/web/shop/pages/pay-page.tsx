import { lazy, Suspense, useEffect, useEffectEvent, useState } from 'react';
import { useMutation } from 'urql';
import { Link, useLocation } from 'wouter';
import type { ShopPaymentFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { useLive, usePage } from '../../shared/use-live.ts';
import { useViewer } from '../cart/cart-context.ts';
import { Countdown } from '../cart/countdown.tsx';
import { noteOpenPayment, readOpenPayment } from '../checkout/open-payment.ts';
import { faultInWords } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';
import { Failed } from '../layout/states.tsx';

const PaymentElement = lazy(() => import('../checkout/payment-element.tsx'));

graphql(`
  fragment ShopPayment on Payment {
    id
    provider
    state
    deadline
    failure
    returnReason
    amount {
      amount
      currencyCode
    }
    refunded {
      amount
      currencyCode
    }
    clientData {
      redirectUrl
      clientSecret
      publishableKey
    }
    order {
      id
      number
      accessToken
    }
  }
`);

const PAYMENT = graphql(`
  query ShopPaymentPage($id: ID!) {
    eventCursor(for: "ShopPaymentPage")
    payment(id: $id) {
      ...ShopPayment
    }
  }
`);

const CHANGED = graphql(`
  subscription ShopPaymentChanged($id: ID, $after: EventCursor) {
    paymentChanged(paymentId: $id, after: $after) {
      cursor
      payment {
        ...ShopPayment
      }
    }
  }
`);

const SYNC = graphql(`
  mutation ShopPaymentSync($id: ID!) {
    paymentSync(input: { id: $id }) {
      payment {
        ...ShopPayment
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

const CANCEL = graphql(`
  mutation ShopPaymentCancel($id: ID!) {
    paymentCancel(input: { id: $id }) {
      payment {
        ...ShopPayment
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** A payment until it has become an order: going on with it, waiting for the bank, trying again. */
export default function PayPage() {
  const { cart, loading } = useViewer();
  const [own] = useState(readOpenPayment);
  const ofCart = cart?.payment?.id;
  const id = own ?? ofCart ?? null;
  if (id === null) {
    return (
      <Page title="Payment" width="narrow">
        <h1>Payment</h1>
        {!loading && (
          <p>
            There is no payment in progress. <Link href="/cart">Go to your cart</Link>
          </p>
        )}
      </Page>
    );
  }
  return <OnePayment id={id} />;
}

function OnePayment({ id }: { id: string }) {
  const [{ data, error, fetching }, reload] = usePage(PAYMENT, { id });
  const [synced, sync] = useMutation(SYNC);
  const [, navigate] = useLocation();
  useLive(CHANGED, { variables: { id }, after: data?.eventCursor });
  // The payment may have been begun in another tab. Once its order is placed, the cart leads here no longer.
  useEffect(() => noteOpenPayment(id), [id]);
  // A shopper who returns from the provider's page may be ahead of the provider's webhook.
  const ask = useEffectEvent(() => void sync({ id }));
  useEffect(() => ask(), [id]);

  const payment = data?.payment;
  const order = payment?.order;
  useEffect(() => {
    if (order == null) return;
    noteOpenPayment(null);
    const { accessToken, number } = order;
    navigate(accessToken == null ? `/account/orders/${number}` : `/order?token=${encodeURIComponent(accessToken)}`, {
      replace: true,
    });
  }, [order, navigate]);

  if (payment == null) {
    return (
      <Page title="Payment" width="narrow">
        <h1>Payment</h1>
        {error !== undefined && <Failed onRetry={reload} />}
        {error === undefined && !fetching && (
          <p>
            This payment is not yours, or is gone. <Link href="/cart">Go to your cart</Link>
          </p>
        )}
      </Page>
    );
  }
  return (
    <Page title="Payment" width="narrow">
      <h1>Payment of {formatMoney(payment.amount)}</h1>
      <div className="stack">
        <State payment={payment} isAsking={synced.fetching} onAsk={() => void sync({ id })} />
      </div>
    </Page>
  );
}

function State(props: { payment: ShopPaymentFragment; isAsking: boolean; onAsk: () => void }) {
  const { payment, isAsking, onAsk } = props;
  if (payment.order != null) return <Notice tone="good">Paid. Your order is placed.</Notice>;
  if (payment.returnReason != null) return <Returned payment={payment} />;
  if (payment.state === 'CANCELLED' || payment.state === 'FAILED') return <Over payment={payment} />;
  if (payment.state === 'PENDING') return <Open payment={payment} onAsk={onAsk} />;
  return (
    <>
      <Notice>Waiting for your bank. This page goes on by itself.</Notice>
      <div>
        <Button look="second" busy={isAsking} onClick={onAsk}>
          Ask now
        </Button>
      </div>
    </>
  );
}

function Over({ payment }: { payment: ShopPaymentFragment }) {
  useEffect(() => noteOpenPayment(null), []);
  return (
    <>
      <Notice tone={payment.state === 'FAILED' ? 'bad' : 'quiet'}>
        {payment.failure ?? (payment.state === 'FAILED' ? 'The payment failed.' : 'The payment was cancelled.')} You
        were not charged.
      </Notice>
      <p>
        <Link href="/cart" className="button button-primary">
          Back to your cart
        </Link>
      </p>
    </>
  );
}

/** No order can be placed for the payment any more. */
function Returned({ payment }: { payment: ShopPaymentFragment }) {
  useEffect(() => noteOpenPayment(null), []);
  const { state, returnReason, amount, refunded } = payment;
  const isVoided = state !== 'CAPTURED';
  const isRefunded = refunded.amount === amount.amount;
  return (
    <>
      <Notice tone="bad">
        {returnReason === 'OUT_OF_STOCK' &&
          'Your payment arrived after the time to pay was over, and your items are no longer available. '}
        {returnReason === 'CART_CHANGED' &&
          'Your payment arrived after the time to pay was over, and your cart had changed. '}
        {returnReason === 'ALREADY_ORDERED' && 'Your cart was ordered with another payment. '}
        {returnReason === 'AMOUNT_MISMATCH' && 'The amount of the payment was not what your cart costs. '}
        No order was placed for this payment.{' '}
        {isVoided
          ? 'You were not charged.'
          : isRefunded
            ? `${formatMoney(refunded)} was refunded to you.`
            : 'The whole amount is being refunded to you.'}
      </Notice>
      <p>
        <Link href="/cart" className="button button-primary">
          Back to your cart
        </Link>
      </p>
    </>
  );
}

function Open({ payment, onAsk }: { payment: ShopPaymentFragment; onAsk: () => void }) {
  const { id, provider, clientData, deadline, failure } = payment;
  const [{ data, error, fetching }, cancel] = useMutation(CANCEL);
  const fault = data === undefined && error === undefined ? null : faultInWords(data?.paymentCancel?.errors, error);
  return (
    <>
      {failure != null && <Notice tone="bad">{failure} You can try again.</Notice>}
      <Countdown cart={{ expiresAt: deadline }} />
      {clientData == null && <Notice>The payment is being prepared…</Notice>}
      {clientData?.redirectUrl != null && (
        <p>
          <a href={clientData.redirectUrl} className="button button-primary">
            {failure == null ? 'Pay now' : 'Try again'}
          </a>
        </p>
      )}
      {provider === 'stripe' && clientData?.clientSecret != null && clientData.publishableKey != null && (
        <Suspense fallback={null}>
          <PaymentElement
            publishableKey={clientData.publishableKey}
            clientSecret={clientData.clientSecret}
            returnUrl={`${location.origin}/pay`}
            onSubmitted={onAsk}
          />
        </Suspense>
      )}
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <div>
        <Button look="plain" busy={fetching} onClick={() => void cancel({ id })}>
          Cancel the payment and change the cart
        </Button>
      </div>
    </>
  );
}
