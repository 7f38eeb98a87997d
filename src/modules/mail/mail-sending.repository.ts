import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { MailRow } from './mail.types.ts';

/** A mail that the caller alone is at, until the claim runs out. */
export interface ClaimedMail extends MailRow {
  /** Identifies the claim. A process whose claim is over can no longer settle the email. */
  claim: string;
  /** With this one. */
  attempts: number;
  /** When it was claimed. */
  at: Date;
  /** Trace of its cause; null if that was not traced. */
  traceparent: string | null;
}

const claim: Statement = {
  name: 'mail_claim',
  text: `WITH free AS (
           SELECT id FROM mails
            WHERE id = ANY($1::uuid[]) AND status = 'PENDING' AND due_at <= clock_timestamp()
              AND (claimed_until IS NULL OR claimed_until <= clock_timestamp())
            ORDER BY id FOR NO KEY UPDATE
         )
         UPDATE mails m SET claimed_until = clock_timestamp() + make_interval(secs => $2::int), attempts = attempts + 1
           FROM free WHERE m.id = free.id
         RETURNING m.id, cause, template, recipient, user_id AS "userId", data, message_id AS "messageId", attempts, traceparent,
           claimed_until::text AS claim, clock_timestamp() AS at`,
};

/** Claims emails for so many seconds. @returns those that can be sent; not those that are settled, not due, or claimed by somebody else */
export function claimMails(db: Queryable, ids: readonly string[], seconds: number): Promise<ClaimedMail[]> {
  return db.query<ClaimedMail>(claim, [ids, seconds]);
}

// Whatever became of the claim meanwhile: it was sent, and is not to be sent again.
const sent: Statement = {
  name: 'mail_sent',
  text: `WITH sent AS (
           SELECT id FROM mails WHERE id = ANY($1::uuid[]) AND status <> 'SENT' ORDER BY id FOR NO KEY UPDATE
         )
         UPDATE mails m SET status = 'SENT', error = NULL, claimed_until = NULL, settled_at = clock_timestamp()
           FROM sent WHERE m.id = sent.id`,
};

/** Records that emails were sent. Has no further effect for those that are recorded already. */
export async function settleSent(db: Queryable, ids: readonly string[]): Promise<void> {
  await db.query(sent, [ids]);
}

const unsent: Statement = {
  name: 'mail_unsent',
  text: `UPDATE mails SET status = $3::mail_status, error = $4, claimed_until = NULL, settled_at = clock_timestamp()
          WHERE id = $1 AND status = 'PENDING' AND claimed_until = $2::timestamptz`,
};

/** Records that an email is not sent, and why. Changes nothing unless the caller has the claim. */
export async function settleUnsent(
  db: Queryable,
  mail: Pick<ClaimedMail, 'id' | 'claim'>,
  status: 'SKIPPED' | 'FAILED',
  reason: string | null,
): Promise<void> {
  await db.query(unsent, [mail.id, mail.claim, status, reason]);
}

const giveBack: Statement = {
  name: 'mail_give_back',
  text: `UPDATE mails SET claimed_until = NULL, attempts = attempts - 1
          WHERE id = $1 AND status = 'PENDING' AND claimed_until = $2::timestamptz`,
};

/** Gives up a claim as if it had not been made, where what kept the mail from being sent was not the mail's fault. */
export async function giveMailBack(db: Queryable, mail: Pick<ClaimedMail, 'id' | 'claim'>): Promise<void> {
  await db.query(giveBack, [mail.id, mail.claim]);
}

const postpone: Statement = {
  name: 'mail_postpone',
  text: `UPDATE mails SET due_at = clock_timestamp() + make_interval(secs => $3::int), error = $4, claimed_until = NULL
          WHERE id = $1 AND status = 'PENDING' AND claimed_until = $2::timestamptz RETURNING due_at AS "dueAt"`,
};

/** Postpones an email by a number of seconds, under its claim. @returns when it is due; null if the claim has expired */
export async function postponeMail(
  db: Queryable,
  mail: Pick<ClaimedMail, 'id' | 'claim'>,
  seconds: number,
  reason: string,
): Promise<Date | null> {
  const [row] = await db.query<{ dueAt: Date }>(postpone, [mail.id, mail.claim, seconds, reason]);
  return row?.dueAt ?? null;
}

/** An email that could be sent now, and since when: before that it was not due, or claimed by a process. */
export interface WaitingMail {
  id: string;
  since: Date;
  /** How long that is. */
  forMs: number;
  traceparent: string | null;
}

const waiting: Statement = {
  name: 'mails_waiting',
  text: `SELECT id, greatest(due_at, claimed_until) AS since,
                (extract(epoch FROM clock_timestamp() - greatest(due_at, claimed_until)) * 1000)::float8 AS "forMs",
                traceparent
           FROM mails
          WHERE status = 'PENDING' AND due_at <= clock_timestamp() - make_interval(secs => $1::int)
            AND (claimed_until IS NULL OR claimed_until <= clock_timestamp() - make_interval(secs => $1::int))
          ORDER BY due_at, id LIMIT $2`,
};

/** Mails that have been waiting for so many seconds at least, the longest first. */
export function findWaiting(db: Queryable, seconds: number, limit: number): Promise<WaitingMail[]> {
  return db.query<WaitingMail>(waiting, [seconds, limit]);
}

// By the index on when they were written, which is before they were settled. A settled row changes for `mailRetry` alone.
const prune: Statement = {
  name: 'mails_prune',
  text: `WITH gone AS (
           DELETE FROM mails WHERE id IN (
             SELECT id FROM mails
              WHERE created_at < (SELECT clock_timestamp() - make_interval(days => $1::int))
                AND settled_at < (SELECT clock_timestamp() - make_interval(days => $1::int))
              ORDER BY created_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
           ) RETURNING 1
         )
         SELECT count(*)::int AS mails FROM gone`,
};

/** Deletes some of the mails that were settled so many days ago; gives how many. */
export async function pruneMails(db: Queryable, days: number, limit: number): Promise<number> {
  const [row] = await db.query<{ mails: number }>(prune, [days, limit]);
  return row?.mails ?? 0;
}
