import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultInWords } from '../components/fault.ts';

const REQUEST = graphql(`
  mutation ShopEmailVerifyRequest {
    emailVerifyRequest {
      accepted
      errors {
        ...ShopFault
      }
    }
  }
`);

/** Asks somebody whose address is not confirmed to open the link of the mail, or sends another one. */
export function ConfirmNote() {
  const [{ data, error, fetching }, request] = useMutation(REQUEST);
  if (data?.emailVerifyRequest?.accepted === true)
    return <Notice tone="good">A link is on its way to your address.</Notice>;
  const asked = data !== undefined || error !== undefined;
  const fault = asked ? faultInWords(data?.emailVerifyRequest?.errors, error) : null;
  return (
    <Notice>
      <p>Your address is not confirmed yet. Open the link in the mail that we sent you.</p>
      {fault !== null && <p>{fault}</p>}
      <Button look="second" busy={fetching} onClick={() => void request({})}>
        Send it again
      </Button>
    </Notice>
  );
}
