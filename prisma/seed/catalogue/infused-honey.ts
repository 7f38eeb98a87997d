import type { SeedProduct } from './types.ts';

export const infusedHoney: SeedProduct[] = [
  {
    slug: 'ginger-lemon-honey',
    title: 'Ginger & Lemon Honey',
    description:
      'Slivers of fresh ginger and unwaxed lemon, steeped in light summer honey until both have given up their oils. A spoonful and hot water make a winter drink.',
    vendor: 'Three Skeps Kitchen',
    tags: ['infused', 'citrus', 'tea', 'winter'],
    category: 'infused-honey',
    images: [
      { file: 'ginger-lemon-honey.svg', altText: 'A clip-top jar of yellow honey with lemon slices and ginger root' },
    ],
    variants: [
      { sku: 'GINGERLEMON-200', price: '9.50', options: [{ name: 'Size', value: '200 g' }], onHand: 88 },
      { sku: 'GINGERLEMON-400', price: '16.50', options: [{ name: 'Size', value: '400 g' }], onHand: 57 },
    ],
  },
  {
    slug: 'cafe-honey',
    title: 'Café Honey',
    description:
      'Crushed dark-roast coffee rests in the honey for a month and is then strained out. Tastes of caramel and crema; try it in an iced latte.',
    vendor: 'Three Skeps Kitchen',
    tags: ['infused', 'coffee', 'breakfast'],
    category: 'infused-honey',
    images: [{ file: 'cafe-honey.svg', altText: 'A small jar of coffee-brown honey next to a steaming cup' }],
    variants: [
      { sku: 'CAFE-200', price: '10.50', options: [{ name: 'Size', value: '200 g' }], onHand: 45 },
      { sku: 'CAFE-400', price: '18.50', options: [{ name: 'Size', value: '400 g' }], onHand: 3, lowStockThreshold: 5 },
    ],
  },
  {
    slug: 'chilli-honey',
    title: 'Hot Chilli Honey',
    description:
      'Red chillies and a splash of cider vinegar in a squeezy bottle, made for pizza crusts and fried halloumi. Choose how brave you feel.',
    vendor: 'Three Skeps Kitchen',
    tags: ['infused', 'spicy', 'squeezy'],
    category: 'infused-honey',
    images: [{ file: 'chilli-honey.svg', altText: 'A squeezy bottle of red honey with two chillies' }],
    variants: [
      {
        sku: 'CHILLI-250-MILD',
        price: '10.90',
        options: [
          { name: 'Size', value: '250 g' },
          { name: 'Heat', value: 'Mild' },
        ],
        onHand: 96,
      },
      {
        sku: 'CHILLI-250-FIERCE',
        price: '10.90',
        options: [
          { name: 'Size', value: '250 g' },
          { name: 'Heat', value: 'Fierce' },
        ],
        onHand: 71,
      },
      {
        sku: 'CHILLI-500-MILD',
        price: '18.90',
        options: [
          { name: 'Size', value: '500 g' },
          { name: 'Heat', value: 'Mild' },
        ],
        onHand: 40,
      },
      {
        sku: 'CHILLI-500-FIERCE',
        price: '18.90',
        options: [
          { name: 'Size', value: '500 g' },
          { name: 'Heat', value: 'Fierce' },
        ],
        onHand: 0,
      },
    ],
  },
  {
    slug: 'lavender-honey',
    title: 'Lavender Honey',
    description:
      'Acacia honey drawn slowly through fresh lavender heads. Floral without being soapy, and very good on shortbread or a bowl of apricots.',
    vendor: 'Maison Hélianthe',
    tags: ['infused', 'floral', 'baking'],
    category: 'infused-honey',
    images: [{ file: 'lavender-honey.svg', altText: 'A slender bottle of honey with a tied bunch of lavender' }],
    variants: [
      { sku: 'LAVENDER-200', price: '9.90', options: [{ name: 'Size', value: '200 g' }], onHand: 73 },
      {
        sku: 'LAVENDER-400',
        price: '15.90',
        compareAtPrice: '17.50',
        options: [{ name: 'Size', value: '400 g' }],
        onHand: 50,
      },
    ],
  },
  {
    slug: 'smoked-jalapeno-honey',
    title: 'Smoked Jalapeño Honey',
    description:
      'Green jalapeños smoked over applewood, then sliced into wildflower honey. A glaze for ribs, corn or roasted squash.',
    vendor: 'Three Skeps Kitchen',
    tags: ['infused', 'spicy', 'barbecue'],
    category: 'infused-honey',
    images: [{ file: 'smoked-jalapeno-honey.svg', altText: 'A flask of golden honey with green jalapeño rings' }],
    variants: [
      { sku: 'JALAPENO-200', price: '10.90', options: [{ name: 'Size', value: '200 g' }], onHand: 64 },
      { sku: 'JALAPENO-400', price: '18.90', options: [{ name: 'Size', value: '400 g' }], onHand: 29 },
    ],
  },
  {
    slug: 'cinnamon-honey',
    title: 'Cinnamon Honey',
    description:
      'Set honey whipped with freshly ground cinnamon and a pinch of star anise. Porridge has been waiting for this.',
    vendor: 'Three Skeps Kitchen',
    tags: ['infused', 'spiced', 'breakfast', 'winter'],
    category: 'infused-honey',
    images: [{ file: 'cinnamon-honey.svg', altText: 'A jar of cinnamon honey with a tied bundle of cinnamon sticks' }],
    variants: [
      { sku: 'CINNAMON-200', price: '8.90', options: [{ name: 'Size', value: '200 g' }], onHand: 132 },
      { sku: 'CINNAMON-400', price: '15.50', options: [{ name: 'Size', value: '400 g' }], onHand: 81 },
    ],
  },
  {
    slug: 'hazelnut-cacao-honey',
    title: 'Hazelnut & Cacao Spread',
    description:
      'Roasted hazelnuts and organic cacao stone-ground with crème honey, and nothing else in the jar. It disappears faster than any other.',
    vendor: 'Maison Hélianthe',
    tags: ['infused', 'chocolate', 'nuts', 'organic', 'breakfast'],
    category: 'infused-honey',
    images: [
      { file: 'hazelnut-cacao-honey.svg', altText: 'A wide jar of chocolate-brown spread behind a slice of toast' },
    ],
    variants: [
      { sku: 'CACAO-200', price: '10.90', options: [{ name: 'Size', value: '200 g' }], onHand: 102 },
      { sku: 'CACAO-400', price: '18.90', options: [{ name: 'Size', value: '400 g' }], onHand: 66 },
    ],
  },
  {
    slug: 'rose-petal-honey',
    title: 'Rose Petal Honey',
    description:
      'Damask rose petals folded by hand into our palest honey, which blushes pink within a week. A small jar with a big perfume.',
    vendor: 'Maison Hélianthe',
    tags: ['infused', 'floral', 'limited'],
    category: 'infused-honey',
    images: [
      { file: 'rose-petal-honey.svg', altText: 'A small faceted jar of pink honey with a rose and loose petals' },
    ],
    variants: [{ sku: 'ROSE-120', price: '13.50', options: [], onHand: 2, lowStockThreshold: 5 }],
  },
];
