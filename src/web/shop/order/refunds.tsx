import { Fragment } from 'react';
import type { OrderRefundsFragment } from '../../generated/graphql.ts';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';

graphql(`
  fragment OrderRefunds on Order {
    id
    refunds {
      id
      state
      reason
      amount {
        amount
        currencyCode
      }
    }
  }
`);

/** What was refunded of an order, as facts of a list. */
export function Refunds({ refunds }: Pick<OrderRefundsFragment, 'refunds'>) {
  return refunds.map(({ id, amount, state, reason }) => (
    <Fragment key={id}>
      <dt>{state === 'SUCCEEDED' ? 'Refunded' : 'Refund'}</dt>
      <dd data-testid="refund">
        {formatMoney(amount)}
        {state === 'PENDING' && ' (on its way)'}
        {state === 'FAILED' && ' (failed; the shop sees to it)'}
        {reason != null && <span className="quiet small"> {reason}</span>}
      </dd>
    </Fragment>
  ));
}
