import { randomUUID } from 'node:crypto';
import { createStripeProvider } from '../../src/modules/payments/providers/stripe/stripe-provider.ts';
import { known } from '../support/known.ts';
import { startStripeServer, STRIPE_KEY, STRIPE_WEBHOOK_SECRET, type StripeServer } from '../support/stripe-server.ts';
import type { WebhookRecorder } from '../support/webhook-recorder.ts';
import type { Driver } from './conformance.ts';

/** Opens the provider `stripe`, the real package against the stand-in, with a driver. */
export async function openStripeProvider(
  recorder: WebhookRecorder,
): Promise<Driver & { server: StripeServer; dispose(): Promise<void> }> {
  const server = await startStripeServer();
  const { books } = server;
  server.webhookUrl = `${recorder.url}/webhooks/stripe`;
  let pageSize = 100;
  const config = {
    ...{ secretKey: STRIPE_KEY, webhookSecret: STRIPE_WEBHOOK_SECRET, publishableKey: 'pk_test_x', apiUrl: server.url },
  };
  const provider = createStripeProvider({ config, currency: 'EUR', pageSize: () => pageSize });
  const refundsOf = (reference: string) => books.refunds.filter((one) => one.payment_intent === reference);

  return {
    provider,
    server,
    currency: 'EUR',
    pay: async (reference) => books.approve(reference),
    decline: async (reference) => books.decline(reference),
    async payLate(reference, outcome) {
      books.process(reference);
      const settle = async () => {
        if (outcome === 'SUCCEED') books.receive(reference);
        else books.decline(reference, 'The bank account has too little money.');
      };
      return { settle };
    },
    async challenge(reference) {
      books.requireAction(reference);
      const message = 'We are unable to authenticate your payment method.';
      return { confirm: async () => books.approve(reference), abort: async () => books.decline(reference, message) };
    },
    async dispute(reference) {
      const { id } = books.dispute(reference);
      return { close: async (outcome) => books.closeDispute(id, outcome.toLowerCase()) };
    },
    failRefund: async (_reference, refundReference) => books.failRefund(refundReference),
    loseNextAnswer: () => server.troubleNext('LOSE', 'POST'),
    failNextCall: () => server.troubleNext('FAIL'),
    stallNextCall: () =>
      new Promise((resolve) => {
        server.trouble = () => {
          server.trouble = () => null;
          resolve();
          return 'STALL';
        };
      }),
    async counts(reference) {
      const refunds = refundsOf(reference);
      const refunded = refunds.reduce((sum, { amount }) => sum + amount, 0);
      const captured = books.intent(reference).amount_received;
      return { capturedMinor: BigInt(captured), refundedMinor: BigInt(refunded), refunds: refunds.length };
    },
    countPayments: async (paymentId) =>
      books.intents.filter(({ metadata }) => metadata['vitrine_payment'] === paymentId).length,
    async sendWebhooks() {
      await server.deliver();
    },
    sign(body, options) {
      const headers = { 'content-type': 'application/json', 'stripe-signature': server.sign(body, options) };
      return { method: 'POST', path: '/webhooks/stripe', headers, body: Buffer.from(body) };
    },
    eventBody(reference, { id = `evt_${randomUUID()}`, topic = 'payment_intent.succeeded' } = {}) {
      const event = known(books.events.find(({ data }) => (data.object as { id?: string }).id === reference));
      return JSON.stringify({ ...event, id, type: topic });
    },
    setPageSize: (size) => void (pageSize = size),
    dispose: async () => server[Symbol.asyncDispose](),
  };
}
