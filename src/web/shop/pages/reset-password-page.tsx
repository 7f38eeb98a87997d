import { useMutation } from 'urql';
import { Link, useLocation, useSearchParams } from 'wouter';
import { graphql } from '../../shared/graphql.ts';
import { beginSession } from '../../shared/session.ts';
import { SmallForm } from '../account/credentials-form.tsx';
import { faultInWords, faultOf } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';

const RESET = graphql(`
  mutation ShopPasswordReset($input: PasswordResetInput!) {
    passwordReset(input: $input) {
      accessTokenExpiresAt
      user {
        id
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** Sets another password by the link of a mail. */
export default function ResetPasswordPage() {
  const [params] = useSearchParams();
  const [, navigate] = useLocation();
  const [{ data, error, fetching }, reset] = useMutation(RESET);
  const errors = data?.passwordReset?.errors ?? [];
  const ofField = faultOf(errors, 'newPassword');
  async function submit({ newPassword = '' }: Record<string, string>) {
    const answer = await reset({ input: { token: params.get('token') ?? '', newPassword } });
    const done = answer.data?.passwordReset;
    if (done?.user == null) return;
    beginSession(done.accessTokenExpiresAt ?? null);
    navigate('/account', { replace: true });
  }
  return (
    <Page title="Choose a new password" width="narrow">
      <h1>Choose a new password</h1>
      <SmallForm
        fields={[
          {
            name: 'newPassword',
            label: 'Password',
            type: 'password',
            autoComplete: 'new-password',
            hint: 'Ten characters or more. You are logged out on all other devices.',
          },
        ]}
        action="Set password"
        busy={fetching}
        faults={{ newPassword: ofField }}
        fault={(errors.length > 0 && ofField === null) || error !== undefined ? faultInWords(errors, error) : null}
        onSubmit={(values) => void submit(values)}
      >
        <p>
          The link does not work? <Link href="/forgotten-password">Ask for another one</Link>
        </p>
      </SmallForm>
    </Page>
  );
}
