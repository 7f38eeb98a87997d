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
