import type { UserView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Quiet } from './parts.tsx';

/** A link to choose a new password. */
export function PasswordReset({ frame, user, link }: { frame: Frame; user: UserView; link: string }) {
  return (
    <Layout
      frame={frame}
      title="Choose a new password"
      preview="Link to choose a new password"
      why={`You receive this email because a new password was requested at ${frame.shopName} for this email address.`}
    >
      <Paragraph>
        {user.name === null ? 'Hello,' : `Hello ${user.name},`} use this link to choose a new password for your account.
      </Paragraph>
      <Action href={link}>Choose a new password</Action>
      <Quiet>
        The link can be used once, within one hour. If you did not request it, ignore this email: your password remains
        unchanged.
      </Quiet>
    </Layout>
  );
}
