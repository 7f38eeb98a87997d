import type DataLoader from 'dataloader';
import { byId, registerLoaders } from '../../graphql/context/loaders.ts';
import type { Cart } from './cart.service.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    cart: DataLoader<string, Cart | null>;
  }
}

registerLoaders({ cart: ({ cart }) => byId((ids) => cart.byIds(ids)) });
