/** Owner of a cart. */
export type CartOwner = { guestId: string } | { userId: string };

/** ID of the guest or user. */
export const ownerIdOf = (owner: CartOwner): string => ('userId' in owner ? owner.userId : owner.guestId);

/** The owner in the columns of a row or an event: one of the two is set. */
export interface OwnerColumns {
  guestId: string | null;
  userId: string | null;
}

/** Whether a row belongs to an owner. */
export function isOwnedBy(row: OwnerColumns, owner: CartOwner): boolean {
  return 'userId' in owner ? row.userId === owner.userId : row.guestId === owner.guestId;
}
