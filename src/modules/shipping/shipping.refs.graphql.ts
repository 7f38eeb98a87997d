import { builder } from '../../graphql/schema/builder.ts';
import type { ShippingMethod } from './shipping.service.ts';
import type { ShippingZone } from './zone.service.ts';

/** A way in which orders are sent. */
export const ShippingMethodRef = builder.objectRef<ShippingMethod>('ShippingMethod');

/** A part of the world with its own shipping methods and tax rates. */
export const ShippingZoneRef = builder.objectRef<ShippingZone>('ShippingZone');

/** What the bands of a method are about. */
export const ShippingRateBasisRef = builder.enumType('ShippingRateBasis', {
  description: 'Figure of a cart on which a shipping rate depends.',
  values: {
    WEIGHT: { description: 'Weight of all units that require shipping, in grams.' },
    SUBTOTAL: { description: 'Price of the goods after discounts.' },
  },
});
