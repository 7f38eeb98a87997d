import { Link } from 'wouter';
import type { AccountOrdersFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
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
    pageInfo {
      hasNextPage
      endCursor
    }
  }
`);

const STATUS = { PLACED: 'Placed', FULFILLED: 'On its way', DELIVERED: 'Delivered', CANCELLED: 'Cancelled' } as const;

/** The shopper's orders, newest first; older ones on request. */
export function Orders({
  orders,
  busy,
  onMore,
}: {
  orders: AccountOrdersFragment;
  busy: boolean;
  /** Called with the cursor after which the next orders begin. */
  onMore: (after: string) => void;
}) {
  const { hasNextPage, endCursor } = orders.pageInfo;
  return (
    <>
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
      {hasNextPage && endCursor != null && (
        <Button look="second" busy={busy} onClick={() => onMore(endCursor)}>
          Show older orders
        </Button>
      )}
    </>
  );
}
