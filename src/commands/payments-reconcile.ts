import { reconcile } from '../modules/payments/reconciliation.ts';
import { defineCommand, print, runIfMain, UsageError } from './command.ts';
import { withCore } from './with-core.ts';

// `npm run payments:reconcile` compares payments with their providers.

const USAGE = `Usage: npm run --silent payments:reconcile [-- --days N]

Compares payments with what their providers have: all that are open, and those that changed at the provider within the last N days
(default 3). Figures that the shop had missed are written down by this. Can run while the shop is running.

Exit status: 0 if everything agreed, 1 if anything differed, 2 if a provider did not answer.`;

const DAY_MS = 24 * 60 * 60 * 1000;

export const paymentsReconcile = defineCommand({
  usage: USAGE,
  options: { days: { type: 'string', default: '3' } },
  failure: 2,
  async run({ values: { days } }, context) {
    if (!/^\d{1,4}$/.test(days)) throw new UsageError();
    const since = new Date(Date.now() - Number(days) * DAY_MS);
    const { checked, drifts, unavailable } = await withCore(context, ({ db, services: { payments } }) =>
      reconcile({ db, payments }, since, (done) => print(context.stderr, `${done} payments checked`)),
    );
    const say = (line: string) => print(context.stdout, line);
    for (const { provider, reference, paymentId, changes } of drifts) {
      say(`${provider} ${reference} (payment ${paymentId ?? 'unknown'})`);
      for (const { what, ours, theirs } of changes) say(`  ${what}: the shop had ${ours}, the provider has ${theirs}`);
    }
    for (const fault of unavailable) say(`No answer from ${fault}`);
    say(`${checked} payments checked, ${drifts.length} differed.`);
    return unavailable.length > 0 ? 2 : drifts.length > 0 ? 1 : 0;
  },
});

await runIfMain(import.meta.url, paymentsReconcile);
