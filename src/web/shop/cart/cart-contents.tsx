import { Link } from 'wouter';
import type { CartDetailsFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { useCartChanges } from './cart-changes.ts';
import { CartLines } from './cart-lines.tsx';
import { cartOpen, isExpired } from './cart-state.ts';
import { Countdown } from './countdown.tsx';
import { DiscountCodes } from './discount-codes.tsx';
import { LowStockNews } from './low-stock-news.tsx';
import { FreeShipping, Totals } from './totals.tsx';
import './cart-contents.css';

const close = () => cartOpen.set(false);

/** The cart in the drawer and on its own page: held, over, or empty. */
export function CartContents({ cart }: { cart: CartDetailsFragment | null }) {
  const changes = useCartChanges();
  if (cart === null || cart.lines.length === 0 || cart.status === 'CHECKED_OUT') {
    return (
      <div className="cart-empty">
        <p className="cart-empty-title">Nothing here yet.</p>
        <p className="quiet">What you put in is held for you for a while, so that nobody takes it before you decide.</p>
        <Link className="button button-second" href="/products" onClick={close}>
          Look around
        </Link>
      </div>
    );
  }
  const fault = changes.fault !== null && <Notice tone="bad">{changes.fault}</Notice>;
  if (isExpired(cart)) {
    return (
      <div className="cart-contents">
        <Notice tone="bad">
          <p>
            <strong>The time is over.</strong> Everything went back on the shelf, and what is still there can be held
            for you once more.
          </p>
          <Button busy={changes.busy} onClick={() => void changes.reclaim(cart.id)}>
            Hold it again
          </Button>
        </Notice>
        {fault}
        <CartLines lines={cart.lines} />
      </div>
    );
  }
  return (
    <div className="cart-contents">
      <Countdown cart={cart} />
      <LowStockNews cart={cart} />
      {fault}
      <CartLines
        lines={cart.lines}
        busy={changes.busy}
        onQuantity={(id, quantity) => void changes.setQuantity(id, quantity)}
      />
      <footer className="cart-foot">
        <DiscountCodes codes={cart.discountCodes} />
        <Totals of={cart} />
        <FreeShipping remaining={cart.freeShippingRemaining} />
        <Link className="button button-primary" href="/checkout" onClick={close}>
          Check out
        </Link>
      </footer>
    </div>
  );
}
