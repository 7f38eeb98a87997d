import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { MailKind } from './mail.types.ts';

/** A mail as far as it matters whether it is wanted. */
export interface Asked {
  userId: string | null;
  recipient: string;
  kind: MailKind | null;
}

// Who ordered as a guest with the address of an account is the account's owner as far as this goes.
const unwanted: Statement = {
  name: 'mail_unwanted',
  text: `SELECT m.ordinal::int - 1 AS index
           FROM unnest($1::uuid[], $2::text[], $3::text[]) WITH ORDINALITY AS m(user_id, recipient, kind, ordinal)
          WHERE EXISTS (SELECT FROM users u WHERE u.id = m.user_id AND m.kind = ANY (u.mails_off))
             OR EXISTS (SELECT FROM users u WHERE lower(u.email) = lower(m.recipient) AND m.kind = ANY (u.mails_off))
             OR EXISTS (SELECT FROM mail_opt_outs o WHERE o.email = lower(m.recipient) AND o.kind = m.kind)`,
};

/** The indices of the mails that nobody wants: turned off by the account that they are for or that has the address, or for the address. */
export async function findUnwanted(source: Queryable, mails: readonly Asked[]): Promise<Set<number>> {
  const rows = await source.query<{ index: number }>(unwanted, [
    mails.map((mail) => mail.userId),
    mails.map((mail) => mail.recipient),
    mails.map((mail) => mail.kind),
  ]);
  return new Set(rows.map((row) => row.index));
}

const offOf: Statement = {
  name: 'mail_kinds_off_of_user',
  text: `SELECT unnest(u.mails_off) AS kind FROM users u WHERE u.id = $1
          UNION
         SELECT o.kind FROM users u JOIN mail_opt_outs o ON o.email = lower(u.email) WHERE u.id = $1`,
};

/** The kinds that a user does not take, as the account says or as was said of its address. */
export async function findKindsOff(source: Queryable, userId: string): Promise<Set<string>> {
  const rows = await source.query<{ kind: string }>(offOf, [userId]);
  return new Set(rows.map((row) => row.kind));
}

const lockByEmail: Statement = {
  name: 'mail_lock_user_by_email',
  text: 'SELECT id FROM users WHERE lower(email) = lower($1 COLLATE "C") FOR NO KEY UPDATE',
};

/** Locks the account that has an address; null where there is none. */
export async function lockUserByEmail(tx: Queryable, email: string): Promise<string | null> {
  const [row] = await tx.query<{ id: string }>(lockByEmail, [email]);
  return row?.id ?? null;
}

const turn: Statement = {
  name: 'mail_turn_kinds',
  text: `UPDATE users SET updated_at = clock_timestamp(),
                mails_off = ARRAY(SELECT DISTINCT kind FROM unnest(mails_off || $2::text[]) AS k(kind)
                                   WHERE kind <> ALL ($3::text[]) ORDER BY kind)
          WHERE id = $1 AND (NOT mails_off @> $2::text[] OR mails_off && $3::text[])`,
};
const forgetOwn: Statement = {
  name: 'mail_forget_opt_outs_of_user',
  text: `DELETE FROM mail_opt_outs o USING users u
          WHERE u.id = $1 AND o.email = lower(u.email) AND o.kind = ANY ($2::text[])`,
};

/** Turns kinds of mail off and on for an account; what is on is so for its address, too. Of what is so already, nothing is written. */
export async function turnKinds(
  tx: Queryable,
  userId: string,
  { off, on }: { off: readonly MailKind[]; on: readonly MailKind[] },
): Promise<void> {
  await tx.query(turn, [userId, off, on]);
  if (on.length > 0) await tx.query(forgetOwn, [userId, on]);
}

const optOut: Statement = {
  name: 'mail_opt_out',
  text: `INSERT INTO mail_opt_outs (email, kind, created_at) VALUES (lower($1 COLLATE "C"), $2, clock_timestamp())
         ON CONFLICT DO NOTHING`,
};
const optIn: Statement = {
  name: 'mail_opt_in',
  text: 'DELETE FROM mail_opt_outs WHERE email = lower($1 COLLATE "C") AND kind = $2',
};

/** Turns a kind off for an address without an account. */
export async function insertOptOut(tx: Queryable, email: string, kind: MailKind): Promise<void> {
  await tx.query(optOut, [email, kind]);
}

/** Turns it on again. */
export async function deleteOptOut(tx: Queryable, email: string, kind: MailKind): Promise<void> {
  await tx.query(optIn, [email, kind]);
}
