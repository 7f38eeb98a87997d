import { randomBytes, randomUUID } from 'node:crypto';
import { known } from './known.ts';

/*
 * The books of the stand-in for Stripe: payment intents, charges, refunds, disputes and events, as Stripe's API shows them, and the
 * rules by which they change.
 */

export interface Refund {
  id: string;
  object: 'refund';
  amount: number;
  charge: string;
  payment_intent: string;
  currency: string;
  created: number;
  metadata: Record<string, string>;
  status: 'pending' | 'succeeded' | 'failed' | 'canceled';
  failure_reason?: string;
}

export interface Dispute {
  id: string;
  object: 'dispute';
  amount: number;
  charge: string;
  payment_intent: string;
  currency: string;
  created: number;
  reason: string;
  status: string;
}

export interface Charge {
  id: string;
  object: 'charge';
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  captured: boolean;
  created: number;
  currency: string;
  disputed: boolean;
  metadata: Record<string, string>;
  payment_intent: string;
  payment_method_details: { type: 'card'; card: { capture_before: number } };
  status: 'succeeded' | 'failed' | 'pending';
}

export interface Intent {
  id: string;
  object: 'payment_intent';
  amount: number;
  amount_capturable: number;
  amount_received: number;
  capture_method: string;
  client_secret: string;
  created: number;
  currency: string;
  description: string | null;
  last_payment_error: { message: string; code: string; type: 'card_error' } | null;
  latest_charge: string | null;
  livemode: boolean;
  metadata: Record<string, string>;
  status: string;
}

export interface StripeEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  livemode: boolean;
  type: string;
  data: { object: object };
}

/** A fault as Stripe answers it. */
export class StripeFault extends Error {
  readonly status: number;
  readonly body: { type: string; code?: string; message: string };
  /** Whether it was found before the request began: keys do not remember those. */
  readonly isValidation: boolean;
  constructor(status: number, type: string, code: string | undefined, message: string, isValidation = false) {
    super(message);
    this.status = status;
    this.body = { type, ...(code === undefined ? {} : { code }), message };
    this.isValidation = isValidation;
  }
}

