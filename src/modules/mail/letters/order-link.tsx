import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Quiet } from './parts.tsx';

/** Another link to an order, after the one in an earlier email has expired. */
export function OrderLink({ frame, number, link }: { frame: Frame; number: string; link: string }) {
  return (
    <Layout
      frame={frame}
      title={`Order ${number}`}
      preview="The link to your order"
      why={`You receive this email because a new link was requested for an order at ${frame.shopName} with this email address.`}
    >
      <Paragraph>You can view your order with this link.</Paragraph>
      <Action href={link}>View your order</Action>
      <Quiet>The link is valid for 180 days. If you did not request it, ignore this email.</Quiet>
    </Layout>
  );
}
