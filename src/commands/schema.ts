import { readFile, writeFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../graphql/schema.ts';
import { defineCommand, print, runIfMain } from './command.ts';

const USAGE = `Usage: npm run schema [-- --check]

Writes schema.graphql. With --check, only says whether the file matches the code.

Exit status: 0 if it matches or was written, 1 if it does not match.`;

const FILE = new URL('../../schema.graphql', import.meta.url);

export const writeSchema = defineCommand({
  usage: USAGE,
  options: { check: { type: 'boolean', default: false } },
  failure: 1,
  async run({ values: { check } }, { stdout, stderr }) {
    const current = `${printSchema(lexicographicSortSchema(schema))}\n`;
    if (!check) {
      await writeFile(FILE, current);
      print(stdout, 'schema.graphql written.');
      return 0;
    }
    const committed = await readFile(FILE, 'utf8').catch(() => '');
    if (committed === current) {
      print(stdout, 'schema.graphql is up to date.');
      return 0;
    }
    print(stderr, 'schema.graphql does not match the code. Run `npm run schema`, review the difference and commit it.');
    return 1;
  },
});

await runIfMain(import.meta.url, writeSchema);
