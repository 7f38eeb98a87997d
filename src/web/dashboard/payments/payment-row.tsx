import { useState } from 'react';
import { useMutation } from 'urql';
import { Link } from 'wouter';
import type { PaymentReturnReason, StaffPaymentRowFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { formatMoney, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { inWords, Status } from '../parts/badge.tsx';
import { refusalOf } from '../parts/refusal.ts';

export const PAYMENT_ROW = graphql(`
  fragment StaffPaymentRow on Payment {
    id
    provider
    state
    reference
    problem
    failure
    returnReason
    createdAt
    amount {
      amount
      currencyCode
    }
    captured {
      amount
      currencyCode
    }
    refunded {
      amount
      currencyCode
    }
    order {
      id
      number
    }
  }
`);

const SYNC = graphql(`
  mutation StaffPaymentSync($id: ID!) {
    paymentSync(input: { id: $id }) {
      payment {
        ...StaffPaymentRow
      }
      errors {
        message
      }
    }
  }
`);

const RETURNED: Record<PaymentReturnReason, string> = {
  AMOUNT_MISMATCH: 'Another amount at the provider: given back.',
  OUT_OF_STOCK: 'Came too late, out of stock: given back.',
  CART_CHANGED: 'Came too late, the cart had changed: given back.',
  ALREADY_ORDERED: 'The cart was ordered otherwise: given back.',
};

/** A payment in a list. Staff may have the provider asked how it stands. */
export function PaymentRow({ payment }: { payment: StaffPaymentRowFragment }) {
  const { id, provider, state, reference, problem, failure, returnReason, createdAt, amount, captured, refunded } =
    payment;
  const [{ fetching }, sync] = useMutation(SYNC);
  const [fault, setFault] = useState<string | null>(null);
  const returned = returnReason == null ? null : RETURNED[returnReason];
  return (
    <tr>
      <th scope="row" className="number small">
        {formatTime(createdAt)}
      </th>
      <td>
        <Status of={state} />
      </td>
      <td>
        {payment.order == null ? (
          <span className="quiet">None</span>
        ) : (
          <Link href={`/orders/${payment.order.number}`} className="number">
            {payment.order.number}
          </Link>
        )}
      </td>
      <td className="words small">
        {problem != null && <strong>{problem}</strong>} {returned} {failure}
        {fault !== null && <span role="alert">{fault}</span>}
      </td>
      <td className="number end">
        {formatMoney(amount)}
        {Number(captured.amount) > 0 && <span className="clip quiet small">{formatMoney(captured)} captured</span>}
        {Number(refunded.amount) > 0 && <span className="clip quiet small">{formatMoney(refunded)} refunded</span>}
      </td>
      <td className="long">
        <span className="clip">{inWords(provider)}</span>
        {reference != null && <span className="clip quiet small">{reference}</span>}
        {provider !== 'manual' && (
          <Button
            look="second"
            className="button-small"
            busy={fetching}
            onClick={() => void sync({ id }).then((result) => setFault(refusalOf(result)))}
          >
            Ask the provider
          </Button>
        )}
      </td>
    </tr>
  );
}
