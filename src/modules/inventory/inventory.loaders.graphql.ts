import type DataLoader from 'dataloader';
import { counts, pages, registerLoaders, type PageLoader } from '../../graphql/context/loaders.ts';
import type { StockMovement } from './stock.service.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    movementsOfVariant: PageLoader<StockMovement>;
    movementCountOfVariant: DataLoader<string, number>;
    shortfallOfVariant: DataLoader<string, number>;
  }
}

registerLoaders({
  movementsOfVariant: ({ stock }) => pages((ids, page) => stock.movementPages(ids, page)),
  movementCountOfVariant: ({ stock }) => counts((ids) => stock.movementCounts(ids)),
  shortfallOfVariant: ({ outsideStock }) => counts((ids) => outsideStock.shortfalls(ids)),
});
