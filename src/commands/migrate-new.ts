import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeMigration } from '../infra/migrations/migration-diff.ts';

const USAGE = 'Usage: npm run migrate:new -- NAME [--empty]';

// npm run migrate:new -- NAME: writes a migration from what has changed in prisma/schema.prisma.
try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { empty: { type: 'boolean', default: false } },
  });
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0) throw new Error(USAGE);
  const prismaDir = fileURLToPath(new URL('../../prisma', import.meta.url));
  const script = await writeMigration({ prismaDir, name, empty: values.empty, now: new Date() });
  console.log(
    script === null
      ? 'The schema has not changed since the last migration. To write an empty migration, add --empty.'
      : `Wrote ${relative(process.cwd(), script)}. Review it, add what Prisma cannot express, then run: npm run migrate`,
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
