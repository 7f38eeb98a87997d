import type Stripe from 'stripe';
import {
  Unknown,
  type Snapshot,
  type SnapshotDispute,
  type SnapshotRefund,
  type SnapshotState,
} from '../provider.types.ts';
import { fromStripe } from './stripe-amounts.ts';

/** Metadata of payment intents: ID of the payment in the shop. */
export const PAYMENT_KEY = 'vitrine_payment';
/** Metadata of refunds: ID of the refund in the shop. */
export const REFUND_KEY = 'vitrine_refund';

/** What a snapshot needs of a payment intent. */
export const EXPAND = ['latest_charge', 'latest_charge.refunds'];

const PAGE = 100;

const STATES: Readonly<Record<string, SnapshotState>> = {
  requires_payment_method: 'PENDING',
  requires_confirmation: 'PENDING',
  requires_action: 'PENDING',
  processing: 'PROCESSING',
  requires_capture: 'AUTHORIZED',
  succeeded: 'CAPTURED',
  canceled: 'CANCELLED',
};

const REFUND_STATES: Readonly<Record<string, SnapshotRefund['state']>> = {
  pending: 'PENDING',
  requires_action: 'PENDING',
  succeeded: 'SUCCEEDED',
  failed: 'FAILED',
  canceled: 'FAILED',
};

const DISPUTE_STATES: Readonly<Record<string, SnapshotDispute['state']>> = {
  won: 'WON',
  prevented: 'WON',
  lost: 'LOST',
};

/**
 * A payment intent as the shop takes it.
 * @param intent with `EXPAND` expanded; refunds and disputes are read to their last page
 * @throws what the client throws; Unknown if Stripe has a status that this code does not know
 */
export async function snapshotOf(client: Stripe, intent: Stripe.PaymentIntent): Promise<Snapshot> {
  const { id: reference, metadata, amount_received: received, amount_capturable: capturable } = intent;
  const state = STATES[intent.status];
  if (state === undefined) throw new Unknown(`Stripe has a payment in an unknown status: ${intent.status}`);
  const currency = intent.currency.toUpperCase();
  const minor = (amount: number) => fromStripe(amount, currency);
  const charge = typeof intent.latest_charge === 'string' ? null : (intent.latest_charge ?? null);
  const refunds = charge === null ? [] : await refundsOf(client, charge);
  const disputes = charge?.disputed === true ? await disputesOf(client, charge) : [];
  const isUnpaid = state === 'PENDING' || state === 'CANCELLED';
  return {
    reference,
    paymentId: metadata[PAYMENT_KEY] ?? null,
    state,
    currency,
    amountMinor: minor(intent.amount),
    authorizedMinor: minor(received + capturable),
    capturedMinor: minor(received),
    refunds: byAge(refunds).map((refund) => ({
      reference: refund.id,
      refundId: refund.metadata?.[REFUND_KEY] ?? null,
      amountMinor: minor(refund.amount),
      ...refundState(refund),
    })),
    disputes: byAge(disputes)
      // An inquiry is a question of the bank's: no money has been taken back.
      .filter(({ status }) => !status.startsWith('warning_'))
      .map(({ id, amount, status, reason }) => ({
        reference: id,
        amountMinor: minor(amount),
        state: DISPUTE_STATES[status] ?? 'OPEN',
        reason: reason === '' ? null : reason,
      })),
    failure: isUnpaid ? (intent.last_payment_error?.message ?? null) : null,
    lapsesAt: state === 'AUTHORIZED' ? lapseOf(charge) : null,
  };
}

/** Oldest first. Stripe lists the newest first, and `created` has whole seconds only. */
function byAge<T extends { created: number }>(items: readonly T[]): T[] {
  return items.toReversed().toSorted((a, b) => a.created - b.created);
}

async function refundsOf(client: Stripe, charge: Stripe.Charge): Promise<Stripe.Refund[]> {
  const { refunds } = charge;
  if (refunds != null && !refunds.has_more) return refunds.data;
  return all(client.refunds.list({ charge: charge.id, limit: PAGE }));
}

function disputesOf(client: Stripe, charge: Stripe.Charge): Promise<Stripe.Dispute[]> {
  return all(client.disputes.list({ charge: charge.id, limit: PAGE }));
}

/** All items of a list, page after page. */
async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of list) items.push(item);
  return items;
}

function refundState({ status, failure_reason: reason }: Stripe.Refund): Pick<SnapshotRefund, 'state' | 'failure'> {
  const state = REFUND_STATES[status ?? ''] ?? 'PENDING';
  if (state !== 'FAILED') return { state, failure: null };
  if (status === 'canceled') return { state, failure: 'The refund was cancelled.' };
  return { state, failure: `The refund failed: ${(reason ?? 'unknown').replaceAll('_', ' ')}.` };
}

/** Each kind of payment method has its details in a member of its own name. */
function lapseOf(charge: Stripe.Charge | null): Date | null {
  const { payment_method_details: details } = charge ?? {};
  const ofKind = (details as Record<string, unknown> | null | undefined)?.[details?.type ?? ''];
  const { capture_before: before } = (ofKind ?? {}) as { capture_before?: unknown };
  return typeof before === 'number' ? new Date(before * 1000) : null;
}
