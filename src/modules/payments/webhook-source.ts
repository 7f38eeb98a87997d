import { Refusal } from '../user-error.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import type { WebhookRequest, WebhookSource } from '../webhooks/webhook.types.ts';
import type { PaymentService } from './payment.service.ts';
import type { PaymentProvider } from './providers/provider.types.ts';

/**
 * Makes the source of a provider's webhooks. Nothing that a delivery says is believed but which payment it is about: that one is
 * fetched. So deliveries that are repeated, late or out of order do no harm.
 */
export function createPaymentWebhookSource(
  provider: PaymentProvider,
  { db, payments }: { db: Queryable; payments: Pick<PaymentService, 'byReference' | 'byIds' | 'sync' | 'adopt'> },
): WebhookSource {
  /** The payment that a delivery is about, as it stands at the provider now; null if it is none of the shop's. */
  async function find(reference: string): Promise<string | null> {
    const paymentId = await payments.byReference(provider.id, reference);
    // The answer by which the shop learns the reference may still be on its way.
    if (paymentId === null) return payments.adopt(provider.id, reference);
    await payments.sync(paymentId);
    return paymentId;
  }

  /** A provider that does not answer is no fault of the delivery, which waits: a refusal would settle it for good. */
  function assertMayPass(error: unknown): never {
    throw error instanceof Refusal ? new Error('The payment provider does not answer.', { cause: error }) : error;
  }

  const readings = new WeakMap<WebhookRequest, ReturnType<PaymentProvider['readWebhook']>>();
  return {
    name: provider.id,

    async isAuthentic(request) {
      const read = provider.readWebhook(request, await readClock(db));
      readings.set(request, read);
      return read !== 'FORGED';
    },

    read(request) {
      const read = readings.get(request) ?? 'MALFORMED';
      if (typeof read === 'object') return { topic: read.topic, key: read.deliveryKey, subject: read.reference };
      return read === 'IGNORED' ? 'IGNORED' : 'MALFORMED';
    },

    async prepare({ subject }) {
      const paymentId = subject === null ? null : await find(subject).catch(assertMayPass);
      if (paymentId === null) {
        const reason = 'The delivery is about no payment of this shop.';
        return () => Promise.resolve({ status: 'SKIPPED', reason, object: null });
      }
      const [payment] = await payments.byIds([paymentId]);
      const object = payment?.orderId == null ? null : ({ type: 'Order', id: payment.orderId } as const);
      return () => Promise.resolve({ status: 'APPLIED', reason: null, object });
    },

    describe: (refusal) => refusal.errors.map(({ message }) => message).join(' '),
  };
}
