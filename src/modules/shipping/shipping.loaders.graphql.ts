import type DataLoader from 'dataloader';
import { byId, registerLoaders } from '../../graphql/context/loaders.ts';
import type { ShippingMethod } from './shipping.types.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    shippingMethod: DataLoader<string, ShippingMethod | null>;
  }
}

registerLoaders({
  shippingMethod: ({ shipping }) => byId((ids) => shipping.methodsByIds(ids)),
});
