import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import type { PromotionScope } from './quote.types.ts';
import type { ZoneCover } from '../shipping/zone.types.ts';

/*
 * The terms by which carts are priced, as they stand in the tables. JSON carries amounts as text, since they may be larger than what
 * a JavaScript number holds exactly.
 */

/** A promotion as it is stored. */
export interface PromotionRow {
  id: string;
  title: string;
  trigger: 'AUTOMATIC' | 'CODE';
  scope: PromotionScope;
  kind: 'PERCENT' | 'FIXED_EACH' | 'FIXED_ACROSS' | 'FREE' | 'BUY_X_GET_Y';
  percentPpm: number | null;
  amountMinor: string | null;
  buyQuantity: number | null;
  getQuantity: number | null;
  maxSets: number | null;
  productIds: string[];
  variantIds: string[];
  categoryIds: string[];
  tags: string[];
  excludedProductIds: string[];
  excludedVariantIds: string[];
  excludedCategoryIds: string[];
  excludedTags: string[];
  getProductIds: string[];
  getVariantIds: string[];
  getCategoryIds: string[];
  getTags: string[];
  minSubtotalMinor: string | null;
  minQuantity: number | null;
  countries: string[];
  firstOrderOnly: boolean;
  customerIds: string[];
  /** Milliseconds since 1970. */
  startsAt: number;
  endsAt: number | null;
  priority: number;
  combinesWith: PromotionScope[];
  usageLimit: number | null;
  usageLimitPerCustomer: number | null;
  budgetMinor: string | null;
}

/** A tax rate of a zone. */
export interface TaxRateRow {
  taxCategoryId: string;
  title: string;
  ppm: number;
  /** Milliseconds since 1970. */
  validFrom: number;
}

/** A shipping method of a zone, with its bands. */
export interface MethodRow {
  id: string;
  title: string;
  taxCategoryId: string | null;
  freeFromMinor: string | null;
  bands: { basis: 'WEIGHT' | 'SUBTOTAL'; from: string; to: string | null; priceMinor: string }[];
}

/** A zone with its methods, in their order, and its tax rates. */
export interface ZoneRow extends ZoneCover {
  isHome: boolean;
  methods: MethodRow[];
  taxRates: TaxRateRow[];
}

/** Everything that prices depend on apart from carts, variants and customers; promotions by code are looked up by their codes. */
export interface PricingTerms {
  version: bigint;
  /** Those that apply by themselves and are not over. */
  promotions: PromotionRow[];
  zones: ZoneRow[];
  defaultTaxCategoryId: string | null;
}

function millis(column: string): string {
  return `floor(extract(epoch FROM ${column}) * 1000)::bigint`;
}

/** A promotion as JSON, of a table that is called `p`. */
export const PROMOTION_JSON = `jsonb_build_object(
    'id', p.id, 'title', p.title, 'trigger', p.trigger, 'scope', p.scope, 'kind', p.kind, 'percentPpm', p.percent_ppm,
    'amountMinor', p.amount_minor::text, 'buyQuantity', p.buy_quantity, 'getQuantity', p.get_quantity, 'maxSets', p.max_sets)
  || jsonb_build_object(
    'productIds', p.product_ids, 'variantIds', p.variant_ids, 'categoryIds', p.category_ids, 'tags', p.tags,
    'excludedProductIds', p.excluded_product_ids, 'excludedVariantIds', p.excluded_variant_ids,
    'excludedCategoryIds', p.excluded_category_ids, 'excludedTags', p.excluded_tags, 'getProductIds', p.get_product_ids,
    'getVariantIds', p.get_variant_ids, 'getCategoryIds', p.get_category_ids, 'getTags', p.get_tags)
  || jsonb_build_object(
    'minSubtotalMinor', p.min_subtotal_minor::text, 'minQuantity', p.min_quantity, 'countries', p.countries,
    'firstOrderOnly', p.first_order_only, 'customerIds', p.customer_ids, 'startsAt', ${millis('p.starts_at')},
    'endsAt', ${millis('p.ends_at')}, 'priority', p.priority, 'combinesWith', p.combines_with, 'usageLimit', p.usage_limit,
    'usageLimitPerCustomer', p.usage_limit_per_customer, 'budgetMinor', p.budget_minor::text)`;

