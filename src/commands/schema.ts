import { readFile, writeFile } from 'node:fs/promises';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../graphql/schema.ts';

// `npm run schema` writes schema.graphql; with `-- --check` it only says whether the committed one is current.

const FILE = new URL('../../schema.graphql', import.meta.url);
const current = `${printSchema(lexicographicSortSchema(schema))}\n`;

if (process.argv.includes('--check')) {
  const committed = await readFile(FILE, 'utf8').catch(() => '');
  if (committed !== current) {
    console.error('schema.graphql does not match the code. Run `npm run schema`, review the difference and commit it.');
    process.exit(1);
  }
  console.log('schema.graphql is up to date.');
} else {
  await writeFile(FILE, current);
  console.log('schema.graphql written.');
}
