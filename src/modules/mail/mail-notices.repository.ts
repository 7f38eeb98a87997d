import type { Queryable, Statement } from '../../infra/postgres/database.ts';

/** Who gets a mail. */
export interface Recipient {
  email: string;
  userId: string | null;
}

/** What a mail is about, which decides who gets it. */
export type Subject = 'ORDER' | 'CART' | 'USER' | 'PAYMENT';

/** The ids of what mails are about. */
export type Subjects = Readonly<Record<Subject, readonly string[]>>;

// An order: the address that it was placed with. A cart: the address of the owner, or the one that a guest gave. A payment: the address
// of its order, or the one that was given when the payment began.
const recipients: Statement = {
  name: 'mail_recipients',
  text: `SELECT 'ORDER' AS subject, id, email, user_id AS "userId" FROM orders WHERE id = ANY($1::uuid[])
         UNION ALL
         SELECT 'CART', c.id, coalesce(u.email, c.email), c.user_id
           FROM carts c LEFT JOIN users u ON u.id = c.user_id
          WHERE c.id = ANY($2::uuid[]) AND coalesce(u.email, c.email) IS NOT NULL
         UNION ALL
         SELECT 'USER', id, email, id FROM users WHERE id = ANY($3::uuid[])
         UNION ALL
         SELECT 'PAYMENT', p.id, coalesce(o.email, p.terms->>'email'), c.user_id
           FROM payments p JOIN carts c ON c.id = p.cart_id LEFT JOIN orders o ON o.id = p.order_id
          WHERE p.id = ANY($4::uuid[]) AND coalesce(o.email, p.terms->>'email') IS NOT NULL`,
};

/**
 * Who gets mail about these subjects.
 * @returns finds the recipient; null if there is no subject with this id, or no address
 */
export async function findRecipients(
  source: Queryable,
  subjects: Subjects,
): Promise<(subject: Subject, id: string) => Recipient | null> {
  const rows = await source.query<Recipient & { subject: Subject; id: string }>(recipients, [
    subjects.ORDER,
    subjects.CART,
    subjects.USER,
    subjects.PAYMENT,
  ]);
  const found = new Map(rows.map(({ subject, id, email, userId }) => [`${subject} ${id}`, { email, userId }]));
  return (subject, id) => found.get(`${subject} ${id}`) ?? null;
}

const staff: Statement = {
  name: 'mail_recipients_staff',
  text: `SELECT email, id AS "userId" FROM users WHERE role IN ('STAFF', 'ADMIN') ORDER BY id LIMIT $1`,
};

/** Members of the staff, so many at most. */
export function findStaff(source: Queryable, most: number): Promise<Recipient[]> {
  return source.query<Recipient>(staff, [most]);
}
