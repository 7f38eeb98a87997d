import type { App } from '../../src/app.ts';
import type { Random } from '../fuzz/random.ts';

/** What was true of one thing after each of its changes: the first before any, the last now. */
export type History = string[];

/** A product that one writer changes, and what readers may see of it. */
export interface Watched {
  id: string;
  slug: string;
  /** By the number of its `product_changed` events. */
  titles: History;
  prices: History;
  variant: { id: string; sku: string; levels: History };
}

export type Writing = Pick<App, 'db' | 'services'>;

const NEW = { description: '', vendor: null, tags: [], images: [], categorySlug: null };
const VARIANT = {
  compareAtMinor: null,
  selectedOptions: [],
  lowStockThreshold: null,
  weightGrams: null,
  requiresShipping: true,
  taxCategoryId: null,
};

/** A title that contains its version and the product's status. */
const titleOf = (slug: string, version: number, status: string) => `Jar ${slug} v${version} ${status}`;
const priceOf = (version: number) => 1000 + version;

/** Puts products on the shelf. */
export async function fillShelf({ services }: Writing, count: number): Promise<Watched[]> {
  const shelf: Watched[] = [];
  for (let n = 0; n < count; n += 1) {
    const slug = `watched-${n}`;
    const title = titleOf(slug, 0, 'ACTIVE');
    const sku = `WATCHED-${n}`;
    const variants = [{ ...VARIANT, sku, priceMinor: priceOf(0), onHand: 5 }];
    const { id } = await services.catalogWriting.createProduct(null, {
      ...NEW,
      slug,
      title,
      status: 'ACTIVE',
      variants,
    });
    const [variant] = await services.catalog.variantsOfProducts([id]);
    if (variant === undefined) throw new Error('a product was made without a variant');
    // Its making was an event, too: of the product, and of the level.
    const [titles, prices] = [
      [title, title],
      ['10.00', '10.00'],
    ];
    shelf.push({ id, slug, titles, prices, variant: { id: variant.id, sku, levels: ['0', '5'] } });
  }
  return shelf;
}

/** One change of a product by the only one who changes it. What it makes true is in the histories before it is committed. */
export async function change(at: Writing, product: Watched, random: Random): Promise<void> {
  const { services, db } = at;
  const { titles, prices, variant } = product;
  const last = (history: History) => history.at(-1) ?? '';
  const version = titles.length;
  const roll = random.next();
  if (roll < 0.4) {
    const status = random.chance(0.25) ? 'DRAFT' : 'ACTIVE';
    const title = titleOf(product.slug, version, status);
    titles.push(title);
    prices.push(last(prices));
    const tags = random.chance(0.5) ? ['fresh'] : [];
    await services.catalogWriting.updateProduct(null, product.id, { title, status, tags });
  } else if (roll < 0.65) {
    titles.push(last(titles));
    prices.push((priceOf(version) / 100).toFixed(2));
    await services.catalogWriting.updateVariant(null, variant.id, { priceMinor: priceOf(version) });
  } else {
    const now = Number(last(variant.levels));
    const level = now > 0 && random.chance(0.4) ? 0 : now + 1 + random.below(5);
    variant.levels.push(String(level));
    await db.transaction(async (tx) => {
      const time = await services.inventory.lock(tx, [variant.id]);
      const step = { variantId: variant.id, reason: 'CORRECTION', onHandDelta: level - now } as const;
      await services.inventory.apply(tx, time, [step]);
    });
  }
}

/** A change of things that nobody watches, but that lists show: categories, and products that come and go. */
export async function stir({ services }: Writing, random: Random, number: number): Promise<void> {
  const { catalogWriting: writing, catalog } = services;
  const name = `Stirred ${number}`;
  const category = await writing.createCategory(null, { name, slug: null });
  const slug = `stirred-product-${number}`;
  const made = await writing.createProduct(null, {
    ...NEW,
    slug,
    title: name,
    status: 'ACTIVE',
    categorySlug: category.slug,
    variants: [{ ...VARIANT, sku: `STIRRED-${number}`, priceMinor: 500 + random.below(1000), onHand: random.below(2) }],
  });
  await writing.updateCategory(null, category.id, { name: `${name} again` });
  if (random.chance(0.5)) await writing.archiveProduct(null, made.id);
  if (random.chance(0.5)) await writing.deleteCategory(null, category.id);
  const [variant] = await catalog.variantsOfProducts([made.id]);
  if (variant !== undefined) await writing.updateVariant(null, variant.id, { sku: `STIRRED-${number}-B` });
}
