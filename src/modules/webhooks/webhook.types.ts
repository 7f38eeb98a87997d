import type { Transaction } from '../../infra/postgres/database.ts';
import type { Refusal } from '../user-error.ts';

/** A request to a webhook, as it came. */
export interface WebhookRequest {
  method: string;
  /** As the sender called it, with its query. */
  path: string;
  /** By their names in lower case. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Byte for byte as it was signed. */
  body: Uint8Array;
}

/** What a delivery is, as its source reads it. */
export interface DeliveryHead {
  /** Kind of the delivery, as the sender names it. */
  topic: string;
  /** Names the delivery: one that the sender repeats has the same. Unique within the source, at most 250 characters. */
  key: string;
  /** ID of what the delivery is about, in the sender's system; null if it is about nothing in particular. */
  subject: string | null;
}

/** A delivery that waits to be applied. */
export interface WaitingDelivery extends DeliveryHead {
  id: string;
  /** The body as text, as it came. */
  body: string;
}

/** An object of the shop, by its type in the API. */
export interface DeliveryObject {
  type: 'Product' | 'Order';
  id: string;
}

/** What became of a delivery that was applied. */
export interface DeliveryOutcome {
  status: 'APPLIED' | 'SKIPPED';
  /** Why it was skipped. */
  reason: string | null;
  /** What it changed; null if there is nothing to show. */
  object: DeliveryObject | null;
}

/** A system that calls the shop. Its module registers it with `services.webhooks.register`. */
export interface WebhookSource {
  /** In kebab-case: the source of its deliveries and the last part of its path, `/webhooks/<name>`. It must not be changed. */
  name: string;
  /** Whether a request was signed with the shop's secret, and lately. Compares in constant time. */
  isAuthentic(request: WebhookRequest): Promise<boolean>;
  /**
   * Reads what an authentic request delivers.
   * @param text the body as text
   * @returns IGNORED for deliveries of no interest, which are answered like the others and not stored
   */
  read(request: WebhookRequest, text: string): DeliveryHead | 'IGNORED' | 'MALFORMED';
  /**
   * Reads and fetches all that a delivery needs, outside of any transaction.
   * @returns applies the delivery, in the transaction that also settles it. It must do no harm twice
   * @throws Refusal if the delivery can never be applied as it is: it fails. Any other error: it is tried again later
   */
  prepare(delivery: WaitingDelivery): Promise<(tx: Transaction) => Promise<DeliveryOutcome>>;
  /** Says to staff why a delivery was refused. */
  describe(refusal: Refusal): string;
}
