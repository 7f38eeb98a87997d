import { useLocation } from 'wouter';
import type { CartDetailsFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Icon } from '../../shared/components/icon.tsx';
import { useStore } from '../../shared/store.ts';
import { isLow } from '../components/stock-note.tsx';
import { cartOpen, isExpired, runningLow } from './cart-state.ts';
import './low-stock-news.css';

type Variant = CartDetailsFragment['lines'][number]['variant'];

/** What ran low while the page was open, as far as it is in the cart and still low. */
function newsOf(cart: CartDetailsFragment | null, ids: readonly string[]): Variant[] {
  if (cart === null || cart.status !== 'ACTIVE' || isExpired(cart)) return [];
  const variants = new Map(cart.lines.map(({ variant }) => [variant.id, variant]));
  return ids
    .map((id) => variants.get(id))
    .filter((variant) => variant !== undefined)
    .filter((variant) => isLow(variant) || variant.available <= 0);
}

const dismiss = (ids: readonly string[]) => runningLow.set(runningLow.get().filter((id) => !ids.includes(id)));

/** Says what runs low, in the drawer and on the page of the cart. */
export function LowStockNews({ cart, offerCart = false }: { cart: CartDetailsFragment | null; offerCart?: boolean }) {
  const news = newsOf(cart, useStore(runningLow));
  // The region is there before its words are: only then screen readers read them out.
  return (
    <div role="status" aria-label="Stock of your cart">
      {news.length > 0 && (
        <div className="low-stock-news">
          <Icon name="bell" size={20} />
          <div className="low-stock-words">
            {news.map((variant) => (
              <p key={variant.id}>
                <strong>{nameOf(variant)}</strong> {wordsOf(variant)}
              </p>
            ))}
            <p className="small">Yours {offerCart ? 'are in your cart, and held for you.' : 'are held for you.'}</p>
            {offerCart && (
              <Button look="plain" onClick={() => cartOpen.set(true)}>
                Open the cart
              </Button>
            )}
          </div>
          <button
            type="button"
            className="button button-icon"
            aria-label="Close this message"
            onClick={() => dismiss(news.map(({ id }) => id))}
          >
            <Icon name="close" size={18} />
          </button>
        </div>
      )}
    </div>
  );
}

const nameOf = ({ product, title }: Variant) => (title === 'Default' ? product.title : `${product.title} (${title})`);

function wordsOf({ available }: Variant): string {
  if (available <= 0) return 'is sold out now.';
  return available === 1 ? 'is running low: 1 more is left.' : `is running low: ${available} more are left.`;
}

/** The same, over whatever page is open, where the cart itself is not in view. */
export function LowStockToast({ cart }: { cart: CartDetailsFragment | null }) {
  const [path] = useLocation();
  if (useStore(cartOpen) || path === '/cart') return null;
  return (
    <div className="low-stock-toast">
      <LowStockNews cart={cart} offerCart />
    </div>
  );
}
