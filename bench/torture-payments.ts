import { setMaxListeners } from 'node:events';
import { readOptions, USAGE, UsageError } from './torture-payments/options.ts';
import { torture } from './torture-payments/run.ts';

// `npm run torture:payments` kills the parts of a shop while people pay. See README.md.

const stop = new AbortController();
setMaxListeners(0, stop.signal);
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) console.log(USAGE);
  else {
    const { shoppers, units, kills, seed } = options;
    console.log(`${shoppers} shoppers, ${units} units, ${kills} kills, --seed ${seed}`);
    const passed = await torture(options, stop.signal);
    if (passed === null) console.log('\nInterrupted: no verdict.');
    process.exitCode = passed === null ? 130 : passed ? 0 : 1;
  }
} catch (error) {
  const isExpected = error instanceof UsageError;
  console.error(isExpected ? error.message : error);
  process.exitCode = isExpected ? 2 : 1;
}
