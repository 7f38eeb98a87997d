// Removes what builds that were killed have left in dist. Plain JavaScript, like the scripts that use it.

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const dist = join(import.meta.dirname, '../dist');
/** No build takes as long. */
const HOUR_MS = 3600 * 1000;

/**
 * Removes folders of dist that no build uses any more.
 * @param {string} prefix how their names begin
 */
export async function removeLeftovers(prefix) {
  const names = await readdir(dist).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const path = join(dist, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > HOUR_MS) await rm(path, { recursive: true, force: true });
  }
}
