import type { ShopModule } from '../module.ts';
import { createAddressBookService, type AddressBookService } from './address-book.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    addressBook: AddressBookService;
  }
}

/** Postal addresses, and the address books of users. */
export const addressesModule: ShopModule = {
  name: 'addresses',
  services: ({ db }) => ({ addressBook: createAddressBookService({ db }) }),
  graphql: () => Promise.all([import('./address.graphql.ts'), import('./address-book.graphql.ts')]),
};
