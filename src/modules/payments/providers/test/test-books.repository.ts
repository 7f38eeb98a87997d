import { v7 as uuid } from 'uuid';
import type { Queryable, Statement } from '../../../../infra/postgres/database.ts';
import type { SnapshotDispute, SnapshotRefund, SnapshotState } from '../provider.types.ts';

/*
 * The provider's own books. Nothing here reads or writes a table of the shop.
 */

/** A payment in the books. */
export interface BookRow {
  reference: string;
  paymentId: string;
  state: SnapshotState;
  isChallenged: boolean;
  currency: string;
  amountMinor: bigint;
  authorizedMinor: bigint;
  capturedMinor: bigint;
  description: string;
  returnUrl: string;
  shopUrl: string;
  failure: string | null;
  lateOutcome: 'SUCCEED' | 'FAIL' | null;
  lateAt: Date | null;
  lostAnswers: number;
  webhookCopies: number;
  willBeDisputed: boolean;
  lapsesAt: Date | null;
}

/** A payment with all that belongs to it. */
export interface Book extends BookRow {
  refunds: SnapshotRefund[];
  disputes: SnapshotDispute[];
}

const COLUMNS = `p.reference, p.payment_id AS "paymentId", p.state, p.is_challenged AS "isChallenged", p.currency,
  p.amount_minor AS "amountMinor", p.authorized_minor AS "authorizedMinor", p.captured_minor AS "capturedMinor", p.description,
  p.return_url AS "returnUrl", p.shop_url AS "shopUrl", p.failure, p.late_outcome AS "lateOutcome", p.late_at AS "lateAt",
  p.lost_answers AS "lostAnswers", p.webhook_copies AS "webhookCopies", p.will_be_disputed AS "willBeDisputed",
  p.lapses_at AS "lapsesAt"`;

/** Amounts as text, because JSON numbers lose digits. */
const PARTS = `
  coalesce((SELECT json_agg(json_build_object('reference', r.reference, 'refundId', r.refund_id,
      'amountMinor', r.amount_minor::text, 'state', r.state, 'failure', r.failure) ORDER BY r.reference)
    FROM test_provider_refunds r WHERE r.payment_reference = p.reference), '[]') AS refunds,
  coalesce((SELECT json_agg(json_build_object('reference', d.reference, 'amountMinor', d.amount_minor::text,
      'state', d.state, 'reason', d.reason) ORDER BY d.reference)
    FROM test_provider_disputes d WHERE d.payment_reference = p.reference), '[]') AS disputes`;

interface Raw extends BookRow {
  refunds: (Omit<SnapshotRefund, 'amountMinor'> & { amountMinor: string })[];
  disputes: (Omit<SnapshotDispute, 'amountMinor'> & { amountMinor: string })[];
}

function bookOf(row: Raw | undefined): Book | null {
  if (row === undefined) return null;
  return {
    ...row,
    refunds: row.refunds.map((refund) => ({ ...refund, amountMinor: BigInt(refund.amountMinor) })),
    disputes: row.disputes.map((dispute) => ({ ...dispute, amountMinor: BigInt(dispute.amountMinor) })),
  };
}

const byReference: Statement = {
  name: 'test_provider_payment',
  text: `SELECT ${COLUMNS}, ${PARTS} FROM test_provider_payments p WHERE p.reference = $1`,
};

/** Null if there is none. */
export async function findBook(source: Queryable, reference: string): Promise<Book | null> {
  const [row] = await source.query<Raw>(byReference, [reference]);
  return bookOf(row);
}

const byPaymentId: Statement = {
  name: 'test_provider_payment_by_id',
  text: `SELECT ${COLUMNS}, ${PARTS} FROM test_provider_payments p WHERE p.payment_id = $1
          ORDER BY (p.authorized_minor > 0) DESC, p.created_at DESC, p.reference LIMIT 1`,
};

/** Finds a payment by its ID in the shop: one that holds money before others, then the latest. Null if there is none. */
export async function findBookByPaymentId(source: Queryable, paymentId: string): Promise<Book | null> {
  const [row] = await source.query<Raw>(byPaymentId, [paymentId]);
  return bookOf(row);
}

const lock: Statement = {
  name: 'test_provider_payment_lock',
  text: 'SELECT FROM test_provider_payments WHERE reference = $1 FOR NO KEY UPDATE',
};

/** Locks a payment until the transaction ends and reads it; null if there is none. */
export async function lockBook(tx: Queryable, reference: string): Promise<Book | null> {
  const rows = await tx.query(lock, [reference]);
  return rows.length === 0 ? null : findBook(tx, reference);
}

