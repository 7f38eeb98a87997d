import DataLoader from 'dataloader';
import type { Page, PageRequest } from '../infra/page.ts';
import type { AccountService, User } from '../modules/accounts/account.service.ts';
import type { CatalogService, Category, Product, ProductVariant } from '../modules/catalog/catalog.service.ts';
import type { OrderService } from '../modules/orders/order.service.ts';

/** Batched reads of one operation (or of one event of a subscription): a list costs a statement, not one per item. */
export interface Loaders {
  product: DataLoader<string, Product | null>;
  variant: DataLoader<string, ProductVariant | null>;
  variantsOfProduct: DataLoader<string, ProductVariant[]>;
  category: DataLoader<string, Category | null>;
  productsOfCategory: DataLoader<{ categoryId: string; page: PageRequest }, Page<Product>, string>;
  productCountOfCategory: DataLoader<string, number>;
  user: DataLoader<string, User | null>;
  /** Not kept: a mutation may have changed them since. */
  ordersOfUser: DataLoader<{ userId: string; page: PageRequest }, Page<{ id: string }>, unknown>;
  orderCountOfUser: DataLoader<string, number>;
}

/** Makes an empty set. */
export function createLoaders({
  catalog,
  accounts,
  orders,
}: {
  catalog: CatalogService;
  accounts: AccountService;
  orders: OrderService;
}): Loaders {
  return {
    product: byId((ids) => catalog.productsByIds(ids)),
    variant: byId((ids) => catalog.variantsByIds(ids)),
    variantsOfProduct: new DataLoader(async (productIds) => {
      const variants = await catalog.variantsOfProducts(productIds);
      return productIds.map((id) => variants.filter((variant) => variant.productId === id));
    }),
    category: byId((ids) => catalog.categoriesByIds(ids)),
    productsOfCategory: new DataLoader(
      pagesOf(
        (key) => key.categoryId,
        (ids, page) => catalog.productPagesOfCategories(ids, page),
      ),
      { cacheKeyFn: ({ categoryId, page }) => `${categoryId} ${JSON.stringify(page)}` },
    ),
    productCountOfCategory: new DataLoader(async (ids) => {
      const counts = await catalog.productCountsOfCategories(ids);
      return ids.map((id) => counts.get(id) ?? 0);
    }),
    user: byId((ids) => accounts.byIds(ids)),
    ordersOfUser: new DataLoader(
      pagesOf(
        (key) => key.userId,
        (ids, page) => orders.pagesOfUsers(ids, page),
      ),
      { cache: false },
    ),
    orderCountOfUser: new DataLoader(
      async (ids) => {
        const counts = await orders.countsOfUsers([...new Set(ids)]);
        return ids.map((id) => counts.get(id) ?? 0);
      },
      { cache: false },
    ),
  };
}

/** Reads pages of lists that several owners have: one statement for each distinct page, aliases with other arguments make another. */
function pagesOf<Key extends { page: PageRequest }, Row>(
  ownerOf: (key: Key) => string,
  read: (ownerIds: readonly string[], page: PageRequest) => Promise<Map<string, Page<Row>>>,
): (keys: readonly Key[]) => Promise<(Page<Row> | Error)[]> {
  return async (keys) => {
    const pages = new Map(keys.map(({ page }) => [JSON.stringify(page), page]));
    const found = new Map<string, Map<string, Page<Row>>>();
    for (const [text, page] of pages) {
      const ids = new Set(keys.filter((key) => JSON.stringify(key.page) === text).map(ownerOf));
      found.set(text, await read([...ids], page));
    }
    return keys.map((key) => {
      const page = found.get(JSON.stringify(key.page))?.get(ownerOf(key));
      return page ?? new Error('a list was not answered');
    });
  };
}

function byId<Row extends { id: string }>(
  read: (ids: readonly string[]) => Promise<Row[]>,
): DataLoader<string, Row | null> {
  return new DataLoader(async (ids) => {
    const rows = new Map((await read(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  });
}

/** Loads a row that must be there, a foreign key vouching for it. */
export async function loadKnown<Row extends object>(loader: DataLoader<string, Row | null>, id: string): Promise<Row> {
  const row = await loader.load(id);
  if (row === null) throw new Error(`${id} is referred to, but is not there`);
  return row;
}
