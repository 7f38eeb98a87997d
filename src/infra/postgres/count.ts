import type { Queryable } from './database.ts';

/** Lists are counted up to here. Beyond it a count says that there are more, so that it never costs more than this many rows. */
export const MAX_COUNTED = 1000;

/**
 * Counts what a SELECT finds, up to one more than `MAX_COUNTED`.
 * @param select SQL of a SELECT without LIMIT
 * @param name of the prepared statement; without one it is planned for its values
 */
export async function countUpTo(
  source: Queryable,
  select: string,
  values: readonly unknown[] = [],
  name?: string,
): Promise<number> {
  const text = `SELECT count(*)::int AS count FROM (${select} LIMIT ${MAX_COUNTED + 1}) AS counted`;
  const [row] = await source.query<{ count: number }>({ name, text }, values);
  return row?.count ?? 0;
}

/**
 * Counts for each of several ids what a SELECT finds for it, up to one more than `MAX_COUNTED`.
 * @param select SQL of a SELECT without LIMIT, of the id in `owner.id`
 */
export async function countUpToOfEach(
  source: Queryable,
  { name, select, ids }: { name: string; select: string; ids: readonly string[] },
): Promise<Map<string, number>> {
  const counted = `SELECT count(*)::int FROM (${select} LIMIT ${MAX_COUNTED + 1}) AS counted`;
  const text = `SELECT owner.id, (${counted}) AS count FROM unnest($1::uuid[]) AS owner(id)`;
  const rows = await source.query<{ id: string; count: number }>({ name, text }, [ids]);
  return new Map(rows.map(({ id, count }) => [id, count]));
}

/** The newest rows are looked at first: where very many match, so do many of them. */
const SAMPLE = 1000;
const MANY_OF_SAMPLE = 200;
/** Where so many of the sample match, more than `MAX_COUNTED` do among so many of the newest, in all likelihood. */
const STRETCH = 10_000;

/**
 * Counts rows that have words, up to one more than `MAX_COUNTED`. PostgreSQL guesses that 2 % of all rows have an unfinished
 * word, whichever it is. So a sample decides whether the newest rows are read or the index of words is asked: the other of the
 * two would read everything.
 * @param list.table the table with its alias, e.g. `orders o`
 * @param list.where all conditions, the words among them
 * @param list.newest the newest rows that the list may show: a WHERE clause (or nothing) and an ORDER BY that an index serves
 */
export async function countWordsUpTo(
  source: Queryable,
  { table, where, newest }: { table: string; where: string; newest: string },
  values: readonly unknown[],
): Promise<number> {
  const alias = table.slice(table.indexOf(' ') + 1);
  const latest = (count: number) => `(SELECT ${alias}.* FROM ${table} ${newest} LIMIT ${count}) AS ${alias}`;
  // A CTE is planned for all of its rows, and read no further than its rows are asked for.
  const text = `
WITH found AS MATERIALIZED (SELECT 1 FROM ${table} WHERE ${where}),
     sample AS MATERIALIZED (SELECT count(*)::int AS size, (count(*) FILTER (WHERE ${where}))::int AS matches FROM ${latest(SAMPLE)})
SELECT CASE WHEN size < ${SAMPLE} THEN matches
            WHEN matches >= ${MANY_OF_SAMPLE} AND (
              SELECT count(*) FROM (SELECT FROM ${latest(STRETCH)} WHERE ${where} LIMIT ${MAX_COUNTED + 1}) AS many
            ) > ${MAX_COUNTED} THEN ${MAX_COUNTED + 1}
            ELSE (SELECT count(*)::int FROM (SELECT FROM found LIMIT ${MAX_COUNTED + 1}) AS few)
       END AS count
  FROM sample`;
  const [row] = await source.query<{ count: number }>({ text }, values);
  return row?.count ?? 0;
}
