import type { UserView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Paragraph } from './parts.tsx';

/** A password was changed. */
export function PasswordChanged({ frame, user, at }: { frame: Frame; user: UserView; at: string }) {
  return (
    <Layout
      frame={frame}
      title="Your password was changed"
      preview="If it was not you, act now"
      why={`You get this mail because it is about the safety of your account at ${frame.shopName}.`}
    >
      <Paragraph>
        {user.name === null ? 'Hello,' : `Hello ${user.name},`} the password of your account was changed on {at}, and
        other devices were logged out.
      </Paragraph>
      <Paragraph>
        If it was you, all is well. If it was not, ask for a link to choose a new password at once, and write to us.
      </Paragraph>
    </Layout>
  );
}
