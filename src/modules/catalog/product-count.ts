import { StatementDraft } from '../../infra/postgres/statement-draft.ts';
import { countUpTo, countUpToOfEach, countWordsUpTo } from '../../infra/postgres/count.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { filtersOf, hasWords, statusOf, type ProductQuery } from './product-query.ts';

/** How many products the query finds, as far as lists count. */
export function countProducts(source: Queryable, query: ProductQuery): Promise<number> {
  if (query.search !== undefined) return countWords(source, query, 'search', query.search);
  const draft = new StatementDraft();
  return countUpTo(source, `SELECT FROM products p WHERE ${draft.where(filtersOf(query))}`, draft.values);
}

/** How many products have the words and meet the query's other conditions, as far as lists count. */
export function countWords(
  source: Queryable,
  query: ProductQuery,
  column: 'search' | 'search_title',
  search: string,
): Promise<number> {
  const draft = new StatementDraft();
  const where = draft.where([...filtersOf(query), hasWords(column, search)]);
  const newest = `WHERE ${statusOf(query)} ORDER BY p.created_at DESC, p.id DESC`;
  return countWordsUpTo(source, { table: 'products p', where, newest }, draft.values);
}

/** How many ACTIVE products each category has, as far as lists count. */
export function countProductsOfCategories(
  source: Queryable,
  categoryIds: readonly string[],
): Promise<Map<string, number>> {
  const select = `SELECT FROM products WHERE category_id = owner.id AND status = 'ACTIVE'`;
  return countUpToOfEach(source, { name: 'catalog_count_of_categories', select, ids: categoryIds });
}
