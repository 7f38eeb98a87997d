import { StatementDraft } from '../../infra/postgres/statement-draft.ts';
import { countOnly, type Found } from '../../infra/postgres/count.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import { PRODUCT_COLUMNS, type ProductRow } from './catalog.repository.ts';
import { columnsOf, nameOf, withVariants, type ProductFields, type ProductWithVariants } from './product-fields.ts';
import { countWords } from './product-count.ts';
import { filtersOf, hasWords, isReadByCount, type Condition, type ProductQuery } from './product-query.ts';

export type ProductSortKey = 'NEWEST' | 'TITLE' | 'PRICE';

/**
 * The order of a list. MATCH ranks every product found, so it is for searches that find few. BROAD is for the others: products
 * with the words in title or SKU first, newest first among them and among the rest.
 */
export interface ProductOrder {
  key: ProductSortKey | 'MATCH' | 'BROAD';
  reverse: boolean;
}

const ID: SortTerm = { expression: 'p.id', type: 'uuid', descending: false };

const SORTS: Record<ProductSortKey, readonly SortTerm[]> = {
  NEWEST: [
    { expression: 'p.created_at', type: 'timestamptz', descending: true },
    { ...ID, descending: true },
  ],
  TITLE: [{ expression: 'p.sort_title', type: 'text', descending: false }, ID],
  PRICE: [{ expression: 'p.min_price_minor', type: 'int', descending: false }, ID],
};

/** A stretch of a list, with conditions of its own. One list is the stretches in a row, each in the list's order. */
interface Stretch {
  conditions: Condition[];
  /** Whether all of it is found first, by whatever index finds it, and sorted afterwards. */
  isFoundFirst: boolean;
  /** What was found already. It may have changed meanwhile: the conditions still have to hold. */
  ids?: readonly string[] | null;
}

/** Few that match may all be old, or all be dear: in the list's order everything would be read before the first of them. */
const isFewOf = ({ ids, isSparse }: Found) => ids !== null || isSparse;

/** Products with words, or with whatever else a list is counted by. */
function stretchOf(conditions: Condition[], found: Found): Stretch {
  return { conditions, ids: found.ids, isFoundFirst: isFewOf(found) };
}

/** Where very many have the words, the list is read in its order, and their index would only collect all of them. */
const havingWords = (column: 'search' | 'search_title', search: string, found: Found) =>
  hasWords(column, search, isFewOf(found) ? 'planned' : 'one by one');

const NOT_COUNTED = countOnly(0);

async function stretches(
  source: Queryable,
  query: ProductQuery,
  order: ProductOrder,
  count: () => Promise<Found>,
): Promise<Stretch[]> {
  const { search, minPriceMinor: least, maxPriceMinor: most } = query;
  if (search !== undefined && order.key === 'BROAD') {
    const [titled, found] = [await countWords(source, query, 'search_title', search), await count()];
    const inTitle = hasWords('search_title', search, 'one by one');
    return [
      stretchOf([havingWords('search_title', search, titled)], titled),
      stretchOf([havingWords('search', search, found), (parameter) => `NOT ${inTitle(parameter)}`], found),
    ];
  }
  const found = isReadByCount(query) ? await count() : NOT_COUNTED;
  const whole = stretchOf(search === undefined ? [] : [havingWords('search', search, found)], found);
  if (order.key !== 'PRICE') return [whole];
  const priced: Condition[] = [...whole.conditions, () => 'p.min_price_minor IS NOT NULL'];
  if (whole.isFoundFirst) return [{ ...whole, conditions: priced }];
  if (most !== undefined) priced.push((parameter) => `p.min_price_minor <= ${parameter(most)}`);
  if (least === undefined) return [{ conditions: priced, isFoundFirst: false }];
  // Products that begin below the range and reach into it come first, and lie far apart in this order. The others begin in
  // the range: an index leads there past all that is cheaper.
  const reachesIn: Condition = (parameter) => {
    const bound = parameter(least);
    return `p.min_price_minor < ${bound} AND p.max_price_minor >= ${bound} AND p.min_price_minor < p.max_price_minor`;
  };
  const below: Stretch = { conditions: [...priced, reachesIn], isFoundFirst: true };
  const beginsIn: Condition = (parameter) => `p.min_price_minor >= ${parameter(least)}`;
  const within: Stretch = { conditions: [...priced, beginsIn], isFoundFirst: false };
  return order.reverse ? [within, below] : [below, within];
}

