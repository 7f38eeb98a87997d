import DataLoader from 'dataloader';
import { byId, registerLoaders } from '../../graphql/context/loaders.ts';
import type { TaxCategory, TaxExemption, TaxRate } from './tax.service.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    taxCategory: DataLoader<string, TaxCategory | null>;
    taxRatesOfZone: DataLoader<string, TaxRate[]>;
    taxExemption: DataLoader<string, (TaxExemption & { id: string }) | null>;
  }
}

registerLoaders({
  taxCategory: ({ tax }) => byId((ids) => tax.categoriesByIds(ids)),
  taxExemption: ({ tax }) => byId((ids) => tax.exemptionsOf(ids)),
  taxRatesOfZone: ({ tax }) =>
    new DataLoader(async (zoneIds) => {
      const rates = await tax.ratesOfZones(zoneIds);
      return zoneIds.map((id) => rates.filter((rate) => rate.zoneId === id));
    }),
});
