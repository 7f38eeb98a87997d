import pg from 'pg';
import { MigrationError } from './migration-error.ts';
import type { Migration } from './migration-files.ts';
import type { LockRetries } from './migration-locks.ts';
import {
  digest,
  recordBegun,
  recordEnd,
  recordFinished,
  recordSteps,
  type MigrationRecord,
} from './migration-record.ts';
import {
  controlsTransaction,
  lineAt,
  runsAlone,
  splitStatements,
  stopsOthers,
  type ScriptStatement,
} from './migration-script.ts';

const UNDEFINED_OBJECT = '42704';

/**
 * Applies a migration and records it, both in one transaction: a process that is killed leaves all of it or nothing. A
 * script with a statement that PostgreSQL refuses inside a transaction is committed statement by statement instead, each
 * with the record of it, and goes on after the last one when it is applied again.
 * @param locks of the same connection
 * @param begun where statements are committed one by one: the record of an earlier attempt that did not finish, or null
 * @throws MigrationError where PostgreSQL refuses the script; what was not committed is rolled back
 */
export async function applyMigration(
  client: pg.ClientBase,
  locks: LockRetries,
  migration: Migration,
  begun: MigrationRecord | null,
): Promise<void> {
  const statements = splitStatements(migration.sql);
  const control = statements.find(controlsTransaction);
  if (control !== undefined) {
    throw new MigrationError(
      `Migration ${migration.name}, line ${lineAt(migration.sql, control.offset)}: a migration is one transaction ` +
        `together with its record, so the script must not contain ${control.text.split('\n', 1)[0] ?? ''}.`,
    );
  }
  if (statements.some(runsAlone)) return applyStepwise(client, locks, migration, statements, begun);
  await locks.transaction(migration.name, async () => {
    await run(client, migration, migration.sql, 0);
    await recordFinished(client, migration);
  });
}

async function applyStepwise(
  client: pg.ClientBase,
  locks: LockRetries,
  migration: Migration,
  statements: readonly ScriptStatement[],
  begun: MigrationRecord | null,
): Promise<void> {
  const { name, sql } = migration;
  const done = [...(begun?.steps ?? [])];
  const changed = done.findIndex((step, i) => statements[i] === undefined || digest(statements[i]) !== step);
  if (changed !== -1) {
    throw new MigrationError(
      `Migration ${name} was applied in part, and statement ${changed + 1} of its script was changed since. Put the ` +
        `first ${done.length} back as they were; those after them may be changed.`,
    );
  }
  const id = begun?.id ?? (await recordBegun(client, migration));
  for (const statement of statements.slice(done.length)) {
    const again = begun !== null && done.length === (begun.steps?.length ?? 0);
    done.push(digest(statement));
    if (runsAlone(statement)) {
      // Its effect and its record cannot be one transaction: one killed between them finds the effect and goes on.
      if (stopsOthers(statement))
        await locks.alone(name, () => run(client, migration, statement.text, statement.offset));
      else await runConcurrently(client, migration, statement, again);
      await recordSteps(client, id, done);
    } else {
      await locks.transaction(name, async () => {
        await run(client, migration, statement.text, statement.offset);
        await recordSteps(client, id, done);
      });
    }
  }
  await recordEnd(client, { id, sql, steps: done.length });
}

/**
 * Runs a statement that other sessions can read and write beside. It waits for their transactions without a limit, since
 * nobody waits behind it, and one that is cut off leaves an index that is not valid.
 * @param again whether an earlier attempt may have run it, in whole or in part
 */
async function runConcurrently(
  client: pg.ClientBase,
  migration: Migration,
  statement: ScriptStatement,
  again: boolean,
): Promise<void> {
  const { text, offset } = statement;
  await client.query('SET statement_timeout = 0; SET lock_timeout = 0');
  const created = /^create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(.+?)\s+on\s/isu.exec(text);
  if (created?.[1] !== undefined && again) {
    // One that was cut off leaves an index that is there and not valid.
    const { rows } = await client.query<{ valid: boolean }>(
      'SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)',
      [created[1]],
    );
    if (rows[0]?.valid === true) return;
    await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${created[1]}`);
  }
  try {
    await run(client, migration, text, offset);
  } catch (error) {
    const gone = again && /^drop\s/iu.test(text) && codeOf((error as Error).cause) === UNDEFINED_OBJECT;
    if (!gone) throw error;
  }
}

async function run(client: pg.ClientBase, { name, sql }: Migration, text: string, offset: number): Promise<void> {
  try {
    await client.query(text);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    const at = error.position === undefined ? '' : ` at line ${lineAt(sql, offset + Number(error.position) - 1)}`;
    const more = [error.detail, error.hint].filter((line) => line !== undefined).map((line) => `\n  ${line}`);
    throw new MigrationError(`Migration ${name} failed${at}: ${error.message} (${error.code})${more.join('')}`, {
      cause: error,
    });
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
