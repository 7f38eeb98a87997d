import { LATER } from '../../infra/postgres/clock.ts';
import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest, type SortTerm } from '../../infra/postgres/page.ts';
import type { Promotion, PromotionStatus, PromotionTerms, PromotionTrigger } from './promotion.types.ts';

/** The columns of the terms: name, type, and name in the code. */
const TERMS: readonly (readonly [column: string, type: string, field: keyof PromotionTerms])[] = [
  ['title', 'text', 'title'],
  ['trigger', 'promotion_trigger', 'trigger'],
  ['scope', 'promotion_scope', 'scope'],
  ['kind', 'promotion_kind', 'kind'],
  ['percent_ppm', 'int', 'percentPpm'],
  ['amount_minor', 'bigint', 'amountMinor'],
  ['buy_quantity', 'int', 'buyQuantity'],
  ['get_quantity', 'int', 'getQuantity'],
  ['max_sets', 'int', 'maxSets'],
  ['product_ids', 'uuid[]', 'productIds'],
  ['variant_ids', 'uuid[]', 'variantIds'],
  ['category_ids', 'uuid[]', 'categoryIds'],
  ['tags', 'text[]', 'tags'],
  ['excluded_product_ids', 'uuid[]', 'excludedProductIds'],
  ['excluded_variant_ids', 'uuid[]', 'excludedVariantIds'],
  ['excluded_category_ids', 'uuid[]', 'excludedCategoryIds'],
  ['excluded_tags', 'text[]', 'excludedTags'],
  ['get_product_ids', 'uuid[]', 'getProductIds'],
  ['get_variant_ids', 'uuid[]', 'getVariantIds'],
  ['get_category_ids', 'uuid[]', 'getCategoryIds'],
  ['get_tags', 'text[]', 'getTags'],
  ['min_subtotal_minor', 'bigint', 'minSubtotalMinor'],
  ['min_quantity', 'int', 'minQuantity'],
  ['countries', 'text[]', 'countries'],
  ['first_order_only', 'boolean', 'firstOrderOnly'],
  ['customer_ids', 'uuid[]', 'customerIds'],
  ['starts_at', 'timestamptz', 'startsAt'],
  ['ends_at', 'timestamptz', 'endsAt'],
  ['priority', 'int', 'priority'],
  ['combines_with', 'promotion_scope[]', 'combinesWith'],
  ['usage_limit', 'int', 'usageLimit'],
  ['usage_limit_per_customer', 'int', 'usageLimitPerCustomer'],
  ['budget_minor', 'bigint', 'budgetMinor'],
];

/** The status of a promotion in a table that is called `p`, by the database's clock. */
const STATUS = `CASE WHEN p.ends_at <= clock_timestamp() THEN 'ENDED'
       WHEN p.used >= p.usage_limit OR p.spent_minor >= p.budget_minor THEN 'USED_UP'
       WHEN p.trigger = 'CODE' AND NOT EXISTS (SELECT FROM promotion_codes c WHERE c.promotion_id = p.id) THEN 'DRAFT'
       WHEN p.starts_at > clock_timestamp() THEN 'SCHEDULED'
       ELSE 'ACTIVE' END`;

// Enums of the shop's own are read as text: the driver knows no arrays of them.
const COLUMNS = `p.id, ${TERMS.map(([column, type, field]) => {
  const cast = type.startsWith('promotion_') ? (type.endsWith('[]') ? '::text[]' : '::text') : '';
  return `p.${column}${cast} AS "${field}"`;
}).join(
  ', ',
)}, p.used, p.spent_minor AS "spentMinor", ${STATUS} AS status, p.created_at AS "createdAt", p.updated_at AS "updatedAt"`;

const valuesOf = (terms: PromotionTerms): unknown[] => TERMS.map(([, , field]) => terms[field]);

/** The terms of a promotion, without what the shop adds. */
export function termsOf(promotion: Promotion): PromotionTerms {
  return Object.fromEntries(TERMS.map(([, , field]) => [field, promotion[field]])) as unknown as PromotionTerms;
}

const byIds: Statement = {
  name: 'promotions_by_ids',
  text: `SELECT ${COLUMNS} FROM promotions p WHERE p.id = ANY($1::uuid[])`,
};

/** Promotions by id, in no order. */
export function findPromotions(source: Queryable, ids: readonly string[]): Promise<Promotion[]> {
  return source.query<Promotion>(byIds, [ids]);
}

const lock: Statement = {
  name: 'promotion_lock',
  text: 'SELECT FROM promotions WHERE id = $1 FOR NO KEY UPDATE',
};
const lockToDelete: Statement = {
  name: 'promotion_lock_to_delete',
  text: 'SELECT FROM promotions WHERE id = $1 FOR UPDATE',
};
// Keeps the promotion from being deleted. Checkouts, which change its counters, need not wait for that.
const keep: Statement = { name: 'promotion_keep', text: 'SELECT FROM promotions WHERE id = $1 FOR KEY SHARE' };

