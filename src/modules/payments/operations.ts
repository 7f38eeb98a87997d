import { setTimeout as delay } from 'node:timers/promises';
import { validate as isUuid } from 'uuid';
import type { Database } from '../../infra/postgres/database.ts';
import type { Logger } from '../../infra/logger.ts';
import { Refusal, refuse } from '../user-error.ts';
import type { FoldOutcome, Folding } from './folding.ts';
import { isOperationOpen, isPaymentUnwanted, leaseOperation, type LeasedOperation } from './operation.repository.ts';
import { findPayments } from './payment.repository.ts';
import { Refused, Unknown, type ClientData, type PaymentProvider, type Snapshot } from './providers/provider.types.ts';

/*
 * How the shop asks a provider for something. The operation is a row before the provider hears of it, and its ID is the key by which
 * the provider does it once. The provider is called outside any transaction, and the answer is folded in by a second one. A process
 * may die between any two of these steps: another one finds the row, and first looks what the provider has done.
 */

/**
 * For tests: called between two steps. One that never returns is a process that died there. TAKEN: another call does the operation, and
 * this one waits for it.
 */
export type Step = 'LEASED' | 'CALLED' | 'SETTLED' | 'TAKEN';

/** Does what payments wait for. */
export interface OperationRunner {
  /**
   * Does an operation. Safe to call twice, late, and in several processes.
   * @param now whether an operation that waits for its next attempt is done as well
   * @returns false if it is settled, not due, or with another call
   */
  run(operationId: string, now?: boolean): Promise<boolean>;
  /** Does an operation now, or waits until the call that has taken it is through. */
  runOrAwait(operationId: string, signal: AbortSignal): Promise<void>;
  /**
   * Asks the provider how a payment stands, and writes it down.
   * @throws Refusal: UNAVAILABLE if the provider does not answer
   */
  sync(paymentId: string): Promise<void>;
  /**
   * Finds the payment that a provider knows by a reference which the shop does not know yet, because the answer to BEGIN was lost or is
   * on its way, and writes down how it stands.
   * @returns its ID; null if the reference is none of the shop's
   * @throws Refusal: UNAVAILABLE if the provider does not answer
   */
  adopt(provider: string, reference: string): Promise<string | null>;
}

export interface OperationDependencies {
  db: Database;
  folding: Folding;
  providers: ReadonlyMap<string, PaymentProvider>;
  logger: Pick<Logger, 'error' | 'warn'>;
  between?: ((step: Step, operationId: string) => Promise<void>) | undefined;
}

/** After this, an operation is with nobody, and somebody else looks what became of it. */
const LEASE_S = 60;
/** A provider that takes longer has not answered. */
const CALL_MS = 20_000;
const FIRST_RETRY_S = 2;
const LONGEST_RETRY_S = 600;
/** Others change the payment at the same time: its snapshot is fetched again. */
const MAX_FETCHES = 10;
/** Between two looks at an operation that another call has taken. */
const LOOK_EVERY_MS = 50;

/** What a call came to. */
interface Answer {
  snapshot: Snapshot | null;
  client?: ClientData;
  outcome: { state: 'DONE' | 'REFUSED' | 'UNKNOWN' | 'QUEUED'; reason: string | null };
}

