import { useEffect, useRef, useState } from 'react';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { OrderFilter, OrderStatus, PaymentStatus } from '../../generated/graphql.ts';
import { Page } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Search } from '../parts/search.tsx';
import { Select } from '../parts/select.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { useReread } from '../parts/use-reread.ts';
import { onOrderChange } from './order-changes.ts';
import { OrderRow } from './order-row.tsx';

const ORDERS = graphql(`
  query StaffOrdersPage($filter: OrderFilter, $first: Int, $last: Int, $after: String, $before: String) {
    orders(filter: $filter, first: $first, last: $last, after: $after, before: $before) {
      totalCount
      totalCountPrecision
      nodes {
        ...StaffOrderRow
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

const STATUSES = [
  ['', 'Any status'],
  ['PLACED', 'Placed'],
  ['FULFILLED', 'Fulfilled'],
  ['DELIVERED', 'Delivered'],
  ['CANCELLED', 'Cancelled'],
] as const;
const PAYMENTS = [
  ['', 'Any payment'],
  ['PENDING', 'Pending'],
  ['AUTHORIZED', 'Authorized'],
  ['PARTIALLY_PAID', 'Paid in part'],
  ['PAID', 'Paid'],
  ['PARTIALLY_REFUNDED', 'Refunded in part'],
  ['REFUNDED', 'Refunded'],
] as const;

function choice<Value extends string>(options: readonly (readonly [Value, string])[], asked: string): Value | '' {
  return options.find(([value]) => value === asked)?.[0] ?? '';
}

/** The orders of the shop as they are placed, newest first. */
export function OrdersPage() {
  const { get, set } = usePlace();
  const search = get('q');
  const status = choice(STATUSES, get('status'));
  const payment = choice(PAYMENTS, get('payment'));
  const filter: OrderFilter = {
    ...(search === '' ? {} : { search }),
    ...(status === '' ? {} : { status: status satisfies OrderStatus }),
    ...(payment === '' ? {} : { paymentStatus: payment satisfies PaymentStatus }),
  };
  const [{ data, error, stale }, reread] = usePage(ORDERS, { filter, ...pageArguments(get) });
  useReread(onOrderChange, reread);
  const orders = data?.orders;
  const isNew = useArrivals(orders?.nodes.map(({ id }) => id));
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <Page
      title="Orders"
      lead={
        orders == null ? (
          'As they are placed, newest first.'
        ) : (
          <span className="number">
            {orders.totalCountPrecision === 'AT_LEAST' && 'More than '}
            {formatCount(orders.totalCount)} {orders.totalCount === 1 ? 'order' : 'orders'}
          </span>
        )
      }
    >
      <form role="search" className="filters" onSubmit={(event) => event.preventDefault()}>
        <Search label="Search" placeholder="Number, e-mail, name or address" />
        <Select label="Status" value={status} options={STATUSES} onChange={(value) => set({ status: value })} />
        <Select label="Payment" value={payment} options={PAYMENTS} onChange={(value) => set({ payment: value })} />
      </form>
      {error !== undefined && orders == null && <Fault error={error} retry={reread} />}
      {orders == null && error === undefined && <Loading />}
      {orders != null && orders.nodes.length === 0 && (
        <Empty>
          {isFiltered
            ? 'No order matches. Try fewer words or another status.'
            : 'No orders yet. The first one appears here at once.'}
        </Empty>
      )}
      {orders != null && orders.nodes.length > 0 && (
        <TablePlace label="Orders" busy={stale}>
          <table className="table">
            <caption className="visually-hidden">Orders, newest first</caption>
            <thead>
              <tr>
                <th scope="col">Order</th>
                <th scope="col">Placed</th>
                <th scope="col">Customer</th>
                <th scope="col">Status</th>
                <th scope="col">Payment</th>
                <th scope="col" className="end">
                  Units
                </th>
                <th scope="col" className="end">
                  Total
                </th>
              </tr>
            </thead>
            <tbody>
              {orders.nodes.map((order) => (
                <OrderRow key={order.id} order={order} isNew={isNew(order.id)} />
              ))}
            </tbody>
          </table>
        </TablePlace>
      )}
      {orders != null && <Pager info={orders.pageInfo} of="orders" />}
    </Page>
  );
}

/** Whether a row was added to a list while the list was open. */
function useArrivals(ids: readonly string[] | undefined): (id: string) => boolean {
  const seen = useRef<Set<string> | null>(null);
  const [arrived, setArrived] = useState<ReadonlySet<string>>(new Set());
  const key = ids?.join(' ');
  useEffect(() => {
    if (ids === undefined) return;
    const before = seen.current;
    seen.current = new Set([...(before ?? []), ...ids]);
    const fresh = before === null ? [] : ids.filter((id) => !before.has(id));
    // All of them new: another page of the list.
    setArrived(fresh.length < ids.length || before?.size === 0 ? new Set(fresh) : new Set());
  }, [key]);
  return (id) => arrived.has(id);
}
