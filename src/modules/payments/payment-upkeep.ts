import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import type { PaymentService } from './payment.service.ts';

const SWEEP_MS = 5000;
const BATCH = 100;
/** Calls of providers at a time. Each waits for its provider most of the time; what needs none is done one by one beside them. */
const AT_ONCE = 4;

interface Attempt {
  /** What it is about, for the log. */
  of: object;
  work: () => Promise<unknown>;
}

/** A payment of which nothing is heard is looked at after one minute, two, four and so on; at least once an hour. */
const FIRST_LOOK_MS = 60_000;
const LONGEST_LOOK_MS = 3_600_000;

/** Chooses the payments to look at, as pages of their IDs come in. */
export interface Looks {
  /** The ID after which the next page begins; null: the first. */
  readonly after: string | null;
  /**
   * Takes the next page, and gives those that are due.
   * @param now in milliseconds, by a clock that never goes back
   */
  choose(page: readonly string[], now: number): string[];
}

/**
 * Webhooks may get lost, and some providers are slow to send them. How often a payment was looked at is kept in memory, since looking
 * once more does no harm.
 * @param pageSize a page with fewer IDs is the last one
 */
export function createLooks(pageSize: number): Looks {
  let looks = new Map<string, { at: number; waitMs: number }>();
  /** Of the payments on the pages so far. */
  let kept: typeof looks = new Map();
  let after: string | null = null;
  return {
    get after() {
      return after;
    },
    choose(page, now) {
      const due: string[] = [];
      for (const id of page) {
        const look = looks.get(id);
        const isDue = look === undefined || look.at + look.waitMs <= now;
        if (isDue) due.push(id);
        const waitMs = look === undefined ? FIRST_LOOK_MS : Math.min(look.waitMs * 2, LONGEST_LOOK_MS);
        kept.set(id, isDue ? { at: now, waitMs } : look);
      }
      after = page.length < pageSize ? null : (page.at(-1) ?? null);
      if (after === null) {
        // Of payments that were on no page nothing is kept: they are over.
        looks = kept;
        kept = new Map();
      }
      return due;
    },
  };
}

/**
 * Does operations whose jobs were lost or that wait for another attempt, ends payments whose time is over, warns staff of authorizations
 * that lapse, cancels orders that were not paid in time, and asks about payments and refunds of which nothing is heard.
 */
export function startPaymentUpkeep({
  payments,
  logger,
}: {
  payments: Pick<PaymentService, 'findWork' | 'runOperation' | 'expire' | 'warnOfLapse' | 'cancelUnpaid' | 'sync'>;
  logger: Logger;
}): AsyncDisposable {
  const looks = createLooks(BATCH);
  return every({
    ms: SWEEP_MS,
    atOnce: true,
    failed: 'the sweep of payments failed; retrying',
    logger,
    async run(signal) {
      const { operationIds, overdueIds, lapsingIds, unpaidIds, unheardIds } = await payments.findWork(
        BATCH,
        looks.after,
      );
      const ofDatabase = [
        ...overdueIds.map((paymentId) => ({ of: { paymentId }, work: () => payments.expire(paymentId) })),
        ...lapsingIds.map((paymentId) => ({ of: { paymentId }, work: () => payments.warnOfLapse(paymentId) })),
        ...unpaidIds.map((orderId) => ({ of: { orderId }, work: () => payments.cancelUnpaid(orderId) })),
      ].values();
      const ofProviders = [
        ...operationIds.map((operationId) => ({ of: { operationId }, work: () => payments.runOperation(operationId) })),
        ...looks.choose(unheardIds, performance.now()).map((paymentId) => ({
          of: { paymentId },
          work: () => payments.sync(paymentId),
        })),
      ].values();
      const takeInTurn = async (attempts: Iterable<Attempt>) => {
        for (const { of, work } of attempts) {
          if (signal.aborted) return;
          await work().catch((error: unknown) => {
            if (!signal.aborted) logger.warn({ err: error, ...of }, 'a payment could not be carried on; retrying');
          });
        }
      };
      const lanes = Array.from({ length: AT_ONCE }, () => takeInTurn(ofProviders));
      await Promise.all([takeInTurn(ofDatabase), ...lanes]);
    },
  });
}
