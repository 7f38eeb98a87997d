import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { identifySelf, isRunning, pidOf } from './process-identity.ts';

const POLL_MS = 25;
/** How long a lock file may stay incomplete before its writer is considered dead. */
const UNFINISHED_MS = 5_000;

/**
 * Waits for the lock that a file stands for and takes it; gives the function that lets it go. The file names the process
 * that holds the lock, so that one which died holding it stands in nobody's way.
 */
export async function acquireFileLock(file: string, timeoutMs: number): Promise<() => void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      writeFileSync(file, identifySelf(), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    if (removeIfStale(file)) continue;
    if (Date.now() > deadline) {
      throw new Error(
        `Process ${pidOf(read(file) ?? '')} has held the lock ${file} for more than ${timeoutMs / 1000} s.`,
      );
    }
    await delay(POLL_MS);
  }
}

/** Removes the lock of a process that is gone. True where it is worth trying again at once. */
function removeIfStale(file: string): boolean {
  const holder = read(file);
  if (holder === null) return true;
  if (holder === '' ? !isOlderThan(file, UNFINISHED_MS) : isRunning(holder)) return false;
  // Of several that find it stale only one may remove it, and only while it is still the one that was looked at: another
  // may have removed it and taken the lock in between. A hard link can be made once, and shows what it was made from.
  const claim = `${file}.stale`;
  try {
    linkSync(file, claim);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (!hasCode(error, 'EEXIST')) throw error;
    if (isOlderThan(claim, UNFINISHED_MS)) rmSync(claim, { force: true });
    return false;
  }
  try {
    if (read(claim) === holder) rmSync(file, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
  return true;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function isOlderThan(file: string, ms: number): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats !== undefined && stats.ctimeMs < Date.now() - ms;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
