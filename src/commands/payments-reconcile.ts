import { parseArgs } from 'node:util';
import { openCore } from '../app.ts';
import { ConfigError, loadConfig } from '../config/config.ts';
import { createLogger } from '../infra/logger.ts';
import { reconcile } from '../modules/payments/reconciliation.ts';

// `npm run payments:reconcile` compares payments with their providers.

const USAGE = `Usage: npm run --silent payments:reconcile [-- --days N]

Compares payments with what their providers have: all that are open, and those that changed at the provider within the last N days
(default 3). Figures that the shop had missed are written down by this. Can run while the shop is running.

Exit status: 0 if everything agreed, 1 if anything differed, 2 if a provider did not answer.`;

/** A mistake of the caller. */
class UsageError extends Error {}

try {
  await main();
} catch (error) {
  const known = error instanceof UsageError || error instanceof ConfigError;
  console.error(known ? error.message : error);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { days, help } = readArguments();
  if (help) {
    console.log(USAGE);
    return;
  }
  const config = loadConfig();
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const core = await openCore(config, logger);
  try {
    const since = new Date(Date.now() - days * 24 * 60 * 60 * 1000);
    const of = { db: core.db, payments: core.services.payments };
    const { checked, drifts, unavailable } = await reconcile(of, since, (done) =>
      console.error(`${done} payments checked`),
    );
    for (const { provider, reference, paymentId, changes } of drifts) {
      console.log(`${provider} ${reference} (payment ${paymentId ?? 'unknown'})`);
      for (const { what, ours, theirs } of changes)
        console.log(`  ${what}: the shop had ${ours}, the provider has ${theirs}`);
    }
    for (const fault of unavailable) console.log(`No answer from ${fault}`);
    console.log(`${checked} payments checked, ${drifts.length} differed.`);
    process.exitCode = unavailable.length > 0 ? 2 : drifts.length > 0 ? 1 : 0;
  } finally {
    await core.dispose();
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: { days: { type: 'string', default: '3' }, help: { type: 'boolean', default: false } },
    });
    if (!/^\d{1,4}$/.test(values.days)) throw new UsageError(USAGE);
    return { days: Number(values.days), help: values.help };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`);
  }
}
