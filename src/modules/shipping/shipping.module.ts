import type { ShopModule } from '../module.ts';
import { createShippingService, type ShippingService } from './shipping.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    shipping: ShippingService;
  }
}

/** Where orders are sent, how, and for how much. */
export const shippingModule: ShopModule = {
  name: 'shipping',
  services: ({ db }) => ({ shipping: createShippingService({ db }) }),
  graphql: () => Promise.all([import('./shipping.loaders.graphql.ts'), import('./shipping-method.graphql.ts')]),
};
