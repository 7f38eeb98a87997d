import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What keeps this process from using a data folder, and what to do about it; null where nothing does. A folder that is not there
 * can be used where it can be made. Changes nothing.
 */
export function dataDirProblem(dataDir: string): string | null {
  let folder = dataDir;
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  if (!statSync(folder).isDirectory()) return `is not a usable folder: ${folder} is a file`;
  const closed = whatIsClosed(folder, folder === dataDir);
  if (closed === null) return null;
  const { uid } = statSync(closed);
  const [ownUid, ownGid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  return [
    `cannot be used: ${closed} belongs to ${uid === 0 ? 'root' : `user ${uid}`}, and this process runs as user ${ownUid}. Either`,
    `    hand it over:             chown -R ${ownUid}:${ownGid} ${folder}`,
    '    run as its owner',
    '    or use another folder:    DATA_DIR=…',
  ].join('\n');
}

/** The first of the folder and (where it is the data folder) its entries that this user may not read and write. */
function whatIsClosed(folder: string, withEntries: boolean): string | null {
  if (!isOpen(folder)) return folder;
  const entries = withEntries ? readdirSync(folder).map((name) => join(folder, name)) : [];
  // One that has gone since was another process's.
  return entries.find((entry) => existsSync(entry) && !isOpen(entry)) ?? null;
}

function isOpen(path: string): boolean {
  const { R_OK, W_OK, X_OK } = constants;
  try {
    accessSync(path, statSync(path).isDirectory() ? R_OK | W_OK | X_OK : R_OK | W_OK);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
