import { Link } from 'wouter';
import { formatCount, formatMoney, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { inWords, Status } from '../parts/badge.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { useReread } from '../parts/use-reread.ts';
import { ActionList } from '../activity/action-list.tsx';
import { onOrderChange } from './order-changes.ts';
import { OrderLedger } from './order-ledger.tsx';
import { OrderPayments } from './order-payments.tsx';
import { OrderSteps } from './order-steps.tsx';
import './order-page.css';

const ORDER = graphql(`
  query StaffOrderPage($number: String!) {
    eventCursor(for: "StaffOrderPage")
    order(number: $number) {
      ...StaffOrderSteps
      ...StaffOrderPayments
      number
      placedAt
      updatedAt
      email
      totalQuantity
      customer {
        id
        name
        email
      }
      shippingAddress {
        formatted
        countryCode
      }
      lines {
        id
        title
        sku
        quantity
        unitPrice {
          amount
          currencyCode
        }
        total {
          amount
          currencyCode
        }
      }
      subtotal {
        amount
        currencyCode
      }
      total {
        amount
        currencyCode
      }
      history {
        from
        to
        note
        occurredAt
      }
    }
  }
`);

const ACTIONS = graphql(`
  query StaffOrderActions($id: ID!) {
    staffActions(filter: { subjectId: $id }, first: 50) {
      nodes {
        ...StaffActionItem
      }
    }
  }
`);

/** An order: its lines, its customer, its history, and the steps that staff may take. */
export function OrderPage({ number }: { number: string }) {
  const [{ data, error, fetching }, reread] = usePage(ORDER, { number });
  const order = data?.order;
  const back = (
    <Link href="/orders" className="button button-second">
      All orders
    </Link>
  );
  if (order == null) {
    return (
      <Page title={`Order ${number}`} actions={back}>
        {error !== undefined && <Fault error={error} retry={reread} />}
        {error === undefined && fetching && <Loading />}
        {error === undefined && !fetching && <Empty>There is no order with this number.</Empty>}
      </Page>
    );
  }
  return (
    <Page
      title={`Order ${order.number}`}
      actions={back}
      lead={
        <span className="row">
          <Status of={order.status} />
          <Status of={order.paymentStatus} />
          <span className="number">Placed {formatTime(order.placedAt)}</span>
        </span>
      }
    >
      <div className="order">
        <div className="order-main">
          <Panel title="Next step">
            <OrderSteps order={order} isPaidOutside={order.payments.every(({ provider }) => provider === 'manual')} />
          </Panel>
          <OrderPayments order={order} after={data?.eventCursor} />
          <Panel title="Lines">
            <TablePlace label="Lines of the order">
              <table className="table">
                <caption className="visually-hidden">Lines of the order</caption>
                <thead>
                  <tr>
                    <th scope="col">Product</th>
                    <th scope="col" className="end">
                      Units
                    </th>
                    <th scope="col" className="end">
                      Price
                    </th>
                    <th scope="col" className="end">
                      Total
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {order.lines.map((line) => (
                    <tr key={line.id}>
                      <th scope="row" className="long">
                        {line.title}
                        <span className="quiet small block">{line.sku}</span>
                      </th>
                      <td className="number end">{formatCount(line.quantity)}</td>
                      <td className="number end">{formatMoney(line.unitPrice)}</td>
                      <td className="number end">{formatMoney(line.total)}</td>
                    </tr>
                  ))}
                </tbody>
                <tfoot>
                  <tr>
                    <th scope="row">Total</th>
                    <td className="number end">{formatCount(order.totalQuantity)}</td>
                    <td />
                    <td className="number end order-total">{formatMoney(order.total)}</td>
                  </tr>
                </tfoot>
              </table>
            </TablePlace>
          </Panel>
          <OrderLedger entries={order.moneyEntries ?? []} currencyCode={order.total.currencyCode} />
        </div>
        <div className="order-side">
          <Panel title="Customer">
            <dl className="facts">
              <dt>Account</dt>
              <dd>{order.customer == null ? 'Guest, without an account' : order.customer.name}</dd>
              <dt>E-mail</dt>
              <dd>{order.email}</dd>
              <dt>Ships to</dt>
              <dd>
                {order.shippingAddress == null ? (
                  'No postal address'
                ) : (
                  <address>
                    {[...order.shippingAddress.formatted, order.shippingAddress.countryCode].map((line) => (
                      <span key={line} className="block">
                        {line}
                      </span>
                    ))}
                  </address>
                )}
              </dd>
            </dl>
            <Link href={`/orders?q=${encodeURIComponent(order.email)}`}>Orders of this customer</Link>
          </Panel>
          <Panel title="History">
            <ol className="history">
              {order.history.toReversed().map(({ to, note, occurredAt }) => (
                <li key={`${to}${occurredAt}`}>
                  <strong>{inWords(to)}</strong>
                  <time className="quiet small number block" dateTime={occurredAt}>
                    {formatTime(occurredAt)}
                  </time>
                  {note != null && <p className="history-note">{note}</p>}
                </li>
              ))}
            </ol>
          </Panel>
          <OrderActions id={order.id} />
        </div>
      </div>
    </Page>
  );
}

/** What staff did with the order. */
function OrderActions({ id }: { id: string }) {
  const [{ data }, reread] = usePage(ACTIONS, { id });
  useReread(onOrderChange, reread);
  const actions = data?.staffActions?.nodes ?? [];
  if (actions.length === 0) return null;
  return (
    <Panel title="Staff">
      <ActionList actions={actions} />
    </Panel>
  );
}
