import type { PaymentFilter, PaymentState } from '../../generated/graphql.ts';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { useLive, usePage } from '../../shared/use-live.ts';
import { Page } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Select } from '../parts/select.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { PaymentRow } from './payment-row.tsx';

const PAYMENTS = graphql(`
  query StaffPaymentsPage($filter: PaymentFilter, $first: Int, $last: Int, $after: String, $before: String) {
    eventCursor(for: "StaffPaymentsPage")
    payments(filter: $filter, first: $first, last: $last, after: $after, before: $before) {
      totalCount
      totalCountPrecision
      nodes {
        ...StaffPaymentRow
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

const CHANGED = graphql(`
  subscription StaffPaymentsChanged($after: EventCursor) {
    paymentChanged(after: $after) {
      cursor
      payment {
        ...StaffPaymentRow
      }
    }
  }
`);

const VIEWS = [
  ['', 'All payments'],
  ['problem', 'With a problem'],
  ['no-order', 'Without an order'],
] as const;
const FILTERS: Record<(typeof VIEWS)[number][0], PaymentFilter> = {
  '': {},
  problem: { hasProblem: true },
  'no-order': { hasOrder: false },
};
const STATES = [
  ['', 'Any state'],
  ['PENDING', 'Pending'],
  ['PROCESSING', 'Processing'],
  ['AUTHORIZED', 'Authorized'],
  ['CAPTURED', 'Captured'],
  ['CANCELLED', 'Cancelled'],
  ['FAILED', 'Failed'],
] as const;

function choice<Value extends string>(options: readonly (readonly [Value, string])[], asked: string): Value | '' {
  return options.find(([value]) => value === asked)?.[0] ?? '';
}

/** The payments of the shop, newest first: those with a problem, and those that no order was placed for. */
export function PaymentsPage() {
  const { get, set } = usePlace();
  const view = choice(VIEWS, get('show'));
  const state = choice(STATES, get('state'));
  const filter: PaymentFilter = {
    ...FILTERS[view],
    ...(state === '' ? {} : { state: state satisfies PaymentState }),
  };
  const [{ data, error, stale }, reread] = usePage(PAYMENTS, { filter, ...pageArguments(get) });
  useLive(CHANGED, { variables: {}, after: data?.eventCursor });
  const payments = data?.payments;
  return (
    <Page
      title="Payments"
      lead={
        payments == null ? (
          'As they are started, newest first.'
        ) : (
          <span className="number">
            {payments.totalCountPrecision === 'AT_LEAST' && 'More than '}
            {formatCount(payments.totalCount)} {payments.totalCount === 1 ? 'payment' : 'payments'}
          </span>
        )
      }
    >
      <form role="search" className="filters" onSubmit={(event) => event.preventDefault()}>
        <Select label="Show" value={view} options={VIEWS} onChange={(value) => set({ show: value })} />
        <Select label="State" value={state} options={STATES} onChange={(value) => set({ state: value })} />
      </form>
      {error !== undefined && payments == null && <Fault error={error} retry={reread} />}
      {payments == null && error === undefined && <Loading />}
      {payments != null && payments.nodes.length === 0 && (
        <Empty>{view === 'problem' ? 'No payment has a problem.' : 'There are no such payments.'}</Empty>
      )}
      {payments != null && payments.nodes.length > 0 && (
        <TablePlace label="Payments" busy={stale}>
          <table className="table">
            <caption className="visually-hidden">Payments, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Started</th>
                <th scope="col">State</th>
                <th scope="col">Order</th>
                <th scope="col">What happened</th>
                <th scope="col" className="end">
                  Amount
                </th>
                <th scope="col">Provider</th>
              </tr>
            </thead>
            <tbody>
              {payments.nodes.map((payment) => (
                <PaymentRow key={payment.id} payment={payment} />
              ))}
            </tbody>
          </table>
        </TablePlace>
      )}
      {payments != null && <Pager info={payments.pageInfo} of="payments" />}
    </Page>
  );
}
