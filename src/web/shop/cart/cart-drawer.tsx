import type { CartDetailsFragment } from '../../generated/graphql.ts';
import { Drawer } from '../../shared/components/drawer.tsx';
import { useStore } from '../../shared/store.ts';
import { CartContents } from './cart-contents.tsx';
import { cartOpen } from './cart-state.ts';

/** The cart, over whatever page is open. */
export default function CartDrawer({ cart }: { cart: CartDetailsFragment | null }) {
  const open = useStore(cartOpen);
  return (
    <Drawer open={open} onClose={() => cartOpen.set(false)} title="Your cart">
      <CartContents cart={cart} />
    </Drawer>
  );
}
