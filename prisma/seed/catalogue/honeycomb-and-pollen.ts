import type { SeedProduct } from './types.ts';

export const honeycombAndPollen: SeedProduct[] = [
  {
    slug: 'cut-comb',
    title: 'Cut Honeycomb',
    description:
      'A square of comb exactly as the bees capped it, cut by hand and drained overnight. Eat it wax and all on warm bread.',
    vendor: 'Quillmoor Apiary',
    tags: ['comb', 'raw', 'cheese'],
    category: 'honeycomb-and-pollen',
    images: [
      { file: 'cut-comb.svg', altText: 'A slab of golden honeycomb dripping on a wooden board' },
      { file: 'cut-comb-close.svg', altText: 'Honeycomb cells close up with a bee walking over them' },
    ],
    variants: [
      { sku: 'COMB-200', price: '15.90', options: [{ name: 'Size', value: '200 g' }], onHand: 41 },
      { sku: 'COMB-400', price: '28.50', options: [{ name: 'Size', value: '400 g' }], onHand: 16 },
    ],
  },
  {
    slug: 'chunk-comb-in-acacia',
    title: 'Chunk Comb in Acacia Honey',
    description: 'A thick piece of new comb standing in a jar of clear acacia honey. Half centrepiece, half breakfast.',
    vendor: 'Quillmoor Apiary',
    tags: ['comb', 'raw', 'gift'],
    category: 'honeycomb-and-pollen',
    images: [{ file: 'chunk-comb-in-acacia.svg', altText: 'A wide jar of clear honey with a piece of comb inside' }],
    variants: [
      { sku: 'CHUNK-350', price: '19.90', options: [{ name: 'Size', value: '350 g' }], onHand: 35 },
      { sku: 'CHUNK-700', price: '34.90', options: [{ name: 'Size', value: '700 g' }], onHand: 15 },
    ],
  },
  {
    slug: 'organic-bee-pollen',
    title: 'Organic Bee Pollen',
    description:
      'Dried at low heat so that the pellets stay soft, in all the colours the bees brought home. Scatter it over fruit, yoghurt or organic muesli.',
    vendor: 'Ostrel Honey Co-operative',
    tags: ['pollen', 'organic', 'breakfast'],
    category: 'honeycomb-and-pollen',
    images: [
      { file: 'organic-bee-pollen.svg', altText: 'A wooden scoop spilling yellow, orange and violet pollen grains' },
    ],
    variants: [
      { sku: 'POLLEN-125', price: '9.90', options: [{ name: 'Size', value: '125 g' }], onHand: 77 },
      { sku: 'POLLEN-250', price: '17.90', options: [{ name: 'Size', value: '250 g' }], onHand: 54 },
      {
        sku: 'POLLEN-500',
        price: '29.90',
        compareAtPrice: '33.50',
        options: [{ name: 'Size', value: '500 g' }],
        onHand: 22,
      },
    ],
  },
  {
    slug: 'propolis-drops',
    title: 'Propolis Drops',
    description:
      'The resin bees use to draught-proof the hive, dissolved and filtered into an amber dropper bottle. Balsamic, peppery and strong: a few drops are plenty.',
    vendor: 'Ostrel Honey Co-operative',
    tags: ['propolis', 'pantry'],
    category: 'honeycomb-and-pollen',
    images: [{ file: 'propolis-drops.svg', altText: 'An amber dropper bottle with a single falling drop' }],
    variants: [
      {
        sku: 'PROPOLIS-20-CLASSIC',
        price: '12.50',
        options: [
          { name: 'Size', value: '20 ml' },
          { name: 'Base', value: 'Classic' },
        ],
        onHand: 58,
      },
      {
        sku: 'PROPOLIS-20-GLYCERINE',
        price: '13.50',
        options: [
          { name: 'Size', value: '20 ml' },
          { name: 'Base', value: 'Alcohol-free' },
        ],
        onHand: 46,
      },
      {
        sku: 'PROPOLIS-50-CLASSIC',
        price: '24.90',
        options: [
          { name: 'Size', value: '50 ml' },
          { name: 'Base', value: 'Classic' },
        ],
        onHand: 31,
      },
      {
        sku: 'PROPOLIS-50-GLYCERINE',
        price: '26.90',
        options: [
          { name: 'Size', value: '50 ml' },
          { name: 'Base', value: 'Alcohol-free' },
        ],
        onHand: 3,
        lowStockThreshold: 5,
      },
    ],
  },
  {
    slug: 'gelee-royale',
    title: 'Gelée Royale',
    description:
      'Fresh royal jelly, the food of queens, kept cold from hive to doorstep. We harvest very little of it and only in May.',
    vendor: 'Maison Hélianthe',
    tags: ['royal-jelly', 'chilled', 'limited'],
    category: 'honeycomb-and-pollen',
    images: [
      { file: 'gelee-royale.svg', altText: 'A small white porcelain pot with a gold lid and a crown on its front' },
    ],
    variants: [{ sku: 'GELEE-30', price: '42.00', options: [], onHand: 0 }],
  },
  {
    slug: 'whole-comb-frame',
    title: 'Whole Comb Frame',
    description:
      'A full frame of sealed comb in its limewood surround, about two kilos of it. Restaurants hang it over the breakfast table and let it drip.',
    vendor: 'Quillmoor Apiary',
    tags: ['comb', 'raw', 'catering'],
    category: 'honeycomb-and-pollen',
    images: [{ file: 'whole-comb-frame.svg', altText: 'A wooden hive frame filled with capped honeycomb' }],
    variants: [{ sku: 'FRAME-WHOLE', price: '98.00', options: [], onHand: 3, lowStockThreshold: 4 }],
  },
  {
    slug: 'bee-bread',
    title: 'Bee Bread',
    description:
      'Pollen that the bees have packed into cells with honey and left to ferment, taken out grain by grain. Tangy, bready and soft to chew.',
    vendor: 'Ostrel Honey Co-operative',
    tags: ['pollen', 'fermented', 'pantry'],
    category: 'honeycomb-and-pollen',
    images: [{ file: 'bee-bread.svg', altText: 'A paper pouch with a hexagonal window full of dark pollen grains' }],
    variants: [
      { sku: 'BEEBREAD-100', price: '16.50', options: [{ name: 'Size', value: '100 g' }], onHand: 24 },
      { sku: 'BEEBREAD-250', price: '36.00', options: [{ name: 'Size', value: '250 g' }], onHand: 0 },
    ],
  },
];
