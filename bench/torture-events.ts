import { setMaxListeners } from 'node:events';
import { ConfigError, loadConfig, type Config } from '../src/config/config.ts';
import { act } from './torture-events/act.ts';
import { startNodes, type Nodes } from './torture-events/nodes.ts';
import { UsageError } from './options.ts';
import { readOptions, USAGE, type Options } from './torture-events/options.ts';
import { fillShelf, type Logged, type Shelf } from './torture-events/shelf.ts';
import { subscribe } from './torture-events/subscribers.ts';
import { judge } from './torture-events/verdict.ts';
import { write } from './torture-events/writers.ts';
import { ShopNotReachable } from './torture/shop.ts';

// `npm run torture:events` drops subscribers at random places and looks whether any of them missed an event. See README.md.

const stop = new AbortController();
setMaxListeners(0, stop.signal);
process.once('SIGINT', () => stop.abort());

try {
  const { ADMIN_EMAIL: email, ADMIN_PASSWORD: password } = process.env;
  const config = readConfig(process.env);
  const options = readOptions(process.argv.slice(2), {
    url: `http://localhost:${config.http.port || 4000}`,
    admin: email === undefined || password === undefined ? null : { email, password },
  });
  if (options === null) console.log(USAGE);
  else process.exitCode = await (options.spawn ? onNodesOfItsOwn(options, config) : onShop(options, config, null));
} catch (error) {
  const isExpected = error instanceof UsageError || error instanceof ShopNotReachable || error instanceof ConfigError;
  console.error(isExpected ? error.message : error);
  process.exitCode = isExpected ? 2 : 1;
}

/** It signs nothing: without a secret of the shop's none is to be made for it. */
function readConfig(env: NodeJS.ProcessEnv): Config {
  return loadConfig({ JWT_SECRET: 'the torture run signs nothing at all', ...env });
}

async function onNodesOfItsOwn(options: Options, { database }: Config): Promise<number> {
  console.log('\nTwo API nodes and a worker are started.');
  const databaseUrl = database.kind === 'url' ? database.url : null;
  const nodes = await startNodes({ databaseUrl, admin: options.admin });
  try {
    if (nodes.redis === null) console.log('There is no redis-server here: they run without one, and none is killed.');
    else console.log('They have a Redis, which is killed in the middle, too.');
    const config = readConfig({ ...process.env, DATABASE_URL: nodes.databaseUrl });
    return await onShop({ ...options, urls: nodes.urls, admin: nodes.admin }, config, nodes);
  } finally {
    await nodes.dispose();
  }
}

/** @returns the exit code */
async function onShop(options: Options, config: Config, nodes: Nodes | null): Promise<number> {
  const shelf = await fillShelf(options.urls, config);
  try {
    return await torture(shelf, options, nodes);
  } finally {
    await shelf.close();
  }
}

async function torture(shelf: Shelf, options: Options, nodes: Nodes | null): Promise<number> {
  const { urls, subscribers: count, writers, seconds } = options;
  const staff = options.admin === null ? 'guests alone' : 'staff and guests';
  console.log(`\n${count} subscribers and ${writers} writers (${staff}) for ${seconds} s at ${urls.join(', ')}\n`);
  const subscribers = subscribe(shelf, urls, count);
  const enough = new AbortController();
  try {
    const signal = AbortSignal.any([stop.signal, enough.signal]);
    setMaxListeners(0, signal);
    const writing = write(shelf, options, signal).finally(() => enough.abort());
    const acting = act(subscribers, seconds, nodes, signal).finally(() => enough.abort());
    // Who cannot write ends the run at once.
    const [acts, written] = await Promise.all([acting, writing]);
    if (stop.signal.aborted) {
      console.log('\nInterrupted: no verdict.');
      return 130;
    }
    const log = await shelf.readLog();
    await subscribers.finish((variantIds) => lastOf(log, variantIds));
    console.log(
      `  writes   ${written.answered} answered, ${written.unanswered} without an answer, ${Math.round(written.answered / seconds)} a second`,
    );
    const { followed, drops } = subscribers;
    const faults = [...written.faults, ...subscribers.faults];
    const { checks, line, exitCode } = judge({ seconds, log, followed, drops, faults, ...acts });
    for (const { name, passed, detail } of checks) console.log(`  ${passed ? '✓' : '✗'} ${name}: ${detail}`);
    console.log(`\n${line}\n`);
    return exitCode;
  } finally {
    enough.abort();
    await subscribers.close();
  }
}

function lastOf(log: readonly Logged[], variantIds: ReadonlySet<string>): number {
  return log.findLast(({ variantId }) => variantIds.has(variantId))?.seq ?? 0;
}
