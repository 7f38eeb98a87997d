import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the shop's own migrations are. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** One folder of `prisma/migrations`. */
export interface Migration {
  name: string;
  sql: string;
}

const SCRIPT = 'migration.sql';

/** Reads the migrations in the order in which they are applied, the order of their names. */
export function readMigrations(migrationsDir: string): Migration[] {
  return readdirSync(migrationsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, sql: readFileSync(join(migrationsDir, name, SCRIPT), 'utf8') }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The checksums under which Prisma may have noted a script: it notes the SHA-256 of the file, and takes no offence at
 * line ends that a checkout has changed.
 */
export function checksumsOf(sql: string): string[] {
  const unix = sql.replaceAll('\r\n', '\n');
  return [sql, unix, unix.replaceAll('\n', '\r\n')].map((text) => createHash('sha256').update(text).digest('hex'));
}
