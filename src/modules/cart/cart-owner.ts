/** Owner of a cart. */
export type CartOwner = { guestId: string } | { userId: string };

/** The owner as rows and events have it: one of the two. */
export interface OwnerColumns {
  guestId: string | null;
  userId: string | null;
}

/** Whether it is this one's. */
export function isOwnedBy(row: OwnerColumns, owner: CartOwner): boolean {
  return 'userId' in owner ? row.userId === owner.userId : row.guestId === owner.guestId;
}
