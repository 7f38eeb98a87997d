import type { UserView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Quiet } from './parts.tsx';

/** Somebody asked for a link to choose a new password. */
export function PasswordReset({ frame, user, link }: { frame: Frame; user: UserView; link: string }) {
  return (
    <Layout
      frame={frame}
      title="Choose a new password"
      preview="The link with which you choose it"
      why={`You get this mail because a new password was asked for at ${frame.shopName} for this address.`}
    >
      <Paragraph>
        {user.name === null ? 'Hello,' : `Hello ${user.name},`} with this link you choose a new password for your
        account.
      </Paragraph>
      <Action href={link}>Choose a new password</Action>
      <Quiet>
        It works once, within an hour. If it was not you who asked for it, leave it alone: your password stays as it is.
      </Quiet>
    </Layout>
  );
}
