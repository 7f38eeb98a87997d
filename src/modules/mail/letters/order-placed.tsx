import type { OrderView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Lines, OrderTable, Paragraph, Quiet, Subtitle } from './parts.tsx';

/** Somebody's order is in. */
export function OrderPlaced({ frame, order, link }: { frame: Frame; order: OrderView; link: string }) {
  return (
    <Layout
      frame={frame}
      title="Thank you for your order"
      preview={`Order ${order.number}, ${order.total}`}
      why={`You receive this email because an order was placed at ${frame.shopName} with this email address.`}
    >
      <Paragraph>
        We have received your order {order.number} of {order.placedOn}. We will send you an email when it is on its way.
      </Paragraph>
      <OrderTable order={order} />
      {order.address.length === 0 ? null : (
        <>
          <Subtitle>Shipping address</Subtitle>
          <Paragraph>
            <Lines lines={order.address} />
          </Paragraph>
        </>
      )}
      <Action href={link}>View your order</Action>
      <Quiet>This link shows your order without a login. Do not share it.</Quiet>
    </Layout>
  );
}
