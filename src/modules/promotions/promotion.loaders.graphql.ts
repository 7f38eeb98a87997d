import type DataLoader from 'dataloader';
import { byId, registerLoaders } from '../../graphql/context/loaders.ts';
import type { Promotion } from './promotion.types.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    promotion: DataLoader<string, Promotion | null>;
  }
}

registerLoaders({ promotion: ({ promotions }) => byId((ids) => promotions.byIds(ids)) });
