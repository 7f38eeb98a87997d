import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Quiet } from './parts.tsx';

/** Another link to confirm the email address. */
export function ConfirmAddress({ frame, link }: { frame: Frame; link: string }) {
  return (
    <Layout
      frame={frame}
      title="Confirm your email address"
      preview="Confirm your email address with one click"
      why={`You receive this email because the account at ${frame.shopName} with this email address requested it.`}
    >
      <Paragraph>
        Please confirm that this is your email address. Orders that you placed with it before you had an account will
        then appear in your account.
      </Paragraph>
      <Action href={link}>Confirm my email address</Action>
      <Quiet>The link is valid for seven days. If you did not request it, ignore this email.</Quiet>
    </Layout>
  );
}
