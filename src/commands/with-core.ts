import { openCore, type Core } from '../app.ts';
import { configure, type CommandContext } from './command.ts';

/**
 * Runs work with database, log and services, as the shop has them, and closes them.
 * @throws what the configuration, the start of the database or the work throws
 */
export async function withCore<Result>(
  context: CommandContext,
  work: (core: Core) => Promise<Result>,
): Promise<Result> {
  const { config, logger } = configure(context);
  const core = await openCore(config, logger);
  try {
    const result = await work(core);
    // Other processes may not be running: the events get their numbers before this one ends.
    await core.relay.flush();
    return result;
  } finally {
    await core.dispose();
  }
}
