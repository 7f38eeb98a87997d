import type { UserView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Paragraph } from './parts.tsx';

/** A password was changed. */
export function PasswordChanged({ frame, user, at }: { frame: Frame; user: UserView; at: string }) {
  return (
    <Layout
      frame={frame}
      title="Your password was changed"
      preview="If you did not change it, act now"
      why={`You receive this email because it concerns the security of your account at ${frame.shopName}.`}
    >
      <Paragraph>
        {user.name === null ? 'Hello,' : `Hello ${user.name},`} the password of your account was changed on {at}, and
        other devices were logged out.
      </Paragraph>
      <Paragraph>
        If you made this change, you need not do anything. If not, reset your password immediately and contact us.
      </Paragraph>
    </Layout>
  );
}
