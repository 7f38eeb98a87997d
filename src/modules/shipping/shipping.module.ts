import type { ShopModule } from '../module.ts';
import { createShippingService, type ShippingService } from './shipping.service.ts';
import { createZoneService, type ZoneService } from './zone.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    shipping: ShippingService;
    shippingZones: ZoneService;
  }
}

/** Where orders are sent, how, and for how much. */
export const shippingModule: ShopModule = {
  name: 'shipping',
  services({ config, db, eventLog, services }) {
    const deps = { db, eventLog, staff: services.staff };
    return {
      shipping: createShippingService({ ...deps, currency: config.shop.currency }),
      shippingZones: createZoneService(deps),
    };
  },
  graphql: () =>
    Promise.all([
      import('./shipping.loaders.graphql.ts'),
      import('./shipping-method.graphql.ts'),
      import('./shipping-zone.graphql.ts'),
      import('./zone-mutations.graphql.ts'),
      import('./method-mutations.graphql.ts'),
    ]),
};
