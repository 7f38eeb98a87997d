import type { Writable } from 'node:stream';
import cliProgress from 'cli-progress';
import { ConfigError, loadConfig } from '../../src/config/config.ts';
import type { Command, CommandContext } from '../command.ts';
import { UsageError, type Credentials } from '../options.ts';
import { sendBuyers, type Outcome } from './buyers.ts';
import { collectFacts } from './facts.ts';
import { readOptions, USAGE, type Options } from './options.ts';
import { createReport } from './report.ts';
import { NO_RESTOCKING, openRestocking } from './restock.ts';
import { openShop, ShopNotReachable, type TortureShop } from './shop.ts';
import { judge } from './verdict.ts';
import { watchStock } from './watch.ts';

/** `npm run torture`. */
export const runTorture: Command = async (args, context) => {
  const { env, print, printError } = context;
  try {
    // The run signs nothing, so the configuration gets a placeholder instead of a secret that would be created.
    const config = loadConfig({ JWT_SECRET: 'the torture run signs nothing at all', ...env });
    const options = readOptions(args, {
      url: `http://localhost:${config.http.port || 4000}`,
      admin: adminOf(env),
    });
    if (options === null) {
      print(USAGE);
      return 0;
    }
    const shop = await openShop(options, config);
    try {
      return await torture(shop, options, context);
    } finally {
      await shop.close();
    }
  } catch (error) {
    const isExpected = error instanceof UsageError || error instanceof ShopNotReachable || error instanceof ConfigError;
    printError(isExpected ? error.message : error);
    return isExpected ? 2 : 1;
  }
};

/** Restocks if no member of staff is named: the ADMIN of the environment; null if it names none. */
function adminOf({ ADMIN_EMAIL: email, ADMIN_PASSWORD: password }: NodeJS.ProcessEnv): Credentials | null {
  return email === undefined || password === undefined ? null : { email, password };
}

/** @returns the exit code */
async function torture(
  shop: TortureShop,
  options: Options,
  { signal, print, progress }: CommandContext,
): Promise<number> {
  const { buyers, stock, concurrency, url, restock, admin } = options;
  print(`\n${buyers} buyers, ${concurrency} at a time, want ${stock} units of ${shop.sku} at ${url}\n`);
  if (restock > 0 && admin === null) {
    print('Nothing is restocked: nobody of the staff is named (--admin-email, --admin-password).\n');
  }
  const restocking = restock > 0 && admin !== null ? await openRestocking(shop, options, admin) : NO_RESTOCKING;
  const watch = await watchStock(shop, url, stock);
  try {
    const bar = createBar(progress);
    let sold = 0;
    bar.start(buyers, 0, { sold });
    const began = performance.now();
    const crowd = await sendBuyers(shop, options, signal, (outcome: Outcome) => {
      sold += outcome.bought;
      bar.increment({ sold });
      restocking.onLeave();
    }).finally(() => bar.stop());
    const seconds = (performance.now() - began) / 1000;
    if (signal.aborted) {
      print('\nInterrupted: no verdict.');
      return 130;
    }
    const restocked = await restocking.finish();
    const facts = await collectFacts({ shop, options, crowd, restocked, watch });
    const verdict = judge(facts);
    print(createReport({ facts, verdict, crowd, seconds }));
    return verdict.exitCode;
  } finally {
    await restocking.close();
    await watch.close();
  }
}

function createBar(stream: Writable): cliProgress.SingleBar {
  return new cliProgress.SingleBar({
    stream,
    format: ' {bar} {percentage} % | {value} of {total} buyers | {sold} units sold | {duration_formatted}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 1000,
    gracefulExit: false,
  });
}
