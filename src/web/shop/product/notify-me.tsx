import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { useViewer } from '../cart/cart-context.ts';
import { faultInWords, faultOf } from '../components/fault.ts';

const CREATE = graphql(`
  mutation ShopStockAlertCreate($input: StockAlertCreateInput!) {
    stockAlertCreate(input: $input) {
      stockAlert {
        id
        email
        status
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** Form for an email address that is notified when a sold-out variant is back. */
export function NotifyMe({ variantId }: { variantId: string }) {
  const { me } = useViewer();
  const [email, setEmail] = useState('');
  const [{ data, error, fetching }, create] = useMutation(CREATE);
  const outcome = data?.stockAlertCreate;
  if (outcome?.stockAlert != null) {
    return (
      <Notice tone="good">
        <p>
          <strong>We write to {outcome.stockAlert.email}</strong> when it is back. This page shows it, too.
        </p>
      </Notice>
    );
  }
  function submit(event: FormEvent) {
    event.preventDefault();
    void create({ input: { variantId, ...(me === null ? { email } : {}) } });
  }
  const fault = fetching || (data === undefined && error === undefined) ? null : faultInWords(outcome?.errors, error);
  const ofField = faultOf(outcome?.errors ?? [], 'email');
  return (
    <div className="notify">
      <p>Sold out for now. Leave your address, and you hear when it is back.</p>
      <form onSubmit={submit} noValidate>
        {me === null && (
          <Field
            label="E-mail"
            type="email"
            autoComplete="email"
            required
            value={email}
            fault={ofField}
            onChange={(event) => setEmail(event.target.value)}
          />
        )}
        <Button type="submit" look="second" busy={fetching}>
          Notify me
        </Button>
      </form>
      {fault !== null && ofField === null && <Notice tone="bad">{fault}</Notice>}
    </div>
  );
}
