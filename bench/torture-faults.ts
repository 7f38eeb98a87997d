import { setMaxListeners } from 'node:events';
import { UsageError } from './options.ts';
import { readOptions, USAGE } from './torture-faults/options.ts';
import { torture } from './torture-faults/run.ts';

// `npm run torture:faults` kills, freezes and cuts off the parts of a shop under load. See README.md.

const stop = new AbortController();
setMaxListeners(0, stop.signal);
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) console.log(USAGE);
  else {
    console.log(`${options.faults} faults on each way to run, --seed ${options.seed}`);
    let lost = false;
    for (const way of options.ways) {
      if (stop.signal.aborted) break;
      lost = ((await torture(way, options, stop.signal)) ?? false) || lost;
    }
    if (stop.signal.aborted) console.log('\nInterrupted: no verdict.');
    process.exitCode = stop.signal.aborted ? 130 : lost ? 1 : 0;
  }
} catch (error) {
  const isExpected = error instanceof UsageError;
  console.error(isExpected ? error.message : error);
  process.exitCode = isExpected ? 2 : 1;
}
