import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Quiet } from './parts.tsx';

/** Somebody wants another link to confirm the address. */
export function ConfirmAddress({ frame, link }: { frame: Frame; link: string }) {
  return (
    <Layout
      frame={frame}
      title="Confirm your address"
      preview="One click shows that mail to you arrives"
      why={`You get this mail because it was asked for by the account at ${frame.shopName} with this address.`}
    >
      <Paragraph>
        Please confirm that this is your address. What you ordered with it before you had an account then joins it.
      </Paragraph>
      <Action href={link}>Confirm my address</Action>
      <Quiet>The link is good for seven days. If it was not you who asked for it, leave it alone.</Quiet>
    </Layout>
  );
}
