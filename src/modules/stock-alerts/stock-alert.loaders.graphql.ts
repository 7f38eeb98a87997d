import type DataLoader from 'dataloader';
import { counts, pages, registerLoaders, type PageLoader } from '../../graphql/context/loaders.ts';
import type { StockAlert } from './stock-alert.service.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    stockAlertsOfUser: PageLoader<StockAlert>;
    stockAlertCountOfUser: DataLoader<string, number>;
    /** How many people wait for each variant. */
    stockAlertCountOfVariant: DataLoader<string, number>;
  }
}

registerLoaders({
  stockAlertsOfUser: ({ stockAlerts }) => pages((ids, page) => stockAlerts.pagesOfUsers(ids, page)),
  stockAlertCountOfUser: ({ stockAlerts }) => counts((ids) => stockAlerts.countsOfUsers(ids)),
  stockAlertCountOfVariant: ({ stockAlerts }) => counts((ids) => stockAlerts.countsOfVariants(ids)),
});
