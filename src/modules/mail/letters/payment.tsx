import type { OrderView, PaymentView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Note, OrderTable, Paragraph, Quiet, Subtitle } from './parts.tsx';

const why = (frame: Frame) =>
  `You receive this email because somebody paid at ${frame.shopName} with this email address.`;

/** A payment did not succeed, or came too late. */
export function PaymentFailed({ frame, payment }: { frame: Frame; payment: PaymentView }) {
  const { amount, isReturned, wasCaptured } = payment;
  return (
    <Layout
      frame={frame}
      title={isReturned ? 'Your payment came too late' : 'Your payment failed'}
      preview={
        isReturned ? `Your payment of ${amount} goes back to you.` : `Your payment of ${amount} did not succeed.`
      }
      why={why(frame)}
    >
      {isReturned ? (
        <>
          <Paragraph>
            Your payment of {amount} arrived after the time to pay was over, when your items were no longer available as
            you had chosen them. No order was placed.
          </Paragraph>
          <Paragraph>
            {wasCaptured
              ? 'The whole amount is being refunded. Depending on your bank, this takes some days.'
              : 'You were not charged: the authorization is being cancelled.'}
          </Paragraph>
        </>
      ) : (
        <Paragraph>
          Your bank did not approve the payment of {amount}. No order was placed, and you were not charged.
        </Paragraph>
      )}
    </Layout>
  );
}

/** A payment came late, and the order was still placed. */
export function PaymentReceivedLate(props: { frame: Frame; payment: PaymentView; order: OrderView; link: string }) {
  const { frame, payment, order, link } = props;
  return (
    <Layout
      frame={frame}
      title="Your payment has arrived"
      preview={`Your payment arrived late, and order ${order.number} was placed.`}
      why={why(frame)}
    >
      <Paragraph>
        Your payment of {payment.amount} arrived after the time to pay was over. Your items were still available, so
        that order {order.number} was placed.
      </Paragraph>
      <Action href={link}>View your order</Action>
      <Quiet>This link shows your order without a login. Do not share it.</Quiet>
      <Subtitle>Your items</Subtitle>
      <OrderTable order={order} />
    </Layout>
  );
}

/** Money was sent back. */
export function RefundSucceeded(props: {
  frame: Frame;
  refund: NonNullable<PaymentView['refund']>;
  orderNumber: string | null;
  link: string | null;
}) {
  const { frame, refund, orderNumber, link } = props;
  return (
    <Layout frame={frame} title="Your refund" preview={`${refund.amount} was refunded.`} why={why(frame)}>
      <Paragraph>
        {refund.amount} {orderNumber === null ? 'was' : `of your order ${orderNumber} was`} refunded. Depending on your
        bank, the money arrives within some days.
      </Paragraph>
      {refund.note.length === 0 ? null : <Note lines={refund.note} />}
      {link === null ? null : <Action href={link}>View your order</Action>}
    </Layout>
  );
}

/** For staff: an authorization is to be captured before it lapses. */
export function AuthorizationLapsing({ frame, payment }: { frame: Frame; payment: PaymentView }) {
  const { amount, orderNumber, lapsesOn } = payment;
  return (
    <Layout
      frame={frame}
      title="An authorization is about to lapse"
      preview={`Capture ${amount} of order ${orderNumber ?? ''}.`}
      why={`You receive this email because you work at ${frame.shopName}.`}
    >
      <Paragraph>
        The payment of {amount} for order {orderNumber} is authorized and has not been captured.
        {lapsesOn === null ? null : ` The authorization lapses on ${lapsesOn}.`} After that the money can no longer be
        captured.
      </Paragraph>
    </Layout>
  );
}
