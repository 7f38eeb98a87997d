import { defineConsumer, type Consumer } from '../../events/consumer.ts';
import type { StoredEvent } from '../../events/event.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { isDatabaseAway } from '../../infra/postgres/database-faults.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { Logger } from '../../infra/logger.ts';
import { createSetAside } from '../../infra/postgres/set-aside.ts';
import { productChanged } from '../catalog/catalog.events.ts';
import { isVariantForSale, type CatalogService } from '../catalog/catalog.service.ts';
import { backInStock } from '../inventory/inventory.events.ts';
import type { Nudges } from '../module.ts';
import type { MailService } from '../mail/mail.service.ts';
import * as repository from './stock-alert-chain.repository.ts';
import type { ChainSubjects } from './stock-alert-chain.repository.ts';

/*
 * When a variant is back in stock, those who wait are notified in the order in which they signed up: as many as there are free
 * units, then after a while as many as are free then, until all are notified or the variant is sold out again. That is a chain. There
 * is one at a time for each variant: a row that says when the next batch is due. A job does the batch, and a sweep does the batches
 * whose jobs were lost.
 */

/**
 * What became of a batch. ENDED: the chain is over; NOT_NOW: the batch is not due, there is no chain, or another process has it; MORE:
 * part of the batch is done, and the rest is due immediately; WAITS: the batch is done, and the next one is due later.
 */
export type BatchResult =
  | { state: 'ENDED' | 'MORE' | 'WAITS'; notified: number }
  | { state: 'NOT_NOW'; notified: 0; /** Until it is due; null where that is not known. */ dueInMs: number | null };

/** Chains of back-in-stock emails. */
export interface StockAlertChains {
  /**
   * Begins the chains of variants that can be bought and for which somebody waits. A chain that exists goes on as before. Runs in the
   * caller's transaction, after whose commit the jobs are enqueued.
   */
  start(tx: Transaction, of: ChainSubjects): Promise<void>;
  /**
   * Notifies the next in turn if the chain is due. The caller repeats it while the state is MORE. It may be called any number of times,
   * and in any number of processes at once. An alert that fails is logged and set aside for ten minutes.
   */
  notifyNext(variantId: string): Promise<BatchResult>;
  /**
   * Does every batch that is due, such as those whose jobs were lost or could not be enqueued.
   * @returns the number of emails written
   * @throws AggregateError if some chains could not go on; all others have
   */
  notifyDue(signal?: AbortSignal): Promise<number>;
}

/** Maximum number of alerts sent in one transaction. A larger batch takes several transactions. */
const AT_A_TIME = 500;
/** Maximum number of chains in one sweep; the next one does the others. */
const CHAINS = 100;

