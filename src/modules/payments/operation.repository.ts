import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import {
  OPEN_STATES,
  type OperationKind,
  type OperationParameters,
  type OperationRow,
  type OperationState,
} from './payment.types.ts';

const COLUMNS = `o.id, o.payment_id AS "paymentId", o.kind, o.amount_minor AS "amountMinor", o.refund_id AS "refundId", o.parameters,
  o.state, o.attempts, o.reason, o.sent_at AS "sentAt"`;

/** An operation that is to be done. */
export interface NewOperation {
  id: string;
  paymentId: string;
  kind: OperationKind;
  amountMinor: bigint | null;
  refundId: string | null;
  parameters: OperationParameters;
  /** Of a capture by staff. */
  idempotencyKey?: string;
  actorId?: string;
}

const insert: Statement = {
  name: 'payment_operation_insert',
  text: `INSERT INTO payment_operations (id, payment_id, kind, amount_minor, refund_id, parameters, idempotency_key, actor_id, next_at, created_at)
         VALUES ($1, $2, $3::payment_operation_kind, $4, $5, $6::jsonb, $7, $8, $9, $9)`,
};

/** Writes an operation down, before the provider hears of it; the caller has the lock of its payment. */
export async function insertOperation(tx: Queryable, at: Date, operation: NewOperation): Promise<void> {
  const { id, paymentId, kind, amountMinor, refundId, parameters, idempotencyKey = null, actorId = null } = operation;
  await tx.query(insert, [
    ...[id, paymentId, kind, amountMinor, refundId, JSON.stringify(parameters), idempotencyKey, actorId, at],
  ]);
}

const ofPayment: Statement = {
  name: 'payment_operations_of',
  text: `SELECT ${COLUMNS} FROM payment_operations o WHERE o.payment_id = $1 ORDER BY o.created_at, o.id`,
};

/** The operations of a payment, oldest first. */
export function findOperations(source: Queryable, paymentId: string): Promise<OperationRow[]> {
  return source.query<OperationRow>(ofPayment, [paymentId]);
}

const ofPayments: Statement = {
  name: 'payment_operations_of_payments',
  text: `SELECT ${COLUMNS} FROM payment_operations o WHERE o.payment_id = ANY($1::uuid[]) ORDER BY o.created_at, o.id`,
};

/** The operations of payments, oldest first. */
export function findOperationsOfPayments(source: Queryable, paymentIds: readonly string[]): Promise<OperationRow[]> {
  return source.query<OperationRow>(ofPayments, [paymentIds]);
}

const captureByKey: Statement = {
  name: 'payment_capture_by_key',
  text: `SELECT ${COLUMNS} FROM payment_operations o WHERE o.payment_id = $1 AND o.idempotency_key = $2`,
};

/** The capture that staff asked for under a key. */
export async function findCaptureByKey(
  source: Queryable,
  paymentId: string,
  key: string,
): Promise<OperationRow | null> {
  const [row] = await source.query<OperationRow>(captureByKey, [paymentId, key]);
  return row ?? null;
}

/** An operation that this process may do now. */
export interface LeasedOperation extends OperationRow {
  /** Its state before: whether the provider may have heard of it. */
  before: OperationState;
  /** Hours since it was first sent; null if it was not. */
  hoursSinceSent: number | null;
  provider: string;
  reference: string | null;
  /** Of the payment: a snapshot that is fetched now may be used as long as it stays. */
  version: number;
  currency: string;
  /** The time to pay is over. */
  isOverdue: boolean;
  /** The payment has failed or was cancelled. */
  isOver: boolean;
}

// SENT with a lapsed lease: its process died between asking and writing the answer down.
const lease: Statement = {
  name: 'payment_operation_lease',
  text: `
WITH due AS (
  SELECT id, state, sent_at FROM payment_operations
   WHERE id = $1 AND (state IN ('QUEUED', 'UNKNOWN') AND ($3 OR next_at <= clock_timestamp()) OR state = 'SENT' AND lease_until <= clock_timestamp())
     FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE payment_operations o
   SET state = 'SENT', attempts = attempts + 1, lease_until = clock_timestamp() + make_interval(secs => $2),
       sent_at = coalesce(o.sent_at, clock_timestamp())
  FROM due, payments p WHERE o.id = due.id AND p.id = o.payment_id
RETURNING ${COLUMNS}, due.state AS before, p.provider, p.reference, p.version, p.currency,
          coalesce(p.deadline <= clock_timestamp(), false) AS "isOverdue", p.state IN ('CANCELLED', 'FAILED') AS "isOver",
          (extract(epoch FROM clock_timestamp() - due.sent_at) / 3600)::float8 AS "hoursSinceSent"`,
};

/**
 * Takes an operation, so that nobody else does it meanwhile.
 * @param seconds after which somebody else may, if no answer was written down
 * @param now whether an operation that waits for its next attempt is taken as well
 * @returns null if it is settled, not due, or with somebody else
 */
export async function leaseOperation(
  source: Queryable,
  id: string,
  seconds: number,
  now: boolean,
): Promise<LeasedOperation | null> {
  const [row] = await source.query<LeasedOperation>(lease, [id, seconds, now]);
  return row ?? null;
}

const open: Statement = {
  name: 'payment_operation_open',
  text: `SELECT 1 FROM payment_operations WHERE id = $1 AND state = ANY($2::payment_operation_state[])`,
};

/** Whether an operation is not settled yet. */
export async function isOperationOpen(source: Queryable, id: string): Promise<boolean> {
  return (await source.query(open, [id, OPEN_STATES])).length > 0;
}

const settle: Statement = {
  name: 'payment_operation_settle',
  text: `UPDATE payment_operations SET state = $2::payment_operation_state, reason = $3, lease_until = NULL,
                settled_at = CASE WHEN $2 IN ('DONE', 'REFUSED') THEN $4::timestamptz END,
                next_at = clock_timestamp() + make_interval(secs => $5)
          WHERE id = $1 AND state IN ('QUEUED', 'SENT', 'UNKNOWN') RETURNING id`,
};

/**
 * Writes down what became of an operation.
 * @param retrySeconds with UNKNOWN and QUEUED: until the next attempt
 * @returns false if it was settled before
 */
export async function settleOperation(
  tx: Queryable,
  at: Date,
  {
    id,
    state,
    reason,
    retrySeconds = 0,
  }: { id: string; state: OperationState; reason: string | null; retrySeconds?: number },
): Promise<boolean> {
  return (await tx.query(settle, [id, state, reason, at, retrySeconds])).length > 0;
}

const unwanted: Statement = {
  name: 'payment_unwanted',
  text: `SELECT CASE WHEN p.order_id IS NULL THEN p.return_reason IS NOT NULL ELSE o.status = 'CANCELLED' END AS "isUnwanted"
           FROM payments p LEFT JOIN orders o ON o.id = p.order_id WHERE p.id = $1`,
};

/**
 * Whether the money of a payment goes back whatever the provider says: no order can be placed for it, or the order was cancelled. An
 * order may have been placed since a cancellation was asked for; then the payment must not be voided.
 */
export async function isPaymentUnwanted(source: Queryable, paymentId: string): Promise<boolean> {
  const [row] = await source.query<{ isUnwanted: boolean }>(unwanted, [paymentId]);
  return row?.isUnwanted ?? false;
}
