import { Link } from 'wouter';
import { formatCount, formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { onOrderChange } from '../orders/order-changes.ts';
import { inWords } from '../parts/badge.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { useReread } from '../parts/use-reread.ts';
import { useTick } from '../parts/use-tick.ts';
import { onStockChange, useStockChanges } from '../stock/stock-changes.ts';
import { Figure } from './figure.tsx';
import { HoursChart, MinutesChart } from './sales-charts.tsx';
import { LiveCarts } from './live-carts.tsx';
import './overview.css';

const OVERVIEW = graphql(`
  query StaffOverview($hourAgo: DateTime!, $midnight: DateTime!, $timeZone: String!) {
    eventCursor(for: "StaffOverview")
    lastHour: salesReport(from: $hourAgo, timeZone: $timeZone) {
      sales {
        orderCount
      }
      byMinute {
        startsAt
        sales {
          orderCount
        }
      }
    }
    today: salesReport(from: $midnight, timeZone: $timeZone) {
      sales {
        orderCount
        total {
          amount
          currencyCode
        }
      }
      byHour {
        startsAt
        sales {
          orderCount
          total {
            amount
            currencyCode
          }
        }
      }
      products(first: 5) {
        nodes {
          product {
            id
            title
          }
          unitCount
          total {
            amount
            currencyCode
          }
        }
      }
      carts {
        cartCount
        convertedCount
      }
    }
    shopActivity {
      stock {
        heldUnits
        soldOutCount
        lowCount
      }
      orderCounts {
        status
        count
        isExact
      }
      liveCarts(first: 8) {
        totalCount
        totalCountPrecision
        edges {
          cursor
          node {
            ...StaffLiveCart
          }
        }
      }
    }
  }
`);

const MINUTE_MS = 60_000;
const TIME_ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;
const percents = new Intl.NumberFormat(navigator.languages, { style: 'percent', maximumFractionDigits: 0 });
/** Sums are read again within this time after an event. */
const SUMS_AFTER_MS = 400;

/** Midnight of the day by the device's time zone and the server's time. */
function midnightOf(now: number): string {
  const day = new Date(now);
  day.setHours(0, 0, 0, 0);
  return day.toISOString();
}

/** What is going on in the shop, as it moves. */
export function OverviewPage() {
  const now = useTick(MINUTE_MS / 6);
  const minute = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  // The day changes the question; the passing minutes only move the picture, and are part of what is read after an event.
  const midnight = midnightOf(minute);
  const hourAgo = new Date(Math.floor(now / (15 * MINUTE_MS)) * 15 * MINUTE_MS - 60 * MINUTE_MS).toISOString();
  const [{ data, error }, reread] = usePage(OVERVIEW, { hourAgo, midnight, timeZone: TIME_ZONE });
  useStockChanges(data?.eventCursor);
  useReread(onOrderChange, reread, SUMS_AFTER_MS);
  useReread(onStockChange, reread, SUMS_AFTER_MS);
  if (data?.today == null || data.lastHour == null || data.shopActivity == null) {
    return (
      <Page title="Overview">
        {error === undefined ? <Loading rows={6} /> : <Fault error={error} retry={reread} />}
      </Page>
    );
  }
  const { today, lastHour, shopActivity } = data;
  const { carts } = today;
  const perMinute = minutesOf(lastHour.byMinute ?? [], minute);
  const lastOnes = perMinute.slice(-60).reduce((sum, { count }) => sum + count, 0);
  return (
    <Page title="Overview" lead="Today, as it happens.">
      <div className="figures">
        <Figure name="Sales today" value={formatMoney(today.sales.total)}>
          {formatCount(today.sales.orderCount)} {today.sales.orderCount === 1 ? 'order' : 'orders'}
        </Figure>
        <Figure name="Orders in the last hour" value={formatCount(lastOnes)}>
          {(lastOnes / 60).toFixed(1)} a minute
        </Figure>
        <Figure name="Units held in carts" value={formatCount(shopActivity.stock.heldUnits)}>
          {shopActivity.liveCarts.totalCountPrecision === 'AT_LEAST' && 'more than '}
          {formatCount(shopActivity.liveCarts.totalCount)} {shopActivity.liveCarts.totalCount === 1 ? 'cart' : 'carts'}
        </Figure>
        <Figure
          name="Carts that became orders"
          value={carts.cartCount === 0 ? '–' : percents.format(carts.convertedCount / carts.cartCount)}
        >
          {formatCount(carts.convertedCount)} of {formatCount(carts.cartCount)} today
        </Figure>
      </div>
      <div className="overview">
        <Panel title="Orders per minute">
          <MinutesChart minutes={perMinute} />
        </Panel>
        <Panel title="Sales by hour">
          <HoursChart hours={today.byHour ?? []} />
        </Panel>
        <Panel title="Best sellers today">
          {today.products.nodes.length === 0 ? (
            <Empty>Nothing sold yet today.</Empty>
          ) : (
            <ol className="ranking">
              {today.products.nodes.map(({ product, unitCount, total }) => (
                <li key={product?.id}>
                  <span className="long">{product?.title}</span>
                  <span className="quiet small number">{formatCount(unitCount)} sold</span>
                  <span className="number">{formatMoney(total)}</span>
                </li>
              ))}
            </ol>
          )}
        </Panel>
        <Panel title="Carts about to expire">
          <LiveCarts carts={shopActivity.liveCarts.edges} />
        </Panel>
        <Panel title="Orders by status">
          <ul className="ranking">
            {shopActivity.orderCounts.map(({ status, count, isExact }) => (
              <li key={status}>
                <Link href={`/orders?status=${status}`}>{inWords(status)}</Link>
                <span className="number">
                  {formatCount(count)}
                  {!isExact && '+'}
                </span>
              </li>
            ))}
          </ul>
        </Panel>
        <Panel title="Stock to look after">
          <ul className="ranking">
            <li>
              <Link href="/stock?show=sold-out">Sold out</Link>
              <span className="number">{formatCount(shopActivity.stock.soldOutCount)}</span>
            </li>
            <li>
              <Link href="/stock?show=low">Low</Link>
              <span className="number">{formatCount(shopActivity.stock.lowCount)}</span>
            </li>
          </ul>
        </Panel>
      </div>
    </Page>
  );
}

/** The last sixty minutes up to now: minutes that passed since the last event had no orders. */
function minutesOf(
  read: readonly { startsAt: string; sales: { orderCount: number } }[],
  minute: number,
): { at: number; count: number }[] {
  const counts = new Map(read.map(({ startsAt, sales }) => [Date.parse(startsAt), sales.orderCount]));
  const latest = Math.max(minute, ...counts.keys());
  return Array.from({ length: 60 }, (_, index) => {
    const at = latest - (59 - index) * MINUTE_MS;
    return { at, count: counts.get(at) ?? 0 };
  });
}
