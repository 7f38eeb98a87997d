import { useMutation } from 'urql';
import { Link, useSearchParams } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultInWords } from '../components/fault.ts';
import { Page } from '../layout/page.tsx';

const VERIFY = graphql(`
  mutation ShopEmailVerify($input: EmailVerifyInput!) {
    emailVerify(input: $input) {
      user {
        id
        emailVerified
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** Confirms an address by the link of a mail. Opening it changes nothing, since programs open links, too. */
export default function ConfirmEmailPage() {
  const [params] = useSearchParams();
  const [{ data, error, fetching }, verify] = useMutation(VERIFY);
  const asked = data !== undefined || error !== undefined;
  const fault = asked ? faultInWords(data?.emailVerify?.errors, error) : null;
  return (
    <Page title="Confirm your address" width="narrow">
      <h1>Confirm your address</h1>
      {asked && fault === null ? (
        <Notice tone="good">
          <p>Thank you: your address is confirmed.</p>
          <p>
            <Link href="/account">Your account</Link>
          </p>
        </Notice>
      ) : (
        <div className="stack">
          <p>Confirm that mail to this address reaches you. What you ordered with it as a guest joins your account.</p>
          {fault !== null && <Notice tone="bad">{fault}</Notice>}
          <Button busy={fetching} onClick={() => void verify({ input: { token: params.get('token') ?? '' } })}>
            Confirm
          </Button>
        </div>
      )}
    </Page>
  );
}
