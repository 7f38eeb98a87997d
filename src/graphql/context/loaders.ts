import DataLoader from 'dataloader';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import type { ShopServices } from '../../modules/module.ts';

/**
 * Batched reads of one operation (or of one event of a subscription): a list costs a statement, not one per item. Each module
 * adds its own, in a `*.loaders.graphql.ts`.
 */
export interface Loaders {}

/** Pages of lists that each belong to one row: the row's id, and which page. */
export type PageLoader<Row> = DataLoader<{ of: string; page: PageRequest }, Page<Row>, string>;

/** Makes each on first use: an operation needs few of them, and a subscription keeps its own for as long as it lives. */
class LazyLoaders {
  readonly services: ShopServices;

  constructor(services: ShopServices) {
    this.services = services;
  }
}

/** Says how loaders are made, each of the services of its operation. Called once for each, when the API is put together. */
export function registerLoaders<Name extends keyof Loaders>(makers: {
  readonly [Each in Name]: (services: ShopServices) => Loaders[Each];
}): void {
  for (const [name, make] of Object.entries<(services: ShopServices) => unknown>(makers)) {
    Object.defineProperty(LazyLoaders.prototype, name, {
      get(this: LazyLoaders) {
        const loader = make(this.services);
        Object.defineProperty(this, name, { value: loader });
        return loader;
      },
    });
  }
}

/** Makes an empty set. */
export function createLoaders(services: ShopServices): Loaders {
  return new LazyLoaders(services) as unknown as Loaders;
}

/** A loader of rows by their ids; null where there is none. */
export function byId<Row extends { id: string }>(
  read: (ids: readonly string[]) => Promise<Row[]>,
): DataLoader<string, Row | null> {
  return new DataLoader(async (ids) => {
    const rows = new Map((await read(ids)).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  });
}

/** A loader of pages of lists: one statement for each distinct page that is asked for. */
export function pages<Row>(
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

/** A loader of counts by id; 0 where none is found. */
export function counts(
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
export function renewLoaders(ctx: { loaders: Loaders; services: ShopServices }): void {
  ctx.loaders = createLoaders(ctx.services);
}

/** Loads a row that must be there, a foreign key vouching for it. */
export async function loadKnown<Row extends object>(loader: DataLoader<string, Row | null>, id: string): Promise<Row> {
  const row = await loader.load(id);
  if (row === null) throw new Error(`${id} is referred to, but is not there`);
  return row;
}
