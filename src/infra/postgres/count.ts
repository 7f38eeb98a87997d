import type { Queryable } from './database.ts';
import type { Parameter } from './statement-draft.ts';

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

/** What a list finds, as far as lists count. */
export interface Found {
  /** Exactly, or anything above `MAX_COUNTED`. */
  count: number;
  /** IDs of all rows that are found; null if they are too many, or were not read. */
  ids: readonly string[] | null;
  /** Whether they are few, and so far apart that reading the list from its start would pass very many others. */
  isSparse: boolean;
}

/** A count without anything else. */
export const countOnly = (count: number): Found => ({ count, ids: null, isSparse: false });

/** SQL of IDs, in an array, up to one more than `MAX_COUNTED`. */
const some = (select: string) => `ARRAY(${select} LIMIT ${MAX_COUNTED + 1})`;

const fromRow = (row: { ids: string[] | null; isSparse?: boolean } | undefined): Found => ({
  count: row?.ids?.length ?? (row === undefined ? 0 : MAX_COUNTED + 1),
  ids: row === undefined ? [] : row.ids,
  isSparse: row?.isSparse ?? false,
});

/**
 * Finds which rows a SELECT gives, unless they are more than `MAX_COUNTED`. It is planned for that many rows, not for all of them.
 * @param select SQL of a SELECT of IDs, without LIMIT
 */
export async function findUpTo(source: Queryable, select: string, values: readonly unknown[]): Promise<Found> {
  // Without OFFSET 0 the rows would be found once for each place at which they are mentioned.
  const text = `SELECT CASE WHEN cardinality(ids) <= ${MAX_COUNTED} THEN ids END AS ids FROM (SELECT ${some(select)} AS ids OFFSET 0) AS counted`;
  const [row] = await source.query<{ ids: string[] | null }>({ text }, values);
  return fromRow(row);
}

/** The newest rows are looked at first: where very many match, so do many of them. */
const SAMPLE = 1000;
/**
 * Where so many of the sample match, more than `MAX_COUNTED` do among so many of the newest, in all likelihood, and to read these
 * takes less time than to ask the index. Long texts are stored apart: to read one takes as long as ten short ones.
 */
const MANY_OF_SAMPLE = 40;
const STRETCH = 25_000;
const MANY_OF_SAMPLE_OF_LONG = 200;
/** Bytes of words, on average, from which on they are long. */
const LONG = 1000;
/** Where not even so many of the sample match, a page in the list's order lies far away. */
const SPARSE_IN_SAMPLE = 3;
/** Of the finished words of a search, few enough in the sample that an index may find few rows by them alone. */
const FEW_OF_SAMPLE = 5;
/** The newest rows may be unlike the others. An index may find so many rows, and a page may be sorted from so many. */
const FEW = 5000;

/** A search in a table. */
export interface WordSearch {
  /** The table with its alias, e.g. `orders o`. */
  table: string;
  /** Column of words, a tsvector. */
  column: string;
  /** What was typed. */
  search: string;
  /** SQL of all other conditions. */
  where: string;
  /** The newest rows that the list may show: a WHERE clause (or nothing) and an ORDER BY that an index serves. */
  newest: string;
}

/**
 * Finds which rows have words, unless they are more than `MAX_COUNTED`. PostgreSQL guesses that 2 % of all rows have an unfinished
 * word, whichever it is. So a sample decides: if many of the newest rows match, more of them are read; if not, the index of words is
 * asked. Where the unfinished word is common, and the others are rare, the index is asked for the others alone, since it would
 * first collect every row that has the unfinished word.
 */
export async function findWordsUpTo(
  source: Queryable,
  { table, column, search, where, newest }: WordSearch,
  { parameter, values }: { parameter: Parameter; values: readonly unknown[] },
): Promise<Found> {
  const alias = table.slice(table.indexOf(' ') + 1);
  const [words, id] = [`${alias}.${column}`, `${alias}.id`];
  const text = parameter(search);
  const [all, finished] = [`search_match(${text}::text)`, `search_finished(${text}::text)`];
  const matches = `${words} @@ ${all} AND ${where}`;
  const latest = (count: number) => `(SELECT ${alias}.* FROM ${table} ${newest} LIMIT ${count}) AS ${alias}`;
  const isByFinished = `${finished} IS NOT NULL AND finished <= ${FEW_OF_SAMPLE} AND (SELECT yes FROM few_finished)`;
  // A CTE is planned for all of its rows, and read no further than its rows are asked for. ts_match_vq is the operator without an index.
  const statement = `
WITH sample AS MATERIALIZED (
  SELECT count(*)::int AS size, coalesce(array_agg(${id}) FILTER (WHERE ${matches}), '{}') AS ids,
         count(*) FILTER (WHERE ${words} @@ ${finished}) AS finished,
         CASE WHEN avg(pg_column_size(${words})) > ${LONG} THEN ${MANY_OF_SAMPLE_OF_LONG} ELSE ${MANY_OF_SAMPLE} END AS many
    FROM ${latest(SAMPLE)}
), by_all AS MATERIALIZED (
  SELECT ${id} FROM ${table} WHERE ${matches}
), by_finished AS MATERIALIZED (
  SELECT ${id} FROM ${table} WHERE ${words} @@ ${finished} AND ts_match_vq(${words}, ${all}) AND ${where}
), few_finished AS MATERIALIZED (
  SELECT count(*) <= ${FEW} AS yes FROM (SELECT FROM ${table} WHERE ${words} @@ ${finished} LIMIT ${FEW + 1}) AS matching
), counted AS MATERIALIZED (
  SELECT CASE WHEN size < ${SAMPLE} THEN ids
              WHEN cardinality(ids) >= many AND cardinality(${some(`SELECT ${id} FROM ${latest(STRETCH)} WHERE ${matches}`)}) > ${MAX_COUNTED} THEN NULL
              WHEN ${isByFinished} THEN ${some('SELECT id FROM by_finished')}
              ELSE ${some('SELECT id FROM by_all')} END AS ids,
         size = ${SAMPLE} AND cardinality(ids) < ${SPARSE_IN_SAMPLE} AS far, ${isByFinished} AS few
    FROM sample
)
SELECT CASE WHEN cardinality(ids) <= ${MAX_COUNTED} THEN ids END AS ids,
       CASE WHEN NOT far OR cardinality(ids) <= ${MAX_COUNTED} THEN FALSE WHEN few THEN TRUE
            ELSE (SELECT count(*) FROM (SELECT FROM by_all LIMIT ${FEW + 1}) AS matching) <= ${FEW} END AS "isSparse"
  FROM counted`;
  const [row] = await source.query<{ ids: string[] | null; isSparse: boolean }>({ text: statement }, values);
  return fromRow(row);
}
