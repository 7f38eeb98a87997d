import { cpSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { MIGRATIONS_DIR } from '../../src/infra/migrations/migration-files.ts';

/** Copies the migrations before the first with this name into a folder of their own. */
export function migrationsBefore(name: string): string {
  const folder = mkdtempSync(join(inject('postgres').runFolder, 'migrations-'));
  const all = readdirSync(MIGRATIONS_DIR).toSorted();
  const first = all.find((entry) => entry.endsWith(`_${name}`));
  if (first === undefined) throw new Error(`There is no migration ${name}.`);
  for (const entry of all.filter((one) => one < first || one === 'migration_lock.toml')) {
    cpSync(join(MIGRATIONS_DIR, entry), join(folder, entry), { recursive: true });
  }
  return folder;
}

/** Writes scripts, by the names of their migrations, into a folder of migrations of their own. */
export function folderOfMigrations(scripts: readonly (readonly [name: string, sql: string])[]): string {
  const folder = mkdtempSync(join(inject('postgres').runFolder, 'migrations-'));
  cpSync(join(MIGRATIONS_DIR, 'migration_lock.toml'), join(folder, 'migration_lock.toml'));
  for (const [name, sql] of scripts) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'migration.sql'), sql);
  }
  return folder;
}
