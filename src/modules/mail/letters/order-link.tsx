import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Quiet } from './parts.tsx';

/** Somebody asked for another link to an order, since the one in an earlier mail had ended. */
export function OrderLink({ frame, number, link }: { frame: Frame; number: string; link: string }) {
  return (
    <Layout
      frame={frame}
      title={`Order ${number}`}
      preview="The link to your order"
      why={`You get this mail because a new link to an order at ${frame.shopName} with this address was asked for.`}
    >
      <Paragraph>With this link you see your order.</Paragraph>
      <Action href={link}>Show the order</Action>
      <Quiet>It works for 180 days. If it was not you who asked for it, you can leave it alone.</Quiet>
    </Layout>
  );
}
