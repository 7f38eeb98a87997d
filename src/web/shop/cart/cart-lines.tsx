import { Link } from 'wouter';
import type { CartDetailsFragment } from '../../generated/graphql.ts';
import { formatMoney } from '../../shared/format.ts';
import { Picture } from '../components/picture.tsx';
import { isLow, StockNote } from '../components/stock-note.tsx';
import { cartOpen } from './cart-state.ts';
import { Quantity } from './quantity.tsx';
import './cart-lines.css';

type Line = CartDetailsFragment['lines'][number];

/** What is in the cart; without `onQuantity` to be read alone. */
export function CartLines({
  lines,
  busy = false,
  onQuantity,
}: {
  lines: readonly Line[];
  busy?: boolean;
  onQuantity?: (id: string, quantity: number) => void;
}) {
  return (
    <ul className="cart-lines">
      {lines.map((line) => (
        <CartLine key={line.id} line={line} busy={busy} onQuantity={onQuantity} />
      ))}
    </ul>
  );
}

function CartLine({
  line: { id, quantity, total, unitPrice, variant },
  busy,
  onQuantity,
}: {
  line: Line;
  busy: boolean;
  onQuantity: ((id: string, quantity: number) => void) | undefined;
}) {
  const { product, title } = variant;
  return (
    <li className="cart-line">
      <Picture image={product.images[0]} title="" />
      <div className="cart-line-words">
        <p className="cart-line-name">
          <Link href={`/products/${product.slug}`} onClick={() => cartOpen.set(false)}>
            {product.title}
          </Link>
        </p>
        <p className="quiet small">
          {title !== 'Default' && `${title} · `}
          <span className="number">{formatMoney(unitPrice)}</span>
        </p>
        {onQuantity !== undefined && (isLow(variant) || variant.available <= 0) && (
          <p className="small">
            {variant.available > 0 ? (
              <StockNote variant={variant} />
            ) : (
              <span className="quiet">You hold the last.</span>
            )}
          </p>
        )}
        <div className="cart-line-foot">
          {onQuantity === undefined ? (
            <span className="number">× {quantity}</span>
          ) : (
            <Quantity
              value={quantity}
              least={0}
              most={quantity + Math.max(0, variant.available)}
              busy={busy}
              label={`Quantity of ${product.title}`}
              onChange={(next) => onQuantity(id, next)}
            />
          )}
          <strong className="number">{formatMoney(total)}</strong>
        </div>
      </div>
    </li>
  );
}
