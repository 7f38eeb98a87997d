import { createHash } from 'node:crypto';
import pg from 'pg';
import { quoteIdentifier } from '../postgres/connection.ts';
import { checksumsOf, type Migration } from './migration-files.ts';
import type { ScriptStatement } from './migration-script.ts';

const UNDEFINED_TABLE = '42P01';

/** In the first schema of the search path, and so before any other shop's. The columns are those of `prisma migrate deploy`. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY NOT NULL,
  checksum varchar(64) NOT NULL,
  finished_at timestamptz,
  migration_name varchar(255) NOT NULL,
  logs text,
  rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(),
  applied_steps_count integer NOT NULL DEFAULT 0
)`;

/** What the database says of one migration. */
export interface MigrationRecord {
  id: string;
  name: string;
  checksum: string;
  finished: boolean;
  /**
   * Digests of the statements that are committed, where the script cannot be one transaction. Null in an unfinished
   * record of Prisma's engine, which writes records and scripts in transactions of their own.
   */
  steps: readonly string[] | null;
}

/**
 * Reads the records in the order in which the migrations were begun. Changes nothing.
 * @param schema where the scripts make their tables; by default the first schema of the connection's search path
 */
export async function readRecords(client: pg.ClientBase, schema?: string): Promise<MigrationRecord[]> {
  try {
    const { rows } = await client.query<Omit<MigrationRecord, 'steps'> & { logs: string | null }>(
      `SELECT id, migration_name AS name, checksum, finished_at IS NOT NULL AS finished, logs
         FROM ${schema === undefined ? await table(client) : tableIn(quoteIdentifier(schema))} WHERE rolled_back_at IS NULL ORDER BY started_at`,
    );
    return rows.map(({ logs, ...record }) => ({ ...record, steps: readSteps(logs) }));
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === UNDEFINED_TABLE) return [];
    throw error;
  }
}

/** Makes the table of the records where there is none. */
export async function createRecordTable(client: pg.ClientBase): Promise<void> {
  // Without IF NOT EXISTS alone, which would send a NOTICE at each start, and takes a table of another schema for ours.
  const { rows } = await client.query<{ made: boolean }>('SELECT to_regclass($1) IS NOT NULL AS made', [
    await table(client),
  ]);
  if (rows[0]?.made !== true) await client.query(CREATE_TABLE);
}

/** Records a migration as applied, in the transaction that applied it. */
export async function recordFinished(client: pg.ClientBase, { name, sql }: Migration): Promise<void> {
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
     VALUES (gen_random_uuid(), $1, $2, clock_timestamp(), 1)`,
    [checksumsOf(sql)[0], name],
  );
}

/** Records that a migration is begun whose statements are committed one by one. Gives the record's id. */
export async function recordBegun(client: pg.ClientBase, { name, sql }: Migration): Promise<string> {
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, logs)
     VALUES (gen_random_uuid(), $1, $2, $3) RETURNING id`,
    [checksumsOf(sql)[0], name, writeSteps([])],
  );
  return rows[0]?.id ?? '';
}

/** Records which statements of a migration are committed. */
export async function recordSteps(client: pg.ClientBase, id: string, steps: readonly string[]): Promise<void> {
  await client.query(`UPDATE _prisma_migrations SET logs = $2, applied_steps_count = $3 WHERE id = $1`, [
    id,
    writeSteps(steps),
    steps.length,
  ]);
}

/** Records that a migration which had been begun is applied. */
export async function recordEnd(
  client: pg.ClientBase,
  { id, sql, steps }: { id: string; sql: string; steps: number },
): Promise<void> {
  await client.query(
    `UPDATE _prisma_migrations
        SET finished_at = clock_timestamp(), checksum = $2, logs = NULL, applied_steps_count = $3 WHERE id = $1`,
    [id, checksumsOf(sql)[0], steps],
  );
}

/** Records that nothing of a migration that had been begun is there. */
export async function recordRolledBack(client: pg.ClientBase, id: string): Promise<void> {
  await client.query(`UPDATE _prisma_migrations SET rolled_back_at = clock_timestamp() WHERE id = $1`, [id]);
}

/** Digest of a statement, by which it is known whether it was changed after it had been committed. */
export function digest({ text }: ScriptStatement): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex').slice(0, 16);
}

/** The table in the schema where the scripts make theirs: another shop's may be further along the search path. */
async function table(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ schema: string | null }>('SELECT quote_ident(current_schema()) AS schema');
  return tableIn(rows[0]?.schema ?? 'public');
}

function tableIn(schema: string): string {
  return `${schema}._prisma_migrations`;
}

const STEPS = 'Committed statements: ';

function writeSteps(steps: readonly string[]): string {
  return `${STEPS}${steps.join(' ')}`;
}

function readSteps(logs: string | null): string[] | null {
  if (logs?.startsWith(STEPS) !== true) return null;
  return logs.slice(STEPS.length).split(' ').filter(Boolean);
}
