import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifySelf, isRunning } from '../process-identity.ts';

/**
 * The processes that use the server of a data folder: one file each, named by pid, with what distinguishes that process from a
 * later one with the same pid. Only the holder of the folder's lock may touch them.
 */
export function clientsOf(dataDir: string) {
  const folder = join(dataDir, 'postgres-clients');
  return {
    /** Enters this process, once more each time; gives the entry's name. */
    enter(): string {
      mkdirSync(folder, { recursive: true });
      const name = `${process.pid}-${randomBytes(4).toString('hex')}`;
      writeFileSync(join(folder, name), identifySelf());
      return name;
    },

    leave(name: string): void {
      rmSync(join(folder, name), { force: true });
    },

    /** Whether any process that still runs is entered. Forgets those that do not. */
    anyLeft(): boolean {
      mkdirSync(folder, { recursive: true });
      const entries = readdirSync(folder).map((name) => join(folder, name));
      const dead = entries.filter((entry) => !isRunning(readFileSync(entry, 'utf8')));
      for (const entry of dead) rmSync(entry, { force: true });
      return entries.length > dead.length;
    },
  };
}
