import { useMutation } from 'urql';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { SmallForm } from '../account/credentials-form.tsx';
import { faultInWords } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';

const REQUEST = graphql(`
  mutation ShopPasswordResetRequest($input: PasswordResetRequestInput!) {
    passwordResetRequest(input: $input) {
      accepted
      errors {
        ...ShopFault
      }
    }
  }
`);

/** Asks for a link with which another password can be set. The answer does not reveal whether there is an account. */
export default function ForgottenPasswordPage() {
  const [{ data, error, fetching }, request] = useMutation(REQUEST);
  const asked = data !== undefined || error !== undefined;
  return (
    <Page title="Forgotten password" width="narrow">
      <h1>Forgotten password</h1>
      {data?.passwordResetRequest?.accepted === true ? (
        <Notice tone="good">
          If there is an account with this address, a link is on its way to it. It is good for an hour.
        </Notice>
      ) : (
        <SmallForm
          fields={[{ name: 'email', label: 'E-mail', type: 'email', autoComplete: 'username' }]}
          action="Send me a link"
          busy={fetching}
          fault={asked ? faultInWords(data?.passwordResetRequest?.errors, error) : null}
          onSubmit={({ email = '' }) => void request({ input: { email } })}
        />
      )}
    </Page>
  );
}
