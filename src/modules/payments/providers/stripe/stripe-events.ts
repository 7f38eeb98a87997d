import type { WebhookRequest } from '../../../webhooks/webhook.types.ts';
import type { ProviderDelivery } from '../provider.types.ts';
import { stripePackage } from './stripe-client.ts';
import { PAYMENT_KEY } from './stripe-snapshot.ts';

const TOLERANCE_S = 300;

/** The events of interest. The webhook's endpoint is set up for these; see docs/payments.md. */
export const EVENT_TYPES = [
  'payment_intent.created',
  'payment_intent.amount_capturable_updated',
  'payment_intent.canceled',
  'payment_intent.payment_failed',
  'payment_intent.processing',
  'payment_intent.requires_action',
  'payment_intent.succeeded',
  'charge.captured',
  'charge.expired',
  'charge.refunded',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.dispute.funds_reinstated',
  'charge.dispute.funds_withdrawn',
  'refund.created',
  'refund.updated',
  'refund.failed',
] as const;

const OF_INTEREST = /^(payment_intent|charge|refund)\./;

/**
 * The payment intent that an event is about. No more than IDs are read of an event, and those are the same in all versions of the API:
 * an endpoint that was set up for another version works as well.
 * @param event as Stripe sent it
 * @returns null if it is not about a payment of the shop
 */
export function referenceOf(event: unknown): string | null {
  const { type, account, data } = membersOf(event);
  // Events of connected accounts: of somebody else's payments.
  if (typeof type !== 'string' || !OF_INTEREST.test(type) || typeof account === 'string') return null;
  const object = membersOf(membersOf(data)['object']);
  const isIntent = object['object'] === 'payment_intent';
  // Charges have a copy of the intent's metadata. Refunds and disputes have their own: the shop finds out whose they are.
  if ((isIntent || object['object'] === 'charge') && typeof membersOf(object['metadata'])[PAYMENT_KEY] !== 'string') {
    return null;
  }
  const reference = isIntent ? object['id'] : (membersOf(object['payment_intent'])['id'] ?? object['payment_intent']);
  return typeof reference === 'string' ? reference : null;
}

/** Reads a request to the webhook. See `PaymentProvider.readWebhook`. */
export function readStripeWebhook(
  { headers, body }: WebhookRequest,
  { secret, isLive, now }: { secret: string | null; isLive: boolean; now: Date },
): ProviderDelivery | 'IGNORED' | 'FORGED' | 'MALFORMED' {
  const header = headers['stripe-signature'];
  if (secret === null || typeof header !== 'string') return 'FORGED';
  const payload = Buffer.from(body);
  let event: unknown;
  try {
    const { webhooks } = stripePackage();
    event = webhooks.constructEvent(payload, header, secret, TOLERANCE_S, undefined, now.getTime());
  } catch (error) {
    return (error as { type?: unknown } | null)?.type === 'StripeSignatureVerificationError' ? 'FORGED' : 'MALFORMED';
  }
  const { id, type, data, livemode } = membersOf(event);
  const { object } = membersOf(data);
  if (typeof id !== 'string' || typeof type !== 'string' || typeof object !== 'object' || object === null) {
    return 'MALFORMED';
  }
  const reference = livemode === isLive ? referenceOf(event) : null;
  return reference === null ? 'IGNORED' : { deliveryKey: id, topic: type, reference };
}

function membersOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
