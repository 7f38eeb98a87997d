import { graphql } from '../../shared/graphql.ts';
import type { VariantStockFragment } from '../../generated/graphql.ts';
import { LiveNumber } from './live-number.tsx';
import './stock-note.css';

graphql(`
  fragment VariantStock on ProductVariant {
    id
    available
    availableForSale
    lowStockThreshold
  }
`);

/** Whether few units are left, by the threshold that the shop has set. */
export const isLow = ({ available, lowStockThreshold }: VariantStockFragment): boolean =>
  available > 0 && available <= lowStockThreshold;

/** How many units of a variant are left. */
export function StockNote({ variant }: { variant: VariantStockFragment }) {
  const { available, availableForSale } = variant;
  if (!availableForSale || available <= 0) return <span className="stock-note stock-note-out">Sold out</span>;
  const low = isLow(variant);
  return (
    <span className={`stock-note ${low ? 'stock-note-low' : 'stock-note-good'}`}>
      <LiveNumber value={available} /> {low ? 'left' : 'in stock'}
    </span>
  );
}

interface TitledStock extends VariantStockFragment {
  title?: string;
}

/** The same of a product: a word only where few are left of it, or of one of its variants. */
export function ProductStockNote({ variants }: { variants: readonly TitledStock[] }) {
  const forSale = variants.filter((variant) => variant.availableForSale && variant.available > 0);
  if (forSale.length === 0) return <span className="stock-note stock-note-out">Sold out</span>;
  const low = forSale.filter((variant) => isLow(variant)).toSorted((one, other) => one.available - other.available);
  const [lowest] = low;
  if (lowest === undefined) return null;
  const all = low.length === forSale.length;
  const available = all ? low.reduce((sum, variant) => sum + variant.available, 0) : lowest.available;
  return (
    <span className="stock-note stock-note-low">
      <span>
        <LiveNumber value={available} /> left{!all && lowest.title !== undefined && ` of ${lowest.title}`}
      </span>
    </span>
  );
}