/** Makes the runner. */
export function createOperationRunner(deps: OperationDependencies): OperationRunner {
  const { db, folding, providers, logger, between = () => Promise.resolve() } = deps;

  function providerOf(name: string): PaymentProvider {
    const provider = providers.get(name);
    if (provider === undefined) throw new Unknown(`The payment provider ${name} is not configured.`);
    return provider;
  }

  async function send(operation: LeasedOperation, reference: string | null, signal: AbortSignal): Promise<Answer> {
    const provider = providerOf(operation.provider);
    const { id: key, kind, amountMinor, refundId, parameters, paymentId, currency } = operation;
    if (kind === 'BEGIN') {
      if (amountMinor === null) throw new Error('a payment without an amount');
      const { email = '', description = '', returnUrl = '', shopUrl = '' } = parameters;
      const attempt = { paymentId, amountMinor, currency, email, description, returnUrl, shopUrl };
      const { client, snapshot } = await provider.begin(attempt, key, signal);
      return { snapshot, client, outcome: { state: 'DONE', reason: null } };
    }
    // What is to be cancelled may never have begun; if so, that is settled first.
    if (reference === null) {
      return operation.isOver
        ? { snapshot: null, outcome: { state: 'DONE', reason: null } }
        : { snapshot: null, outcome: { state: 'QUEUED', reason: 'The payment has not begun yet.' } };
    }
    const done = (snapshot: Snapshot): Answer => ({ snapshot, outcome: { state: 'DONE', reason: null } });
    if (kind === 'CANCEL') {
      // The bank may have agreed meanwhile. Then the order is placed, and nothing is cancelled.
      const present = await provider.fetch(reference, signal);
      if (present.state !== 'PENDING' && !(await isPaymentUnwanted(db, paymentId))) {
        return {
          snapshot: present,
          outcome: { state: 'REFUSED', reason: 'The payment succeeded before it was cancelled.' },
        };
      }
      return done(await provider.cancel(reference, key, signal));
    }
    if (amountMinor === null) throw new Error(`operation ${key} has no amount`);
    if (kind === 'CAPTURE') return done(await provider.capture(reference, amountMinor, key, signal));
    if (refundId === null) throw new Error(`operation ${key} has no refund`);
    return done(await provider.refund(reference, { id: refundId, amountMinor }, key, signal));
  }

  /** Looks whether an operation that nobody knows of was done. */
  async function look(
    operation: LeasedOperation,
    signal: AbortSignal,
  ): Promise<{ snapshot: Snapshot | null; isDone: boolean }> {
    const provider = providerOf(operation.provider);
    const { reference, paymentId } = operation;
    const snapshot =
      reference === null ? await provider.find(paymentId, signal) : await provider.fetch(reference, signal);
    return { snapshot, isDone: snapshot !== null && isDone(operation, snapshot) };
  }

  async function call(operation: LeasedOperation, signal: AbortSignal): Promise<Answer> {
    if (operation.before === 'QUEUED') return send(operation, operation.reference, signal);
    const { snapshot, isDone: wasDone } = await look(operation, signal);
    if (wasDone) return { snapshot, outcome: { state: 'DONE', reason: null } };
    if (operation.kind === 'BEGIN' && operation.isOverdue) {
      // Nobody waits for the answer any more.
      const reason = 'The time to pay was over before the provider answered.';
      return { snapshot, outcome: snapshot === null ? { state: 'REFUSED', reason } : { state: 'DONE', reason: null } };
    }
    // The provider may have forgotten the key: sent again, the operation could be done twice.
    const { keyHours } = providerOf(operation.provider);
    if ((operation.hoursSinceSent ?? 0) >= keyHours - 1) {
      return {
        snapshot,
        outcome: { state: 'REFUSED', reason: 'The provider did not do it, and it is too old to be sent again.' },
      };
    }
    return send(operation, operation.reference ?? snapshot?.reference ?? null, signal);
  }

  async function run(operationId: string, now = false): Promise<boolean> {
    // An answer that was overtaken leaves the operation UNKNOWN, and it is looked at again.
    for (let attempts = 0; attempts < MAX_FETCHES; attempts += 1) {
      const outcome = await tryOnce(operationId, now || attempts > 0);
      if (outcome !== 'STALE') return outcome !== null;
    }
    return true;
  }

  async function runOrAwait(operationId: string, signal: AbortSignal): Promise<void> {
    // Another call may be about to take it, or to take it once more: the operation then looks as if nobody did it.
    while (!(await run(operationId, true)) && !signal.aborted && (await isOperationOpen(db, operationId))) {
      await between('TAKEN', operationId);
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** @returns null if the operation is not to be done now */
  async function tryOnce(operationId: string, now: boolean): Promise<FoldOutcome | null> {
    const operation = await leaseOperation(db, operationId, LEASE_S, now);
    if (operation === null) return null;
    await between('LEASED', operationId);
    const answer = await call(operation, AbortSignal.timeout(CALL_MS)).catch((error: unknown) =>
      faultOf(operation, error),
    );
    await between('CALLED', operationId);
    const { snapshot, client, outcome } = answer;
    const isFinal = operation.kind === 'BEGIN' && outcome.state === 'REFUSED';
    const folded = await folding.apply(operation.paymentId, {
      snapshot: snapshot === null ? null : { of: snapshot, seenVersion: operation.version },
      operation: { id: operationId, ...outcome, retrySeconds: retryIn(operation.attempts) },
      ...(operation.kind === 'BEGIN' &&
        snapshot !== null && { begun: { reference: snapshot.reference, client: client ?? null } }),
      ...(isFinal && { refused: outcome.reason ?? 'The payment could not begin.' }),
    });
    await between('SETTLED', operationId);
    // What was refused may have been overtaken by something that the shop has not seen.
    const isOvertaken = outcome.state === 'REFUSED' && snapshot === null && operation.reference !== null;
    if (isOvertaken) await sync(operation.paymentId).catch(logUnavailable);
    return folded;
  }

  function faultOf(operation: LeasedOperation, error: unknown): Answer {
    if (error instanceof Refused) return { snapshot: null, outcome: { state: 'REFUSED', reason: error.reason } };
    const { id: operationId, kind, paymentId, provider } = operation;
    const reason = error instanceof Error ? error.message : String(error);
    const level = error instanceof Unknown ? 'warn' : 'error';
    logger[level](
      { err: error, operationId, paymentId, kind, provider },
      'a payment provider did not answer; looking again',
    );
    return { snapshot: null, outcome: { state: 'UNKNOWN', reason } };
  }

  function logUnavailable(error: unknown): void {
    if (!(error instanceof Refusal)) throw error;
  }

  async function sync(paymentId: string): Promise<void> {
    for (let fetches = 0; fetches < MAX_FETCHES; fetches += 1) {
      const [payment] = await findPayments(db, [paymentId]);
      if (payment === undefined || payment.provider === 'manual') return;
      const { reference, version } = payment;
      const snapshot = await fetch(payment.provider, reference, paymentId);
      if (snapshot === null) return;
      const folded = await folding.apply(paymentId, {
        snapshot: { of: snapshot, seenVersion: version },
        ...(reference === null && { begun: { reference: snapshot.reference, client: null } }),
      });
      if (folded !== 'STALE') return;
    }
    throw new Error(`payment ${paymentId} changes faster than it can be fetched`);
  }

  async function adopt(name: string, reference: string): Promise<string | null> {
    const snapshot = await providerOf(name)
      .fetch(reference, AbortSignal.timeout(CALL_MS))
      .catch((error: unknown) => {
        if (error instanceof Refused) return null;
        logger.warn({ err: error, reference, provider: name }, 'a payment could not be fetched');
        return refuse('UNAVAILABLE', 'The payment provider does not answer. Try again later.');
      });
    // The metadata of a stranger's payment may hold anything.
    if (snapshot?.paymentId == null || !isUuid(snapshot.paymentId)) return null;
    const [payment] = await findPayments(db, [snapshot.paymentId]);
    if (payment?.provider !== name || payment.reference !== null) return null;
    const { id: paymentId, version } = payment;
    const folded = await folding.apply(paymentId, {
      snapshot: { of: snapshot, seenVersion: version },
      begun: { reference: snapshot.reference, client: null },
    });
    if (folded === 'STALE') await sync(paymentId);
    return paymentId;
  }

  async function fetch(name: string, reference: string | null, paymentId: string): Promise<Snapshot | null> {
    const signal = AbortSignal.timeout(CALL_MS);
    try {
      const provider = providerOf(name);
      return reference === null ? await provider.find(paymentId, signal) : await provider.fetch(reference, signal);
    } catch (error) {
      logger.warn({ err: error, paymentId, provider: name }, 'a payment could not be fetched');
      return refuse('UNAVAILABLE', 'The payment provider does not answer. Try again later.');
    }
  }

  return { run, runOrAwait, sync, adopt };
}

/** Seconds until the next look: 2, 4, 8 and so on, at most ten minutes. */
function retryIn(attempts: number): number {
  return Math.min(FIRST_RETRY_S * 2 ** Math.max(0, attempts - 1), LONGEST_RETRY_S);
}

/** Whether a snapshot shows that an operation was done. BEGIN is done only when its answer, which the shopper needs, is there. */
function isDone({ kind, amountMinor, refundId, parameters }: LeasedOperation, snapshot: Snapshot): boolean {
  if (kind === 'CANCEL') return snapshot.state === 'CANCELLED' || snapshot.state === 'FAILED';
  if (kind === 'REFUND') return snapshot.refunds.some((refund) => refund.refundId === refundId);
  if (kind === 'CAPTURE') {
    return snapshot.capturedMinor >= BigInt(parameters.capturedBefore ?? '0') + (amountMinor ?? 0n);
  }
  return snapshot.state !== 'PENDING';
}
