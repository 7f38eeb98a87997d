import { formatCount, formatCountdown, formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffLiveCartFragment } from '../../generated/graphql.ts';
import { Empty } from '../parts/states.tsx';
import { useTick } from '../parts/use-tick.ts';

export const LIVE_CART = graphql(`
  fragment StaffLiveCart on LiveCart {
    expiresAt
    unitCount
    total {
      amount
      currencyCode
    }
  }
`);

/** The carts whose holds end next, with the time left by the server's clock. */
export function LiveCarts({ carts }: { carts: readonly { cursor: string; node: StaffLiveCartFragment }[] }) {
  const now = useTick(1000);
  const live = carts.filter(({ node }) => Date.parse(node.expiresAt) > now);
  if (live.length === 0) return <Empty>No cart holds units now.</Empty>;
  return (
    <ul className="ranking">
      {live.map(({ cursor, node: { expiresAt, unitCount, total } }) => (
        <li key={cursor}>
          <span className="number countdown">{formatCountdown(Date.parse(expiresAt) - now)}</span>
          <span className="quiet small number">
            {formatCount(unitCount)} {unitCount === 1 ? 'unit' : 'units'}
          </span>
          <span className="number">{formatMoney(total)}</span>
        </li>
      ))}
    </ul>
  );
}
