import DataLoader from 'dataloader';
import type { Found } from '../../infra/postgres/count.ts';
import type { Database, Queryable } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import * as repository from './catalog.repository.ts';
import type { CategoryRow, VariantRow } from './catalog.repository.ts';
import * as counts from './product-count.ts';
import * as facets from './product-facets.ts';
import { findFieldsOfProducts, type ProductFields, type ProductWithVariants } from './product-fields.ts';
import * as pages from './product-page.ts';
import type { ProductQuery } from './product-query.ts';
import * as variantList from './variant-list.ts';
import type { VariantQuery } from './variant-list.ts';

export type Category = CategoryRow;
/** A product. It has its variants where they were read with it. */
export type Product = ProductWithVariants;
export type ProductVariant = VariantRow;
export type { ProductOrder, ProductSortKey } from './product-page.ts';
export type { CategoryCount, OptionCounts, PriceRangeCount, TagCount } from './product-facets.ts';
export type { ProductQuery } from './product-query.ts';
export type { VariantQuery } from './variant-list.ts';

/** Whether a text has the form of a slug; nothing else is looked up by one. */
export function isSlug(text: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && text.length <= 200;
}

/** Whether shoppers may find a product: the one place that says so. */
export function isProductVisible(product: Pick<Product, 'status'>): boolean {
  return product.status === 'ACTIVE';
}

/** Whether shoppers may find a variant by itself. Carts and orders that hold it show it all the same. */
export function isVariantVisible(variant: Pick<ProductVariant, 'productStatus' | 'archivedAt'>): boolean {
  return isProductVisible({ status: variant.productStatus }) && variant.archivedAt === null;
}

/** Whether a unit of the variant can be put in a cart now. */
export function isVariantForSale(variant: ProductVariant): boolean {
  return isVariantVisible(variant) && variant.available > 0;
}

/** The variant's choice of options in words, e.g. `250 g / Gift box`; `Default` for the only one of a product. */
export function variantTitle(variant: Pick<ProductVariant, 'selectedOptions'>): string {
  return variant.selectedOptions.map((option) => option.value).join(' / ') || 'Default';
}

/** Product and variant in words, as carts' messages and orders name it. */
export function fullTitle(variant: Pick<ProductVariant, 'selectedOptions' | 'productTitle'>): string {
  const choice = variant.selectedOptions.map((option) => option.value).join(' / ');
  return choice === '' ? variant.productTitle : `${variant.productTitle} - ${choice}`;
}

/**
 * The catalogue, to read. Lists of ids are answered in one statement; the order of such an answer is any. What takes a
 * `source` reads through a transaction where it is given one, as that sees it.
 */
export interface CatalogService {
  productsByIds(ids: readonly string[], source?: Queryable): Promise<Product[]>;
  /** @param fields what is read of the product and its variants; null or omitted: everything of the product */
  productBySlug(slug: string, source?: Queryable, fields?: ProductFields | null): Promise<Product | null>;
  /** Whether shoppers may find the variant now; questions of the same tick are answered by one statement. */
  isVisible(variantId: string): Promise<boolean>;
  /** The same of a product. */
  isProductVisible(productId: string): Promise<boolean>;
  /**
   * @param count gives the query's `productCount`
   * @param fields what is read of products and their variants; null or omitted: everything of products
   */
  productPage(
    query: ProductQuery,
    order: pages.ProductOrder,
    page: PageRequest,
    count: () => Promise<Found>,
    fields?: ProductFields | null,
  ): Promise<Page<Product>>;
  /** How many products the query finds, as far as lists count. */
  productCount(query: ProductQuery): Promise<Found>;
  /** How the products that the query finds are spread over categories, without regard to the query's own category. */
  categoryFacet(query: ProductQuery): Promise<facets.CategoryCount[]>;
  /** Numbers of products by tag, among products that have all the tags of the query. */
  tagFacet(query: ProductQuery): Promise<facets.TagCount[]>;
  /** Numbers of products by option value. The query's own condition on an option does not affect the values of that option. */
  optionFacet(query: ProductQuery): Promise<facets.OptionCounts[]>;
  /** Numbers of products by price range. The query's own limits of price do not apply. */
  priceFacet(query: ProductQuery): Promise<facets.PriceRangeCount[]>;
  /** Variants whatever their product's status; through a transaction, as it sees them. */
  variantsByIds(ids: readonly string[], source?: Queryable): Promise<ProductVariant[]>;
  variantIdsBySkus(skus: readonly string[], source?: Queryable): Promise<Map<string, string>>;
  variantsOfProducts(productIds: readonly string[], source?: Queryable): Promise<ProductVariant[]>;
  /** A page of variants, those with the least stock first. */
  variantPage(query: VariantQuery, page: PageRequest): Promise<Page<ProductVariant>>;
  /** How many variants the query finds, as far as lists count. */
  variantCount(query: VariantQuery): Promise<number>;
  /** The ids of all variants of products, archived ones too. */
  variantIdsOfProducts(productIds: readonly string[]): Promise<string[]>;
  categoriesByIds(ids: readonly string[]): Promise<Category[]>;
  categoryBySlug(slug: string): Promise<Category | null>;
  categoryPage(page: PageRequest): Promise<Page<Category>>;
  categoryCount(): Promise<number>;
  productPagesOfCategories(ids: readonly string[], page: PageRequest): Promise<Map<string, Page<Product>>>;
  productCountsOfCategories(ids: readonly string[]): Promise<Map<string, number>>;
}

