import { beekeepingAndGifts } from './catalogue/beekeeping-and-gifts.ts';
import { beeswaxAndCandles } from './catalogue/beeswax-and-candles.ts';
import { honeycombAndPollen } from './catalogue/honeycomb-and-pollen.ts';
import { infusedHoney } from './catalogue/infused-honey.ts';
import { rawHoney } from './catalogue/raw-honey.ts';
import type { SeedCategory, SeedProduct } from './catalogue/types.ts';

export type { SeedCategory, SeedProduct, SeedVariant } from './catalogue/types.ts';

export const categories: readonly SeedCategory[] = [
  { slug: 'raw-honey', name: 'Raw honey' },
  { slug: 'infused-honey', name: 'Infused honey' },
  { slug: 'honeycomb-and-pollen', name: 'Honeycomb & pollen' },
  { slug: 'beeswax-and-candles', name: 'Beeswax & candles' },
  { slug: 'beekeeping-and-gifts', name: 'Beekeeping & gifts' },
];

/** The first product is acacia honey: the examples in the README and in GraphiQL name its SKUs. */
export const products: readonly SeedProduct[] = [
  ...rawHoney,
  ...infusedHoney,
  ...honeycombAndPollen,
  ...beeswaxAndCandles,
  ...beekeepingAndGifts,
];
