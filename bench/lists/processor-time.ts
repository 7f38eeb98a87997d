import { readFileSync } from 'node:fs';
import type pg from 'pg';

/** Nanoseconds for which each backend has run, by process ID. */
type Backends = Map<number, number>;

/**
 * Measures the processor time of this process, and of the backends of the client's database but for the client's own: what work takes
 * however busy the machine is. Parallel workers are not counted. Null where the system does not report it (without /proc).
 */
export function processorClock(client: pg.Client): (work: () => Promise<unknown>) => Promise<number | null> {
  async function readBackends(): Promise<Backends | null> {
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    try {
      return new Map(
        rows.map(({ pid }) => [pid, Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0])] as const),
      );
    } catch {
      return null;
    }
  }

  return async (work) => {
    const before = await readBackends();
    const began = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(began);
    const after = await readBackends();
    if (before === null || after === null) return null;
    let ns = 0;
    for (const [pid, ran] of after) ns += ran - (before.get(pid) ?? 0);
    return (user + system) / 1e3 + ns / 1e6;
  };
}
