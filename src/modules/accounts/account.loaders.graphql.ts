import type DataLoader from 'dataloader';
import { byId, registerLoaders } from '../../graphql/context/loaders.ts';
import type { User } from './account.service.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    user: DataLoader<string, User | null>;
  }
}

registerLoaders({ user: ({ accounts }) => byId((ids) => accounts.byIds(ids)) });
