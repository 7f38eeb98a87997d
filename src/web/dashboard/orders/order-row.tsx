import { Link } from 'wouter';
import { formatCount, formatMoney, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffOrderRowFragment } from '../../generated/graphql.ts';
import { Status } from '../parts/badge.tsx';

export const ORDER_ROW = graphql(`
  fragment StaffOrderRow on Order {
    id
    number
    status
    paymentStatus
    placedAt
    email
    totalQuantity
    total {
      amount
      currencyCode
    }
    shippingAddress {
      name
      city
      countryCode
    }
  }
`);

/** An order in a list. `isNew` lets it glow for a moment. */
export function OrderRow({ order, isNew = false }: { order: StaffOrderRowFragment; isNew?: boolean }) {
  const { number, status, paymentStatus, placedAt, email, totalQuantity, total, shippingAddress } = order;
  return (
    <tr className={isNew ? 'arrives' : undefined}>
      <th scope="row">
        <Link href={`/orders/${number}`} className="number">
          {number}
        </Link>
      </th>
      <td className="number small">{formatTime(placedAt)}</td>
      <td className="long">
        <span className="clip">{shippingAddress?.name ?? email}</span>
        <span className="clip quiet small">
          {shippingAddress == null ? 'No postal address' : `${shippingAddress.city}, ${shippingAddress.countryCode}`}
        </span>
      </td>
      <td>
        <Status of={status} />
      </td>
      <td>
        <Status of={paymentStatus} />
      </td>
      <td className="number end">{formatCount(totalQuantity)}</td>
      <td className="number end">{formatMoney(total)}</td>
    </tr>
  );
}