function sorting(
  { search }: ProductQuery,
  { key, reverse }: ProductOrder,
  { parameter }: StatementDraft,
): readonly SortTerm[] {
  if (key === 'BROAD') return SORTS.NEWEST;
  if (key === 'MATCH') {
    // A whole number, so that a cursor holds it exactly.
    const rank = `(ts_rank(p.search, search_query(${parameter(search)}::text)) * 1000000)::int`;
    return [{ expression: rank, type: 'int', descending: true }, ID];
  }
  return SORTS[key].map((term) => ({ ...term, descending: term.descending !== reverse }));
}

function select(
  query: ProductQuery,
  order: ProductOrder,
  page: PageRequest,
  draft: StatementDraft,
  stretch: Stretch,
  fields: ProductFields | null = null,
): string {
  const { parameter } = draft;
  const { condition, orderBy, cursor } = keyset(sorting(query, order, draft), page, parameter);
  const { ids = null, isFoundFirst } = stretch;
  // In the list's order a page needs few products, unless they lie far apart: what is sold out is found by its own index.
  const lookUp = ids === null && isFoundFirst ? 'planned' : 'one by one';
  const conditions = draft.where([...filtersOf(query, lookUp), ...stretch.conditions]);
  // OFFSET 0 keeps what is outside out of the plan of what is inside.
  const found = `(SELECT * FROM products p WHERE ${ids === null ? conditions : `p.id = ANY(${parameter(ids)}::uuid[])`} OFFSET 0) AS p`;
  const rows = isFoundFirst
    ? `${found} WHERE ${ids === null ? condition : `${conditions} AND ${condition}`}`
    : `products p WHERE ${conditions} AND ${condition}`;
  const place = fields?.cursor === false ? `'{}'::text[]` : cursor;
  return `SELECT ${fields === null ? PRODUCT_COLUMNS : columnsOf(fields)}, ${place} AS cursor FROM ${rows} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`;
}

type FoundRow = ProductWithVariants & { cursor: string[] };

/**
 * A page of products. Statements with conditions have no name: PostgreSQL plans them for their values, since a word or a tag
 * that every product has needs another plan than one that none has.
 * @param count gives what `countProducts` says of the query
 * @param fields what to read; null: everything of products, and no variants
 */
export async function findProductPage(
  source: Queryable,
  query: ProductQuery,
  order: ProductOrder,
  page: PageRequest,
  count: () => Promise<Found>,
  fields: ProductFields | null = null,
): Promise<Page<ProductWithVariants>> {
  const all = await stretches(source, query, order, count);
  const numbered = order.key === 'BROAD';
  const backward = page.direction === 'backward';
  const rows: FoundRow[] = [];
  const inTurn = [...all.entries()];
  for (const [number, stretch] of backward ? inTurn.toReversed() : inTurn) {
    const left = page.limit + 1 - rows.length;
    if (left <= 0) break;
    let { cursor } = page;
    if (numbered && cursor !== null) {
      const [at, ...rest] = cursor;
      if (backward ? number > Number(at) : number < Number(at)) continue;
      cursor = number === Number(at) ? rest : null;
    }
    const draft = new StatementDraft();
    const text = select(query, order, { ...page, cursor, limit: left - 1 }, draft, stretch, fields);
    const plain = Object.keys(query).every((name) => name === 'status');
    const name = `products_${query.status ?? 'ACTIVE'}_${order.key}_${order.reverse}_${page.direction}_${cursor === null}`;
    const named = fields === null ? name : nameOf(text);
    const found = await source.query<FoundRow>({ name: plain ? named : undefined, text }, draft.values);
    if (fields !== null) withVariants(found, fields);
    rows.push(...(numbered ? found.map((row) => ({ ...row, cursor: [String(number), ...row.cursor] })) : found));
  }
  return toPage(rows, page);
}

/** A page of the same size of each category's products, newest first, in one statement. */
export async function findProductPagesOfCategories(
  source: Queryable,
  categoryIds: readonly string[],
  page: PageRequest,
): Promise<Map<string, Page<ProductRow>>> {
  const draft = new StatementDraft();
  const ids = draft.parameter(categoryIds);
  const inner = select({}, { key: 'NEWEST', reverse: false }, page, draft, {
    conditions: [() => 'p.category_id = c.id'],
    isFoundFirst: false,
  });
  const rows = await source.query<FoundRow>(
    {
      name: `products_of_categories_${page.direction}_${page.cursor === null}`,
      text: `SELECT page.* FROM unnest(${ids}::uuid[]) AS c(id) CROSS JOIN LATERAL (${inner}) AS page`,
    },
    draft.values,
  );
  return new Map(
    categoryIds.map((id) => [
      id,
      toPage(
        rows.filter((row) => row.categoryId === id),
        page,
      ),
    ]),
  );
}
