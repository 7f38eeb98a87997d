import type { NamedGuest } from '../accounts/guest.service.ts';
import type { ProductVariant } from '../catalog/catalog.service.ts';
import type { UserError } from '../user-error.ts';
import type { CartOwner } from './cart-owner.ts';
import type { Cart } from './cart.repository.ts';

/** Who begins a cart. Null, or a visitor who was only offered a name: the first thing done makes the guest. */
export type Shopper = CartOwner | { visitor: NamedGuest } | null;

/** What a command on a cart gives. */
export interface CartResult {
  cart: Cart;
  /** The guest that was made for it, with the token to hand over. */
  guest: { id: string; token: string } | null;
  /** Variants that the command was about, as it left them; absent where they were not read. */
  variants?: readonly ProductVariant[];
  /** What could not be done although the rest was: only of commands that go as far as they can. */
  notices: readonly UserError[];
}

/** What a command returns; the cart is read once it is committed. */
export interface Done {
  cartId: string;
  guest?: CartResult['guest'];
  notices?: readonly UserError[];
}
