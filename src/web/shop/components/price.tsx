import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { PriceTagFragment } from '../../generated/graphql.ts';
import './price.css';

graphql(`
  fragment PriceTag on ProductVariant {
    id
    price {
      amount
      currencyCode
    }
    compareAtPrice {
      amount
      currencyCode
    }
  }
`);

/** The price of a variant, beside the one that it had. */
export function Price({ variant: { price, compareAtPrice } }: { variant: PriceTagFragment }) {
  return (
    <span className="price number">
      {compareAtPrice != null && (
        <>
          <span className="visually-hidden">Before: </span>
          <s className="price-before">{formatMoney(compareAtPrice)}</s>
          <span className="visually-hidden">Now: </span>
        </>
      )}
      {formatMoney(price)}
    </span>
  );
}

/** The lowest price of some variants; `from` where there are others. */
export function LowestPrice({ variants }: { variants: readonly PriceTagFragment[] }) {
  const [lowest] = variants.toSorted((one, other) => Number(one.price.amount) - Number(other.price.amount));
  if (lowest === undefined) return null;
  const others = variants.some(({ price }) => price.amount !== lowest.price.amount);
  return (
    <span className="price number">
      {others && <span className="price-from">from </span>}
      {formatMoney(lowest.price)}
    </span>
  );
}
