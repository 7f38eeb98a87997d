import { useEffect, useState } from 'react';
import { Link } from 'wouter';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { useLive } from '../../shared/use-live.ts';
import { noteOrderChange } from '../orders/order-changes.ts';
import '../orders/order-row.tsx';
import { ring } from './sound.ts';
import './order-news.css';

const PLACED = graphql(`
  subscription DashboardOrderPlaced($after: EventCursor) {
    orderPlaced(after: $after) {
      cursor
      occurredAt
      order {
        ...StaffOrderRow
      }
    }
  }
`);

const STATUS = graphql(`
  subscription DashboardOrderStatus($after: EventCursor) {
    orderStatusChanged(after: $after) {
      cursor
      order {
        id
        status
        updatedAt
        history {
          from
          to
          note
          occurredAt
        }
      }
    }
  }
`);

const PAYMENT = graphql(`
  subscription DashboardOrderPayment($after: EventCursor) {
    orderPaymentStatusChanged(after: $after) {
      cursor
      order {
        id
        paymentStatus
        updatedAt
      }
    }
  }
`);

interface News {
  number: string;
  name: string;
  total: { amount: string; currencyCode: string };
}

const SHOWN_MS = 8000;

/**
 * Follows the orders of the shop, whatever page is open: events go into the cache, and so into every list and page that shows the
 * order. A new order shows a note at the edge of the page and plays a sound.
 * @param cursor where the log was before any page of the dashboard was read
 */
export function OrderNews({ cursor }: { cursor: string }) {
  const [news, setNews] = useState<News | null>(null);
  useLive(PLACED, {
    variables: {},
    after: cursor,
    onEvent({ orderPlaced }) {
      const { number, email, shippingAddress, total } = orderPlaced.order;
      setNews({ number, name: shippingAddress?.name ?? email, total });
      ring();
      noteOrderChange({ kind: 'placed', occurredAt: orderPlaced.occurredAt, order: orderPlaced.order });
    },
  });
  useLive(STATUS, { variables: {}, after: cursor, onEvent: () => noteOrderChange({ kind: 'changed' }) });
  useLive(PAYMENT, { variables: {}, after: cursor, onEvent: () => noteOrderChange({ kind: 'changed' }) });
  useEffect(() => {
    if (news === null) return () => {};
    const timer = setTimeout(() => setNews(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [news]);
  return (
    <div role="status" className="order-news-place">
      {news !== null && (
        <p className="order-news" key={news.number}>
          <span className="order-news-head">New order</span>
          <Link href={`/orders/${news.number}`}>{news.number}</Link>
          <span className="order-news-name">{news.name}</span>
          <span className="number">{formatMoney(news.total)}</span>
        </p>
      )}
    </div>
  );
}
