import type DataLoader from 'dataloader';
import { counts, pages, registerLoaders, type PageLoader } from '../../graphql/context/loaders.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    ordersOfUser: PageLoader<{ id: string }>;
    orderCountOfUser: DataLoader<string, number>;
  }
}

// Not cached: a mutation of the same operation may have changed them.
registerLoaders({
  ordersOfUser: ({ orders }) => pages((ids, page) => orders.pagesOfUsers(ids, page), { cache: false }),
  orderCountOfUser: ({ orders }) => counts((ids) => orders.countsOfUsers(ids), { cache: false }),
});
