import type { CartOwner } from '../cart/cart.service.ts';

/** As much of an order as says whose it is: a guest's or a user's. */
export interface OwnedOrder {
  id: string;
  guestId: string | null;
  userId: string | null;
}

/** Whether it is this one's. */
export function isOrderOf(order: OwnedOrder, owner: CartOwner | null): boolean {
  if (owner === null) return false;
  return 'userId' in owner ? order.userId === owner.userId : order.guestId === owner.guestId;
}