const insert: Statement = {
  name: 'test_provider_payment_insert',
  text: `INSERT INTO test_provider_payments
           (reference, payment_id, currency, amount_minor, email, description, return_url, shop_url, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
};

/** Writes a new payment. */
export async function insertPayment(
  tx: Queryable,
  payment: Pick<
    BookRow,
    'reference' | 'paymentId' | 'currency' | 'amountMinor' | 'description' | 'returnUrl' | 'shopUrl'
  > & { email: string },
  at: Date,
): Promise<void> {
  const { reference, paymentId, currency, amountMinor, email, description, returnUrl, shopUrl } = payment;
  await tx.query(insert, [reference, paymentId, currency, amountMinor, email, description, returnUrl, shopUrl, at]);
}

const update: Statement = {
  name: 'test_provider_payment_update',
  text: `UPDATE test_provider_payments
            SET state = $2, is_challenged = $3, authorized_minor = $4, captured_minor = $5, failure = $6, late_outcome = $7,
                late_at = $8, lost_answers = $9, webhook_copies = $10, will_be_disputed = $11, lapses_at = $12, changed_at = $13
          WHERE reference = $1`,
};

/** Writes what can change of a payment; the caller has its lock. */
export async function updatePayment(tx: Queryable, row: BookRow, at: Date): Promise<void> {
  await tx.query(update, [
    ...[row.reference, row.state, row.isChallenged, row.authorizedMinor, row.capturedMinor, row.failure],
    ...[row.lateOutcome, row.lateAt, row.lostAnswers, row.webhookCopies, row.willBeDisputed, row.lapsesAt, at],
  ]);
}

/** References that sort by the time at which they are made. */
const newReference = (prefix: string) => `${prefix}_${uuid().replaceAll('-', '')}`;

/** Writes a refund that succeeded; the caller has the payment's lock. */
export async function insertRefund(
  tx: Queryable,
  refund: { paymentReference: string; refundId: string; amountMinor: bigint },
  at: Date,
): Promise<void> {
  await tx.query(
    {
      name: 'test_provider_refund_insert',
      text: `INSERT INTO test_provider_refunds (reference, payment_reference, refund_id, amount_minor, created_at)
             VALUES ($1, $2, $3, $4, $5)`,
    },
    [newReference('test_refund'), refund.paymentReference, refund.refundId, refund.amountMinor, at],
  );
}

/** Lets a refund fail. */
export async function failRefund(tx: Queryable, reference: string, failure: string): Promise<void> {
  await tx.query(
    {
      name: 'test_provider_refund_fail',
      text: `UPDATE test_provider_refunds SET state = 'FAILED', failure = $2 WHERE reference = $1`,
    },
    [reference, failure],
  );
}

/** Opens a dispute; the caller has the payment's lock. */
export async function insertDispute(
  tx: Queryable,
  dispute: { paymentReference: string; amountMinor: bigint; reason: string },
  at: Date,
): Promise<void> {
  await tx.query(
    {
      name: 'test_provider_dispute_insert',
      text: `INSERT INTO test_provider_disputes (reference, payment_reference, amount_minor, reason, created_at)
             VALUES ($1, $2, $3, $4, $5)`,
    },
    [newReference('test_dispute'), dispute.paymentReference, dispute.amountMinor, dispute.reason, at],
  );
}

/** Closes the open disputes of a payment, whose lock the caller has. */
export async function closeDisputes(tx: Queryable, paymentReference: string, state: 'WON' | 'LOST'): Promise<void> {
  await tx.query(
    {
      name: 'test_provider_dispute_close',
      text: `UPDATE test_provider_disputes SET state = $2 WHERE payment_reference = $1 AND state = 'OPEN'`,
    },
    [paymentReference, state],
  );
}

const changed: Statement = {
  name: 'test_provider_payments_changed',
  text: `SELECT reference, to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
           FROM test_provider_payments
          WHERE changed_at >= $1 AND (changed_at, reference) > ($2::timestamptz, $3)
          ORDER BY changed_at, reference LIMIT $4`,
};

/** Payments that changed since a time, after a place in that order. `at` has the microseconds that a Date lacks. */
export function findChanged(
  source: Queryable,
  { since, after, limit }: { since: Date; after: { at: string; reference: string } | null; limit: number },
): Promise<{ reference: string; at: string }[]> {
  return source.query(changed, [since, after?.at ?? '-infinity', after?.reference ?? '', limit]);
}

const due: Statement = {
  name: 'test_provider_payments_due',
  text: `(SELECT reference FROM test_provider_payments WHERE late_at <= $1 LIMIT 200)
         UNION (SELECT reference FROM test_provider_payments WHERE state = 'AUTHORIZED' AND lapses_at <= $1 LIMIT 200)`,
};

/** Payments of which the bank has something to say by now: a late outcome, or an authorization that lapses. */
export async function findDue(source: Queryable, at: Date): Promise<string[]> {
  return (await source.query<{ reference: string }>(due, [at])).map(({ reference }) => reference);
}
