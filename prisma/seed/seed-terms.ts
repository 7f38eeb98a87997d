import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../src/events/event-log.ts';
import { readClock } from '../../src/infra/postgres/clock.ts';
import type { Statement, Transaction } from '../../src/infra/postgres/database.ts';
import { termsChanged } from '../../src/modules/pricing/pricing.events.ts';
import { normalizeCode } from '../../src/modules/promotions/code.ts';
import { insertCodes } from '../../src/modules/promotions/code.repository.ts';
import { insertPromotion } from '../../src/modules/promotions/promotion.repository.ts';
import type { NewShippingRate } from '../../src/modules/shipping/shipping.types.ts';
import { insertMethod, replaceRates } from '../../src/modules/shipping/shipping.repository.ts';
import { insertZone } from '../../src/modules/shipping/zone.repository.ts';
import { insertCategory, insertRate } from '../../src/modules/tax/tax.repository.ts';
import { ppmOf } from '../../src/modules/tax/tax.types.ts';
import { foodCategories, promotions, taxCategories, zones, type SeedMethod, type SeedPromotion } from './terms.ts';

const empty: Statement = {
  name: 'seed_is_empty',
  text: `SELECT NOT EXISTS (SELECT FROM products) AND NOT EXISTS (SELECT FROM shipping_zones)
            AND NOT EXISTS (SELECT FROM tax_categories) AND NOT EXISTS (SELECT FROM promotions) AS empty`,
};

/** Whether nobody has put anything into the shop yet. */
export async function isEmptyShop(tx: Transaction): Promise<boolean> {
  const [row] = await tx.query<{ empty: boolean }>(empty);
  return row?.empty === true;
}

const categoryIds: Statement = { name: 'seed_category_ids', text: 'SELECT id, slug FROM categories' };
const setFood: Statement = {
  name: 'seed_food',
  text: `UPDATE product_variants v SET tax_category_id = $1 FROM products p JOIN categories c ON c.id = p.category_id
          WHERE p.id = v.product_id AND c.slug = ANY($2::text[])`,
};

/** The ppm of a percentage of the demo. */
function ppm(percent: string): number {
  return ppmOf(percent) ?? 0;
}

function ratesOf({ bands }: SeedMethod, minor: (decimal: string) => bigint): NewShippingRate[] {
  return bands.map(({ below, price }, index) => ({
    basis: 'WEIGHT',
    fromValue: BigInt(bands[index - 1]?.below ?? 0),
    toValue: below === null ? null : BigInt(below),
    priceMinor: minor(price),
  }));
}

/**
 * Adds the example zones, shipping methods, tax rates and promotions to a shop that has none.
 * @param minor a decimal amount of the demo in minor units of the shop's currency
 */
export async function addTerms(
  tx: Transaction,
  { eventLog, minor }: { eventLog: EventLog; minor: (decimal: string) => bigint },
): Promise<void> {
  const at = await readClock(tx);
  const taxIds = new Map(taxCategories.map(({ code }) => [code, uuid()]));
  for (const category of taxCategories) await insertCategory(tx, at, taxIds.get(category.code) ?? '', category);
  await tx.query(setFood, [taxIds.get('reduced'), foodCategories]);
  for (const { name, countries, isHome = false, isRest = false, methods, taxRates } of zones) {
    const zoneId = uuid();
    await insertZone(tx, at, zoneId, { name, countries, isHome, isRest, regions: [], postalPrefixes: [] });
    for (const [position, method] of methods.entries()) {
      const id = uuid();
      const { title, description, deliveryEstimate, freeFrom } = method;
      const freeFromMinor = freeFrom === undefined ? null : minor(freeFrom);
      const fields = { title, description, deliveryEstimate, freeFromMinor, position, taxCategoryId: null };
      await insertMethod(tx, at, { id, zoneId }, fields);
      await replaceRates(tx, id, ratesOf(method, minor));
    }
    for (const { category, title, percent } of taxRates) {
      const taxCategoryId = taxIds.get(category) ?? '';
      await insertRate(tx, at, { id: uuid(), zoneId, taxCategoryId, title, ratePpm: ppm(percent), validFrom: at });
    }
  }
  const found = await tx.query<{ id: string; slug: string }>(categoryIds);
  const bySlug = new Map(found.map(({ id, slug }) => [slug, id]));
  for (const promotion of promotions) await addPromotion(tx, at, promotion, { bySlug, minor });
  await eventLog.append(
    tx,
    at,
    (['PROMOTION', 'SHIPPING', 'TAX'] as const).map((what) => termsChanged(what, uuid())),
  );
}

async function addPromotion(
  tx: Transaction,
  at: Date,
  promotion: SeedPromotion,
  { bySlug, minor }: { bySlug: ReadonlyMap<string, string>; minor: (decimal: string) => bigint },
): Promise<void> {
  const id = uuid();
  const { code, percent, amount, minSubtotal } = promotion;
  await insertPromotion(tx, at, id, {
    title: promotion.title,
    trigger: code === undefined ? 'AUTOMATIC' : 'CODE',
    scope: promotion.scope,
    kind: promotion.kind,
    percentPpm: percent === undefined ? null : ppm(percent),
    amountMinor: amount === undefined ? null : minor(amount),
    buyQuantity: promotion.buyQuantity ?? null,
    getQuantity: promotion.getQuantity ?? null,
    maxSets: promotion.maxSets ?? null,
    productIds: [],
    variantIds: [],
    categoryIds: (promotion.categories ?? []).flatMap((slug) => bySlug.get(slug) ?? []),
    tags: [...(promotion.tags ?? [])],
    excludedProductIds: [],
    excludedVariantIds: [],
    excludedCategoryIds: [],
    excludedTags: [],
    getProductIds: [],
    getVariantIds: [],
    getCategoryIds: [],
    getTags: [],
    minSubtotalMinor: minSubtotal === undefined ? null : minor(minSubtotal),
    minQuantity: null,
    countries: [...(promotion.countries ?? [])],
    firstOrderOnly: promotion.firstOrderOnly ?? false,
    customerIds: [],
    startsAt: at,
    endsAt: null,
    priority: 0,
    combinesWith: [...promotion.combinesWith],
    usageLimit: promotion.usageLimit ?? null,
    usageLimitPerCustomer: null,
    budgetMinor: null,
  });
  if (code !== undefined) await insertCodes(tx, at, id, [{ code, normalized: normalizeCode(code) ?? code }]);
}
