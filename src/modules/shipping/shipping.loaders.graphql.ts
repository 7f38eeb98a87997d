import DataLoader from 'dataloader';
import { byId, registerLoaders } from '../../graphql/context/loaders.ts';
import type { ShippingMethod, ShippingRate } from './shipping.service.ts';
import type { ShippingZone } from './zone.service.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    shippingMethod: DataLoader<string, ShippingMethod | null>;
    shippingZone: DataLoader<string, ShippingZone | null>;
    methodsOfZone: DataLoader<string, ShippingMethod[]>;
    ratesOfMethod: DataLoader<string, ShippingRate[]>;
  }
}

registerLoaders({
  shippingMethod: ({ shipping }) => byId((ids) => shipping.methodsByIds(ids)),
  shippingZone: ({ shippingZones }) => byId((ids) => shippingZones.byIds(ids)),
  methodsOfZone: ({ shipping }) =>
    new DataLoader(async (zoneIds) => {
      const methods = await shipping.methodsOfZones(zoneIds);
      return zoneIds.map((id) => methods.filter(({ zoneId }) => zoneId === id));
    }),
  ratesOfMethod: ({ shipping }) =>
    new DataLoader(async (methodIds) => {
      const rates = await shipping.ratesOfMethods(methodIds);
      return methodIds.map((id) => rates.filter(({ methodId }) => methodId === id));
    }),
});
