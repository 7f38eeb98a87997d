import { Link } from 'wouter';
import type { AccountOrdersFragment } from '../../generated/graphql.ts';
import { formatDate, formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';

graphql(`
  fragment AccountOrders on OrderConnection {
    nodes {
      id
      number
      status
      placedAt
      totalQuantity
      total {
        amount
        currencyCode
      }
    }
  }
`);

const STATUS = { PLACED: 'Placed', FULFILLED: 'On its way', DELIVERED: 'Delivered', CANCELLED: 'Cancelled' } as const;

export function Orders({ orders }: { orders: AccountOrdersFragment }) {
  return (
    <ul className="account-list">
      {orders.nodes.map(({ id, number, status, placedAt, total, totalQuantity }) => (
        <li key={id}>
          <p>
            <Link href={`/account/orders/${number}`}>
              <strong className="number">{number}</strong>
            </Link>
            <br />
            <span className="quiet small">
              {formatDate(placedAt)} · {totalQuantity === 1 ? '1 item' : `${totalQuantity} items`}
            </span>
          </p>
          <p>
            <span>{STATUS[status]}</span> · <strong className="number">{formatMoney(total)}</strong>
          </p>
        </li>
      ))}
    </ul>
  );
}
