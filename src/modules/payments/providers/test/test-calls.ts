import { createHash } from 'node:crypto';
import type { Transaction } from '../../../../infra/postgres/database.ts';
import { Refused, Unknown, type ClientData } from '../provider.types.ts';
import { snapshotOf, type Books } from './test-books.ts';
import { updatePayment, type Book } from './test-books.repository.ts';
import { claimKey, rememberAnswer, type Answer } from './test-keys.repository.ts';
import type { TestOperation, TestProviderFaults } from './test-provider.types.ts';

/** Decides and writes. It throws Refused before it has written anything. */
type Work = (tx: Transaction, at: Date) => Promise<{ book: Book; client: ClientData | null }>;

/** How the shop's calls reach the provider: they fail as real calls do, and keys are remembered. */
export interface Calls {
  /** A call that changes nothing. */
  read<T>(operation: TestOperation, signal: AbortSignal, work: () => Promise<T>): Promise<T>;
  /**
   * A call with an idempotency key.
   * @param call.request what is asked, all of it
   */
  operate(
    call: { operation: TestOperation; key: string; request: readonly unknown[]; signal: AbortSignal },
    work: Work,
  ): Promise<Answer & { kind: 'DONE' }>;
}

/** @param options.faults asked at each call */
export function createCalls({ books, faults }: { books: Books; faults: () => TestProviderFaults }): Calls {
  async function call<T>(operation: TestOperation, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw new Unknown('The call was given up before it was made.');
    if (faults().failsBefore?.(operation) === true) throw new Unknown('The provider is unavailable.');
    const answer = await unlessAborted(signal, work());
    if (faults().losesAnswer?.(operation) === true) throw new Unknown('The answer was lost.');
    return answer;
  }

  return {
    read: call,

    async operate({ operation, key, request, signal }, work) {
      const hash = createHash('sha256')
        .update(JSON.stringify([operation, ...request]))
        .digest('hex');
      const { answer, isLost } = await call(operation, signal, () =>
        books.transact((tx, at) => answerOnce(tx, at, { key, request: hash }, work)),
      );
      if (isLost) throw new Unknown('The answer was lost.');
      if (answer.kind === 'REFUSED') throw new Refused(answer.reason, answer.code);
      return answer;
    },
  };
}

/** Does the work of a key that is new; answers another one as before. */
async function answerOnce(
  tx: Transaction,
  at: Date,
  { key, request }: { key: string; request: string },
  work: Work,
): Promise<{ answer: Answer; isLost: boolean }> {
  const known = await claimKey(tx, { key, request }, at);
  if (known !== null && known.request !== request) {
    throw new Refused('The idempotency key was used with other parameters.', 'idempotency_key_in_use');
  }
  if (known !== null) return { answer: known.answer, isLost: false };
  const decided = await decide(() => work(tx, at));
  if (!('book' in decided)) {
    await rememberAnswer(tx, key, decided);
    return { answer: decided, isLost: false };
  }
  const { book, client } = decided;
  const answer: Answer = { kind: 'DONE', snapshot: snapshotOf(book), client };
  await rememberAnswer(tx, key, answer);
  return { answer, isLost: await losesAnswer(tx, book, at) };
}

/** A refusal is an answer like any other, and is remembered. */
async function decide<T>(work: () => Promise<T>): Promise<T | (Answer & { kind: 'REFUSED' })> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { kind: 'REFUSED', reason: error.reason, code: error.code };
  }
}

/** Whether the shopper chose that this answer is lost. */
async function losesAnswer(tx: Transaction, book: Book, at: Date): Promise<boolean> {
  if (book.lostAnswers === 0) return false;
  await updatePayment(tx, { ...book, lostAnswers: book.lostAnswers - 1 }, at);
  return true;
}

/** The result of the work. Whatever goes wrong is Unknown, save for a refusal; so is a signal that is aborted first. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let giveUp = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(new Unknown('The call was given up.', { cause: signal.reason }));
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    if (error instanceof Refused || error instanceof Unknown) throw error;
    throw new Unknown('The provider could not answer.', { cause: error });
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
