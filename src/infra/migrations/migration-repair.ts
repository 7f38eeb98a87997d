import pg from 'pg';
import { MigrationError } from './migration-error.ts';
import type { Migration } from './migration-files.ts';
import { isForLock, type LockRetries } from './migration-locks.ts';
import { lineAt, splitStatements, type ScriptStatement } from './migration-script.ts';

/** What PostgreSQL says of a statement whose effect is there already. */
const ALREADY = new Set([
  '42P07', // duplicate_table, also of indexes and sequences
  '42710', // duplicate_object: types, constraints, triggers, extensions
  '42701', // duplicate_column
  '42723', // duplicate_function
  '42P06', // duplicate_schema
  '42P16', // invalid_table_definition: a second primary key
  '23505', // unique_violation: a row that the script adds
]);
const GONE = new Set(['42P01', '42703', '42704', '42883']);
/** Statements that succeed whether or not they ran before. */
const REPEATABLE = /^\w+\s+or\s+replace\b|\bif\s+(not\s+)?exists\b/iu;
const MAKES = /^(create|drop)\b|^alter\s+table\b.*\badd\s+(column|constraint)\b/isu;
const DROPPED = /\bdrop\s+\w+\s+(?:if\s+exists\s+)?("[^"]+"|\w+)/giu;

/**
 * Finds out how far a migration got that is recorded as begun but not as finished. Earlier versions of the shop left such records when
 * they were killed: they sent the script as one transaction and recorded its end in another. Each statement is tried, and everything is
 * rolled back.
 * @returns whether nothing or all of it is there
 * @throws MigrationError if a part is there and a part is not, which is only possible after changes by hand
 */
export async function findHowFar(
  client: pg.ClientBase,
  locks: LockRetries,
  { name, sql }: Migration,
): Promise<'nothing' | 'all'> {
  let there: ScriptStatement[] = [];
  let missing: ScriptStatement[] = [];
  const over = new Error('rolled back');
  const statements = splitStatements(sql);
  // What a script drops and creates again can be dropped and created once more, so its success proves nothing.
  const replaced = statements
    .flatMap(({ text }) => [...text.matchAll(DROPPED)].map((found) => found[1] ?? ''))
    .filter((thing) => statements.filter(({ text }) => text.includes(thing)).length > 1);
  await locks
    .transaction(name, async () => {
      [there, missing] = [[], []];
      for (const statement of statements) {
        const isProof = !replaced.some((thing) => statement.text.includes(thing));
        const outcome = await attempt(client, statement, isProof);
        if (outcome === 'there') there.push(statement);
        if (outcome === 'missing') missing.push(statement);
      }
      throw over;
    })
    .catch((error: unknown) => {
      if (error !== over) throw error;
    });
  if (there.length === 0) return 'nothing';
  if (missing.length === 0) return 'all';
  throw new MigrationError(
    [
      `Migration ${name} was begun on this database and did not finish, and the database was changed since: a part of it is`,
      'there and a part is not. Undo by hand what is there, or restore a backup, then start again. There:',
      ...there.map(describe),
      'Missing:',
      ...missing.map(describe),
    ].join('\n'),
  );

  function describe({ text, offset }: ScriptStatement): string {
    return `  line ${lineAt(sql, offset)}: ${text.replaceAll(/\s+/g, ' ').slice(0, 80)}`;
  }
}

async function attempt(
  client: pg.ClientBase,
  { text }: ScriptStatement,
  isProof: boolean,
): Promise<'there' | 'missing' | 'unknown'> {
  await client.query('SAVEPOINT attempt');
  try {
    await client.query(text);
    return isProof && MAKES.test(text) && !REPEATABLE.test(text) ? 'missing' : 'unknown';
  } catch (error) {
    // A lock that is not free does not show what is there.
    if (!(error instanceof pg.DatabaseError) || isForLock(error)) throw error;
    await client.query('ROLLBACK TO SAVEPOINT attempt');
    const { code = '' } = error;
    return ALREADY.has(code) || (/\b(drop|rename)\b/iu.test(text) && GONE.has(code)) ? 'there' : 'unknown';
  }
}
