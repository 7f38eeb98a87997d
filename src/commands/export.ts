import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { openCore } from '../app.ts';
import { ConfigError, loadConfig } from '../config/config.ts';
import { createLogger } from '../infra/logger.ts';
import { EXPORTS } from '../modules/exports/export.service.ts';

// `npm run export` writes products or orders as CSV.

const USAGE = `Usage: npm run --silent export [-- products|orders] [--output FILE.csv]

Writes all products (in the columns of Shopify's product CSV) or all orders (one row for each line) as CSV, to the standard
output or to a file, while the shop is running. Importing the exported products again changes nothing.

Exit status: 0 if the export is complete, 2 if it failed.`;

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
  const { name, output, help } = readArguments();
  if (help) {
    console.log(USAGE);
    return;
  }
  const config = loadConfig();
  const logger = createLogger({ ...config.log, level: config.log.level === 'info' ? 'warn' : config.log.level });
  const core = await openCore(config, logger);
  try {
    const target = output === undefined ? process.stdout : createWriteStream(output);
    await pipeline(Readable.from(core.services.exports.run(name)), target, { end: output !== undefined });
  } finally {
    await core.dispose();
  }
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { output: { type: 'string' }, help: { type: 'boolean', default: false } },
    });
    const [given = 'products', ...rest] = positionals;
    const name = EXPORTS.find((one) => one === given);
    if (name === undefined || rest.length > 0) throw new UsageError(USAGE);
    return { ...values, name };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${(error as Error).message}\n\n${USAGE}`);
  }
}
