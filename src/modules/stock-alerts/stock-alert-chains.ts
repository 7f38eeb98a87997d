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
 * When a variant comes back, those who wait are told in the order in which they signed up: as many as there are free units,
 * then after a while as many as are free then, until all are told or it is sold out again. That is a chain, of which there is
 * one at a time per variant: a row, which says when it goes on. A job does a batch when it is due, and a sweep does those
 * whose job was lost.
 */

/**
 * What became of a batch. ENDED: the chain is over; NOT_NOW: it is not due, there is none, or somebody else is at it; MORE: a
 * part of the batch is done, and the rest is due at once; WAITS: the batch is done, and the next one is due later.
 */
export type BatchResult =
  | { state: 'ENDED' | 'MORE' | 'WAITS'; told: number }
  | { state: 'NOT_NOW'; told: 0; /** Until it is due; null where that is not known. */ dueInMs: number | null };

/** Chains of back-in-stock emails. */
export interface StockAlertChains {
  /**
   * Begins the chains of variants that can be bought and for which somebody waits. A chain that exists goes on as before. Runs in the
   * caller's transaction, after whose commit the jobs are enqueued.
   */
  start(tx: Transaction, of: ChainSubjects): Promise<void>;
  /**
   * Tells the next ones, where the chain is due; the caller goes on while there are MORE. Any number of times, and in any
   * number of processes at once. An alert that fails is logged and set aside for ten minutes.
   */
  tellNext(variantId: string): Promise<BatchResult>;
  /**
   * Does every batch that is due: of those whose job was lost, or which the queue did not take.
   * @returns the number of emails written
   * @throws AggregateError where some chains could not go on, after all others did
   */
  tellDue(signal?: AbortSignal): Promise<number>;
}

/** Maximum number of alerts sent in one transaction. A larger batch takes several transactions. */
const AT_A_TIME = 500;
/** Chains that a sweep does; the others are done by the next one. */
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

  /** Units that can be bought now. What cannot be bought at all has none. */
  async function freeUnits(tx: Transaction, variantId: string): Promise<number> {
    const [variant] = await catalog.variantsByIds([variantId], tx);
    return variant !== undefined && isVariantForSale(variant) ? variant.available : 0;
  }

  /** Marks the next ones, and writes their mails. */
  async function tell(tx: Transaction, at: Date, variantId: string, limit: number): Promise<number> {
    const told = await repository.markTold(tx, at, { variantId, limit, without: aside.ids() });
    const unwanted = await mails.unwanted(
      tx,
      told.map(({ ownerId, email }) => ({ userId: ownerId, recipient: email, kind: 'BACK_IN_STOCK' })),
    );
    const wanted = told.filter((_alert, index) => !unwanted.has(index));
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
    return told.length;
  }

  const tellSome = (variantId: string, most: number): Promise<BatchResult> =>
    db.transaction(async (tx) => {
      const chain = await repository.lockChain(tx, variantId);
      if (chain === null) return { state: 'NOT_NOW', told: 0, dueInMs: null };
      const at = await readClock(tx);
      const dueInMs = chain.nextBatchAt.getTime() - at.getTime();
      if (dueInMs > 0) return { state: 'NOT_NOW', told: 0, dueInMs };

      const free = await freeUnits(tx, variantId);
      const batch = chain.batchLeft > 0 ? Math.min(chain.batchLeft, free) : free;
      const told = batch === 0 ? 0 : await tell(tx, at, variantId, Math.min(batch, most));
      // (Only skipped alerts remain: the chain waits for them.)
      if (batch === 0 || !(await repository.isAnybodyWaiting(tx, variantId))) {
        await repository.endChain(tx, variantId);
        return { state: 'ENDED', told };
      }
      const batchLeft = told === 0 ? 0 : batch - told;
      const more = batchLeft > 0;
      const nextBatchAt = more ? chain.nextBatchAt : new Date(at.getTime() + batchSeconds * 1000);
      await repository.setChain(tx, variantId, { nextBatchAt, batchLeft });
      // Who did a part of a batch goes on with it; should it die, the sweep does.
      if (!more) tx.afterCommit(() => nudges.stockAlerts(variantId, batchSeconds * 1000));
      return { state: more ? 'MORE' : 'WAITS', told };
    });

  /** A failed batch is sent alert by alert, so that one failing alert does not block the others. */
  async function tellNext(variantId: string): Promise<BatchResult> {
    try {
      return await tellSome(variantId, AT_A_TIME);
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
    }
    const first = await repository.findFirst(db, variantId, aside.ids());
    try {
      return await tellSome(variantId, 1);
    } catch (error) {
      if (isDatabaseAway(error) || first === null) throw error;
      aside.add(first, error);
      return { state: 'MORE', told: 0 };
    }
  }

  async function tellAllDue(variantId: string, signal: AbortSignal | undefined): Promise<number> {
    let total = 0;
    for (let more = true; more && signal?.aborted !== true;) {
      const { state, told } = await tellNext(variantId);
      total += told;
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

    tellNext,

    async tellDue(signal) {
      const due = await repository.findDueChains(db, CHAINS);
      const faults: unknown[] = [];
      let total = 0;
      for (const variantId of due) {
        // One that cannot go on stays the longest due: it must not hold up the others for ever.
        try {
          total += await tellAllDue(variantId, signal);
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

/** Begins a chain when a variant comes back, and when a product is for sale again whose variants had units all the while. */
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