const WEEK_S = 7 * 86_400;
const LEAST: Readonly<Record<string, number>> = { eur: 50, usd: 50, jpy: 50, gbp: 30 };
const seconds = () => Math.floor(Date.now() / 1000);
const newId = (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`;
const invalid = (code: string | undefined, message: string, isValidation = false) =>
  new StripeFault(400, 'invalid_request_error', code, message, isValidation);

export class StripeBooks {
  readonly intents: Intent[] = [];
  readonly charges: Charge[] = [];
  readonly refunds: Refund[] = [];
  readonly disputes: Dispute[] = [];
  /** Oldest first. */
  readonly events: StripeEvent[] = [];
  /** Intents that the search knows: none before `index` has run. */
  readonly indexed = new Set<string>();
  readonly apiVersion: string;
  onEvent: (event: StripeEvent) => void = () => {};

  constructor(apiVersion: string) {
    this.apiVersion = apiVersion;
  }

  /** Stripe's search catches up. */
  index(): void {
    for (const { id } of this.intents) this.indexed.add(id);
  }

  intent(id: string): Intent {
    const intent = this.intents.find((one) => one.id === id);
    if (intent === undefined) {
      throw new StripeFault(404, 'invalid_request_error', 'resource_missing', `No such payment_intent: '${id}'`);
    }
    return intent;
  }

  chargeOf(intent: Intent): Charge {
    return known(this.charges.find(({ id }) => id === intent.latest_charge));
  }

  #report(type: string, object: object): void {
    const event: StripeEvent = {
      ...{ id: newId('evt'), object: 'event', api_version: this.apiVersion, created: seconds(), livemode: false, type },
      data: { object: structuredClone(object) },
    };
    this.events.push(event);
    this.onEvent(event);
  }

  create(params: {
    amount: string;
    currency: string;
    capture_method?: string;
    description?: string;
    metadata?: object;
  }): Intent {
    const { currency, capture_method: method = 'automatic', description = null, metadata = {} } = params;
    const amount = amountOf(params.amount);
    if (amount < (LEAST[currency] ?? 1)) throw invalid('amount_too_small', 'Amount is too small.', true);
    const id = newId('pi');
    const intent: Intent = {
      ...{ id, object: 'payment_intent', amount, amount_capturable: 0, amount_received: 0, capture_method: method },
      ...{ client_secret: `${id}_secret_${randomUUID()}`, created: seconds(), currency, description, livemode: false },
      ...{
        last_payment_error: null,
        latest_charge: null,
        metadata: { ...metadata },
        status: 'requires_payment_method',
      },
    };
    this.intents.push(intent);
    this.#report('payment_intent.created', intent);
    return intent;
  }

  capture(id: string, given: string | undefined): Intent {
    const intent = this.intent(id);
    if (intent.status !== 'requires_capture') throw unexpected(intent, 'captured');
    const amount = given === undefined ? intent.amount_capturable : amountOf(given);
    if (amount > intent.amount_capturable) {
      throw invalid('amount_too_large', 'The amount to capture is greater than the remaining amount capturable.');
    }
    this.#receive(intent, amount);
    return intent;
  }

  #receive(intent: Intent, amount: number): void {
    const charge = this.chargeOf(intent);
    Object.assign(intent, { status: 'succeeded', amount_received: amount, amount_capturable: 0 });
    Object.assign(charge, { captured: true, amount_captured: amount });
    this.#report('charge.captured', charge);
    this.#report('payment_intent.succeeded', intent);
  }

  cancel(id: string): Intent {
    const intent = this.intent(id);
    const { status } = intent;
    if (status === 'succeeded' || status === 'canceled' || status === 'processing')
      throw unexpected(intent, 'canceled');
    Object.assign(intent, { status: 'canceled', amount_capturable: 0 });
    this.#report('payment_intent.canceled', intent);
    return intent;
  }

  refund(params: { payment_intent: string; amount: string; metadata?: object }): Refund {
    const intent = this.intent(params.payment_intent);
    const amount = amountOf(params.amount);
    if (intent.status !== 'succeeded')
      throw invalid(undefined, 'This PaymentIntent does not have a successful charge to refund.');
    const charge = this.chargeOf(intent);
    if (amount > charge.amount_captured - charge.amount_refunded) {
      throw invalid(undefined, 'Refund amount is greater than unrefunded amount on charge.');
    }
    charge.amount_refunded += amount;
    const refund: Refund = {
      ...{
        id: newId('re'),
        object: 'refund',
        amount,
        charge: charge.id,
        payment_intent: intent.id,
        status: 'succeeded',
      },
      ...{ currency: intent.currency, created: seconds(), metadata: { ...params.metadata } },
    };
    this.refunds.push(refund);
    this.#report('refund.created', refund);
    this.#report('charge.refunded', charge);
    return refund;
  }

  // What the shopper and the bank do.

  #charge(intent: Intent, status: Charge['status']): Charge {
    const charge: Charge = {
      ...{ id: newId('ch'), object: 'charge', amount: intent.amount, amount_captured: 0, amount_refunded: 0, status },
      ...{ captured: false, created: seconds(), currency: intent.currency, disputed: false, metadata: intent.metadata },
      payment_intent: intent.id,
      payment_method_details: { type: 'card', card: { capture_before: seconds() + WEEK_S } },
    };
    this.charges.push(charge);
    intent.latest_charge = charge.id;
    return charge;
  }

  approve(id: string): void {
    const intent = this.intent(id);
    if (['succeeded', 'canceled', 'requires_capture'].includes(intent.status)) throw unexpected(intent, 'confirmed');
    this.#charge(intent, 'succeeded');
    intent.last_payment_error = null;
    if (intent.capture_method !== 'manual') {
      this.#receive(intent, intent.amount);
      return;
    }
    Object.assign(intent, { status: 'requires_capture', amount_capturable: intent.amount });
    this.#report('payment_intent.amount_capturable_updated', intent);
  }

  decline(id: string, message = 'Your card was declined.'): void {
    const intent = this.intent(id);
    this.#charge(intent, 'failed');
    intent.status = 'requires_payment_method';
    intent.last_payment_error = { message, code: 'card_declined', type: 'card_error' };
    this.#report('payment_intent.payment_failed', intent);
  }

  requireAction(id: string): void {
    const intent = this.intent(id);
    Object.assign(intent, { status: 'requires_action', last_payment_error: null });
    this.#report('payment_intent.requires_action', intent);
  }

  process(id: string): void {
    const intent = this.intent(id);
    Object.assign(intent, { status: 'processing', last_payment_error: null });
    this.#report('payment_intent.processing', intent);
  }

  /** An asynchronous method pays: nothing is left to capture. */
  receive(id: string): void {
    const intent = this.intent(id);
    this.#charge(intent, 'succeeded');
    this.#receive(intent, intent.amount);
  }

  dispute(id: string, more: Partial<Dispute> = {}): Dispute {
    const charge = this.chargeOf(this.intent(id));
    charge.disputed = true;
    const dispute: Dispute = {
      ...{ id: newId('du'), object: 'dispute', amount: charge.amount_captured, charge: charge.id, payment_intent: id },
      ...{ currency: charge.currency, created: seconds(), reason: 'fraudulent', status: 'needs_response' },
      ...more,
    };
    this.disputes.push(dispute);
    this.#report('charge.dispute.created', dispute);
    return dispute;
  }

  closeDispute(disputeId: string, status: string): void {
    const dispute = known(this.disputes.find((one) => one.id === disputeId));
    dispute.status = status;
    this.#report('charge.dispute.closed', dispute);
  }

  failRefund(refundId: string, reason = 'lost_or_stolen_card'): void {
    const refund = known(this.refunds.find((one) => one.id === refundId));
    Object.assign(refund, { status: 'failed', failure_reason: reason });
    known(this.charges.find((one) => one.id === refund.charge)).amount_refunded -= refund.amount;
    this.#report('refund.failed', refund);
  }
}

function unexpected(intent: Intent, verb: string): StripeFault {
  const message = `This PaymentIntent could not be ${verb} because it has a status of ${intent.status}.`;
  return invalid('payment_intent_unexpected_state', message);
}

function amountOf(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) {
    throw invalid('parameter_invalid_integer', 'This value must be greater than or equal to 1.', true);
  }
  return Number(text);
}
