import { StatementDraft } from '../../infra/postgres/statement-draft.ts';
import {
  countOnly,
  countUpTo,
  countUpToOfEach,
  findUpTo,
  findWordsUpTo,
  type Found,
} from '../../infra/postgres/count.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { filtersOf, isReadByCount, productsByVariants, statusOf, type ProductQuery } from './product-query.ts';

/** How many products the query finds, as far as lists count, and where a page needs to know, which. */
export async function countProducts(source: Queryable, query: ProductQuery): Promise<Found> {
  if (query.search !== undefined) return countWords(source, query, 'search', query.search);
  const draft = new StatementDraft();
  const { minPriceMinor, maxPriceMinor } = query;
  if (minPriceMinor !== undefined || maxPriceMinor !== undefined) {
    return findUpTo(source, productsByVariants(query, draft), draft.values);
  }
  const where = draft.where(filtersOf(query));
  if (isReadByCount(query)) return findUpTo(source, `SELECT p.id FROM products p WHERE ${where}`, draft.values);
  return countOnly(await countUpTo(source, `SELECT FROM products p WHERE ${where}`, draft.values));
}

/** How many products have the words and meet the query's other conditions, as far as lists count, and which. */
export function countWords(
  source: Queryable,
  query: ProductQuery,
  column: 'search' | 'search_title',
  search: string,
): Promise<Found> {
  const draft = new StatementDraft();
  const where = draft.where(filtersOf(query, 'one by one'));
  const newest = `WHERE ${statusOf(query)} ORDER BY p.created_at DESC, p.id DESC`;
  return findWordsUpTo(source, { table: 'products p', column, search, where, newest }, draft);
}

/** How many ACTIVE products each category has, as far as lists count. */
export function countProductsOfCategories(
  source: Queryable,
  categoryIds: readonly string[],
): Promise<Map<string, number>> {
  const select = `SELECT FROM products WHERE category_id = owner.id AND status = 'ACTIVE'`;
  return countUpToOfEach(source, { name: 'catalog_count_of_categories', select, ids: categoryIds });
}