const locks = { UPDATE: lock, DELETE: lockToDelete, KEEP: keep };

/** A promotion as it is under a lock; null if there is none. The row is read after the lock: its counters are true. */
export async function lockPromotion(tx: Queryable, id: string, purpose: keyof typeof locks): Promise<Promotion | null> {
  if ((await tx.query(locks[purpose], [id])).length === 0) return null;
  const [row] = await findPromotions(tx, [id]);
  return row ?? null;
}

const insert: Statement = {
  name: 'promotion_insert',
  text: `INSERT INTO promotions (id, created_at, updated_at, ${TERMS.map(([column]) => column).join(', ')})
         VALUES ($1, $2, $2, ${TERMS.map(([, type], index) => `$${index + 3}::${type}`).join(', ')})`,
};

/** Creates a promotion. */
export async function insertPromotion(tx: Queryable, at: Date, id: string, terms: PromotionTerms): Promise<void> {
  await tx.query(insert, [id, at, ...valuesOf(terms)]);
}

const update: Statement = {
  name: 'promotion_update',
  text: `UPDATE promotions SET updated_at = ${LATER('$2')}, ${TERMS.map(([column, type], index) => `${column} = $${index + 3}::${type}`).join(', ')}
          WHERE id = $1`,
};

/** Writes the terms of a promotion whose lock the caller has. */
export async function updatePromotion(tx: Queryable, at: Date, id: string, terms: PromotionTerms): Promise<void> {
  await tx.query(update, [id, at, ...valuesOf(terms)]);
}

const remove: Statement = { name: 'promotion_delete', text: 'DELETE FROM promotions WHERE id = $1' };

/** Deletes a promotion with its codes and its uses. What orders say of it stays. */
export async function deletePromotion(tx: Queryable, id: string): Promise<void> {
  await tx.query(remove, [id]);
}

/** Which promotions: those that meet all that is given. */
export interface PromotionQuery {
  statuses?: readonly PromotionStatus[];
  trigger?: PromotionTrigger;
  /** A part of the title. */
  search?: string;
  /** A code of the promotion, normalized; counts as found as much as the title. */
  code?: string | null;
}

/** Orders in which promotions are listed. */
export const promotionSorts = {
  NEWEST: [{ expression: 'p.created_at', type: 'timestamptz', descending: true }],
  TITLE: [{ expression: 'lower(p.title)', type: 'text', descending: false }],
  STARTS_AT: [{ expression: 'p.starts_at', type: 'timestamptz', descending: true }],
  MOST_USED: [{ expression: 'p.used', type: 'int', descending: true }],
} as const satisfies Record<string, readonly SortTerm[]>;

export type PromotionSort = keyof typeof promotionSorts;

type Parameter = (value: unknown) => string;

function conditions({ statuses, trigger, search, code = null }: PromotionQuery, parameter: Parameter): string {
  const terms: string[] = [];
  if (trigger !== undefined) terms.push(`p.trigger = ${parameter(trigger)}::promotion_trigger`);
  if (statuses !== undefined) terms.push(`(${STATUS}) = ANY(${parameter(statuses)}::text[])`);
  if (search !== undefined) {
    const title = `p.title ILIKE ${parameter(`%${escapeLike(search)}%`)}`;
    const byCode = `p.id = (SELECT c.promotion_id FROM promotion_codes c WHERE c.normalized = ${parameter(code)})`;
    terms.push(code === null ? title : `(${title} OR ${byCode})`);
  }
  return terms.length === 0 ? 'TRUE' : terms.join(' AND ');
}

/** A text as a part of a LIKE pattern that stands for nothing but itself. */
export function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}

/** A page of promotions. */
export async function findPromotionPage(
  source: Queryable,
  query: PromotionQuery,
  sort: PromotionSort,
  page: PageRequest,
): Promise<Page<Promotion>> {
  const values: unknown[] = [];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  const where = conditions(query, parameter);
  const [first] = promotionSorts[sort];
  const order = [first, { expression: 'p.id', type: 'uuid', descending: first.descending }];
  const { condition, orderBy, cursor } = keyset(order, page, parameter);
  const text = `SELECT ${COLUMNS}, ${cursor} AS cursor FROM promotions p WHERE ${condition} AND ${where}
                 ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`;
  return toPage(await source.query<Promotion & { cursor: string[] }>({ text }, values), page);
}

/** How many promotions a query finds, as far as lists count. */
export function countPromotions(source: Queryable, query: PromotionQuery): Promise<number> {
  const values: unknown[] = [];
  const where = conditions(query, (value) => `$${values.push(value)}`);
  return countUpTo(source, `SELECT FROM promotions p WHERE ${where}`, values);
}
