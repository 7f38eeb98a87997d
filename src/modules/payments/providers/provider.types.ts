import type { WebhookRequest } from '../../webhooks/webhook.types.ts';

/*
 * What a payment provider implements: one folder beside this file. The shop knows a provider by these functions alone. All amounts
 * are minor units of the shop's currency.
 *
 * A webhook is not trusted: it only names a payment, which is then fetched. So the snapshot is the only thing from which the shop learns
 * about money at a provider, and it always contains absolute amounts.
 */

/** What a provider can do. */
export interface ProviderCapabilities {
  /** Whether money can be authorized first and captured later. Without it, `begin` leads to CAPTURED right away. */
  manualCapture: boolean;
  /** How often a part of an authorization can be captured. */
  partialCapture: 'NONE' | 'ONCE' | 'MANY';
  /** Whether a payment may be PROCESSING for days before it succeeds or fails. */
  asynchronous: boolean;
  /** The smallest amount that can be charged. */
  leastMinor: bigint;
}

/** A payment as it is begun. */
export interface PaymentAttempt {
  /** ID of the payment in the shop. The provider keeps it as metadata, so that the payment can be found by it. */
  paymentId: string;
  amountMinor: bigint;
  /** ISO 4217. */
  currency: string;
  email: string;
  /** What the payment is for, as the customer's bank may show it. */
  description: string;
  /** Where the provider sends the shopper back to. */
  returnUrl: string;
  /** Origin of the shop itself, for providers whose pages the shop serves. */
  shopUrl: string;
}

/** What the front end of the shopper needs to go on. */
export interface ClientData {
  /** Where to send the shopper; null if the page stays. */
  redirectUrl: string | null;
  clientSecret: string | null;
  publishableKey: string | null;
}

/** PENDING: the shopper has something to do. PROCESSING: the provider has. The last two are final. */
export type SnapshotState = 'PENDING' | 'PROCESSING' | 'AUTHORIZED' | 'CAPTURED' | 'CANCELLED' | 'FAILED';

export interface SnapshotRefund {
  /** The provider's ID of the refund. */
  reference: string;
  /** ID of the refund in the shop, if the shop asked for it; null for one that was made at the provider. */
  refundId: string | null;
  amountMinor: bigint;
  /** SUCCEEDED may still become FAILED, when a bank sends the money back. */
  state: 'PENDING' | 'SUCCEEDED' | 'FAILED';
  /** Why it failed. */
  failure: string | null;
}

export interface SnapshotDispute {
  /** The provider's ID of the dispute. */
  reference: string;
  amountMinor: bigint;
  state: 'OPEN' | 'WON' | 'LOST';
  /** As the bank names it. */
  reason: string | null;
}

/** A payment as the provider has it at one moment. */
export interface Snapshot {
  /** The provider's ID of the payment. */
  reference: string;
  /** ID of the payment in the shop, as the metadata has it; null if there is none: it is not the shop's. */
  paymentId: string | null;
  state: SnapshotState;
  currency: string;
  /** What the payment is about. */
  amountMinor: bigint;
  /** What the customer's bank has approved, including what has been captured of it; 0 before, and after it was voided uncaptured. */
  authorizedMinor: bigint;
  /** What has been captured, whether or not it has been refunded since. */
  capturedMinor: bigint;
  refunds: readonly SnapshotRefund[];
  disputes: readonly SnapshotDispute[];
  /** Why the last attempt to pay failed, in words for the shopper; null if it did not. */
  failure: string | null;
  /** When an authorization lapses that is not captured; null if unknown or if there is none. */
  lapsesAt: Date | null;
}

/** A page of payments that have changed. */
export interface ChangedPage {
  references: readonly string[];
  /** Where to go on; null at the end. */
  next: string | null;
}

/** A webhook's delivery, as the provider reads it after it has been found to be authentic. */
export interface ProviderDelivery {
  /** ID of the provider's event. One that is repeated has the same. */
  deliveryKey: string;
  /** Kind of the event, as the provider names it. */
  topic: string;
  /** The payment to fetch. */
  reference: string;
}

/**
 * A payment provider. Every function that calls the provider fails as `Refused` or `Unknown` and as nothing else, and gives up when
 * the signal is aborted. Functions with a `key` are idempotent: the provider does a thing once for each key, and answers later calls
 * with the same key as it answered the first.
 */
export interface PaymentProvider {
  /** `test`, `stripe`. Stored with each payment, so it must not be changed. */
  id: string;
  /** As shoppers see it. */
  title: string;
  capabilities: ProviderCapabilities;
  /** Hours for which the provider remembers keys. An operation that is older is looked up and never sent again. */
  keyHours: number;
  /** Begins a payment: nothing is charged before the shopper has agreed with the provider. */
  begin(attempt: PaymentAttempt, key: string, signal: AbortSignal): Promise<{ client: ClientData; snapshot: Snapshot }>;
  /** @throws Refused if there is no such payment */
  fetch(reference: string, signal: AbortSignal): Promise<Snapshot>;
  /** Finds the payment whose metadata name the shop's payment; null if there is none (yet). */
  find(paymentId: string, signal: AbortSignal): Promise<Snapshot | null>;
  capture(reference: string, amountMinor: bigint, key: string, signal: AbortSignal): Promise<Snapshot>;
  /** Voids a payment of which nothing has been captured. Cancelling one that is cancelled succeeds. */
  cancel(reference: string, key: string, signal: AbortSignal): Promise<Snapshot>;
  /**
   * Gives money back.
   * @param refund.id kept as metadata of the refund
   */
  refund(
    reference: string,
    refund: { id: string; amountMinor: bigint },
    key: string,
    signal: AbortSignal,
  ): Promise<Snapshot>;
  /**
   * Reads a request to the provider's webhook, byte for byte as it came.
   * @param now the database's time: signatures that are more than five minutes old are FORGED
   * @returns FORGED if it was not signed with the shop's secret lately; IGNORED if it is authentic and of no interest
   */
  readWebhook(request: WebhookRequest, now: Date): ProviderDelivery | 'IGNORED' | 'FORGED' | 'MALFORMED';
  /**
   * Payments that have changed at the provider, for reconciliation: in any order, and a payment may come more than once. The pages are
   * complete as of the time at which the first was asked for.
   * @param cursor where an earlier page ended; null: from `since` on
   */
  changedSince(since: Date, cursor: string | null, signal: AbortSignal): Promise<ChangedPage>;
}

/** The provider said no. What was asked for was not done, and will not be. */
export class Refused extends Error {
  /** In words for people; for the shopper where the shopper's own doing was refused. */
  readonly reason: string;
  /** The provider's own code. */
  readonly code: string | null;

  constructor(reason: string, code: string | null = null) {
    super(reason);
    this.name = 'Refused';
    this.reason = reason;
    this.code = code;
  }
}

/** Nobody knows: the answer was lost, came too late, or was no answer. What was asked for may or may not have been done. */
export class Unknown extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Unknown';
  }
}
