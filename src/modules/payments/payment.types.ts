import type { Address } from '../addresses/address.types.ts';
import type { Quote } from '../pricing/pricing.service.ts';
import type { ClientData, SnapshotState } from './providers/provider.types.ts';

/** PENDING: the shopper has something to do. PROCESSING: the provider has. CANCELLED and FAILED are final. */
export type PaymentState = SnapshotState;
export type RefundState = 'PENDING' | 'SUCCEEDED' | 'FAILED';
export type DisputeState = 'OPEN' | 'WON' | 'LOST';
export type OperationKind = 'BEGIN' | 'CAPTURE' | 'CANCEL' | 'REFUND';
export type OperationState = 'QUEUED' | 'SENT' | 'DONE' | 'REFUSED' | 'UNKNOWN';

/** Why money that has come, or may come, is given back although nobody asked for it. */
export type ReturnReason = 'AMOUNT_MISMATCH' | 'OUT_OF_STOCK' | 'CART_CHANGED' | 'ALREADY_ORDERED';

/** Amounts of a payment. All are minor units of its currency. */
export interface PaymentAmounts {
  /** What is to be paid. */
  amountMinor: bigint;
  authorizedMinor: bigint;
  capturedMinor: bigint;
  refundedMinor: bigint;
  refundPendingMinor: bigint;
  /** Withdrawn by disputes that are open or lost. */
  disputedMinor: bigint;
}

/** A payment, without what was frozen with it. */
export interface PaymentRow extends PaymentAmounts {
  id: string;
  cartId: string;
  orderId: string | null;
  provider: string;
  reference: string | null;
  state: PaymentState;
  currency: string;
  clientData: ClientData | null;
  deadline: Date | null;
  lapsesAt: Date | null;
  failure: string | null;
  returnReason: ReturnReason | null;
  /** What staff must look at; null if nothing. */
  problem: string | null;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** A line of a cart as it was when the payment began. */
export interface FrozenLine {
  id: string;
  variantId: string;
  quantity: number;
  unitPriceMinor: number;
}

/** Everything that it takes to place the order of a payment. */
export interface PaymentTerms {
  email: string;
  shippingAddress: Address | null;
  lines: readonly FrozenLine[];
  quote: Quote;
}

export interface RefundRow {
  id: string;
  paymentId: string;
  orderId: string | null;
  state: RefundState;
  amountMinor: bigint;
  shippingMinor: bigint;
  reason: string | null;
  failure: string | null;
  reference: string | null;
  currency: string;
  createdAt: Date;
  updatedAt: Date;
}

export interface DisputeRow {
  id: string;
  paymentId: string;
  reference: string;
  state: DisputeState;
  amountMinor: bigint;
  reason: string | null;
  currency: string;
  createdAt: Date;
  updatedAt: Date;
}

/** Something that a provider is asked to do. */
export interface OperationRow {
  id: string;
  paymentId: string;
  kind: OperationKind;
  amountMinor: bigint | null;
  refundId: string | null;
  parameters: OperationParameters;
  state: OperationState;
  attempts: number;
  /** Why it was refused, or is unknown. */
  reason: string | null;
  sentAt: Date | null;
}

/** What an operation needs besides its amount, frozen: a repeated call is the same call. */
export interface OperationParameters {
  email?: string;
  description?: string;
  returnUrl?: string;
  shopUrl?: string;
  /** With CAPTURE: what had been captured before, in minor units. */
  capturedBefore?: string;
}

/** States in which an operation is not settled yet. */
export const OPEN_STATES: readonly OperationState[] = ['QUEUED', 'SENT', 'UNKNOWN'];
