import type { OrderView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Note, OrderTable, Paragraph, Quiet, Subtitle } from './parts.tsx';

/** What is said of each status that an order comes to. */
export const statusTexts = {
  FULFILLED: {
    subject: 'on its way',
    title: 'Your order is on its way',
    text: 'has left us, and should be with you soon.',
  },
  DELIVERED: {
    subject: 'delivered',
    title: 'Your order was delivered',
    text: 'was delivered. We hope that you like it.',
  },
  CANCELLED: {
    subject: 'cancelled',
    title: 'Your order was cancelled',
    text: 'was cancelled, and nothing of it will be sent.',
  },
} as const;

/** An order was moved along, or cancelled. */
export function OrderStatusChanged(props: {
  frame: Frame;
  order: OrderView;
  to: keyof typeof statusTexts;
  note: readonly string[];
  link: string;
}) {
  const { frame, order, to, note, link } = props;
  const { title, text } = statusTexts[to];
  return (
    <Layout
      frame={frame}
      title={title}
      preview={`Order ${order.number} ${text}`}
      why={`You get this mail because an order was placed at ${frame.shopName} with this address.`}
    >
      <Paragraph>
        Your order {order.number} of {order.placedOn} {text}
      </Paragraph>
      {note.length === 0 ? null : <Note lines={note} />}
      <Action href={link}>See your order</Action>
      <Quiet>This link shows your order without a log-in, so keep it to yourself.</Quiet>
      <Subtitle>What you ordered</Subtitle>
      <OrderTable lines={order.lines} total={order.total} />
    </Layout>
  );
}
