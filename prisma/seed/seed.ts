import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../src/events/event-log.ts';
import type { Database, Statement, Transaction } from '../../src/infra/postgres/database.ts';
import { readClock } from '../../src/infra/postgres/clock.ts';
import { takeNamedLock } from '../../src/infra/postgres/named-lock.ts';
import { categoryChanged, productChanged } from '../../src/modules/catalog/catalog.events.ts';
import type { InventoryService } from '../../src/modules/inventory/inventory.service.ts';
import { parseDecimal } from '../../src/modules/money.ts';
import { categories, products, type SeedProduct, type SeedVariant } from './catalogue.ts';
import { addTerms, isEmptyShop } from './seed-terms.ts';

const insertCategories: Statement = {
  name: 'seed_categories',
  text: `INSERT INTO categories (id, slug, name) SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])
         ON CONFLICT (slug) DO NOTHING RETURNING id`,
};

// One second apart, so that newest first is the catalogue's own order. Known by its SKUs as well: its slug may be another now.
const insertProduct: Statement = {
  name: 'seed_product',
  text: `INSERT INTO products (id, slug, title, description, vendor, tags, category_id, images, created_at, updated_at)
         SELECT $1, $2, $3, $4, $5, $6::text[], (SELECT id FROM categories WHERE slug = $7), $8::jsonb,
                clock_timestamp() - $9 * interval '1 second', clock_timestamp()
          WHERE NOT EXISTS (SELECT FROM product_variants WHERE sku = ANY($10::text[]))
         ON CONFLICT (slug) DO NOTHING RETURNING id`,
};

const insertVariants: Statement = {
  name: 'seed_variants',
  text: `INSERT INTO product_variants (id, product_id, sku, selected_options, price_minor, compare_at_minor, low_stock_threshold, weight_grams,
                                       position)
         SELECT id, $2::uuid, sku, options, price, compare_at, threshold, weight, ordinal - 1
           FROM unnest($1::uuid[], $3::text[], $4::jsonb[], $5::int[], $6::int[], $7::int[], $8::int[])
             WITH ORDINALITY AS v(id, sku, options, price, compare_at, threshold, weight, ordinal)`,
};

/**
 * Adds the demo catalogue, and to a shop that was empty also the example zones, shipping methods, tax rates and promotions. A
 * product of which the slug or a SKU exists is left alone, with its stock, and so is a shop that somebody has begun to fill. Can
 * run at every start, and in several processes at once.
 * @returns how many products were added
 */
export async function seedDemo(deps: {
  db: Database;
  eventLog: EventLog;
  inventory: InventoryService;
  currency: string;
  lowStockThreshold: number;
}): Promise<{ products: number }> {
  const { db, eventLog, currency } = deps;
  const [row] = await db.query<{ there: bigint }>(
    { name: 'seed_there', text: 'SELECT count(*) AS there FROM products WHERE slug = ANY($1::text[])' },
    [products.map((product) => product.slug)],
  );
  if (Number(row?.there) === products.length) return { products: 0 };
  return db.transaction(async (tx) => {
    // Of several processes that start at once, one finds the shop empty.
    await takeNamedLock(tx, 'demo');
    const wasEmpty = await isEmptyShop(tx);
    const made = await tx.query<{ id: string }>(insertCategories, [
      categories.map(() => uuid()),
      categories.map((category) => category.slug),
      categories.map((category) => category.name),
    ]);
    await eventLog.append(
      tx,
      await readClock(tx),
      made.map(({ id }) => categoryChanged.of(id, { categoryId: id })),
    );
    let added = 0;
    for (const [age, product] of products.entries()) if (await addProduct(tx, product, age, deps)) added += 1;
    if (wasEmpty) await addTerms(tx, { eventLog, minor: (decimal) => BigInt(minorUnits(decimal, currency)) });
    return { products: added };
  });
}

async function addProduct(
  tx: Transaction,
  product: SeedProduct,
  age: number,
  deps: { eventLog: EventLog; inventory: InventoryService; currency: string; lowStockThreshold: number },
): Promise<boolean> {
  const { eventLog, inventory, currency, lowStockThreshold } = deps;
  const productId = uuid();
  const images = product.images.map(({ file, altText }) => ({ url: `/images/${file}`, altText }));
  const inserted = await tx.query(insertProduct, [
    productId,
    product.slug,
    product.title,
    product.description,
    product.vendor,
    product.tags,
    product.category,
    JSON.stringify(images),
    age,
    product.variants.map((variant) => variant.sku),
  ]);
  if (inserted.length === 0) return false;
  const variants = product.variants.map((variant) => ({ ...variant, id: uuid() }));
  await tx.query(insertVariants, [
    variants.map((variant) => variant.id),
    productId,
    variants.map((variant) => variant.sku),
    variants.map((variant) => JSON.stringify(variant.options)),
    variants.map((variant) => minorUnits(variant.price, currency)),
    variants.map((variant) =>
      variant.compareAtPrice === undefined ? null : minorUnits(variant.compareAtPrice, currency),
    ),
    variants.map((variant) => variant.lowStockThreshold ?? lowStockThreshold),
    variants.map(weightOf),
  ]);
  const at = await inventory.lock(
    tx,
    variants.map((variant) => variant.id),
  );
  await eventLog.append(tx, at, [productChanged.of(productId, { productId })]);
  await inventory.apply(
    tx,
    at,
    variants
      .filter((variant) => variant.onHand > 0)
      .map(({ id, onHand }) => ({ variantId: id, reason: 'INITIAL', onHandDelta: onHand })),
  );
  return true;
}

/** A demo price in the shop's currency; where that has fewer decimals, rounded up to a whole one. */
function minorUnits(decimal: string, currency: string): number {
  return Number(parseDecimal(decimal, currency) ?? parseDecimal(String(Math.ceil(Number(decimal))), currency));
}

const PACKAGING_GRAMS = 120;
const USUAL_GRAMS = 300;

/** Grams of a variant as it is shipped: what its options say, with its jar or box; otherwise a usual weight. */
function weightOf({ options }: SeedVariant): number {
  for (const { value } of options) {
    const [, count = '1', amount, unit] = /^(?:(\d+) × )?(\d+) (g|kg|ml)$/.exec(value) ?? [];
    if (amount === undefined) continue;
    return Number(count) * (Number(amount) * (unit === 'kg' ? 1000 : 1) + PACKAGING_GRAMS);
  }
  return USUAL_GRAMS;
}
