import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import type { NewCode, PromotionCode } from './promotion.types.ts';
import { escapeLike } from './promotion.repository.ts';

// In the order of their normalized form, so that two callers who add the same codes never wait for each other in a circle.
const insert: Statement = {
  name: 'promotion_codes_insert',
  text: `INSERT INTO promotion_codes (promotion_id, code, normalized, created_at)
         SELECT $1::uuid, code, normalized, $4 FROM unnest($2::text[], $3::text[]) AS c(code, normalized) ORDER BY normalized
         ON CONFLICT (normalized) DO NOTHING RETURNING normalized`,
};

/** Adds codes that are not taken. @returns the normalized forms of those that were added */
export async function insertCodes(
  tx: Queryable,
  at: Date,
  promotionId: string,
  codes: readonly NewCode[],
): Promise<Set<string>> {
  const values = [promotionId, codes.map(({ code }) => code), codes.map(({ normalized }) => normalized), at];
  return new Set((await tx.query<{ normalized: string }>(insert, values)).map(({ normalized }) => normalized));
}

const owners: Statement = {
  name: 'promotion_codes_owners',
  text: 'SELECT normalized, promotion_id AS "promotionId" FROM promotion_codes WHERE normalized = ANY($1::text[])',
};

/** The promotions that have codes, by normalized code. */
export async function findOwners(source: Queryable, normalized: readonly string[]): Promise<Map<string, string>> {
  const rows = await source.query<{ normalized: string; promotionId: string }>(owners, [normalized]);
  return new Map(rows.map((row) => [row.normalized, row.promotionId]));
}

const remove: Statement = {
  name: 'promotion_codes_delete',
  text: `DELETE FROM promotion_codes WHERE promotion_id = $1 AND normalized = ANY($2::text[]) RETURNING normalized`,
};

/** Removes codes of a promotion. @returns the normalized forms of those that were there */
export async function deleteCodes(
  tx: Queryable,
  promotionId: string,
  normalized: readonly string[],
): Promise<Set<string>> {
  const rows = await tx.query<{ normalized: string }>(remove, [promotionId, normalized]);
  return new Set(rows.map((row) => row.normalized));
}

/** Which codes of a promotion. */
export interface CodeQuery {
  promotionId: string;
  /** A part of the normalized code. */
  search?: string;
}

const ORDER: readonly SortTerm[] = [{ expression: 'c.normalized', type: 'text', descending: false }];

function conditions({ promotionId, search }: CodeQuery, parameter: (value: unknown) => string): string {
  const ofPromotion = `c.promotion_id = ${parameter(promotionId)}::uuid`;
  if (search === undefined) return ofPromotion;
  return `${ofPromotion} AND c.normalized LIKE ${parameter(`%${escapeLike(search)}%`)}`;
}

/** A page of a promotion's codes, in alphabetical order. */
export async function findCodePage(
  source: Queryable,
  query: CodeQuery,
  page: PageRequest,
): Promise<Page<PromotionCode>> {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const where = conditions(query, parameter);
  const { condition, orderBy, cursor } = keyset(ORDER, page, parameter);
  const text = `SELECT c.code, c.normalized, c.promotion_id AS "promotionId", c.created_at AS "createdAt", ${cursor} AS cursor
                  FROM promotion_codes c WHERE ${where} AND ${condition} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`;
  return toPage(await source.query<PromotionCode & { cursor: string[] }>({ text }, values), page);
}

/** How many codes a query finds, as far as lists count. */
export function countCodes(source: Queryable, query: CodeQuery): Promise<number> {
  const values: unknown[] = [];
  const where = conditions(query, (value) => `$${values.push(value)}`);
  return countUpTo(source, `SELECT FROM promotion_codes c WHERE ${where}`, values);
}
