import type { UserView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Quiet } from './parts.tsx';

/** Email after the creation of an account. */
export function Welcome({ frame, user, link }: { frame: Frame; user: UserView; link: string | null }) {
  const { shopName } = frame;
  return (
    <Layout
      frame={frame}
      title={user.name === null ? `Welcome to ${shopName}` : `Welcome to ${shopName}, ${user.name}`}
      preview={link === null ? 'Your account is ready' : 'Confirm your email address to complete your account'}
      why={`You receive this email because an account was created at ${shopName} with this email address.`}
    >
      <Paragraph>
        Your account is ready. Your cart and your orders are available on every device where you log in.
      </Paragraph>
      {link === null ? null : (
        <>
          <Paragraph>
            Please confirm that this is your email address. Orders that you placed with it before you had an account
            will then appear in your account.
          </Paragraph>
          <Action href={link}>Confirm my email address</Action>
          <Quiet>The link is valid for seven days. If you did not create this account, ignore this email.</Quiet>
        </>
      )}
    </Layout>
  );
}
