import { useViewer } from '../cart/cart-context.ts';
import { CartContents } from '../cart/cart-contents.tsx';
import { Page } from '../layout/page.tsx';
import './cart-page.css';

/** The cart on a page of its own: where links in mails lead. */
export default function CartPage() {
  const { cart, loading } = useViewer();
  return (
    <Page title="Your cart" width="narrow">
      <h1>Your cart</h1>
      <div className="cart-page">{!loading && <CartContents cart={cart} />}</div>
    </Page>
  );
}
