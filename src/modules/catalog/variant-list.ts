import { StatementDraft } from '../../infra/postgres/statement-draft.ts';
import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import { VARIANT_COLUMNS, type VariantRow } from './catalog.repository.ts';
import { hasWords } from './product-query.ts';

/** How a variant stands: nothing available; no more than its low-stock threshold; more than that. */
export type StockState = 'SOLD_OUT' | 'LOW' | 'SUFFICIENT';

/** Which variants to list. Archived variants, and those of archived products, are in no list. */
export interface VariantQuery {
  /** Words to find in the titles of products and in SKUs, as they were typed. */
  search?: string;
  states?: readonly StockState[];
}

const STATES: Record<StockState, string> = {
  SOLD_OUT: 'v.available = 0',
  LOW: '(v.available > 0 AND v.available <= v.low_stock_threshold)',
  SUFFICIENT: '(v.available > 0 AND v.available > v.low_stock_threshold)',
};

/*
 * No index has this order: it would have to name `on_hand` and `held`, and each hold of a cart would then write to it. A page
 * reads the variants of the catalogue instead, whose number does not grow with that of orders.
 */
const LOWEST_FIRST: readonly SortTerm[] = [
  {
    expression: 'CASE WHEN v.available = 0 THEN 0 WHEN v.available <= v.low_stock_threshold THEN 1 ELSE 2 END',
    type: 'int',
    descending: false,
  },
  { expression: 'v.available', type: 'int', descending: false },
  { expression: 'v.id', type: 'uuid', descending: false },
];

const FROM = 'product_variants v JOIN products p ON p.id = v.product_id';

function where({ search, states }: VariantQuery, draft: StatementDraft): string {
  const words = search === undefined ? [] : [draft.where([hasWords('search_title', search)])];
  const inState = states === undefined ? [] : [`(${states.map((state) => STATES[state]).join(' OR ') || 'FALSE'})`];
  return ['v.archived_at IS NULL', "p.status <> 'ARCHIVED'", ...words, ...inState].join(' AND ');
}

/** A page of variants: sold-out ones first, then low ones, then all others; fewest units first within each group. */
export async function findVariantPage(
  source: Queryable,
  query: VariantQuery,
  page: PageRequest,
): Promise<Page<VariantRow>> {
  const draft = new StatementDraft();
  const conditions = where(query, draft);
  const { condition, orderBy, cursor } = keyset(LOWEST_FIRST, page, draft.parameter);
  const text = `SELECT ${VARIANT_COLUMNS}, ${cursor} AS cursor FROM ${FROM} WHERE ${conditions} AND ${condition}
                 ORDER BY ${orderBy} LIMIT ${draft.parameter(page.limit + 1)}`;
  return toPage(await source.query<VariantRow & { cursor: string[] }>({ text }, draft.values), page);
}

/** How many variants the query finds, as far as lists count. */
export function countVariants(source: Queryable, query: VariantQuery): Promise<number> {
  const draft = new StatementDraft();
  const conditions = where(query, draft);
  return countUpTo(source, `SELECT FROM ${FROM} WHERE ${conditions}`, draft.values);
}
