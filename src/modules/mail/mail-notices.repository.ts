import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** Who gets a mail. */
export interface Recipient {
  email: string;
  userId: string | null;
}

const ofOrder: Statement = {
  name: 'mail_recipient_of_order',
  text: 'SELECT email, user_id AS "userId" FROM orders WHERE id = $1',
};
const ofCart: Statement = {
  name: 'mail_recipient_of_cart',
  text: `SELECT coalesce(u.email, c.email) AS email, c.user_id AS "userId"
           FROM carts c LEFT JOIN users u ON u.id = c.user_id
          WHERE c.id = $1 AND coalesce(u.email, c.email) IS NOT NULL`,
};
const ofUser: Statement = {
  name: 'mail_recipient_of_user',
  text: 'SELECT email, id AS "userId" FROM users WHERE id = $1',
};

/** Where mail about an order goes: the address that it was placed with. */
export async function findRecipientOfOrder(source: Queryable, orderId: string): Promise<Recipient | null> {
  const [row] = await source.query<Recipient>(ofOrder, [orderId]);
  return row ?? null;
}

/** Where mail about a cart goes: its owner's address, or the one that a guest gave; null where there is neither. */
export async function findRecipientOfCart(source: Queryable, cartId: string): Promise<Recipient | null> {
  const [row] = await source.query<Recipient>(ofCart, [cartId]);
  return row ?? null;
}

const ofPayment: Statement = {
  name: 'mail_recipient_of_payment',
  text: `SELECT coalesce(o.email, p.terms->>'email') AS email, c.user_id AS "userId"
           FROM payments p JOIN carts c ON c.id = p.cart_id LEFT JOIN orders o ON o.id = p.order_id
          WHERE p.id = $1 AND coalesce(o.email, p.terms->>'email') IS NOT NULL`,
};
const staff: Statement = {
  name: 'mail_recipients_staff',
  text: `SELECT email, id AS "userId" FROM users WHERE role IN ('STAFF', 'ADMIN') ORDER BY id LIMIT $1`,
};

/** Where mail about a payment goes: the address of its order, or the one that was given when it began. */
export async function findRecipientOfPayment(source: Queryable, paymentId: string): Promise<Recipient | null> {
  const [row] = await source.query<Recipient>(ofPayment, [paymentId]);
  return row ?? null;
}

/** Members of the staff, so many at most. */
export function findStaff(source: Queryable, most: number): Promise<Recipient[]> {
  return source.query<Recipient>(staff, [most]);
}

/** A user's own address. */
export async function findRecipientOfUser(source: Queryable, userId: string): Promise<Recipient | null> {
  const [row] = await source.query<Recipient>(ofUser, [userId]);
  return row ?? null;
}
