import type { Statement } from '../../infra/postgres/database.ts';
import type { CartOwner } from './cart-owner.ts';

/** A statement about one owner's rows, once for guests and once for users: each goes by the index of its own. */
export interface OwnerStatement {
  ofGuest: Statement;
  ofUser: Statement;
}

/** Makes one of text that has the owner's column and table in it. The guests' keeps the plain name. */
export function ofOwner(name: string, text: (column: string, table: string) => string): OwnerStatement {
  return {
    ofGuest: { name, text: text('guest_id', 'guests') },
    ofUser: { name: `${name}_of_user`, text: text('user_id', 'users') },
  };
}

/** The statement for this owner, and the owner's id. */
export function forOwner({ ofGuest, ofUser }: OwnerStatement, owner: CartOwner): [Statement, string] {
  return 'userId' in owner ? [ofUser, owner.userId] : [ofGuest, owner.guestId];
}

/**
 * The user whose cart it is, of a table that is called `c`. A cart that is set aside while a payment is in progress is the user's in every
 * respect but one: commands do not find it as the live cart.
 */
export const USER_ID = 'coalesce(c.user_id, c.aside_for_id)';

/** Assignments for a cart that is over: if it was set aside, it belongs to its user like any other. */
export const NOT_ASIDE = 'user_id = coalesce(user_id, aside_for_id), aside_for_id = NULL';

/**
 * The condition that a cart, of a table that is called `c`, is or was the owner's, set aside or not.
 * @param column `guest_id` or `user_id`, which is compared with $1
 */
export function ownedBy(column: string): string {
  return column === 'user_id' ? '(c.user_id = $1 OR c.aside_for_id = $1)' : `c.${column} = $1`;
}
