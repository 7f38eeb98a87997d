import { builder } from '../../graphql/schema/builder.ts';
import type { ShippingMethod } from './shipping.types.ts';

/** A way in which orders are sent. */
export const ShippingMethodRef = builder.objectRef<ShippingMethod>('ShippingMethod');