/** Wires the chains. */
export function createStockAlertChains(deps: {
  db: Database;
  catalog: Pick<CatalogService, 'variantsByIds'>;
  mails: Pick<MailService, 'write' | 'unwanted'>;
  nudges: Pick<Nudges, 'stockAlerts'>;
  batchSeconds: number;
  logger: Pick<Logger, 'error'>;
}): StockAlertChains {
  const { db, catalog, mails, nudges, batchSeconds, logger } = deps;
  const aside = createSetAside({ what: 'a stock alert', logger });

  /** Units that can be bought now; 0 if the variant is not for sale. */
  async function freeUnits(tx: Transaction, variantId: string): Promise<number> {
    const [variant] = await catalog.variantsByIds([variantId], tx);
    return variant !== undefined && isVariantForSale(variant) ? variant.available : 0;
  }

  /** Marks the next alerts as sent, and writes their emails. */
  async function notify(tx: Transaction, at: Date, variantId: string, limit: number): Promise<number> {
    const notified = await repository.markNotified(tx, at, { variantId, limit, without: aside.ids() });
    const unwanted = await mails.unwanted(
      tx,
      notified.map(({ ownerId, email }) => ({ userId: ownerId, recipient: email, kind: 'BACK_IN_STOCK' })),
    );
    const wanted = notified.filter((_alert, index) => !unwanted.has(index));
    await mails.write(
      tx,
      at,
      wanted.map(({ id, email, accountId }) => ({
        cause: `stock-alert:${id}`,
        template: 'back-in-stock',
        recipient: email,
        userId: accountId,
        data: { alertId: id },
      })),
    );
    return notified.length;
  }

  const notifySome = (variantId: string, most: number): Promise<BatchResult> =>
    db.transaction(async (tx) => {
      const chain = await repository.lockChain(tx, variantId);
      if (chain === null) return { state: 'NOT_NOW', notified: 0, dueInMs: null };
      const at = await readClock(tx);
      const dueInMs = chain.nextBatchAt.getTime() - at.getTime();
      if (dueInMs > 0) return { state: 'NOT_NOW', notified: 0, dueInMs };

      const free = await freeUnits(tx, variantId);
      const batch = chain.batchLeft > 0 ? Math.min(chain.batchLeft, free) : free;
      const notified = batch === 0 ? 0 : await notify(tx, at, variantId, Math.min(batch, most));
      // (Only skipped alerts remain: the chain waits for them.)
      if (batch === 0 || !(await repository.isAnybodyWaiting(tx, variantId))) {
        await repository.endChain(tx, variantId);
        return { state: 'ENDED', notified };
      }
      const batchLeft = notified === 0 ? 0 : batch - notified;
      const more = batchLeft > 0;
      const nextBatchAt = more ? chain.nextBatchAt : new Date(at.getTime() + batchSeconds * 1000);
      await repository.setChain(tx, variantId, { nextBatchAt, batchLeft });
      // After part of a batch the caller goes on with the rest. If its process dies, the sweep does.
      if (!more) tx.afterCommit(() => nudges.stockAlerts(variantId, batchSeconds * 1000));
      return { state: more ? 'MORE' : 'WAITS', notified };
    });

  /** A failed batch is sent alert by alert, so that one failing alert does not block the others. */
  async function notifyNext(variantId: string): Promise<BatchResult> {
    try {
      return await notifySome(variantId, AT_A_TIME);
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
    }
    const first = await repository.findFirst(db, variantId, aside.ids());
    try {
      return await notifySome(variantId, 1);
    } catch (error) {
      if (isDatabaseAway(error) || first === null) throw error;
      aside.add(first, error);
      return { state: 'MORE', notified: 0 };
    }
  }

  async function notifyAllDue(variantId: string, signal: AbortSignal | undefined): Promise<number> {
    let total = 0;
    for (let more = true; more && signal?.aborted !== true;) {
      const { state, notified } = await notifyNext(variantId);
      total += notified;
      more = state === 'MORE';
    }
    return total;
  }

  return {
    async start(tx, of) {
      const variantIds = await repository.startChains(tx, of);
      tx.afterCommit(() => {
        for (const variantId of variantIds) nudges.stockAlerts(variantId, 0);
      });
    },

    notifyNext,

    async notifyDue(signal) {
      const due = await repository.findDueChains(db, CHAINS);
      const faults: unknown[] = [];
      let total = 0;
      for (const variantId of due) {
        // A chain that cannot go on stays first in order: it must not hold up the others.
        try {
          total += await notifyAllDue(variantId, signal);
        } catch (error) {
          faults.push(error);
        }
      }
      if (faults.length > 0) {
        throw new AggregateError(faults, `${faults.length} of ${due.length} stock alert chains could not go on`);
      }
      return total;
    },
  };
}

/** Begins chains when a variant is back in stock, and when a product goes back on sale whose variants have units. */
export function createStockAlertConsumer(chains: Pick<StockAlertChains, 'start'>): Consumer {
  async function handleTogether(tx: Transaction, events: readonly StoredEvent[]): Promise<void> {
    const back = events.flatMap((event) => backInStock.read(event)?.variantId ?? []);
    const changed = events.flatMap((event) => productChanged.read(event)?.productId ?? []);
    await chains.start(tx, { variantIds: [...new Set(back)], productIds: [...new Set(changed)] });
  }

  return defineConsumer({
    name: 'stock-alert-chains',
    types: [backInStock.type, productChanged.type],
    async handle(tx, event) {
      await handleTogether(tx, [event]);
      return 'DONE';
    },
    handleTogether,
  });
}
