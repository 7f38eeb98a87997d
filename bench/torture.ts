import { setMaxListeners } from 'node:events';
import cliProgress from 'cli-progress';
import { ConfigError, loadConfig } from '../src/config/config.ts';
import { sendBuyers, type Outcome } from './torture/buyers.ts';
import { collectFacts } from './torture/facts.ts';
import { UsageError, type Credentials } from './options.ts';
import { readOptions, USAGE, type Options } from './torture/options.ts';
import { NO_RESTOCKING, openRestocking } from './torture/restock.ts';
import { createReport } from './torture/report.ts';
import { openShop, ShopNotReachable, type TortureShop } from './torture/shop.ts';
import { judge } from './torture/verdict.ts';
import { watchStock } from './torture/watch.ts';

// `npm run torture` lets a crowd loose on a running shop and then looks whether a unit was sold twice. See README.md.

const stop = new AbortController();
setMaxListeners(0, stop.signal);
process.once('SIGINT', () => stop.abort());

try {
  // It signs nothing: without a secret of the shop's none is to be made for it.
  const config = loadConfig({ JWT_SECRET: 'the torture run signs nothing at all', ...process.env });
  const options = readOptions(process.argv.slice(2), {
    url: `http://localhost:${config.http.port || 4000}`,
    admin: adminOf(process.env),
  });
  if (options === null) {
    console.log(USAGE);
  } else {
    const shop = await openShop(options, config);
    try {
      process.exitCode = await torture(shop, options);
    } finally {
      await shop.close();
    }
  }
} catch (error) {
  const isExpected = error instanceof UsageError || error instanceof ShopNotReachable || error instanceof ConfigError;
  console.error(isExpected ? error.message : error);
  process.exitCode = isExpected ? 2 : 1;
}

/** Who restocks where nobody is named: the shop's own ADMIN. */
function adminOf({ ADMIN_EMAIL: email, ADMIN_PASSWORD: password }: NodeJS.ProcessEnv): Credentials | null {
  return email === undefined || password === undefined ? null : { email, password };
}

/** @returns the exit code */
async function torture(shop: TortureShop, options: Options): Promise<number> {
  const { buyers, stock, concurrency, url, restock, admin } = options;
  console.log(`\n${buyers} buyers, ${concurrency} at a time, want ${stock} units of ${shop.sku} at ${url}\n`);
  if (restock > 0 && admin === null) {
    console.log('Nothing is restocked: nobody of the staff is named (--admin-email, --admin-password).\n');
  }
  const restocking = restock > 0 && admin !== null ? await openRestocking(shop, options, admin) : NO_RESTOCKING;
  const watch = await watchStock(shop, url, stock);
  try {
    const bar = new cliProgress.SingleBar({
      format: ' {bar} {percentage} % | {value} of {total} buyers | {sold} units sold | {duration_formatted}',
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      noTTYOutput: true,
      notTTYSchedule: 1000,
      gracefulExit: false,
    });
    let sold = 0;
    bar.start(buyers, 0, { sold });
    const began = performance.now();
    const crowd = await sendBuyers(shop, options, stop.signal, (outcome: Outcome) => {
      sold += outcome.bought;
      bar.increment({ sold });
      restocking.onLeave();
    }).finally(() => bar.stop());
    const seconds = (performance.now() - began) / 1000;
    if (stop.signal.aborted) {
      console.log('\nInterrupted: no verdict.');
      return 130;
    }
    const restocked = await restocking.finish();
    const facts = await collectFacts({ shop, options, crowd, restocked, watch });
    const verdict = judge(facts);
    console.log(createReport({ facts, verdict, crowd, seconds }));
    return verdict.exitCode;
  } finally {
    await watch.close();
  }
}
