import type { Database } from './database.ts';

/**
 * Takes space as a new row does: on a full disk the space is refused, and on a replica the table. It leaves nothing behind,
 * and waits for no lock of the shop's rows.
 */
const WRITE = {
  name: 'write_probe',
  text: `DO $$ BEGIN
           CREATE TEMP TABLE vitrine_write_probe ON COMMIT DROP AS SELECT g, md5(g::text) AS filler FROM generate_series(1, 400) g;
         END $$`,
};
const EVERY_MS = 15_000;
/** While writes are refused. */
const AGAIN_MS = 1_000;
/** Readiness is answered without the look where the look takes longer. */
const WAIT_MS = 700;

/** Classes of SQLSTATE with which a server that is there refuses to write. */
const REFUSED = /^(25006|53[12]|54|55000|58|XX)/;

/**
 * Looks now and then whether the database takes changes: every 15 seconds, and at once after a change of the shop was
 * refused. The function rejects, with what the database said, as long as it refuses them.
 */
export function createWriteProbe(
  db: Pick<Database, 'query' | 'refusedWrites'>,
  { everyMs = EVERY_MS, againMs = AGAIN_MS }: { everyMs?: number; againMs?: number } = {},
): () => Promise<void> {
  let lookedAt = -Infinity;
  let refusals = 0;
  let refused: unknown = null;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    refusals = db.refusedWrites();
    try {
      await db.query(WRITE);
      refused = null;
    } catch (error) {
      const { code } = error as { code?: unknown };
      // Whether the database is there at all, another probe asks; and a role may lack the right to temporary tables.
      refused = typeof code === 'string' && REFUSED.test(code) ? error : null;
    } finally {
      lookedAt = performance.now();
      looking = undefined;
    }
  }

  return async () => {
    const due = refused === null ? everyMs : againMs;
    if (performance.now() - lookedAt >= due || db.refusedWrites() !== refusals) looking ??= look();
    if (looking !== undefined) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, WAIT_MS)));
      await Promise.race([looking, late]);
      clearTimeout(timer);
    }
    if (refused !== null) throw refused as Error;
  };
}

/** What the shop cannot work without: a database that answers, and that takes changes. */
export function createDatabaseProbes(db: Pick<Database, 'query' | 'refusedWrites'>) {
  return { database: () => db.query({ name: 'health', text: 'SELECT 1' }), writes: createWriteProbe(db) };
}
