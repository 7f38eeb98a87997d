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

/** In the order in which variants are listed. An index leads to the few of the first two. */
const STATES: Record<StockState, string> = {
  SOLD_OUT: 'NOT v.in_stock',
  LOW: 'v.low_stock',
  SUFFICIENT: '(v.in_stock AND NOT v.low_stock)',
};
const ALL_STATES = Object.keys(STATES) as StockState[];

/*
 * No index has this order: it would have to name `on_hand` and `held`, and each hold of a cart would then write to it. All variants of a
 * state are read for a page, and sorted.
 */
const FEWEST_FIRST: readonly SortTerm[] = [
  { expression: 'v.available', type: 'int', descending: false },
  { expression: 'v.id', type: 'uuid', descending: false },
];

const FROM = 'product_variants v JOIN products p ON p.id = v.product_id';

function where({ search }: VariantQuery, states: readonly StockState[], draft: StatementDraft): string {
  const words = search === undefined ? [] : [draft.where([hasWords('search_title', search)])];
  const inState =
    states.length === ALL_STATES.length ? [] : [`(${states.map((state) => STATES[state]).join(' OR ') || 'FALSE'})`];
  return ['v.archived_at IS NULL', "p.status <> 'ARCHIVED'", ...words, ...inState].join(' AND ');
}

/** A page of variants: sold-out ones first, then low ones, then all others; fewest units first within each group. */
export async function findVariantPage(
  source: Queryable,
  query: VariantQuery,
  page: PageRequest,
): Promise<Page<VariantRow>> {
  const { states = ALL_STATES } = query;
  const backward = page.direction === 'backward';
  const [group, ...place] = page.cursor ?? [];
  const draft = new StatementDraft();
  const parts: string[] = [];
  for (const [rank, state] of ALL_STATES.entries()) {
    if (!states.includes(state)) continue;
    if (group !== undefined && (backward ? rank > Number(group) : rank < Number(group))) continue;
    const cursor = group !== undefined && rank === Number(group) ? place : null;
    const terms = keyset(FEWEST_FIRST, { ...page, cursor }, draft.parameter);
    parts.push(`(SELECT ${VARIANT_COLUMNS}, ARRAY['${rank}'] || ${terms.cursor} AS cursor FROM ${FROM}
       WHERE ${where(query, [state], draft)} AND ${terms.condition} ORDER BY ${terms.orderBy} LIMIT ${page.limit + 1})`);
  }
  if (parts.length === 0) return toPage([], page);
  if (backward) parts.reverse();
  // The parts are read one after the other, until there are enough rows: a page seldom reaches the variants of which there is enough.
  const text = `SELECT * FROM (${parts.join(' UNION ALL ')}) AS listed LIMIT ${draft.parameter(page.limit + 1)}`;
  return toPage(await source.query<VariantRow & { cursor: string[] }>({ text }, draft.values), page);
}

/** How many variants the query finds, as far as lists count. */
export function countVariants(source: Queryable, query: VariantQuery): Promise<number> {
  const draft = new StatementDraft();
  const conditions = where(query, query.states ?? ALL_STATES, draft);
  return countUpTo(source, `SELECT FROM ${FROM} WHERE ${conditions}`, draft.values);
}
