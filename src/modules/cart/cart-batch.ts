import type { EventLog } from '../../events/event-log.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import { together } from '../../infra/postgres/together.ts';
import type { GuestService } from '../accounts/guest.service.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import type { InventoryService } from '../inventory/inventory.service.ts';
import { commitBatch, lockBatch, readBatch } from './cart-batch.repository.ts';
import { Workbench, type LineCommand, type Outcome, type WorkbenchDependencies } from './cart-workbench.ts';
import { dueAt, type CartDue } from './cart.due.ts';
import { shortagesOf } from './cart.rules.ts';
import { findOverdueHolding } from './expiry.repository.ts';
import { findHeldByNetworks } from './network-share.repository.ts';

/** Carries out commands of different owners in one transaction. */
export type Batch = (commands: readonly LineCommand[]) => Promise<Outcome[]>;

export interface BatchDependencies extends WorkbenchDependencies {
  db: Pick<Database, 'transaction'>;
  catalog: CatalogService;
  inventory: InventoryService;
  guests: Pick<GuestService, 'make' | 'insert'>;
  eventLog: EventLog;
  onDue: (due: CartDue) => void;
}

/** Maximum time that a batch waits for a lock, in milliseconds. Its commands then run one by one, and only some wait. */
const LOCK_TIMEOUT_MS = 1_000;

/**
 * Makes the function that carries out commands of different owners in one transaction. Each is decided in memory in the order of the
 * list, against what those before it have left, and has a result of its own. A command that meets something out of the ordinary (a cart
 * that somebody else has locked or that is past its time, units that an overdue cart holds) changes nothing, and runs alone afterwards.
 */
export function createBatch(deps: BatchDependencies): Batch {
  const { db, catalog, inventory, guests, eventLog } = deps;

  async function run(tx: Transaction, commands: readonly LineCommand[]): Promise<Outcome[]> {
    const batch = await open(tx, commands);
    const outcomes = commands.map((command) => batch.carry(command));
    await withdrawShort(tx, outcomes);
    await write(tx, batch);
    const { variants } = batch;
    return outcomes.map((outcome) => {
      if (typeof outcome === 'string' || 'refused' in outcome) return outcome;
      const { done } = outcome;
      return { done: { ...done, variants: done.variants.map((variant) => variants.get(variant.id) ?? variant) } };
    });
  }

  /** Locks, and reads what was locked. */
  async function open(tx: Transaction, commands: readonly LineCommand[]) {
    const owners = commands.flatMap(({ owner }) => (owner === null ? [] : [owner]));
    const variantIds = [...new Set(commands.flatMap((command) => command.variantIds))];
    const lineIds = [...new Set(commands.flatMap((command) => command.lineIds))];
    const subjects = {
      guestIds: owners.flatMap((owner) => ('guestId' in owner ? [owner.guestId] : [])),
      userIds: owners.flatMap((owner) => ('userId' in owner ? [owner.userId] : [])),
      variantIds,
      lineIds,
    };
    // Sent in one go. Each statement sees what was committed before it began, so the reads see what the locks waited for.
    const [locks, { carts, termsVersion }, named] = await together(
      lockBatch(tx, subjects),
      readBatch(tx, subjects),
      variantIds.length === 0 ? [] : catalog.variantsByIds(variantIds, tx),
    );
    const missing = lineIds.length === 0 ? [] : locks.variantIds.filter((id) => !variantIds.includes(id));
    const ofLines = missing.length === 0 ? [] : await catalog.variantsByIds(missing, tx);
    const batch = new Workbench(deps, { ...locks, carts, termsVersion, variants: [...named, ...ofLines] });
    const scarce = batch.scarce(commands);
    if (scarce.length > 0) {
      const networks = [...new Set(commands.flatMap((command) => deps.shares.hide(command.networks)))];
      batch.heldElsewhere = await findHeldByNetworks(tx, scarce, networks, { except: locks.cartIds, at: locks.now });
    }
    return batch;
  }

  /** Commands that lack units which overdue carts hold run alone: that expires those carts first. */
  async function withdrawShort(tx: Transaction, outcomes: Outcome[]): Promise<void> {
    const missing = outcomes.map((outcome) =>
      typeof outcome === 'object' && 'refused' in outcome
        ? shortagesOf(outcome.refused.errors)
        : new Map<string, number>(),
    );
    const short = new Map<string, number>();
    for (const [id, units] of missing.flatMap((each) => [...each])) short.set(id, Math.max(units, short.get(id) ?? 0));
    if (short.size === 0 || (await findOverdueHolding(tx, short)).length === 0) return;
    for (const [index, { size }] of missing.entries()) if (size > 0) outcomes[index] = 'ALONE';
  }

  /** Writes what was decided, and commits. All of it is sent in one go. */
  async function write(tx: Transaction, { now, changes, moves, events, made }: Workbench): Promise<void> {
    if (changes.length === 0) return;
    for (const {
      write: { expiresAt },
    } of changes) {
      if (expiresAt !== null) tx.afterCommit(() => deps.onDue(dueAt(expiresAt, now)));
    }
    await together(
      made.length > 0 ? guests.insert(tx, made) : null,
      inventory.apply(tx, now, moves),
      eventLog.append(tx, now, events),
      commitBatch(tx, now, changes),
    );
  }

  return (commands) => db.transaction((tx) => run(tx, commands), { lockTimeoutMs: LOCK_TIMEOUT_MS });
}
