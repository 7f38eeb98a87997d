import { formatMoney } from '../../shared/format.ts';
import { LazyChart } from '../parts/lazy-chart.tsx';

interface Money {
  amount: string;
  currencyCode: string;
}

/** Orders of each of the last sixty minutes. */
export function MinutesChart({ minutes }: { minutes: readonly { at: number; count: number }[] }) {
  const sum = minutes.reduce((total, { count }) => total + count, 0);
  const most = Math.max(...minutes.map(({ count }) => count));
  return (
    <LazyChart
      kind="bars"
      label={`Orders of the last 60 minutes: ${sum}, at most ${most} in a minute`}
      times={minutes.map(({ at }) => at / 1000)}
      series={[{ label: 'Orders', colour: '--honey', values: minutes.map(({ count }) => count) }]}
    />
  );
}

/** Sales of each hour of the day so far. */
export function HoursChart({
  hours,
}: {
  hours: readonly { startsAt: string; sales: { orderCount: number; total: Money } }[];
}) {
  const best = hours.toSorted((a, b) => Number(b.sales.total.amount) - Number(a.sales.total.amount))[0];
  return (
    <LazyChart
      kind="bars"
      label={
        best === undefined
          ? 'Sales by hour'
          : `Sales by hour today; the best hour had ${formatMoney(best.sales.total)} in ${best.sales.orderCount} orders`
      }
      times={hours.map(({ startsAt }) => Date.parse(startsAt) / 1000)}
      series={[{ label: 'Sales', colour: '--moss', values: hours.map(({ sales }) => Number(sales.total.amount)) }]}
    />
  );
}
