import { useMutation } from 'urql';
import { Link, useLocation, useSearchParams } from 'wouter';
import { graphql } from '../../shared/graphql.ts';
import { ownPath } from '../../shared/log-in.ts';
import { beginSession } from '../../shared/session.ts';
import { SmallForm } from '../account/credentials-form.tsx';
import { faultInWords, faultOf } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';

const REGISTER = graphql(`
  mutation ShopRegister($input: RegisterInput!) {
    register(input: $input) {
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

const FIELDS = ['name', 'email', 'password'];

/** A new account. */
export default function RegisterPage() {
  const [params] = useSearchParams();
  const [, navigate] = useLocation();
  const [{ data, error, fetching }, register] = useMutation(REGISTER);
  const to = ownPath(params.get('to'), '/account');
  const errors = data?.register?.errors ?? [];
  const faults = Object.fromEntries(FIELDS.map((name) => [name, faultOf(errors, name)]));
  const others = errors.filter(({ path }) => !FIELDS.some((name) => path?.includes(name)));
  async function submit({ name = '', email = '', password = '' }: Record<string, string>) {
    const answer = await register({ input: { name, email, password } });
    const made = answer.data?.register;
    if (made?.user == null) return;
    beginSession(made.accessTokenExpiresAt ?? null);
    navigate(to, { replace: true });
  }
  return (
    <Page title="Create an account" width="narrow">
      <h1>Create an account</h1>
      <SmallForm
        fields={[
          { name: 'name', label: 'Name', autoComplete: 'name' },
          { name: 'email', label: 'E-mail', type: 'email', autoComplete: 'username' },
          {
            name: 'password',
            label: 'Password',
            type: 'password',
            autoComplete: 'new-password',
            hint: 'Ten characters or more.',
          },
        ]}
        action="Create account"
        busy={fetching}
        faults={faults}
        fault={others.length > 0 || error !== undefined ? faultInWords(others, error) : null}
        onSubmit={(values) => void submit(values)}
      >
        <p>
          Have one? <Link href={`/log-in?to=${encodeURIComponent(to)}`}>Log in</Link>
        </p>
      </SmallForm>
    </Page>
  );
}
