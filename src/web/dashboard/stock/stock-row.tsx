import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffStockRowFragment } from '../../generated/graphql.ts';
import { Badge } from '../parts/badge.tsx';

export const STOCK_ROW = graphql(`
  fragment StaffStockRow on ProductVariant {
    id
    sku
    title
    available
    onHand
    held
    lowStockThreshold
    stockAlertCount
    product {
      id
      title
    }
  }
`);

/** How a variant stands, as a badge. */
export function StockState({ available, threshold }: { available: number; threshold: number }) {
  if (available === 0) return <Badge tone="bad">Sold out</Badge>;
  if (available <= threshold) return <Badge tone="warm">Low</Badge>;
  return <Badge tone="good">In stock</Badge>;
}

/** A number that glows for a moment when it changes. */
export function Level({ value }: { value: number | null | undefined }) {
  const before = useRef(value);
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    if (before.current !== value) setChanges((count) => count + 1);
    before.current = value;
  }, [value]);
  return (
    <span key={changes} className={changes === 0 ? 'level' : 'level level-changed'}>
      {value == null ? '' : formatCount(value)}
    </span>
  );
}

/** A variant in the stock table. */
export function StockRow({ variant, onChange }: { variant: StaffStockRowFragment; onChange: () => void }) {
  const { sku, title, available, onHand, held, lowStockThreshold, stockAlertCount, product } = variant;
  return (
    <tr>
      <th scope="row" className="long">
        <Link href={`/stock/${encodeURIComponent(sku)}`}>{product.title}</Link>
        <span className="quiet small block">
          {title === 'Default' ? '' : `${title}, `}
          {sku}
        </span>
      </th>
      <td>
        <StockState available={available} threshold={lowStockThreshold} />
      </td>
      <td className="number end stock-available">
        <Level value={available} />
      </td>
      <td className="number end">
        <Level value={held} />
      </td>
      <td className="number end">
        <Level value={onHand} />
      </td>
      <td className="number end">
        {stockAlertCount == null || stockAlertCount === 0 ? '' : formatCount(stockAlertCount)}
      </td>
      <td className="end">
        <Button look="second" className="button-small" aria-label={`Change stock of ${sku}`} onClick={onChange}>
          Change
        </Button>
      </td>
    </tr>
  );
}
