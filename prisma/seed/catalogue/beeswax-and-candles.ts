import type { SeedProduct } from './types.ts';

export const beeswaxAndCandles: SeedProduct[] = [
  {
    slug: 'taper-candles',
    title: 'Dipped Taper Candles, Pair',
    description:
      'Two tapers dipped thirty times over and sold joined by their wick, as they come off the rack. They burn clean and slow, and smell of a warm hive.',
    vendor: 'Wickerby Wax Works',
    tags: ['candle', 'beeswax', 'table'],
    category: 'beeswax-and-candles',
    images: [
      { file: 'taper-candles.svg', altText: 'Two lit taper candles in brass holders' },
      {
        file: 'taper-candles-colours.svg',
        altText: 'Pairs of tapers in natural, ivory and forest green hanging by their wicks',
      },
    ],
    variants: [
      {
        sku: 'TAPER-20-NATURAL',
        price: '12.00',
        options: [
          { name: 'Length', value: '20 cm' },
          { name: 'Colour', value: 'Natural' },
        ],
        onHand: 140,
      },
      {
        sku: 'TAPER-20-IVORY',
        price: '12.50',
        options: [
          { name: 'Length', value: '20 cm' },
          { name: 'Colour', value: 'Ivory' },
        ],
        onHand: 65,
      },
      {
        sku: 'TAPER-20-FOREST',
        price: '12.50',
        options: [
          { name: 'Length', value: '20 cm' },
          { name: 'Colour', value: 'Forest' },
        ],
        onHand: 48,
      },
      {
        sku: 'TAPER-30-NATURAL',
        price: '16.00',
        options: [
          { name: 'Length', value: '30 cm' },
          { name: 'Colour', value: 'Natural' },
        ],
        onHand: 90,
      },
      {
        sku: 'TAPER-30-IVORY',
        price: '16.50',
        options: [
          { name: 'Length', value: '30 cm' },
          { name: 'Colour', value: 'Ivory' },
        ],
        onHand: 38,
      },
      {
        sku: 'TAPER-30-FOREST',
        price: '13.00',
        compareAtPrice: '16.50',
        options: [
          { name: 'Length', value: '30 cm' },
          { name: 'Colour', value: 'Forest' },
        ],
        onHand: 1,
      },
    ],
  },
  {
    slug: 'pillar-candle',
    title: 'Beeswax Pillar Candle',
    description:
      'Poured in one go around a braided cotton wick, with the pale bloom left on. The large one lasts about ninety hours.',
    vendor: 'Wickerby Wax Works',
    tags: ['candle', 'beeswax'],
    category: 'beeswax-and-candles',
    images: [{ file: 'pillar-candle.svg', altText: 'Three pillar candles of different heights on a slate' }],
    variants: [
      { sku: 'PILLAR-S', price: '14.00', options: [{ name: 'Size', value: 'Small' }], onHand: 86 },
      { sku: 'PILLAR-M', price: '22.00', options: [{ name: 'Size', value: 'Medium' }], onHand: 59 },
      { sku: 'PILLAR-L', price: '34.00', options: [{ name: 'Size', value: 'Large' }], onHand: 20 },
    ],
  },
  {
    slug: 'skep-candle',
    title: 'Little Skep Candle',
    description:
      'A candle in the shape of an old straw hive, with a bee resting by the door. Too pretty to light, people say, and then they light it.',
    vendor: 'Wickerby Wax Works',
    tags: ['candle', 'beeswax', 'gift'],
    category: 'beeswax-and-candles',
    images: [{ file: 'skep-candle.svg', altText: 'A lit candle shaped like a straw skep with a small bee' }],
    variants: [{ sku: 'SKEP-CANDLE', price: '11.00', options: [], onHand: 113 }],
  },
  {
    slug: 'tealights',
    title: 'Beeswax Tealights',
    description:
      'Pure beeswax in clear cups that can be used again, five hours each. Refills without cups go in the same box.',
    vendor: 'Wickerby Wax Works',
    tags: ['candle', 'beeswax', 'everyday'],
    category: 'beeswax-and-candles',
    images: [{ file: 'tealights.svg', altText: 'Seven tealights seen from above, set out like cells of a comb' }],
    variants: [
      { sku: 'TEALIGHT-6', price: '8.50', options: [{ name: 'Pack', value: 'Box of 6' }], onHand: 175 },
      { sku: 'TEALIGHT-12', price: '15.50', options: [{ name: 'Pack', value: 'Box of 12' }], onHand: 128 },
      {
        sku: 'TEALIGHT-24',
        price: '27.50',
        compareAtPrice: '31.00',
        options: [{ name: 'Pack', value: 'Box of 24' }],
        onHand: 43,
      },
    ],
  },
  {
    slug: 'beeswax-bar',
    title: 'Beeswax Bar',
    description:
      'Filtered cappings wax in a solid bar for thread, zips, drawers and saddlery. Nothing added, nothing bleached.',
    vendor: 'Wickerby Wax Works',
    tags: ['beeswax', 'craft'],
    category: 'beeswax-and-candles',
    images: [{ file: 'beeswax-bar.svg', altText: 'Three stacked bars of yellow beeswax stamped with hexagons' }],
    variants: [
      { sku: 'BAR-30', price: '3.50', options: [{ name: 'Size', value: '30 g' }], onHand: 200 },
      { sku: 'BAR-100', price: '8.00', options: [{ name: 'Size', value: '100 g' }], onHand: 149 },
      { sku: 'BAR-500', price: '29.00', options: [{ name: 'Size', value: '500 g' }], onHand: 26 },
    ],
  },
  {
    slug: 'beeswax-pastilles',
    title: 'Beeswax Pastilles',
    description:
      'Small beads that weigh out neatly and melt fast, for balms, candles and soap. The white ones are filtered through clay, never bleached.',
    vendor: 'Wickerby Wax Works',
    tags: ['beeswax', 'craft', 'bulk'],
    category: 'beeswax-and-candles',
    images: [{ file: 'beeswax-pastilles.svg', altText: 'A paper sack of wax beads with some spilled in front' }],
    variants: [
      {
        sku: 'PASTILLES-250-YELLOW',
        price: '13.50',
        options: [
          { name: 'Size', value: '250 g' },
          { name: 'Finish', value: 'Yellow' },
        ],
        onHand: 82,
      },
      {
        sku: 'PASTILLES-250-WHITE',
        price: '14.50',
        options: [
          { name: 'Size', value: '250 g' },
          { name: 'Finish', value: 'White' },
        ],
        onHand: 63,
      },
      {
        sku: 'PASTILLES-1000-YELLOW',
        price: '44.00',
        options: [
          { name: 'Size', value: '1 kg' },
          { name: 'Finish', value: 'Yellow' },
        ],
        onHand: 27,
      },
      {
        sku: 'PASTILLES-1000-WHITE',
        price: '47.00',
        options: [
          { name: 'Size', value: '1 kg' },
          { name: 'Finish', value: 'White' },
        ],
        onHand: 0,
      },
    ],
  },
  {
    slug: 'beeswax-wraps',
    title: 'Organic Cotton Beeswax Wraps',
    description:
      'Printed organic cotton steeped in beeswax and pine resin, to fold over bowls, bread and half-lemons. Rinse in cool water and use for a year.',
    vendor: 'Wickerby Wax Works',
    tags: ['beeswax', 'kitchen', 'organic'],
    category: 'beeswax-and-candles',
    images: [{ file: 'beeswax-wraps.svg', altText: 'A bowl covered with a patterned wax cloth and two folded wraps' }],
    variants: [
      { sku: 'WRAP-S', price: '6.50', options: [{ name: 'Size', value: 'Small' }], onHand: 94 },
      { sku: 'WRAP-M', price: '8.50', options: [{ name: 'Size', value: 'Medium' }], onHand: 101 },
      { sku: 'WRAP-L', price: '11.50', options: [{ name: 'Size', value: 'Large' }], onHand: 70 },
      {
        sku: 'WRAP-SET',
        price: '22.50',
        compareAtPrice: '26.50',
        options: [{ name: 'Size', value: 'Set of 3' }],
        onHand: 55,
      },
    ],
  },
  {
    slug: 'lip-balm',
    title: 'Beeswax Lip Balm',
    description:
      'Beeswax, almond oil and shea in a round pocket tin, made in small batches. It softens at a touch and does not taste of anything it should not.',
    vendor: 'Wickerby Wax Works',
    tags: ['beeswax', 'care', 'gift'],
    category: 'beeswax-and-candles',
    images: [{ file: 'lip-balm.svg', altText: 'An open round tin of balm and its golden lid with a bee on it' }],
    variants: [
      { sku: 'BALM-HONEY', price: '5.90', options: [{ name: 'Scent', value: 'Honey' }], onHand: 152 },
      { sku: 'BALM-MINT', price: '5.90', options: [{ name: 'Scent', value: 'Mint' }], onHand: 119 },
      { sku: 'BALM-ROSE', price: '5.90', options: [{ name: 'Scent', value: 'Rose' }], onHand: 2 },
    ],
  },
  {
    slug: 'wood-polish',
    title: 'Beeswax Wood Polish',
    description:
      'Beeswax and linseed oil in a flat tin, for tables, boards and old chair arms. Rub in, wait for a cup of tea, buff off.',
    vendor: 'Wickerby Wax Works',
    tags: ['beeswax', 'home'],
    category: 'beeswax-and-candles',
    images: [{ file: 'wood-polish.svg', altText: 'A flat tin of polish and a folded cloth on wooden planks' }],
    variants: [
      { sku: 'POLISH-150', price: '12.90', options: [{ name: 'Size', value: '150 ml' }], onHand: 49 },
      { sku: 'POLISH-400', price: '25.90', options: [{ name: 'Size', value: '400 ml' }], onHand: 32 },
    ],
  },
];
