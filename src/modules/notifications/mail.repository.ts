import { v7 as uuidv7 } from 'uuid';
import type { Queryable, Statement } from '../../infra/database.ts';
import type { NewMail } from './mail.types.ts';

const insert: Statement = {
  name: 'mail_insert',
  text: `INSERT INTO mails (id, cause, template, recipient, user_id, data, message_id, due_at, created_at)
         SELECT id, cause, template, recipient, user_id, data, message_id, $8::timestamptz, $8::timestamptz
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::jsonb[], $7::text[])
             AS m(id, cause, template, recipient, user_id, data, message_id)
         ON CONFLICT (cause, template, lower(recipient)) DO NOTHING
         RETURNING id`,
};

/**
 * Writes mails down; those that stand there already are passed over.
 * @param domain what their Message-IDs end in
 * @returns the ids of those that are new
 */
export async function insertMails(
  tx: Queryable,
  at: Date,
  mails: readonly NewMail[],
  domain: string,
): Promise<string[]> {
  const ids = mails.map(() => uuidv7());
  const rows = await tx.query<{ id: string }>(insert, [
    ids,
    mails.map((mail) => mail.cause),
    mails.map((mail) => mail.template),
    mails.map((mail) => mail.recipient),
    mails.map((mail) => mail.userId),
    mails.map((mail) => JSON.stringify(mail.data)),
    ids.map((id) => `<${id}@${domain}>`),
    at,
  ]);
  return rows.map((row) => row.id);
}
