import { v7 as uuidv7 } from 'uuid';
import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement, Transaction } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import type { MailStatus, NewMail } from './mail.types.ts';

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

/** A mail as staff see it: what became of it, and not what it says. */
export interface MailRecord {
  id: string;
  template: string;
  recipient: string;
  userId: string | null;
  status: MailStatus;
  attempts: number;
  error: string | null;
  dueAt: Date;
  createdAt: Date;
  settledAt: Date | null;
}

const COLUMNS = `m.id, m.template, m.recipient, m.user_id AS "userId", m.status, m.attempts, m.error, m.due_at AS "dueAt",
  m.created_at AS "createdAt", m.settled_at AS "settledAt"`;

const byIds: Statement = {
  name: 'mails_by_ids',
  text: `SELECT ${COLUMNS} FROM mails m WHERE m.id = ANY($1::uuid[])`,
};

/** Mails by id, in no order. */
export function findMails(source: Queryable, ids: readonly string[]): Promise<MailRecord[]> {
  return source.query<MailRecord>(byIds, [ids]);
}

const lock: Statement = {
  name: 'mail_lock',
  text: `SELECT ${COLUMNS} FROM mails m WHERE m.id = $1 FOR NO KEY UPDATE`,
};

/** Locks a mail: what it is now it stays until the transaction ends. */
export async function lockMail(tx: Transaction, id: string): Promise<MailRecord | null> {
  const [row] = await tx.query<MailRecord>(lock, [id]);
  return row ?? null;
}

const again: Statement = {
  name: 'mail_again',
  text: `UPDATE mails SET status = 'PENDING', attempts = 0, error = NULL, settled_at = NULL, claimed_until = NULL, due_at = $2
          WHERE id = $1`,
};

/** Schedules an email that the caller has locked to be sent again, with a full number of attempts. */
export async function sendAnew(tx: Transaction, at: Date, id: string): Promise<void> {
  await tx.query(again, [id, at]);
}

/** Which mails: those that meet all that is given. */
export interface MailQuery {
  status?: MailStatus;
  /** The whole address, whatever its capitals. */
  recipient?: string;
}

type Parameter = (value: unknown) => string;

const NEWEST_FIRST: readonly SortTerm[] = [
  { expression: 'm.created_at', type: 'timestamptz', descending: true },
  { expression: 'm.id', type: 'uuid', descending: true },
];

function conditions({ status, recipient }: MailQuery, parameter: Parameter): { name: string; where: string } {
  const terms = [
    ...(status === undefined ? [] : [['status', `m.status = ${parameter(status)}::mail_status`]]),
    ...(recipient === undefined
      ? []
      : [['recipient', `lower(m.recipient) = lower(${parameter(recipient)} COLLATE "C")`]]),
  ];
  return {
    name: terms.map(([name]) => `_${name}`).join(''),
    where: terms.map(([, term]) => ` AND ${term}`).join(''),
  };
}

/** A page of mails, the newest first. */
export async function findMailPage(source: Queryable, query: MailQuery, page: PageRequest): Promise<Page<MailRecord>> {
  const values: unknown[] = [];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  const { name, where } = conditions(query, parameter);
  const { condition, orderBy, cursor } = keyset(NEWEST_FIRST, page, parameter);
  const rows = await source.query<MailRecord & { cursor: string[] }>(
    {
      name: `mail_page${name}_${page.direction}${page.cursor === null ? '' : '_on'}`,
      text: `SELECT ${COLUMNS}, ${cursor} AS cursor FROM mails m
              WHERE ${condition}${where} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
    },
    values,
  );
  return toPage(rows, page);
}

/** How many mails the query finds, as far as lists count. */
export function countMails(source: Queryable, query: MailQuery): Promise<number> {
  const values: unknown[] = [];
  const { name, where } = conditions(query, (value) => `$${values.push(value)}`);
  return countUpTo(source, `SELECT FROM mails m WHERE TRUE${where}`, values, `mail_count${name}`);
}
