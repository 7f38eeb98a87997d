import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../src/events/event-log.ts';
import type { Database } from '../../src/infra/postgres/database.ts';
import { createInventoryService } from '../../src/modules/inventory/inventory.service.ts';

/** Where a fixture is put: the parts of an app that it needs. */
export interface World {
  db: Database;
  eventLog: EventLog;
}

export interface ProductFixture {
  title?: string;
  slug?: string;
  description?: string;
  vendor?: string;
  tags?: string[];
  status?: 'DRAFT' | 'ACTIVE' | 'ARCHIVED';
  categorySlug?: string;
  images?: { url: string; altText: string | null }[];
  createdAt?: Date;
  /** Prices in cents. */
  variants?: {
    sku?: string;
    price?: number;
    compareAt?: number;
    onHand?: number;
    options?: { name: string; value: string }[];
  }[];
}

/** A product as the tests know it. `globalId` is what the API calls it. */
export interface MadeProduct {
  id: string;
  globalId: string;
  slug: string;
  variants: { id: string; globalId: string; sku: string }[];
}

let count = 0;

/** The ID by which the API knows a row. */
export function globalId(typename: string, id: string): string {
  return Buffer.from(`${typename}:${id}`).toString('base64');
}

/** Makes a category. */
export async function makeCategory({ db }: World, name: string, slug = name.toLowerCase().replaceAll(' ', '-')) {
  const id = uuid();
  await db.query({ name: 'fixture_category', text: 'INSERT INTO categories (id, slug, name) VALUES ($1, $2, $3)' }, [
    id,
    slug,
    name,
  ]);
  return { id, globalId: globalId('Category', id), slug, name };
}

/** Makes a product with its variants and their opening stock, as an import would: ledger and events included. */
export async function makeProduct(world: World, fixture: ProductFixture = {}): Promise<MadeProduct> {
  count += 1;
  // What is sorted by names comes in the order in which it was made, after the ninth and the ninety-ninth as well.
  const serial = String(count).padStart(6, '0');
  const id = uuid();
  const slug = fixture.slug ?? `product-${serial}-${id.slice(-6)}`;
  const variants = (fixture.variants ?? [{}]).map((variant, index) => ({
    id: uuid(),
    sku: variant.sku ?? `SKU-${serial}-${index}-${id.slice(-6)}`,
    price: variant.price ?? 1000,
    compareAt: variant.compareAt ?? null,
    onHand: variant.onHand ?? 10,
    options: variant.options ?? [],
  }));
  const inventory = createInventoryService({ eventLog: world.eventLog });
  await world.db.transaction(async (tx) => {
    await tx.query(
      {
        name: 'fixture_product',
        text: `INSERT INTO products (id, slug, title, description, vendor, tags, status, category_id, images, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT id FROM categories WHERE slug = $8), $9::jsonb,
                       coalesce($10::timestamptz, clock_timestamp()))`,
      },
      [
        id,
        slug,
        fixture.title ?? `Product ${serial}`,
        fixture.description ?? '',
        fixture.vendor ?? null,
        fixture.tags ?? [],
        fixture.status ?? 'ACTIVE',
        fixture.categorySlug ?? null,
        JSON.stringify(fixture.images ?? []),
        fixture.createdAt ?? null,
      ],
    );
    for (const [position, variant] of variants.entries()) {
      await tx.query(
        {
          name: 'fixture_variant',
          text: `INSERT INTO product_variants
                   (id, product_id, sku, selected_options, price_minor, compare_at_minor, low_stock_threshold, position)
                 VALUES ($1, $2, $3, $4::jsonb, $5, $6, 3, $7)`,
        },
        [variant.id, id, variant.sku, JSON.stringify(variant.options), variant.price, variant.compareAt, position],
      );
    }
    const at = await inventory.lock(
      tx,
      variants.map((variant) => variant.id),
    );
    const stocked = variants.filter((variant) => variant.onHand > 0);
    await inventory.apply(
      tx,
      at,
      stocked.map((variant) => ({ variantId: variant.id, reason: 'INITIAL', onHandDelta: variant.onHand })),
    );
  });
  return {
    id,
    globalId: globalId('Product', id),
    slug,
    variants: variants.map((variant) => ({
      id: variant.id,
      sku: variant.sku,
      globalId: globalId('ProductVariant', variant.id),
    })),
  };
}

/** A product of one variant; gives the variant. */
export async function makeVariant(
  world: World,
  { title = 'Honey', ...variant }: NonNullable<ProductFixture['variants']>[number] & { title?: string } = {},
): Promise<MadeProduct['variants'][number] & { productId: string }> {
  const product = await makeProduct(world, { title, variants: [variant] });
  const [made] = product.variants;
  if (made === undefined) throw new Error('a product was made without a variant');
  return { ...made, productId: product.id };
}

/** Moves carts past their deadline, as if their time had run out; their units are still held. */
export async function makeOverdue({ db }: World, cartIds: readonly string[] | null = null): Promise<void> {
  await db.query(
    {
      name: 'fixture_overdue',
      text: `UPDATE carts SET hold_started_at = clock_timestamp() - interval '1 hour', expires_at = clock_timestamp() - interval '1 second'
              WHERE status = 'ACTIVE' AND expires_at IS NOT NULL AND ($1::uuid[] IS NULL OR id = ANY($1::uuid[]))`,
    },
    [cartIds],
  );
}

/** Another price for a variant, in cents. */
export async function setPrice({ db }: World, variantId: string, cents: number): Promise<void> {
  await db.query({ name: 'fixture_price', text: 'UPDATE product_variants SET price_minor = $2 WHERE id = $1' }, [
    variantId,
    cents,
  ]);
}

/** Another status for a product. */
export async function setStatus({ db }: World, productId: string, status: string): Promise<void> {
  await db.query({ name: 'fixture_status', text: 'UPDATE products SET status = $2::product_status WHERE id = $1' }, [
    productId,
    status,
  ]);
}

/** Takes a variant out of the catalogue; its product stays. */
export async function archiveVariant({ db }: Pick<World, 'db'>, variantId: string): Promise<void> {
  await db.query(
    { name: 'fixture_archive', text: 'UPDATE product_variants SET archived_at = clock_timestamp() WHERE id = $1' },
    [variantId],
  );
}

/** A variant's counters. */
export async function levelOf(
  { db }: World,
  variantId: string,
): Promise<{ onHand: number; held: number; available: number }> {
  const [row] = await db.query<{ onHand: number; held: number; available: number }>(
    {
      name: 'fixture_level',
      text: 'SELECT on_hand AS "onHand", held, available FROM product_variants WHERE id = $1',
    },
    [variantId],
  );
  if (row === undefined) throw new Error(`there is no variant ${variantId}`);
  return row;
}
