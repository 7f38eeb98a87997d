import type { SeedProduct } from './types.ts';

export const rawHoney: SeedProduct[] = [
  {
    slug: 'acacia-honey',
    title: 'Acacia Honey',
    description:
      'Pale as straw and slow to set, gathered in the ten days when the acacia groves are in flower. Mild enough to sweeten tea without changing its taste.',
    vendor: 'Quillmoor Apiary',
    tags: ['raw', 'mild', 'runny', 'single-flower'],
    category: 'raw-honey',
    images: [
      { file: 'acacia-honey.svg', altText: 'A jar of pale acacia honey beside a hanging sprig of white blossom' },
      { file: 'acacia-honey-dipper.svg', altText: 'Acacia honey running from a wooden dipper into a blue bowl' },
    ],
    variants: [
      { sku: 'ACACIA-250', price: '9.90', options: [{ name: 'Size', value: '250 g' }], onHand: 120 },
      { sku: 'ACACIA-500', price: '17.50', options: [{ name: 'Size', value: '500 g' }], onHand: 120 },
      { sku: 'ACACIA-1000', price: '31.00', options: [{ name: 'Size', value: '1 kg' }], onHand: 120 },
    ],
  },
  {
    slug: 'linden-blossom-honey',
    title: 'Linden Blossom Honey',
    description:
      'From an avenue of old lindens that hums from end to end in July. Fresh and faintly minty, with a lemony finish that lingers.',
    vendor: 'Quillmoor Apiary',
    tags: ['raw', 'fresh', 'single-flower'],
    category: 'raw-honey',
    images: [{ file: 'linden-blossom-honey.svg', altText: 'A round jar with a gingham cap and a linden leaf' }],
    variants: [
      { sku: 'LINDEN-250', price: '10.50', options: [{ name: 'Size', value: '250 g' }], onHand: 84 },
      { sku: 'LINDEN-500', price: '18.90', options: [{ name: 'Size', value: '500 g' }], onHand: 61 },
      { sku: 'LINDEN-1000', price: '33.50', options: [{ name: 'Size', value: '1 kg' }], onHand: 18 },
    ],
  },
  {
    slug: 'sweet-chestnut-honey',
    title: 'Sweet Chestnut Honey',
    description:
      'Dark, tannic and a little bitter, like strong tea with toffee stirred in. The one to set beside a ripe blue cheese.',
    vendor: 'Maison Hélianthe',
    tags: ['raw', 'dark', 'cheese', 'single-flower'],
    category: 'raw-honey',
    images: [{ file: 'sweet-chestnut-honey.svg', altText: 'A clip-top jar of dark honey with two chestnuts in front' }],
    variants: [
      { sku: 'CHESTNUT-250', price: '11.90', options: [{ name: 'Size', value: '250 g' }], onHand: 47 },
      {
        sku: 'CHESTNUT-500',
        price: '21.00',
        options: [{ name: 'Size', value: '500 g' }],
        onHand: 2,
        lowStockThreshold: 6,
      },
    ],
  },
  {
    slug: 'moorland-heather-honey',
    title: 'Moorland Heather Honey',
    description:
      'So thick that it has to be pressed from the comb, and full of tiny air bubbles that never rise. Warm, woody and unmistakable.',
    vendor: 'Quillmoor Apiary',
    tags: ['raw', 'dark', 'pressed', 'single-flower'],
    category: 'raw-honey',
    images: [{ file: 'moorland-heather-honey.svg', altText: 'A squat jar of amber honey among purple heather' }],
    variants: [
      { sku: 'HEATHER-250', price: '14.50', options: [{ name: 'Size', value: '250 g' }], onHand: 39 },
      { sku: 'HEATHER-500', price: '26.00', options: [{ name: 'Size', value: '500 g' }], onHand: 0 },
    ],
  },
  {
    slug: 'organic-wildflower-honey',
    title: 'Organic Wildflower Honey',
    description:
      'Whatever was in bloom, from dandelion to late clover, in a different blend every summer. The hives stand on organically farmed hay meadows.',
    vendor: 'Ostrel Honey Co-operative',
    tags: ['raw', 'organic', 'everyday'],
    category: 'raw-honey',
    images: [
      {
        file: 'organic-wildflower-honey.svg',
        altText: 'A honey jar standing in a meadow of red, blue and white flowers',
      },
    ],
    variants: [
      { sku: 'WILD-250', price: '8.50', options: [{ name: 'Size', value: '250 g' }], onHand: 160 },
      { sku: 'WILD-500', price: '14.90', options: [{ name: 'Size', value: '500 g' }], onHand: 190 },
      {
        sku: 'WILD-1000',
        price: '24.50',
        compareAtPrice: '28.00',
        options: [{ name: 'Size', value: '1 kg' }],
        onHand: 75,
      },
    ],
  },
  {
    slug: 'creme-honey',
    title: 'Crème Honey',
    description:
      'Spring rape and hawthorn honey, stirred twice a day for a week until it turns to silk. It spreads straight from the larder shelf and stays on the toast.',
    vendor: 'Maison Hélianthe',
    tags: ['raw', 'set', 'breakfast'],
    category: 'raw-honey',
    images: [
      { file: 'creme-honey.svg', altText: 'An open jar of ivory honey with a swirl on top and a spreading knife' },
    ],
    variants: [
      { sku: 'CREME-250', price: '8.90', options: [{ name: 'Size', value: '250 g' }], onHand: 110 },
      { sku: 'CREME-500', price: '15.50', options: [{ name: 'Size', value: '500 g' }], onHand: 92 },
    ],
  },
  {
    slug: 'buckwheat-honey',
    title: 'Buckwheat Honey',
    description:
      'Almost black, with malt, molasses and a whiff of the barn. Bakers love it in gingerbread and rye loaves.',
    vendor: 'Ostrel Honey Co-operative',
    tags: ['raw', 'dark', 'baking', 'single-flower'],
    category: 'raw-honey',
    images: [{ file: 'buckwheat-honey.svg', altText: 'A square jar of near-black honey with buckwheat flowers' }],
    variants: [
      { sku: 'BUCKWHEAT-250', price: '9.50', options: [{ name: 'Size', value: '250 g' }], onHand: 33 },
      { sku: 'BUCKWHEAT-500', price: '16.90', options: [{ name: 'Size', value: '500 g' }], onHand: 28 },
    ],
  },
  {
    slug: 'orange-blossom-honey',
    title: 'Orange Blossom Honey',
    description:
      'Made while the citrus groves are white with flower and the whole valley smells of neroli. Bright, perfumed and lovely over yoghurt.',
    vendor: 'Maison Hélianthe',
    tags: ['raw', 'floral', 'runny', 'single-flower'],
    category: 'raw-honey',
    images: [
      { file: 'orange-blossom-honey.svg', altText: 'A globe-shaped honey jar with a halved orange and white flowers' },
    ],
    variants: [
      { sku: 'ORANGE-250', price: '10.90', options: [{ name: 'Size', value: '250 g' }], onHand: 68 },
      {
        sku: 'ORANGE-500',
        price: '17.90',
        compareAtPrice: '19.50',
        options: [{ name: 'Size', value: '500 g' }],
        onHand: 44,
      },
    ],
  },
  {
    slug: 'forest-honeydew',
    title: 'Forest Honeydew',
    description:
      'No flowers at all: the bees collect it as sweet dew from fir and spruce needles. Deep, resinous and less sweet than you expect.',
    vendor: 'Ostrel Honey Co-operative',
    tags: ['raw', 'dark', 'forest'],
    category: 'raw-honey',
    images: [{ file: 'forest-honeydew.svg', altText: 'A corked bottle of brown honeydew with fir trees on its label' }],
    variants: [
      { sku: 'HONEYDEW-250', price: '12.50', options: [{ name: 'Size', value: '250 g' }], onHand: 52 },
      { sku: 'HONEYDEW-500', price: '22.50', options: [{ name: 'Size', value: '500 g' }], onHand: 37 },
      {
        sku: 'HONEYDEW-1000',
        price: '39.00',
        options: [{ name: 'Size', value: '1 kg' }],
        onHand: 1,
        lowStockThreshold: 3,
      },
    ],
  },
];
