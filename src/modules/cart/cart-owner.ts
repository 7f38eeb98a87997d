/** Owner of a cart. */
export type CartOwner = { guestId: string } | { userId: string };

/** The owner in the columns of a row or an event: one of the two is set. */
export interface OwnerColumns {
  guestId: string | null;
  userId: string | null;
}

/** Whether a row belongs to an owner. */
export function isOwnedBy(row: OwnerColumns, owner: CartOwner): boolean {
  return 'userId' in owner ? row.userId === owner.userId : row.guestId === owner.guestId;
}
