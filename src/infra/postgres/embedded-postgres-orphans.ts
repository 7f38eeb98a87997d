import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { findByTitle, identify, isRunning, pidOf } from '../process-identity.ts';

/** For the sessions of a dead server to end by themselves. */
const WITHIN_MS = 1_000;

/** What the server of a data folder is called in the titles of its processes. */
export function clusterName(clusterDir: string): string {
  return `vitrine-${createHash('sha256').update(realpathSync(clusterDir)).digest('hex').slice(0, 16)}`;
}

/**
 * Ends what a dead server left behind. Sessions end once they see that their server is gone; one that is frozen or stuck never
 * does, and keeps the next server from starting. To be called only where no server runs on the folder.
 */
export async function endOrphans(clusterDir: string): Promise<void> {
  const orphans = findByTitle(`postgres: ${clusterName(clusterDir)}:`)
    .map(identify)
    .filter((identity) => identity !== null);
  const deadline = Date.now() + WITHIN_MS;
  while (orphans.some(isRunning) && Date.now() < deadline) await delay(25);
  for (const orphan of orphans.filter(isRunning)) {
    try {
      process.kill(pidOf(orphan), 'SIGKILL');
    } catch (error) {
      // It may have ended in between.
      if (isRunning(orphan)) throw error;
    }
  }
}
