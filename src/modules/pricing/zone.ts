import type { Address } from '../addresses/address.types.ts';
import type { ZoneCover } from '../shipping/zone.types.ts';

export { zoneOf } from '../shipping/zone.types.ts';

/** Where something is sent, as far as zones look at it. */
export type Destination = Pick<Address, 'countryCode' | 'region' | 'postalCode'>;

/** A part of the world. */
export type Zone = ZoneCover;
