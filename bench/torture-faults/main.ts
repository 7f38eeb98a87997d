import { setMaxListeners } from 'node:events';
import type { CommandContext } from '../command.ts';
import { UsageError } from '../options.ts';
import { readOptions, USAGE } from './options.ts';
import { torture } from './run.ts';

/**
 * `npm run torture:faults`. The processes of the shop inherit the environment of this process.
 * @returns the exit code
 */
export async function runTortureFaults(
  args: readonly string[],
  { signal, print, printError }: Pick<CommandContext, 'signal' | 'print' | 'printError'>,
): Promise<number> {
  try {
    const options = readOptions(args);
    if (options === null) {
      print(USAGE);
      return 0;
    }
    print(`${options.faults} faults on each way to run, --seed ${options.seed}`);
    const stop = AbortSignal.any([signal]);
    setMaxListeners(0, stop);
    let lost = false;
    for (const way of options.ways) {
      if (signal.aborted) break;
      lost = ((await torture(way, options, { signal: stop, print })) ?? false) || lost;
    }
    if (signal.aborted) print('\nInterrupted: no verdict.');
    return signal.aborted ? 130 : lost ? 1 : 0;
  } catch (error) {
    const isExpected = error instanceof UsageError;
    printError(isExpected ? error.message : error);
    return isExpected ? 2 : 1;
  }
}
