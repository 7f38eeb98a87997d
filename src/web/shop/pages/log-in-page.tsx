import { Link, useLocation, useSearchParams } from 'wouter';
import { Notice } from '../../shared/components/notice.tsx';
import { ownPath, useLogIn } from '../../shared/log-in.ts';
import { SmallForm } from '../account/credentials-form.tsx';
import { Page } from '../layout/page.tsx';

/** The log-in. It leads back to where the shopper was. */
export default function LogInPage() {
  const [params] = useSearchParams();
  const [, navigate] = useLocation();
  const { logIn, fetching, fault } = useLogIn();
  const to = ownPath(params.get('to'), '/account');
  return (
    <Page title="Log in" width="narrow">
      <h1>Log in</h1>
      <div className="stack">
        {params.has('ended') && <Notice>Your session has ended. Log in again to go on where you were.</Notice>}
        <SmallForm
          fields={[
            { name: 'email', label: 'E-mail', type: 'email', autoComplete: 'username' },
            { name: 'password', label: 'Password', type: 'password', autoComplete: 'current-password' },
          ]}
          action="Log in"
          busy={fetching}
          fault={fault}
          onSubmit={({ email = '', password = '' }) => {
            void logIn(email, password).then((done) => done && navigate(to, { replace: true }));
          }}
        />
        <p>
          <Link href="/forgotten-password">Forgotten your password?</Link>
        </p>
        <p>
          New here? <Link href={`/register?to=${encodeURIComponent(to)}`}>Create an account</Link>. What is in your cart
          comes along.
        </p>
      </div>
    </Page>
  );
}
