import { randomUUID } from 'node:crypto';
import {
  Refused,
  Unknown,
  type PaymentProvider,
  type Snapshot,
  type SnapshotDispute,
  type SnapshotRefund,
} from '../../src/modules/payments/providers/provider.types.ts';

/*
 * A payment provider in memory that a test controls: it outlives the shops that use it, as a real one does, and its books can
 * be read.
 */

/** What is wrong with a call. LOST: it is done, and the answer is lost. UNREACHABLE: it is not done. REFUSED: the provider says no. */
export type CallFault = 'LOST' | 'UNREACHABLE' | 'REFUSED';

interface Books extends Omit<Snapshot, 'refunds' | 'disputes'> {
  refunds: SnapshotRefund[];
  disputes: SnapshotDispute[];
}

export interface ScriptedProvider extends PaymentProvider {
  /** Every call that reached the provider, as `kind reference-or-payment`. */
  readonly calls: readonly string[];
  /** The payment of the shop with this ID. */
  of(paymentId: string): Books;
  all(): readonly Books[];
  /** The bank says yes. */
  pay(paymentId: string): void;
  decline(paymentId: string, failure?: string): void;
  /** The bank needs days. */
  process(paymentId: string): void;
  /** The bank says no for good. */
  fail(paymentId: string, failure?: string): void;
  dispute(paymentId: string, state: SnapshotDispute['state']): void;
  /** A refund that had succeeded comes back, or one that is pending fails. */
  failRefund(refundId: string): void;
  /** Refunds stay pending until `succeedRefund`. */
  slowRefunds: boolean;
  succeedRefund(refundId: string): void;
  /** The next call of this kind goes wrong. */
  failNext(kind: 'begin' | 'fetch' | 'find' | 'capture' | 'cancel' | 'refund', fault: CallFault): void;
  /** Runs before each call is done, and may hold it up. */
  before: (kind: string, paymentId: string) => Promise<void>;
}