/** Wires the catalogue. */
export function createCatalogService({ db }: { db: Database }): CatalogService {
  const visibleVariants = visibility(
    (ids) => repository.findVariants(db, ids),
    (variant) => isVariantVisible(variant),
  );
  const visibleProducts = visibility(
    (ids) => repository.findProducts(db, ids),
    (product) => isProductVisible(product),
  );
  const productsWithFields = fieldsBySlug(db);
  return {
    isVisible: (variantId) => visibleVariants.load(variantId),
    isProductVisible: (productId) => visibleProducts.load(productId),
    productsByIds: (ids, source = db) => repository.findProducts(source, ids),
    productBySlug: (slug, source, fields = null) =>
      fields === null
        ? repository.findProductBySlug(source ?? db, slug)
        : source === undefined
          ? productsWithFields(slug, fields)
          : findFieldsOfProducts(source, [slug], fields).then((products) => products.get(slug) ?? null),
    productPage: (query, order, page, count, fields = null) =>
      pages.findProductPage(db, query, order, page, count, fields),
    productCount: (query) => counts.countProducts(db, query),
    categoryFacet: (query) => facets.countByCategory(db, query),
    tagFacet: (query) => facets.countByTag(db, query),
    optionFacet: (query) => facets.countByOption(db, query),
    priceFacet: (query) => facets.countByPrice(db, query),
    variantsByIds: (ids, source = db) => repository.findVariants(source, ids),
    async variantIdsBySkus(skus, source = db) {
      const rows = await repository.findVariantIdsBySkus(source, skus);
      return new Map(rows.map((row) => [row.sku, row.id]));
    },
    variantsOfProducts: (ids, source = db) => repository.findVariantsOfProducts(source, ids),
    variantPage: (query, page) => variantList.findVariantPage(db, query, page),
    variantCount: (query) => variantList.countVariants(db, query),
    variantIdsOfProducts: (ids) => repository.findVariantIdsOfProducts(db, ids),
    categoriesByIds: (ids) => repository.findCategories(db, ids),
    categoryBySlug: (slug) => repository.findCategoryBySlug(db, slug),
    categoryPage: (page) => repository.findCategoryPage(db, page),
    categoryCount: () => repository.countCategories(db),
    productPagesOfCategories: (ids, page) => pages.findProductPagesOfCategories(db, ids, page),
    productCountsOfCategories: (ids) => counts.countProductsOfCategories(db, ids),
  };
}

/** Products that one statement reads at most. */
const MAX_TOGETHER = 100;

/**
 * Reads products by slug. Operations that the process takes up in one round of its event loop and that need the same fields
 * share a statement: under load, a statement for each would cost more than all the rest of the operation. Nothing waits for
 * operations that are still to come. The statement begins after each call, so it sees all that was committed before.
 */
function fieldsBySlug(db: Database): (slug: string, fields: ProductFields) => Promise<Product | null> {
  // A document's fields are collected once, so equal documents have the same ones.
  const loaders = new WeakMap<ProductFields, DataLoader<string, Product | null>>();
  return (slug, fields) => {
    let loader = loaders.get(fields);
    if (loader === undefined) {
      loader = new DataLoader(
        async (slugs) => {
          const products = await findFieldsOfProducts(db, [...new Set(slugs)], fields);
          return slugs.map((each) => products.get(each) ?? null);
        },
        { cache: false, maxBatchSize: MAX_TOGETHER, batchScheduleFn: (read) => setImmediate(read) },
      );
      loaders.set(fields, loader);
    }
    return loader.load(slug);
  };
}

/** Answers for all that are asked about in the same tick. What it said before may not be true any more. */
function visibility<Row extends { id: string }>(
  read: (ids: readonly string[]) => Promise<Row[]>,
  isVisible: (row: Row) => boolean,
): DataLoader<string, boolean> {
  return new DataLoader(
    async (ids) => {
      const rows = await read([...new Set(ids)]);
      const found = new Set(rows.filter((row) => isVisible(row)).map((row) => row.id));
      return ids.map((id) => found.has(id));
    },
    { cache: false },
  );
}
