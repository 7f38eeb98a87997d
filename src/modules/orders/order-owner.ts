import { isOwnedBy, type CartOwner } from '../cart/cart.service.ts';

/** The part of an order that names its owner: a guest or a user. */
export interface OwnedOrder {
  id: string;
  guestId: string | null;
  userId: string | null;
}

/** Whether an order belongs to an owner; a visitor without a guest or an account owns nothing. */
export function isOrderOf(order: OwnedOrder, owner: CartOwner | null): boolean {
  return owner !== null && isOwnedBy(order, owner);
}
