import { randomBytes } from 'node:crypto';
import { readClock } from '../../../../infra/postgres/clock.ts';
import { Refused, type ClientData, type PaymentAttempt } from '../provider.types.ts';
import { createBooks, noSuchPayment, snapshotOf } from './test-books.ts';
import * as repository from './test-books.repository.ts';
import { createCalls } from './test-calls.ts';
import {
  checkRefund,
  decideCancel,
  decideCapture,
  decideDispute,
  decideLapse,
  decideLate,
  decideOutcome,
  stepOf,
} from './test-decisions.ts';
import { postponeEvent, pruneEvents, settleEvent, takeEvents, type DueEvent } from './test-events.repository.ts';
import { forgetKeys } from './test-keys.repository.ts';
import type { TestProvider, TestProviderOptions } from './test-provider.types.ts';
import { createTestWebhooks } from './test-webhook.ts';

const KEY_HOURS = 24;
const LATE_MS = 10_000;
const PAGE = 100;
const BATCH = 50;
const LEAST_MINOR = 1n;
/** Events that are no decision about the payment itself. */
const nothing = { changes: {} } as const;

/**
 * Creates the `test` provider: a payment provider in miniature, which goes the way of a real one. It keeps books of its own, in
 * tables of its own, remembers idempotency keys with their answers, and sends signed webhooks. Shoppers choose on its pay page what
 * the bank says.
 */
