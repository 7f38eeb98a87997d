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
  { db, payments }: { db: Queryable; payments: Pick<PaymentService, 'byReference' | 'byIds' | 'sync'> },
): WebhookSource {
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
      const paymentId = subject === null ? null : await payments.byReference(provider.id, subject);
      if (paymentId === null) {
        // The answer by which the shop learns the reference may still be on its way: the operation is folded by itself then.
        const reason = 'The delivery is about no payment of this shop.';
        return () => Promise.resolve({ status: 'SKIPPED', reason, object: null });
      }
      await payments.sync(paymentId);
      const [payment] = await payments.byIds([paymentId]);
      const object = payment?.orderId == null ? null : ({ type: 'Order', id: payment.orderId } as const);
      return () => Promise.resolve({ status: 'APPLIED', reason: null, object });
    },

    describe: (refusal) => refusal.errors.map(({ message }) => message).join(' '),
  };
}
