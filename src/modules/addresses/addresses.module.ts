import type { ShopModule } from '../module.ts';

/** Postal addresses, and the address books of users. */
export const addressesModule: ShopModule = {
  name: 'addresses',
  graphql: () => import('./address.graphql.ts'),
};