export function createTestProvider(given: TestProviderOptions): TestProvider {
  const options = { ...given };
  const { db } = options;
  const now = () => (options.now ?? readClock)(db);
  const books = createBooks(options);
  const calls = createCalls({ books, faults: () => options.faults ?? {} });
  const webhooks = createTestWebhooks(options.secrets);

  async function settle(reference: string, isForced = false): Promise<repository.Book> {
    return books.transact(async (tx, at) => {
      const book = await books.lock(tx, reference);
      const isOver = (end: Date | null) => end !== null && (isForced || end <= at);
      const late = isOver(book.lateAt) ? decideLate(book, at) : null;
      if (late !== null) return books.apply(tx, book, late, at);
      const lapsed = !isForced && book.state === 'AUTHORIZED' && isOver(book.lapsesAt);
      return lapsed ? books.apply(tx, book, decideLapse(book), at) : book;
    });
  }

  async function send(event: DueEvent, signal?: AbortSignal): Promise<void> {
    try {
      await webhooks.send(event, await readClock(db), signal);
    } catch {
      await postponeEvent(db, event.id, await now());
      return;
    }
    await settleEvent(db, event.id, await now());
  }

  /** Webhooks of one payment go out one after the other, those of several payments side by side. */
  async function sendDue(signal?: AbortSignal): Promise<number> {
    const events = await takeEvents(db, await now(), BATCH);
    const byPayment = new Map<string, DueEvent[]>();
    for (const event of events) byPayment.set(event.reference, [...(byPayment.get(event.reference) ?? []), event]);
    await Promise.all(
      [...byPayment.values()].map(async (ofPayment) => {
        for (const event of ofPayment) await send(event, signal);
      }),
    );
    return events.length;
  }

  return {
    id: 'test',
    title: 'Test payment',
    capabilities: { manualCapture: true, partialCapture: 'MANY', asynchronous: true, leastMinor: LEAST_MINOR },
    keyHours: KEY_HOURS,

    async begin(attempt, key, signal) {
      const { paymentId, amountMinor, currency, email, description, returnUrl, shopUrl } = attempt;
      const request = [paymentId, String(amountMinor), currency, email, description, returnUrl, shopUrl];
      const { snapshot, client } = await calls.operate({ operation: 'BEGIN', key, request, signal }, async (tx, at) => {
        checkAttempt(attempt);
        const reference = `test_${randomBytes(24).toString('base64url')}`;
        await repository.insertPayment(tx, { ...attempt, reference }, at);
        const book = await books.lock(tx, reference);
        return { book, client: clientOf(`${shopUrl}/pay/test/${reference}`) };
      });
      return { snapshot, client: client ?? clientOf(null) };
    },

    fetch: (reference, signal) =>
      calls.read('FETCH', signal, async () => {
        const book = await repository.findBook(db, reference);
        if (book === null) throw noSuchPayment();
        return snapshotOf(book);
      }),

    find: (paymentId, signal) =>
      calls.read('FIND', signal, async () => {
        const book = await repository.findBookByPaymentId(db, paymentId);
        return book === null ? null : snapshotOf(book);
      }),

    async capture(reference, amountMinor, key, signal) {
      const call = { operation: 'CAPTURE', key, request: [reference, String(amountMinor)], signal } as const;
      const { snapshot } = await calls.operate(call, async (tx, at) => {
        const book = await books.lock(tx, reference);
        return { book: await books.apply(tx, book, decideCapture(book, amountMinor), at), client: null };
      });
      return snapshot;
    },

    async cancel(reference, key, signal) {
      const { snapshot } = await calls.operate(
        { operation: 'CANCEL', key, request: [reference], signal },
        async (tx, at) => {
          const book = await books.lock(tx, reference);
          return { book: await books.apply(tx, book, decideCancel(book), at), client: null };
        },
      );
      return snapshot;
    },

    async refund(reference, { id, amountMinor }, key, signal) {
      const call = { operation: 'REFUND', key, request: [reference, id, String(amountMinor)], signal } as const;
      const { snapshot } = await calls.operate(call, async (tx, at) => {
        const book = await books.lock(tx, reference);
        checkRefund(book, amountMinor);
        await repository.insertRefund(tx, { paymentReference: reference, refundId: id, amountMinor }, at);
        return { book: await books.apply(tx, book, { ...nothing, topics: ['refund.created'] }, at), client: null };
      });
      return snapshot;
    },

    readWebhook: (request, at) => webhooks.read(request, at),

    changedSince: (since, cursor, signal) =>
      calls.read('CHANGED', signal, async () => {
        const [at = '', reference = ''] = cursor?.split(' ') ?? [];
        const after = cursor === null ? null : { at, reference };
        const { pageSize: limit = PAGE } = options;
        const rows = await repository.findChanged(db, { since, after, limit: limit + 1 });
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown.at(-1) : undefined;
        return {
          references: shown.map((row) => row.reference),
          next: last === undefined ? null : `${last.at} ${last.reference}`,
        };
      }),

    page: {
      async read(reference) {
        const book = await repository.findBook(db, reference);
        return book === null ? null : { ...book, step: stepOf(book) };
      },

      choose: (reference, outcome) =>
        books.transact(async (tx, at) => {
          const book = await repository.lockBook(tx, reference);
          if (book === null) return null;
          const decision = decideOutcome(book, outcome, { at, lateMs: options.lateMs ?? LATE_MS });
          if (decision === null) return 'UNKNOWN';
          if (decision === 'NOT_NOW') return decision;
          await books.apply(tx, book, decision, at);
          return 'DONE';
        }),
    },

    async runDue(signal) {
      let done = 0;
      for (const reference of await repository.findDue(db, await now())) {
        if (signal?.aborted === true) return done;
        await settle(reference);
        done += 1;
      }
      for (;;) {
        const sent = signal?.aborted === true ? 0 : await sendDue(signal);
        done += sent;
        if (sent < BATCH) return done;
      }
    },

    async prune() {
      await forgetKeys(db, KEY_HOURS);
      await pruneEvents(db);
    },

    onQueued: (wake) => books.onQueued(wake),
    tune: (tuning) => void Object.assign(options, tuning),
    settleLate: async (reference) => snapshotOf(await settle(reference, true)),

    openDispute: async (reference) =>
      snapshotOf(
        await books.transact(async (tx, at) => {
          const book = await books.lock(tx, reference);
          return books.apply(tx, book, decideDispute(book), at);
        }),
      ),

    failRefund: async (reference, refundReference, failure = 'The bank sent the money back.') =>
      snapshotOf(
        await books.transact(async (tx, at) => {
          const book = await books.lock(tx, reference);
          await repository.failRefund(tx, refundReference, failure);
          return books.apply(tx, book, { ...nothing, topics: ['refund.failed'] }, at);
        }),
      ),
  };
}

function clientOf(redirectUrl: string | null): ClientData {
  return { redirectUrl, clientSecret: null, publishableKey: null };
}

function checkAttempt({ amountMinor, returnUrl, shopUrl }: PaymentAttempt): void {
  if (amountMinor < LEAST_MINOR) throw new Refused('The amount is too small.', 'amount_too_small');
  for (const url of [returnUrl, shopUrl]) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new Refused('The shop sent a URL that is not valid.', 'url_invalid');
    }
  }
}
