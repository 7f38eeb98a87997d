import { readBlocks, surveyFile } from '../../src/modules/imports/shopify-csv.ts';

// A process that reads the product CSV of its argument as an import does, and prints how many rows it found, twice over.
const [path = ''] = process.argv.slice(2);
const { columns, rows, parting } = await surveyFile(path);
let count = 0;
for await (const block of readBlocks(path, columns, parting)) count += block.rows.length;
process.stdout.write(`${rows} ${count}\n`);
