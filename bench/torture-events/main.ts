import { setMaxListeners } from 'node:events';
import { ConfigError, loadConfig, type Config } from '../../src/config/config.ts';
import type { Command, CommandContext } from '../command.ts';
import { UsageError } from '../options.ts';
import { ShopNotReachable } from '../torture/shop.ts';
import { act } from './act.ts';
import { startNodes, type Nodes } from './nodes.ts';
import { readOptions, USAGE, type Options } from './options.ts';
import { fillShelf, type Logged, type Shelf } from './shelf.ts';
import { subscribe } from './subscribers.ts';
import { judge } from './verdict.ts';
import { write } from './writers.ts';

/** `npm run torture:events`. */
export const runTortureEvents: Command = async (args, context) => {
  const { env, print, printError } = context;
  try {
    const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = env;
    const config = readConfig(env);
    const options = readOptions(args, {
      url: `http://localhost:${config.http.port || 4000}`,
      admin: email === undefined || password === undefined ? null : { email, password },
    });
    if (options === null) {
      print(USAGE);
      return 0;
    }
    return await (options.spawn
      ? onNodesOfItsOwn(options, config, context)
      : onShop({ options, config, nodes: null }, context));
  } catch (error) {
    const isExpected = error instanceof UsageError || error instanceof ShopNotReachable || error instanceof ConfigError;
    printError(isExpected ? error.message : error);
    return isExpected ? 2 : 1;
  }
};

/** The run signs nothing, so the configuration gets a placeholder instead of a secret that would be created. */
function readConfig(env: NodeJS.ProcessEnv): Config {
  return loadConfig({ JWT_SECRET: 'the torture run signs nothing at all', ...env });
}

async function onNodesOfItsOwn(options: Options, { database }: Config, context: CommandContext): Promise<number> {
  const { env, print } = context;
  print('\nTwo API nodes and a worker are started.');
  const databaseUrl = database.kind === 'url' ? database.url : null;
  const nodes = await startNodes({ databaseUrl, admin: options.admin, env });
  try {
    if (nodes.redis === null) print('There is no redis-server here: they run without one, and none is killed.');
    else print('They have a Redis, which is killed in the middle, too.');
    const config = readConfig({ ...env, DATABASE_URL: nodes.databaseUrl });
    return await onShop({ options: { ...options, urls: nodes.urls, admin: nodes.admin }, config, nodes }, context);
  } finally {
    await nodes.dispose();
  }
}

interface Run {
  options: Options;
  config: Config;
  /** Null if the nodes are not the run's own. */
  nodes: Nodes | null;
}

/** @returns the exit code */
async function onShop(run: Run, context: CommandContext): Promise<number> {
  const shelf = await fillShelf(run.options.urls, run.config);
  try {
    return await torture(shelf, run, context);
  } finally {
    await shelf.close();
  }
}

async function torture(
  shelf: Shelf,
  { options, nodes }: Run,
  { signal: interrupt, print }: CommandContext,
): Promise<number> {
  const { urls, subscribers: count, writers, seconds } = options;
  const staff = options.admin === null ? 'guests alone' : 'staff and guests';
  print(`\n${count} subscribers and ${writers} writers (${staff}) for ${seconds} s at ${urls.join(', ')}\n`);
  const subscribers = subscribe(shelf, urls, count);
  const enough = new AbortController();
  try {
    const signal = AbortSignal.any([interrupt, enough.signal]);
    setMaxListeners(0, signal);
    const writing = write(shelf, options, signal).finally(() => enough.abort());
    const acting = act({ subscribers, seconds, nodes, signal, print }).finally(() => enough.abort());
    // A failure of either ends the run. Both have ended before anything that they use is closed.
    await Promise.allSettled([acting, writing]);
    const [acts, written] = await Promise.all([acting, writing]);
    if (interrupt.aborted) {
      print('\nInterrupted: no verdict.');
      return 130;
    }
    const log = await shelf.readLog();
    await subscribers.finish((variantIds) => lastOf(log, variantIds));
    print(
      `  writes   ${written.answered} answered, ${written.unanswered} without an answer, ${Math.round(written.answered / seconds)} a second`,
    );
    const { followed, drops } = subscribers;
    const faults = [...written.faults, ...subscribers.faults];
    const { checks, line, exitCode } = judge({ seconds, log, followed, drops, faults, ...acts });
    for (const { name, passed, detail } of checks) print(`  ${passed ? '✓' : '✗'} ${name}: ${detail}`);
    print(`\n${line}\n`);
    return exitCode;
  } finally {
    enough.abort();
    await subscribers.close();
  }
}

function lastOf(log: readonly Logged[], variantIds: ReadonlySet<string>): number {
  return log.findLast(({ variantId }) => variantIds.has(variantId))?.seq ?? 0;
}
