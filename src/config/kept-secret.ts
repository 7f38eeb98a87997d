import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Gives the secret that is kept in the data folder under this name, and makes it (readable by the owner alone) where there is
 * none. Two processes that start together get the same one.
 * @param bytes how many random ones it is made of, should it be made
 */
export function keptSecret(dataDir: string, name: string, bytes = 48): string {
  const file = join(dataDir, name);
  const kept = read(file);
  if (kept !== null) return kept;
  mkdirSync(dataDir, { recursive: true });
  // Written to a temporary file and linked into place: readers see the complete file or none, and the first writer wins.
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, randomBytes(bytes).toString('base64url'), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readFileSync(file, 'utf8').trim();
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