// One statement, and so one snapshot: the version is that of the rows beside it.
const terms: Statement = {
  name: 'pricing_terms',
  text: `
SELECT version,
       coalesce((SELECT jsonb_agg(${PROMOTION_JSON} ORDER BY p.id) FROM promotions p
                  WHERE p.trigger = 'AUTOMATIC' AND (p.ends_at IS NULL OR p.ends_at > clock_timestamp())), '[]') AS promotions,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                   'id', z.id, 'countries', z.countries, 'regions', z.regions, 'postalPrefixes', z.postal_prefixes,
                   'isRest', z.is_rest, 'isHome', z.is_home,
                   'taxRates', coalesce((SELECT jsonb_agg(jsonb_build_object('taxCategoryId', r.tax_category_id, 'title', r.title,
                                                  'ppm', r.rate_ppm, 'validFrom', ${millis('r.valid_from')}) ORDER BY r.valid_from)
                                           FROM tax_rates r WHERE r.zone_id = z.id), '[]'),
                   'methods', coalesce((SELECT jsonb_agg(jsonb_build_object('id', m.id, 'title', m.title,
                                          'taxCategoryId', m.tax_category_id, 'freeFromMinor', m.free_from_minor::text,
                                          'bands', coalesce((SELECT jsonb_agg(jsonb_build_object('basis', b.basis,
                                                       'from', b.from_value::text, 'to', b.to_value::text,
                                                       'priceMinor', b.price_minor::text) ORDER BY b.from_value, b.id)
                                                       FROM shipping_rates b WHERE b.method_id = m.id), '[]'))
                                          ORDER BY m.position, m.id)
                                          FROM shipping_methods m WHERE m.zone_id = z.id), '[]')) ORDER BY z.id)
                   FROM shipping_zones z), '[]') AS zones,
       (SELECT id FROM tax_categories WHERE is_default) AS "defaultTaxCategoryId"
  FROM pricing_version`,
};

/** All terms as they stand. */
export async function findTerms(source: Queryable): Promise<PricingTerms> {
  const [row] = await source.query<PricingTerms>(terms);
  if (row === undefined) throw new Error('pricing_version has no row');
  return row;
}

const version: Statement = {
  name: 'pricing_version',
  text: 'SELECT version, clock_timestamp() AS now FROM pricing_version',
};

/** The version of the terms, and the time. */
export async function findVersion(source: Queryable): Promise<{ version: bigint; now: Date }> {
  const [row] = await source.query<{ version: bigint; now: Date }>(version);
  if (row === undefined) throw new Error('pricing_version has no row');
  return row;
}

const lockVersion: Statement = {
  name: 'pricing_lock_version',
  text: 'SELECT FROM pricing_version FOR NO KEY UPDATE',
};

/** The lock on the terms, which is taken last, right before their event is written. */
export async function lockTerms(tx: Queryable): Promise<void> {
  await tx.query(lockVersion);
}

const byCodes: Statement = {
  name: 'pricing_promotions_by_codes',
  text: `SELECT c.normalized, ${PROMOTION_JSON} AS promotion FROM promotion_codes c JOIN promotions p ON p.id = c.promotion_id
          WHERE c.normalized = ANY($1::text[]) AND p.trigger = 'CODE'`,
};

/** The promotions that codes stand for, by normalised code. */
export async function findPromotionsByCodes(
  source: Queryable,
  normalized: readonly string[],
): Promise<Map<string, PromotionRow>> {
  const rows = await source.query<{ normalized: string; promotion: PromotionRow }>(byCodes, [normalized]);
  return new Map(rows.map((row) => [row.normalized, row.promotion]));
}

/** What prices need to know of a variant. */
export interface PricedVariantRow {
  id: string;
  productId: string;
  categoryId: string | null;
  tags: string[];
  taxCategoryId: string | null;
  weightGrams: number | null;
  requiresShipping: boolean;
}

const variants: Statement = {
  name: 'pricing_variants',
  text: `SELECT v.id, v.product_id AS "productId", p.category_id AS "categoryId", p.tags, v.tax_category_id AS "taxCategoryId",
                v.weight_grams AS "weightGrams", v.requires_shipping AS "requiresShipping"
           FROM product_variants v JOIN products p ON p.id = v.product_id WHERE v.id = ANY($1::uuid[])`,
};

/** Variants as prices look at them, by id. */
export async function findPricedVariants(
  source: Queryable,
  ids: readonly string[],
): Promise<Map<string, PricedVariantRow>> {
  const rows = await source.query<PricedVariantRow>(variants, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}
