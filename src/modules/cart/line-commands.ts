import { createCombiner, type BatchResult } from '../../infra/combiner.ts';
import { noteChange } from '../../infra/postgres/change-watch.ts';
import { isContention, isDatabaseAway, OutcomeUnknownError } from '../../infra/postgres/database-faults.ts';
import type { Transaction } from '../../infra/postgres/database.ts';
import type { Logger } from '../../infra/logger.ts';
import type { CartCommands } from './cart.commands.ts';
import type { Batch } from './cart-batch.ts';
import type { LineCommand, Outcome } from './cart-workbench.ts';
import type { CartOwner } from './cart-owner.ts';
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

interface Submitted {
  command: LineCommand;
  /** Carries the command out in a transaction of its own. */
  alone: () => Promise<CartResult>;
}

type Settled = Exclude<Outcome, 'ALONE'> | { answer: CartResult };

/** What one transaction takes at most. More would keep variants locked for longer than it saves. */
const MOST = 64;
/** While one batch waits for the disk, the next one is decided. */
const LANES = 2;
/** As long as a caller waits for a connection. */
const WITHIN_MS = 30_000;

/**
 * Makes the commands on lines. Those that arrive while a transaction is under way are decided together in the next one; a command that
 * is by itself begins at once. What a batch cannot carry out runs alone, and so does each command of a batch that failed.
 */
export function createLineCommands(deps: LineCommandDependencies): LineCommands {
  const { batch, run, open, commands, named, logger } = deps;

  const combiner = createCombiner<Submitted, Settled>({
    keyOf: ({ command: { owner } }) => (owner === null ? null : 'userId' in owner ? owner.userId : owner.guestId),
    most: MOST,
    lanes: LANES,
    withinMs: WITHIN_MS,
    async run(given) {
      const outcomes = await batch(given.map(({ command }) => command)).catch((error: unknown) => {
        // Without the database nobody gets any further alone. And what may have been committed must not be done again.
        if (isDatabaseAway(error) && !isContention(error)) throw error;
        if (!isContention(error))
          logger.warn({ err: error, commands: given.length }, 'a batch of commands on carts failed; each runs alone');
        return given.map((): Outcome => 'ALONE');
      });
      return given.map(({ alone }, index): BatchResult<Settled> => {
        const value = outcomes[index] ?? 'ALONE';
        // The owner's next command waits for one that runs alone, too.
        if (value === 'ALONE') return { status: 'alone', run: async () => ({ answer: await alone() }) };
        return { status: 'fulfilled', value };
      });
    },
  });

  async function submit(command: LineCommand, alone: () => Promise<CartResult>): Promise<CartResult> {
    const outcome = await combiner.submit({ command, alone }).catch((error: unknown) => {
      if (error instanceof OutcomeUnknownError) noteChange();
      throw error;
    });
    if ('answer' in outcome) return outcome.answer;
    if ('refused' in outcome) throw outcome.refused;
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
