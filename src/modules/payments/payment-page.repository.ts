import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest } from '../../infra/postgres/page.ts';
import { StatementDraft } from '../../infra/postgres/statement-draft.ts';
import { PAYMENT_COLUMNS } from './payment.repository.ts';
import type { PaymentRow, PaymentState } from './payment.types.ts';

/** Which payments: those that meet all that is given. */
export interface PaymentQuery {
  state?: PaymentState;
  provider?: string;
  hasOrder?: boolean;
  /** Whether staff must look at something. */
  hasProblem?: boolean;
}

const NEWEST_FIRST = [
  { expression: 'p.created_at', type: 'timestamptz', descending: true },
  { expression: 'p.id', type: 'uuid', descending: true },
];

function conditions({ state, provider, hasOrder, hasProblem }: PaymentQuery, { parameter }: StatementDraft): string {
  const terms = [
    ...(state === undefined ? [] : [`p.state = ${parameter(state)}::payment_state`]),
    ...(provider === undefined ? [] : [`p.provider = ${parameter(provider)}`]),
    ...(hasOrder === undefined ? [] : [`p.order_id IS ${hasOrder ? 'NOT ' : ''}NULL`]),
    ...(hasProblem === undefined ? [] : [`p.problem IS ${hasProblem ? 'NOT ' : ''}NULL`]),
  ];
  return terms.length === 0 ? 'TRUE' : terms.join(' AND ');
}

/** A page of payments, the newest first. Statements with conditions have no name: PostgreSQL plans them for their values. */
export async function findPaymentPage(
  source: Queryable,
  query: PaymentQuery,
  page: PageRequest,
): Promise<Page<PaymentRow>> {
  const draft = new StatementDraft();
  const where = conditions(query, draft);
  const { condition, orderBy, cursor } = keyset(NEWEST_FIRST, page, draft.parameter);
  const text = `SELECT ${PAYMENT_COLUMNS}, ${cursor} AS cursor FROM payments p
                 WHERE ${condition} AND ${where} ORDER BY ${orderBy} LIMIT ${draft.parameter(page.limit + 1)}`;
  const name = `payment_page_${page.direction}${page.cursor === null ? '' : '_on'}`;
  const statement = { name: Object.keys(query).length === 0 ? name : undefined, text };
  return toPage(await source.query<PaymentRow & { cursor: string[] }>(statement, draft.values), page);
}

/** How many payments the query finds, as far as lists count. */
export function countPayments(source: Queryable, query: PaymentQuery): Promise<number> {
  const draft = new StatementDraft();
  return countUpTo(source, `SELECT FROM payments p WHERE ${conditions(query, draft)}`, draft.values);
}
