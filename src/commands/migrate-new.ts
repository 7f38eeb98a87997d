import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeMigration } from '../infra/migrations/migration-diff.ts';
import { defineCommand, print, runIfMain } from './command.ts';

const USAGE = `Usage: npm run migrate:new -- NAME [--empty]

Writes a migration from what has changed in prisma/schema.prisma; with --empty, one without a statement.`;

export const migrateNew = defineCommand({
  usage: USAGE,
  options: { empty: { type: 'boolean', default: false } },
  positionals: [1, 1],
  failure: 1,
  isExplained: () => true,
  async run({ values, positionals: [name = ''] }, { stdout }) {
    const prismaDir = fileURLToPath(new URL('../../prisma', import.meta.url));
    const script = await writeMigration({ prismaDir, name, empty: values.empty, now: new Date() });
    print(
      stdout,
      script === null
        ? 'The schema has not changed since the last migration. To write an empty migration, add --empty.'
        : `Wrote ${relative(process.cwd(), script)}. Review it, add what Prisma cannot express, then run: npm run migrate`,
    );
  },
});

await runIfMain(import.meta.url, migrateNew);