/** Makes one. */
export function createScriptedProvider(id = 'test'): ScriptedProvider {
  const books = new Map<string, Books>();
  const answers = new Map<string, Snapshot>();
  const faults = new Map<string, CallFault[]>();
  const calls: string[] = [];
  const ofShop = (paymentId: string) => {
    const found = [...books.values()].find((payment) => payment.paymentId === paymentId);
    if (found === undefined) throw new Error(`the provider has no payment ${paymentId}`);
    return found;
  };
  const copy = (payment: Books): Snapshot => structuredClone(payment);
  const known = (reference: string) => {
    const found = books.get(reference);
    if (found === undefined) throw new Refused('No such payment.', 'not_found');
    return found;
  };

  /** A call, done at most once for each key. */
  async function call(
    kind: string,
    about: string,
    { key, paymentId, work }: { key: string | null; paymentId: string; work: () => Books | null },
  ): Promise<Snapshot | null> {
    await provider.before(kind, paymentId);
    const fault = faults.get(kind)?.shift();
    if (fault === 'UNREACHABLE') throw new Unknown('unreachable');
    if (fault === 'REFUSED') throw new Refused('Refused by the bank.', 'refused');
    calls.push(`${kind} ${about}`);
    const before = key === null ? undefined : answers.get(key);
    const done = before === undefined ? work() : known(before.reference);
    const answer = done === null ? null : copy(done);
    if (key !== null && answer !== null) answers.set(key, answer);
    if (fault === 'LOST') throw new Unknown('the answer was lost');
    return answer;
  }
  const certain = (snapshot: Snapshot | null): Snapshot => {
    if (snapshot === null) throw new Error('no snapshot');
    return snapshot;
  };
  const change = (paymentId: string, changes: Partial<Books>) => void Object.assign(ofShop(paymentId), changes);
  const refundOf = (refundId: string) => {
    for (const payment of books.values()) {
      const refund = payment.refunds.find((candidate) => candidate.refundId === refundId);
      if (refund !== undefined) return refund;
    }
    throw new Error(`the provider has no refund ${refundId}`);
  };

  const provider: ScriptedProvider = {
    id,
    title: 'Test',
    capabilities: { manualCapture: true, partialCapture: 'ONCE', asynchronous: true, leastMinor: 50n },
    keyHours: 24,
    calls,
    slowRefunds: false,
    before: () => Promise.resolve(),
    of: ofShop,
    all: () => [...books.values()],

    async begin({ paymentId, amountMinor, currency, returnUrl }, key) {
      const snapshot = await call('begin', paymentId, {
        key,
        paymentId,
        work() {
          const reference = `ref_${randomUUID()}`;
          const begun: Books = {
            ...{
              reference,
              paymentId,
              state: 'PENDING',
              currency,
              amountMinor,
              authorizedMinor: 0n,
              capturedMinor: 0n,
            },
            ...{ refunds: [], disputes: [], failure: null, lapsesAt: null },
          };
          books.set(reference, begun);
          return begun;
        },
      });
      const { reference } = certain(snapshot);
      const client = { redirectUrl: `${returnUrl}#${reference}`, clientSecret: null, publishableKey: null };
      return { client, snapshot: certain(snapshot) };
    },
    fetch: async (reference) =>
      certain(
        await call('fetch', reference, {
          key: null,
          paymentId: books.get(reference)?.paymentId ?? '',
          work: () => known(reference),
        }),
      ),
    find: (paymentId) =>
      call('find', paymentId, {
        key: null,
        paymentId,
        work: () => [...books.values()].find((payment) => payment.paymentId === paymentId) ?? null,
      }),
    capture: async (reference, amountMinor, key) =>
      certain(
        await call('capture', reference, {
          key,
          paymentId: books.get(reference)?.paymentId ?? '',
          work() {
            const payment = known(reference);
            if (payment.state !== 'AUTHORIZED') throw new Refused('Not authorized.');
            return Object.assign(payment, { state: 'CAPTURED', capturedMinor: amountMinor });
          },
        }),
      ),
    cancel: async (reference, key) =>
      certain(
        await call('cancel', reference, {
          key,
          paymentId: books.get(reference)?.paymentId ?? '',
          work() {
            const payment = known(reference);
            if (payment.capturedMinor > 0n) throw new Refused('Captured already.');
            return Object.assign(payment, { state: 'CANCELLED', authorizedMinor: 0n });
          },
        }),
      ),
    refund: async (reference, { id: refundId, amountMinor }, key) =>
      certain(
        await call('refund', reference, {
          key,
          paymentId: books.get(reference)?.paymentId ?? '',
          work() {
            const payment = known(reference);
            const refunded = payment.refunds
              .filter(({ state }) => state !== 'FAILED')
              .reduce((sum, refund) => sum + refund.amountMinor, 0n);
            if (refunded + amountMinor > payment.capturedMinor) throw new Refused('More than was captured.');
            const state = provider.slowRefunds ? 'PENDING' : 'SUCCEEDED';
            payment.refunds.push({ reference: `re_${randomUUID()}`, refundId, amountMinor, state, failure: null });
            return payment;
          },
        }),
      ),
    readWebhook(request) {
      if (request.headers['x-test-signature'] !== 'signed') return 'FORGED';
      const read = JSON.parse(new TextDecoder().decode(request.body)) as { id?: string; reference?: string };
      if (read.id === undefined || read.reference === undefined) return 'MALFORMED';
      return { deliveryKey: read.id, topic: 'payment.changed', reference: read.reference };
    },
    changedSince: () => Promise.resolve({ references: [...books.keys()], next: null }),

    pay(paymentId) {
      change(paymentId, { state: 'AUTHORIZED', authorizedMinor: ofShop(paymentId).amountMinor, failure: null });
    },
    decline: (paymentId, failure = 'Your card was declined.') => change(paymentId, { state: 'PENDING', failure }),
    process: (paymentId) => change(paymentId, { state: 'PROCESSING' }),
    fail: (paymentId, failure = 'The bank refused the payment.') => change(paymentId, { state: 'FAILED', failure }),
    dispute(paymentId, state) {
      const { disputes, capturedMinor } = ofShop(paymentId);
      disputes.splice(0, 1, { reference: `dp_${paymentId}`, amountMinor: capturedMinor, state, reason: 'fraudulent' });
    },
    failRefund: (refundId) =>
      void Object.assign(refundOf(refundId), { state: 'FAILED', failure: 'The bank sent it back.' }),
    succeedRefund: (refundId) => void Object.assign(refundOf(refundId), { state: 'SUCCEEDED' }),
    failNext(kind, fault) {
      faults.set(kind, [...(faults.get(kind) ?? []), fault]);
    },
  };
  return provider;
}
