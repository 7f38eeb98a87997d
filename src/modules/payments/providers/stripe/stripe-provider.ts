import type Stripe from 'stripe';
import type { StripeConfig } from '../../../../config/config.ts';
import { Unknown, type PaymentProvider, type Snapshot } from '../provider.types.ts';
import { leastMinorOf, toStripe } from './stripe-amounts.ts';
import { createStripeCalls } from './stripe-client.ts';
import { EVENT_TYPES, readStripeWebhook, referenceOf } from './stripe-events.ts';
import { EXPAND, PAYMENT_KEY, REFUND_KEY, snapshotOf } from './stripe-snapshot.ts';

/** Stripe forgets keys after 24 hours at the earliest. */
const KEY_HOURS = 23;
const PAGE = 100;
/** Pages of recent payments that are looked through for one that Stripe's search may not know yet. */
const RECENT_PAGES = 5;
const RECENT_S = 600;
const ID = /^[\w-]{1,64}$/;

export interface StripeProviderOptions {
  config: StripeConfig;
  /** Of the shop. */
  currency: string;
  /** For tests: items on a page of lists. */
  pageSize?: () => number;
}

/**
 * Creates the provider `stripe`: payment intents with manual capture, through the official package. A payment's reference is the ID of
 * its payment intent.
 */
export function createStripeProvider({
  config,
  currency,
  pageSize = () => PAGE,
}: StripeProviderOptions): PaymentProvider {
  const { secretKey, webhookSecret, publishableKey, apiUrl } = config;
  const { call } = createStripeCalls({ secretKey, apiUrl });
  const isLive = /^[a-z]+_live_/.test(secretKey);

  async function retrieve(client: Stripe, reference: string): Promise<Snapshot> {
    return snapshotOf(client, await client.paymentIntents.retrieve(reference, { expand: EXPAND }));
  }

  /** An amount in the payment's own currency, which may not be the shop's any more. */
  async function amountFor(client: Stripe, reference: string, minor: bigint): Promise<number> {
    const intent = await client.paymentIntents.retrieve(reference);
    return toStripe(minor, intent.currency.toUpperCase());
  }

  async function findRecent(client: Stripe, paymentId: string): Promise<string | null> {
    const gte = Math.floor(Date.now() / 1000) - RECENT_S;
    let left = RECENT_PAGES * PAGE;
    for await (const { id, metadata } of client.paymentIntents.list({ created: { gte }, limit: pageSize() })) {
      if (metadata[PAYMENT_KEY] === paymentId) return id;
      left -= 1;
      if (left === 0) return null;
    }
    return null;
  }

  async function search(client: Stripe, paymentId: string): Promise<string | null> {
    const query = `metadata['${PAYMENT_KEY}']:'${paymentId}'`;
    const { data } = await client.paymentIntents.search({ query, limit: 1 });
    return data[0]?.id ?? null;
  }

  return {
    id: 'stripe',
    title: 'Card and more',
    capabilities: {
      manualCapture: true,
      partialCapture: 'ONCE',
      asynchronous: true,
      leastMinor: leastMinorOf(currency),
    },
    keyHours: KEY_HOURS,

    begin: ({ paymentId, amountMinor, currency: code, description }, idempotencyKey, signal) =>
      call(signal, async (client) => {
        const intent = await client.paymentIntents.create(
          {
            amount: toStripe(amountMinor, code),
            currency: code.toLowerCase(),
            capture_method: 'manual',
            automatic_payment_methods: { enabled: true },
            metadata: { [PAYMENT_KEY]: paymentId },
            description,
          },
          { idempotencyKey },
        );
        const { client_secret: clientSecret } = intent;
        const snapshot = await afterwards(snapshotOf(client, intent));
        return { client: { redirectUrl: null, clientSecret, publishableKey }, snapshot };
      }),

    fetch: (reference, signal) => call(signal, (client) => retrieve(client, reference)),

    /** Stripe's search knows a payment after a minute or so, so recent payments are looked through first. */
    find: (paymentId, signal) =>
      call(signal, async (client) => {
        if (!ID.test(paymentId)) return null;
        const reference = (await findRecent(client, paymentId)) ?? (await search(client, paymentId));
        return reference === null ? null : retrieve(client, reference);
      }),

    capture: (reference, amountMinor, idempotencyKey, signal) =>
      call(signal, async (client) => {
        const amount = await amountFor(client, reference, amountMinor);
        const params = { amount_to_capture: amount, expand: EXPAND };
        const intent = await client.paymentIntents.capture(reference, params, { idempotencyKey });
        return afterwards(snapshotOf(client, intent));
      }),

    cancel: (reference, idempotencyKey, signal) =>
      call(signal, async (client) => {
        try {
          await client.paymentIntents.cancel(reference, {}, { idempotencyKey });
        } catch (error) {
          // One that is cancelled already is refused like one that was captured.
          if ((error as { code?: unknown }).code !== 'payment_intent_unexpected_state') throw error;
          const snapshot = await retrieve(client, reference);
          if (snapshot.state !== 'CANCELLED') throw error;
          return snapshot;
        }
        return afterwards(retrieve(client, reference));
      }),

    refund: (reference, { id, amountMinor }, idempotencyKey, signal) =>
      call(signal, async (client) => {
        const amount = await amountFor(client, reference, amountMinor);
        const params = { payment_intent: reference, amount, metadata: { [REFUND_KEY]: id } };
        await client.refunds.create(params, { idempotencyKey });
        return afterwards(retrieve(client, reference));
      }),

    readWebhook: (request, now) => readStripeWebhook(request, { secret: webhookSecret, isLive, now }),

    /** By Stripe's events, which are kept for 30 days. */
    changedSince: (since, cursor, signal) =>
      call(signal, async (client) => {
        const page = await client.events.list({
          created: { gte: Math.floor(since.getTime() / 1000) },
          types: [...EVENT_TYPES],
          limit: pageSize(),
          ...(cursor === null ? {} : { starting_after: cursor }),
        });
        const references = new Set(page.data.map(referenceOf).filter((reference) => reference !== null));
        return { references: [...references], next: page.has_more ? (page.data.at(-1)?.id ?? null) : null };
      }),
  };
}

/** What is read after something was done: whatever Stripe says to the reading, it has not refused what was done. */
async function afterwards(reading: Promise<Snapshot>): Promise<Snapshot> {
  try {
    return await reading;
  } catch (error) {
    throw new Unknown('Stripe did what it was asked for, and the payment could not be read.', { cause: error });
  }
}
