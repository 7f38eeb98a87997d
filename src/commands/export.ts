import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXPORTS } from '../modules/exports/export.service.ts';
import { defineCommand, runIfMain, UsageError } from './command.ts';
import { withCore } from './with-core.ts';

// `npm run export` writes products or orders as CSV.

const USAGE = `Usage: npm run --silent export [-- products|orders] [--output FILE.csv]

Writes all products (in the columns of Shopify's product CSV) or all orders (one row for each line) as CSV, to the standard
output or to a file, while the shop is running. Importing the exported products again changes nothing.

Exit status: 0 if the export is complete, 2 if it failed.`;

export const exportCsv = defineCommand({
  usage: USAGE,
  options: { output: { type: 'string' } },
  positionals: [0, 1],
  failure: 2,
  async run({ values: { output }, positionals: [given = 'products'] }, context) {
    const name = EXPORTS.find((one) => one === given);
    if (name === undefined) throw new UsageError();
    await withCore(context, async (core) => {
      const target = output === undefined ? context.stdout : createWriteStream(output);
      await pipeline(Readable.from(core.services.exports.run(name)), target, { end: output !== undefined });
    });
  },
});

await runIfMain(import.meta.url, exportCsv);
