import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { StripeEvent } from '../../tests/support/stripe-books.ts';
import {
  startStripeServer,
  STRIPE_KEY,
  STRIPE_WEBHOOK_SECRET,
  type StripeServer,
} from '../../tests/support/stripe-server.ts';
import type { Random } from '../torture-faults/random.ts';

/** What the provider did to the shop during a run. */
export interface BankFigures {
  requests: number;
  /** Requests that were carried out, and whose answers never arrived. */
  lostAnswers: number;
  /** Requests that failed before anything was done. */
  failures: number;
  webhooks: number;
}

/** A payment in the provider's books. */
export interface BankPayment {
  /** ID of the payment in the shop. */
  paymentId: string;
  reference: string;
  state: 'PENDING' | 'PROCESSING' | 'AUTHORIZED' | 'CAPTURED' | 'CANCELLED';
  capturedMinor: bigint;
  refundedMinor: bigint;
}

/**
 * The provider: the stand-in for Stripe, in the process of the run, so that its books survive whatever is killed. The shop talks to it
 * with the provider `stripe` and the real package.
 */
export interface Bank extends AsyncDisposable {
  /** Environment variables of a shop that takes payments with it. */
  settings: NodeJS.ProcessEnv;
  figures: Readonly<BankFigures>;
  /** Where webhooks go, each to one of these at random. */
  shops: readonly string[];
  approve(reference: string): void;
  decline(reference: string): void;
  /** The bank asks the shopper to confirm. */
  challenge(reference: string): void;
  /** The payment is processed for a while, and then approved or declined. */
  settleLater(reference: string, outcome: 'APPROVE' | 'DECLINE', afterMs: number): void;
  /** Answers nothing about a payment for a while, and then approves it: the shop hears of that after the time to pay. */
  approveUnheard(reference: string, afterMs: number): void;
  /** How many webhooks and late outcomes are still to come. */
  countOutstanding(): number;
  payments(): BankPayment[];
}

/** One answer in ten never arrives, and one request in thirty fails before anything is done. */
const LOST = 0.1;
const FAILED = 0.03;
const LATEST_WEBHOOK_MS = 8_000;
const LONGEST_RETRY_MS = 10_000;
const WEBHOOK_WITHIN_MS = 5_000;
/** Stripe's search knows a payment after about a minute. */
const INDEXED_EVERY_MS = 60_000;

const STATES: Readonly<Record<string, BankPayment['state']>> = {
  requires_payment_method: 'PENDING',
  requires_action: 'PENDING',
  processing: 'PROCESSING',
  requires_capture: 'AUTHORIZED',
  succeeded: 'CAPTURED',
  canceled: 'CANCELLED',
};

/** Opens it. @param random decides what is lost, and which webhook comes when */
export async function openBank(random: Random): Promise<Bank> {
  const server = await startStripeServer();
  const { books } = server;
  const figures: BankFigures = { requests: 0, lostAnswers: 0, failures: 0, webhooks: 0 };
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const unheard = new Set<string>();
  let outstanding = 0;
  const indexing = setInterval(() => books.index(), INDEXED_EVERY_MS);

  server.trouble = ({ path }) => {
    figures.requests += 1;
    const isUnheard = [...unheard].some((reference) => path.includes(reference));
    const chance = random.below(1);
    if (isUnheard || chance < FAILED) {
      figures.failures += 1;
      return 'FAIL';
    }
    if (chance >= FAILED + LOST) return null;
    figures.lostAnswers += 1;
    return 'LOSE';
  };

  /** Work that goes on by itself; the run waits for it in the end. */
  function begin(work: () => Promise<void>): void {
    outstanding += 1;
    void work()
      .catch((error: unknown) => {
        if (!closing.signal.aborted) console.error(error);
      })
      .finally(() => (outstanding -= 1));
  }

  const pause = (ms: number) => delay(ms, undefined, { signal: closing.signal });

  /** Every event is sent twice, each time when it pleases, and again until it is accepted. */
  async function send(event: StripeEvent): Promise<void> {
    const body = JSON.stringify(event);
    await pause(random.between(0, LATEST_WEBHOOK_MS));
    for (let retryMs = 500; ; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      const shop = bank.shops.length === 0 ? null : random.oneOf(bank.shops);
      if (shop !== null && (await isAccepted(shop, body))) break;
      await pause(retryMs);
    }
    figures.webhooks += 1;
  }

  async function isAccepted(shop: string, body: string): Promise<boolean> {
    try {
      const response = await fetch(`${shop}/webhooks/stripe`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'stripe-signature': server.sign(body) },
        body,
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(WEBHOOK_WITHIN_MS)]),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      return false;
    }
  }

  books.onEvent = (event) => {
    for (let copy = 0; copy < 2; copy += 1) begin(() => send(event));
  };

  const bank: Bank = {
    settings: {
      PAYMENT_PROVIDERS: 'stripe,manual',
      STRIPE_API_URL: server.url,
      STRIPE_SECRET_KEY: STRIPE_KEY,
      STRIPE_WEBHOOK_SECRET: STRIPE_WEBHOOK_SECRET,
    },
    figures,
    shops: [],
    // A payment that was cancelled meanwhile cannot be paid any more.
    approve: (reference) => unlessOver(server, reference, () => books.approve(reference)),
    decline: (reference) => unlessOver(server, reference, () => books.decline(reference)),
    challenge: (reference) => unlessOver(server, reference, () => books.requireAction(reference)),
    settleLater: (reference, outcome, afterMs) =>
      unlessOver(server, reference, () => {
        books.process(reference);
        begin(async () => {
          await pause(afterMs);
          if (outcome === 'APPROVE') books.receive(reference);
          else books.decline(reference, 'The bank account has too little money.');
        });
      }),
    approveUnheard(reference, afterMs) {
      unheard.add(reference);
      begin(async () => {
        await pause(afterMs);
        unlessOver(server, reference, () => books.approve(reference));
        unheard.delete(reference);
      });
    },
    countOutstanding: () => outstanding,
    payments: () =>
      books.intents.map(({ id, metadata, status, amount_received: captured }) => ({
        paymentId: metadata['vitrine_payment'] ?? '',
        reference: id,
        state: stateOf(status),
        capturedMinor: BigInt(captured),
        refundedMinor: books.refunds
          .filter((refund) => refund.payment_intent === id && refund.status === 'succeeded')
          .reduce((sum, { amount }) => sum + BigInt(amount), 0n),
      })),
    async [Symbol.asyncDispose]() {
      closing.abort();
      clearInterval(indexing);
      await server[Symbol.asyncDispose]();
    },
  };
  return bank;
}

function unlessOver({ books }: StripeServer, reference: string, decide: () => void): void {
  if (['succeeded', 'canceled', 'requires_capture', 'processing'].includes(books.intent(reference).status)) return;
  decide();
}

function stateOf(status: string): BankPayment['state'] {
  const state = STATES[status];
  if (state === undefined) throw new Error(`a payment in an unknown status: ${status}`);
  return state;
}
