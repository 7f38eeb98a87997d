import { createCombiner, type BatchResult } from './combiner.ts';
import type { Logger } from './logger.ts';
import { noteChange, watchChanges } from './postgres/change-watch.ts';
import { isContention, isDatabaseAway, OutcomeUnknownError } from './postgres/database-faults.ts';

/** What became of a command in a batch: done, refused, or to be run by itself, since it meets something out of the ordinary. */
export type Outcome<Done, Refused extends Error = Error> = { done: Done } | { refused: Refused } | 'ALONE';

/** Carries out commands of different owners in one transaction. @returns the outcome of each, in their order */
export type Batch<Command, Done> = (commands: readonly Command[]) => Promise<Outcome<Done>[]>;

export interface CommandBatchesOptions<Command, Done> {
  batch: Batch<Command, Done>;
  /** Of commands with the same key, one is carried out at a time. Null: the command has no owner yet. */
  keyOf: (command: Command) => string | null;
  /** Commands that share a transaction at most. More would keep locks for longer than it saves. 1: each command has its own. */
  most: number;
  /** What the commands are, for the log. */
  what: string;
  logger: Pick<Logger, 'warn'>;
}

/** A batch that waits for a lock, or for a slow disk, does not keep the next one waiting. */
const LANES = 2;
/** Longer than most transactions take: callers who arrive meanwhile share one, which costs less than several. */
const APART_MS = 25;
/** As long as a caller waits for a connection. */
const WITHIN_MS = 30_000;

/**
 * Makes the function that carries commands out. Those that arrive while a transaction is under way are decided together in the next one; a
 * command that is by itself begins in the next turn of the event loop. What a batch cannot carry out runs alone, and so does each command of a batch that failed.
 * @returns gives what the batch did for a command, or the answer of `alone`, which carries it out in a transaction of its own. If the batch
 *   changed something for the command, the caller calls `noteChange`, since the commit was made on behalf of many.
 *   @throws the command's refusal; an error of the database if the outcome is not known, or if it is away
 */
export function createCommandBatches<Command, Done, Answer>(
  options: CommandBatchesOptions<Command, Done>,
): (command: Command, alone: () => Promise<Answer>) => Promise<{ done: Done } | { answer: Answer }> {
  const { batch, keyOf, most, what, logger } = options;
  type Settled = Exclude<Outcome<Done>, 'ALONE'> | { answer: Answer };

  const combiner = createCombiner<{ command: Command; alone: () => Promise<Answer> }, Settled>({
    keyOf: ({ command }) => keyOf(command),
    most,
    // Commands that share nothing have no reason to wait for each other. The turnstile of the pool limits them.
    ...(most === 1 ? { lanes: Infinity } : { lanes: LANES, apartMs: APART_MS }),
    withinMs: WITHIN_MS,
    async run(given) {
      // The batch runs in the context of the first caller, whose own command may have changed nothing. So its commit is noted by a watch
      // of its own; the callers whose commands were done note their changes themselves.
      const work = watchChanges().during(() => batch(given.map(({ command }) => command)));
      const outcomes = await work.catch((error: unknown) => {
        // Without the database commands cannot run one by one, either. And what may have been committed must not be repeated.
        if (isDatabaseAway(error) && !isContention(error)) throw error;
        if (!isContention(error))
          logger.warn({ err: error, commands: given.length }, `a batch of ${what} failed; each runs alone`);
        return given.map((): Outcome<Done> => 'ALONE');
      });
      return given.map(({ alone }, index): BatchResult<Settled> => {
        const value = outcomes[index] ?? 'ALONE';
        // The owner's next command waits for one that runs alone, too.
        if (value === 'ALONE') return { status: 'alone', run: async () => ({ answer: await alone() }) };
        return { status: 'fulfilled', value };
      });
    },
  });

  return async (command, alone) => {
    const outcome = await combiner.submit({ command, alone }).catch((error: unknown) => {
      if (error instanceof OutcomeUnknownError) noteChange();
      throw error;
    });
    if ('refused' in outcome) throw outcome.refused;
    return outcome;
  };
}
