import type { CartDue } from './cart/cart.due.ts';

/**
 * Says that rows wait for a job. Told after the commit that wrote them; a nudge that is lost is made up for by a sweep, and
 * one too many does no harm. None of them waits for anything, nor throws.
 */
export interface Nudges {
  /** A deadline of a cart was set. */
  cart(due: CartDue): void;
  /** A mail is to be sent, so many milliseconds from now, which is at that instant of the database's clock. */
  mail(mailId: string, delayMs: number, at: Date): void;
  /** A batch of those who wait for a variant is due, so many milliseconds from now. */
  stockAlerts(variantId: string, delayMs: number): void;
  /** A delivery of a webhook is to be applied. */
  webhookDelivery(deliveryId: string): void;
}

/** Nudges that go nowhere until they are connected: the job queue is there after the services. */
export function createNudges(): Nudges & { connect(target: Nudges): void } {
  let target: Nudges | null = null;
  return {
    cart: (due) => target?.cart(due),
    mail: (mailId, delayMs, at) => target?.mail(mailId, delayMs, at),
    stockAlerts: (variantId, delayMs) => target?.stockAlerts(variantId, delayMs),
    webhookDelivery: (deliveryId) => target?.webhookDelivery(deliveryId),
    connect(to) {
      target = to;
    },
  };
}
