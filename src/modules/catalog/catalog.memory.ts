import { stockChanged } from '../inventory/inventory.events.ts';
import type { Note } from '../module.ts';
import { categoryChanged, productChanged } from './catalog.events.ts';
import type { CatalogService, ProductVariant } from './catalog.service.ts';
import type { ProductQuery } from './product-query.ts';

/** The events after which an answer about the catalogue may be another. */
export const CATALOG_EVENTS = [productChanged.type, categoryChanged.type, stockChanged.type] as const;

const ANY_PRODUCT = productChanged.type;
const ANY_CATEGORY = categoryChanged.type;
const ANY_LEVEL = stockChanged.type;

/** Conditions that no change of stock affects. Of any other it is not known, and so each change counts. */
const APART_FROM_STOCK: ReadonlySet<string> = new Set<keyof ProductQuery>([
  'search',
  'categoryId',
  'tags',
  'minPriceMinor',
  'maxPriceMinor',
  'options',
  'status',
]);

/**
 * The catalogue for answers that are kept: each read notes what it depends on. A product is noted by its id, and a variant by its
 * own id and its product's, since the product's event is about both. Lists, and lookups that find nothing, depend on every
 * product or category.
 */
export function notingCatalog(catalog: CatalogService, note: Note): CatalogService {
  function variants(rows: readonly ProductVariant[]): void {
    for (const { id, productId } of rows) {
      note(id);
      note(productId);
    }
  }
  function list(query: object): void {
    note(ANY_PRODUCT);
    if (Object.keys(query).some((name) => !APART_FROM_STOCK.has(name))) note(ANY_LEVEL);
  }

  return {
    async productsByIds(ids, source) {
      for (const id of ids) note(id);
      return catalog.productsByIds(ids, source);
    },
    async productBySlug(slug, ...more) {
      const product = await catalog.productBySlug(slug, ...more);
      note(product?.id ?? ANY_PRODUCT);
      variants(product?.variants ?? []);
      return product;
    },
    async isVisible(variantId) {
      note(ANY_PRODUCT);
      return catalog.isVisible(variantId);
    },
    async isProductVisible(productId) {
      note(productId);
      return catalog.isProductVisible(productId);
    },
    async productPage(query, ...more) {
      list(query);
      const page = await catalog.productPage(query, ...more);
      for (const product of page.rows) variants(product.variants ?? []);
      return page;
    },
    async productCount(query) {
      list(query);
      return catalog.productCount(query);
    },
    async categoryFacet(query) {
      list(query);
      return catalog.categoryFacet(query);
    },
    async tagFacet(query) {
      list(query);
      return catalog.tagFacet(query);
    },
    async optionFacet(query) {
      list(query);
      return catalog.optionFacet(query);
    },
    async priceFacet(query) {
      list(query);
      return catalog.priceFacet(query);
    },
    async variantsByIds(ids, source) {
      const rows = await catalog.variantsByIds(ids, source);
      variants(rows);
      if (rows.length < new Set(ids).size) note(ANY_PRODUCT);
      return rows;
    },
    async variantIdsBySkus(skus, source) {
      note(ANY_PRODUCT);
      return catalog.variantIdsBySkus(skus, source);
    },
    async variantsOfProducts(productIds, source) {
      for (const id of productIds) note(id);
      const rows = await catalog.variantsOfProducts(productIds, source);
      variants(rows);
      return rows;
    },
    async variantPage(query, page) {
      note(ANY_PRODUCT);
      note(ANY_LEVEL);
      return catalog.variantPage(query, page);
    },
    async variantCount(query) {
      note(ANY_PRODUCT);
      note(ANY_LEVEL);
      return catalog.variantCount(query);
    },
    async variantIdsOfProducts(productIds) {
      for (const id of productIds) note(id);
      return catalog.variantIdsOfProducts(productIds);
    },
    async categoriesByIds(ids) {
      for (const id of ids) note(id);
      return catalog.categoriesByIds(ids);
    },
    async categoryBySlug(slug) {
      const category = await catalog.categoryBySlug(slug);
      note(category?.id ?? ANY_CATEGORY);
      return category;
    },
    async categoryPage(page) {
      note(ANY_CATEGORY);
      return catalog.categoryPage(page);
    },
    async categoryCount() {
      note(ANY_CATEGORY);
      return catalog.categoryCount();
    },
    async productPagesOfCategories(ids, page) {
      note(ANY_PRODUCT);
      return catalog.productPagesOfCategories(ids, page);
    },
    async productCountsOfCategories(ids) {
      note(ANY_PRODUCT);
      return catalog.productCountsOfCategories(ids);
    },
  };
}
