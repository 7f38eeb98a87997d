import { createCommandBatches } from '../../infra/command-batches.ts';
import { noteChange } from '../../infra/postgres/change-watch.ts';
import type { Transaction } from '../../infra/postgres/database.ts';
import type { Logger } from '../../infra/logger.ts';
import type { CartCommands } from './cart.commands.ts';
import type { Batch } from './cart-batch.ts';
import type { Carried, LineCommand } from './cart-workbench.ts';
import { ownerIdOf, type CartOwner } from './cart-owner.ts';
import type { LockedCart } from './cart.repository.ts';
import { planAdd, planUpdate, type LineUpdate, type Wanted } from './cart.rules.ts';
import type { CartResult, Done, Shopper } from './cart.types.ts';
import type { Networks } from './network-share.ts';

/** The commands on lines. */
export interface LineCommands {
  /** Holds units, all or none. On an expired cart it begins a new one. */
  addLines(owner: Shopper, wanted: readonly Wanted[], networks?: Networks): Promise<CartResult>;
  /** Sets the quantities of lines, all or none; 0 removes. */
  updateLines(owner: CartOwner | null, updates: readonly LineUpdate[], networks?: Networks): Promise<CartResult>;
}

/** How commands on lines are carried out. */
export interface LineCommandDependencies {
  /** Commands of many callers in one transaction. */
  batch: Batch;
  /** One command in a transaction of its own, whatever it meets. */
  run: (command: (tx: Transaction) => Promise<Done>) => Promise<CartResult>;
  /** The owner's live cart under its lock; owner and cart are made where there are none. */
  open: (tx: Transaction, owner: Shopper) => Promise<{ cart: LockedCart; guest: CartResult['guest'] }>;
  commands: CartCommands;
  /** @throws Refusal: NOT_FOUND for null */
  named: (owner: CartOwner | null) => CartOwner;
  logger: Pick<Logger, 'warn'>;
}

/** What one transaction takes at most. */
const MOST = 64;

/**
 * Makes the commands on lines. Those that arrive while a transaction is under way are decided together in the next one; a command that
 * is by itself begins in the next turn of the event loop. What a batch cannot carry out runs alone, and so does each command of a batch that failed.
 */
export function createLineCommands(deps: LineCommandDependencies): LineCommands {
  const { batch, run, open, commands, named, logger } = deps;

  const carryOut = createCommandBatches<LineCommand, Carried, CartResult>({
    ...{ batch, most: MOST, logger, what: 'commands on carts' },
    keyOf: ({ owner }) => (owner === null ? null : ownerIdOf(owner)),
  });

  async function submit(command: LineCommand, alone: () => Promise<CartResult>): Promise<CartResult> {
    const outcome = await carryOut(command, alone);
    if ('answer' in outcome) return outcome.answer;
    const { cart, guest, variants, changed } = outcome.done;
    // The commit was another caller's doing.
    if (changed) noteChange();
    return { cart, guest, variants, notices: [] };
  }

  return {
    addLines(owner, wanted, networks = []) {
      const variantIds = [...new Set(wanted.map((want) => want.variantId))];
      const plan: LineCommand['plan'] = (lines, shelf) => planAdd(lines, wanted, shelf);
      const alone = () =>
        run(async (tx) => {
          const { cart, guest } = await open(tx, owner);
          await commands.change(tx, cart, { variantIds, networks, plan: (shelf) => plan(cart.lines, shelf) });
          return { cartId: cart.id, guest };
        });
      if (owner !== null && 'visitor' in owner) return alone();
      const mostUnits = wanted.reduce((sum, { quantity }) => sum + quantity, 0);
      return submit({ owner, begins: true, variantIds, lineIds: [], mostUnits, plan, networks }, alone);
    },

    async updateLines(shopper, updates, networks = []) {
      const owner = named(shopper);
      const plan: LineCommand['plan'] = (lines, shelf) => planUpdate(lines, updates, shelf);
      const lineIds = updates.map(({ id }) => id);
      const alone = () =>
        run(async (tx) => {
          const cart = await commands.lockLive(tx, owner);
          const lines = cart.lines.filter(({ id }) => lineIds.includes(id));
          const variantIds = [...new Set(lines.map((line) => line.variantId))];
          await commands.change(tx, cart, { variantIds, networks, plan: (shelf) => plan(cart.lines, shelf) });
          return { cartId: cart.id };
        });
      const mostUnits = updates.reduce((sum, { quantity }) => sum + quantity, 0);
      return submit({ owner, begins: false, variantIds: [], lineIds, mostUnits, plan, networks }, alone);
    },
  };
}
