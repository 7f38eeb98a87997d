import type { UserView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Quiet } from './parts.tsx';

/** Somebody made an account. */
export function Welcome({ frame, user, link }: { frame: Frame; user: UserView; link: string | null }) {
  const { shopName } = frame;
  return (
    <Layout
      frame={frame}
      title={user.name === null ? `Welcome to ${shopName}` : `Welcome to ${shopName}, ${user.name}`}
      preview={link === null ? 'Your account is ready' : 'Confirm your address, and all is ready'}
      why={`You get this mail because an account was made at ${shopName} with this address.`}
    >
      <Paragraph>Your account is ready: your cart and your orders are with you wherever you log in.</Paragraph>
      {link === null ? null : (
        <>
          <Paragraph>
            Please confirm that this is your address. What you ordered with it before you had an account then joins it.
          </Paragraph>
          <Action href={link}>Confirm my address</Action>
          <Quiet>The link is good for seven days. If it was not you who made the account, leave it alone.</Quiet>
        </>
      )}
    </Layout>
  );
}
