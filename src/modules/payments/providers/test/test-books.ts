import { readClock } from '../../../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../../../infra/postgres/database.ts';
import { Refused, type Snapshot } from '../provider.types.ts';
import * as books from './test-books.repository.ts';
import type { Book } from './test-books.repository.ts';
import type { Decision } from './test-decisions.ts';
import { insertEvent } from './test-events.repository.ts';
import type { TestProviderOptions } from './test-provider.types.ts';

/** Changes payments in the books, each change together with its webhooks. */
export interface Books {
  db: Database;
  /** Runs `work` in a transaction, with the provider's time. */
  transact<T>(work: (tx: Transaction, at: Date) => Promise<T>): Promise<T>;
  /** Locks a payment. @throws Refused if there is none */
  lock(tx: Transaction, reference: string): Promise<Book>;
  /** Writes a decision about a payment that is locked, and queues its webhooks. @returns the payment as it is now */
  apply(tx: Transaction, book: Book, decision: Decision, at: Date): Promise<Book>;
  /** Calls `wake` after each commit that queues a webhook. */
  onQueued(wake: () => void): void;
}

/** @param options read at each use, so that it can be tuned */
export function createBooks(options: TestProviderOptions): Books {
  const { db } = options;
  let wake = () => {};
  const onCommit = () => wake();

  return {
    db,
    transact: (work) => db.transaction(async (tx) => work(tx, await (options.now ?? readClock)(tx))),

    async lock(tx, reference) {
      const book = await books.lockBook(tx, reference);
      if (book === null) throw noSuchPayment();
      return book;
    },

    async apply(tx, book, { changes, topics, disputeMinor, disputes }, at) {
      const { reference } = book;
      const changed = { ...book, ...changes };
      await books.updatePayment(tx, changed, at);
      if (disputeMinor !== undefined) {
        const dispute = { paymentReference: reference, amountMinor: disputeMinor, reason: 'fraudulent' };
        await books.insertDispute(tx, dispute, at);
      }
      if (disputes !== undefined) await books.closeDisputes(tx, reference, disputes);
      for (const topic of topics) {
        const { copies, delayMs } = options.faults?.webhook?.() ?? { copies: 1, delayMs: 0 };
        const dueAt = new Date(at.getTime() + delayMs);
        await insertEvent(tx, { reference, topic, copies: copies * changed.webhookCopies, dueAt }, at);
      }
      if (topics.length > 0) tx.afterCommit(onCommit);
      return (await books.findBook(tx, reference)) ?? changed;
    },

    onQueued(listener) {
      wake = listener;
    },
  };
}

export function noSuchPayment(): Refused {
  return new Refused('There is no such payment.', 'not_found');
}

/** A payment as its snapshot shows it to the shop. */
export function snapshotOf(book: Book): Snapshot {
  const { reference, paymentId, state, currency, amountMinor, authorizedMinor, capturedMinor, failure, lapsesAt } =
    book;
  const { refunds, disputes } = book;
  return {
    ...{ reference, paymentId, state, currency, amountMinor, authorizedMinor, capturedMinor },
    ...{ refunds, disputes, failure, lapsesAt },
  };
}
