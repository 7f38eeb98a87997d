import DataLoader from 'dataloader';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import type { AccountService, User } from '../../modules/accounts/account.service.ts';
import type { Cart, CartService } from '../../modules/cart/cart.service.ts';
import type { CatalogService, Category, Product, ProductVariant } from '../../modules/catalog/catalog.service.ts';
import type { OutsideStockService } from '../../modules/inventory/outside-stock.service.ts';
import type { StockMovement, StockService } from '../../modules/inventory/stock.service.ts';
import type { StockAlert, StockAlertService } from '../../modules/stock-alerts/stock-alert.service.ts';
import type { OrderService } from '../../modules/orders/order.service.ts';

/** Batched reads of one operation (or of one event of a subscription): a list costs a statement, not one per item. */
export interface Loaders {
  product: DataLoader<string, Product | null>;
  variant: DataLoader<string, ProductVariant | null>;
  variantsOfProduct: DataLoader<string, ProductVariant[]>;
  category: DataLoader<string, Category | null>;
  productsOfCategory: PageLoader<Product>;
  productCountOfCategory: DataLoader<string, number>;
  movementsOfVariant: PageLoader<StockMovement>;
  movementCountOfVariant: DataLoader<string, number>;
  shortfallOfVariant: DataLoader<string, number>;
  user: DataLoader<string, User | null>;
  cart: DataLoader<string, Cart | null>;
  /** Not kept: a mutation may have changed them since. */
  ordersOfUser: PageLoader<{ id: string }>;
  orderCountOfUser: DataLoader<string, number>;
  stockAlertsOfUser: PageLoader<StockAlert>;
  stockAlertCountOfUser: DataLoader<string, number>;
  /** Those who wait for it. */
  stockAlertCountOfVariant: DataLoader<string, number>;
}

/** Pages of lists that each belong to something: of what, and which page. */
type PageLoader<Row> = DataLoader<{ of: string; page: PageRequest }, Page<Row>, string>;

/** What is read through. */
interface Sources {
  catalog: CatalogService;
  accounts: AccountService;
  stock: StockService;
  outsideStock: OutsideStockService;
  orders: OrderService;
  cart: CartService;
  stockAlerts: StockAlertService;
}

/** How each is made. */
const makers: { readonly [Name in keyof Loaders]: (sources: Sources) => Loaders[Name] } = {
  product: ({ catalog }) => byId((ids) => catalog.productsByIds(ids)),
  variant: ({ catalog }) => byId((ids) => catalog.variantsByIds(ids)),
  variantsOfProduct: ({ catalog }) =>
    new DataLoader(async (productIds) => {
      const variants = await catalog.variantsOfProducts(productIds);
      return productIds.map((id) => variants.filter((variant) => variant.productId === id));
    }),
  category: ({ catalog }) => byId((ids) => catalog.categoriesByIds(ids)),
  productsOfCategory: ({ catalog }) => pages((ids, page) => catalog.productPagesOfCategories(ids, page)),
  productCountOfCategory: ({ catalog }) => counts((ids) => catalog.productCountsOfCategories(ids)),
  movementsOfVariant: ({ stock }) => pages((ids, page) => stock.movementPages(ids, page)),
  movementCountOfVariant: ({ stock }) => counts((ids) => stock.movementCounts(ids)),
  shortfallOfVariant: ({ outsideStock }) => counts((ids) => outsideStock.shortfalls(ids)),
  user: ({ accounts }) => byId((ids) => accounts.byIds(ids)),
  cart: ({ cart }) => byId((ids) => cart.byIds(ids)),
  ordersOfUser: ({ orders }) => pages((ids, page) => orders.pagesOfUsers(ids, page), { cache: false }),
  orderCountOfUser: ({ orders }) => counts((ids) => orders.countsOfUsers(ids), { cache: false }),
  stockAlertsOfUser: ({ stockAlerts }) => pages((ids, page) => stockAlerts.pagesOfUsers(ids, page)),
  stockAlertCountOfUser: ({ stockAlerts }) => counts((ids) => stockAlerts.countsOfUsers(ids)),
  stockAlertCountOfVariant: ({ stockAlerts }) => counts((ids) => stockAlerts.countsOfVariants(ids)),
};

/** Makes each on first use: an operation needs few of them, and a subscription keeps its own for as long as it lives. */
class LazyLoaders {
  readonly #sources: Sources;

  static {
    for (const [name, make] of Object.entries(makers)) {
      Object.defineProperty(this.prototype, name, {
        get(this: LazyLoaders) {
          const loader = make(this.#sources);
          Object.defineProperty(this, name, { value: loader });
          return loader;
        },
      });
    }
  }

  constructor(sources: Sources) {
    this.#sources = sources;
  }
}

/** Makes an empty set. */
export function createLoaders(sources: Sources): Loaders {
  return new LazyLoaders(sources) as unknown as Loaders;
}

function byId<Row extends { id: string }>(
  read: (ids: readonly string[]) => Promise<Row[]>,
): DataLoader<string, Row | null> {
  return new DataLoader(async (ids) => {
    const rows = new Map((await read(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  });
}

function pages<Row>(
  read: (ids: readonly string[], page: PageRequest) => Promise<Map<string, Page<Row>>>,
  { cache = true } = {},
): PageLoader<Row> {
  return new DataLoader(
    async (keys) => {
      // One statement for each distinct page that is asked for: aliases with other arguments make another.
      const distinct = new Map(keys.map(({ page }) => [JSON.stringify(page), page]));
      const found = new Map<string, Map<string, Page<Row>>>();
      for (const [text, page] of distinct) {
        const ids = keys.filter((key) => JSON.stringify(key.page) === text).map((key) => key.of);
        found.set(text, await read([...new Set(ids)], page));
      }
      return keys.map(({ of, page }) => {
        const answer = found.get(JSON.stringify(page))?.get(of);
        return answer ?? new Error('a page of a list was not answered');
      });
    },
    { cache, cacheKeyFn: ({ of, page }) => `${of} ${JSON.stringify(page)}` },
  );
}

function counts(
  read: (ids: readonly string[]) => Promise<Map<string, number>>,
  { cache = true } = {},
): DataLoader<string, number> {
  return new DataLoader(
    async (ids) => {
      const found = await read([...new Set(ids)]);
      return ids.map((id) => found.get(id) ?? 0);
    },
    { cache },
  );
}

/** After a change: what the operation read before it is not to be shown again. */
export function renewLoaders(ctx: { loaders: Loaders; services: Sources }): void {
  ctx.loaders = createLoaders(ctx.services);
}

/** Loads a row that must be there, a foreign key vouching for it. */
export async function loadKnown<Row extends object>(loader: DataLoader<string, Row | null>, id: string): Promise<Row> {
  const row = await loader.load(id);
  if (row === null) throw new Error(`${id} is referred to, but is not there`);
  return row;
}
