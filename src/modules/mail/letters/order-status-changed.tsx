import type { OrderView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Note, OrderTable, Paragraph, Quiet, Subtitle } from './parts.tsx';
import { statusTexts } from './status-texts.ts';

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
      why={`You receive this email because an order was placed at ${frame.shopName} with this email address.`}
    >
      <Paragraph>
        Your order {order.number} of {order.placedOn} {text}
      </Paragraph>
      {note.length === 0 ? null : <Note lines={note} />}
      <Action href={link}>View your order</Action>
      <Quiet>This link shows your order without a login. Do not share it.</Quiet>
      <Subtitle>Your items</Subtitle>
      <OrderTable order={order} />
    </Layout>
  );
}
