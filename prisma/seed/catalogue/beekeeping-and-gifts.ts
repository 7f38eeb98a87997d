import type { SeedProduct } from './types.ts';

export const beekeepingAndGifts: SeedProduct[] = [
  {
    slug: 'honey-dipper',
    title: 'Honey Dipper',
    description:
      'Turned from a single piece of wood and finished with beeswax. Keep it turning and it never drips; stop, and it pours.',
    vendor: 'Tansy Fold Supply',
    tags: ['kitchen', 'wood', 'gift'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'honey-dipper.svg', altText: 'Two crossed wooden honey dippers, one pale and one dark' }],
    variants: [
      { sku: 'DIPPER-OLIVE', price: '9.50', options: [{ name: 'Wood', value: 'Olive' }], onHand: 87 },
      { sku: 'DIPPER-WALNUT', price: '9.50', options: [{ name: 'Wood', value: 'Walnut' }], onHand: 62 },
    ],
  },
  {
    slug: 'tasting-flight',
    title: 'Honey Tasting Flight',
    description:
      'Small jars from palest to darkest in a slotted tray, with a card of tasting notes. Begin on the left and argue about the favourite.',
    vendor: 'Quillmoor Apiary',
    tags: ['gift', 'tasting', 'raw'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'tasting-flight.svg', altText: 'A tray of five small honey jars from pale gold to dark brown' }],
    variants: [
      { sku: 'FLIGHT-3', price: '19.90', options: [{ name: 'Jars', value: '3 × 50 g' }], onHand: 76 },
      { sku: 'FLIGHT-5', price: '29.90', options: [{ name: 'Jars', value: '5 × 50 g' }], onHand: 53 },
      {
        sku: 'FLIGHT-9',
        price: '46.00',
        compareAtPrice: '52.00',
        options: [{ name: 'Jars', value: '9 × 50 g' }],
        onHand: 21,
      },
    ],
  },
  {
    slug: 'orchard-hamper',
    title: 'Orchard Hamper',
    description:
      'A willow basket packed with acacia honey, cut comb, a pair of tapers, an olive-wood dipper and a jar of Crème Honey. Tied with linen and sent with your note.',
    vendor: 'Three Skeps Kitchen',
    tags: ['gift', 'hamper'],
    category: 'beekeeping-and-gifts',
    images: [
      { file: 'orchard-hamper.svg', altText: 'A willow hamper holding honey jars, candles and a checked cloth' },
    ],
    variants: [{ sku: 'HAMPER-ORCHARD', price: '120.00', options: [], onHand: 17 }],
  },
  {
    slug: 'gift-box',
    title: 'Wrapped Gift Box',
    description:
      'Two jars of honey and a bar of beeswax in a sturdy box, papered and ribboned at the packing table. Pick the paper; we tie the bow.',
    vendor: 'Three Skeps Kitchen',
    tags: ['gift', 'wrapped'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'gift-box.svg', altText: 'A yellow gift box with hexagon paper and a blue ribbon' }],
    variants: [
      { sku: 'GIFT-COMB', price: '32.00', options: [{ name: 'Paper', value: 'Comb' }], onHand: 60 },
      { sku: 'GIFT-MEADOW', price: '32.00', options: [{ name: 'Paper', value: 'Meadow' }], onHand: 42 },
      { sku: 'GIFT-MIDNIGHT', price: '32.00', options: [{ name: 'Paper', value: 'Midnight' }], onHand: 0 },
    ],
  },
  {
    slug: 'bee-garden-seeds',
    title: 'Bee Garden Seeds',
    description:
      'Borage, phacelia, cornflower and scabious, in flower from May until the first frost. Grown organically and free of fillers.',
    vendor: 'Tansy Fold Supply',
    tags: ['garden', 'organic', 'seeds'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'bee-garden-seeds.svg', altText: 'A seed packet printed with blue borage and a bumblebee' }],
    variants: [
      { sku: 'SEEDS-PACKET', price: '4.50', options: [{ name: 'Pack', value: 'Packet, 3 m²' }], onHand: 185 },
      { sku: 'SEEDS-TIN', price: '14.00', options: [{ name: 'Pack', value: 'Tin, 15 m²' }], onHand: 57 },
    ],
  },
  {
    slug: 'hive-smoker',
    title: 'Hive Smoker',
    description:
      'Stainless steel with a heat guard and leather bellows that will outlast several beekeepers. Stays lit on dry grass for an hour.',
    vendor: 'Tansy Fold Supply',
    tags: ['beekeeping', 'tool'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'hive-smoker.svg', altText: 'A steel hive smoker with brown bellows and a curl of smoke' }],
    variants: [
      { sku: 'SMOKER-S', price: '39.00', options: [{ name: 'Size', value: 'Small' }], onHand: 25 },
      {
        sku: 'SMOKER-L',
        price: '49.00',
        compareAtPrice: '56.00',
        options: [{ name: 'Size', value: 'Large' }],
        onHand: 19,
      },
    ],
  },
  {
    slug: 'hive-tool',
    title: 'J-Hook Hive Tool',
    description:
      'Lifts frames with the hook and scrapes propolis with the blade. Painted yellow because everyone drops theirs in the grass.',
    vendor: 'Tansy Fold Supply',
    tags: ['beekeeping', 'tool'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'hive-tool.svg', altText: 'A yellow steel hive tool with a hooked end lying on grass' }],
    variants: [{ sku: 'HIVETOOL-J', price: '15.50', options: [], onHand: 98 }],
  },
  {
    slug: 'beekeeper-veil',
    title: 'Beekeeper’s Hat & Veil',
    description:
      'A wide straw-weave brim with a fine black veil that ties under the arms. Light enough for August, and it folds flat.',
    vendor: 'Tansy Fold Supply',
    tags: ['beekeeping', 'clothing'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'beekeeper-veil.svg', altText: 'A straw hat with a dark net veil and a bee flying past' }],
    variants: [
      {
        sku: 'VEIL-M-STRAW',
        price: '28.00',
        options: [
          { name: 'Size', value: 'M' },
          { name: 'Hat', value: 'Straw' },
        ],
        onHand: 34,
      },
      {
        sku: 'VEIL-M-CANVAS',
        price: '32.00',
        options: [
          { name: 'Size', value: 'M' },
          { name: 'Hat', value: 'Canvas' },
        ],
        onHand: 23,
      },
      {
        sku: 'VEIL-L-STRAW',
        price: '28.00',
        options: [
          { name: 'Size', value: 'L' },
          { name: 'Hat', value: 'Straw' },
        ],
        onHand: 30,
      },
      {
        sku: 'VEIL-L-CANVAS',
        price: '32.00',
        options: [
          { name: 'Size', value: 'L' },
          { name: 'Hat', value: 'Canvas' },
        ],
        onHand: 1,
      },
    ],
  },
  {
    slug: 'bee-house',
    title: 'Solitary Bee House',
    description:
      'A cedar house of reeds and drilled blocks for mason and leafcutter bees, which live alone and rarely sting. Hang it facing the morning sun.',
    vendor: 'Tansy Fold Supply',
    tags: ['garden', 'wood', 'gift'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'bee-house.svg', altText: 'A small wooden house filled with reed tubes for solitary bees' }],
    variants: [
      { sku: 'BEEHOUSE-S', price: '24.00', options: [{ name: 'Size', value: 'Small' }], onHand: 56 },
      { sku: 'BEEHOUSE-L', price: '42.00', options: [{ name: 'Size', value: 'Large' }], onHand: 16 },
    ],
  },
  {
    slug: 'enamel-mug',
    title: 'Enamel Bee Mug',
    description:
      'A chip-proof enamel mug with one bee on the outside and another, unexpectedly, at the bottom. Safe over a camp fire.',
    vendor: 'Three Skeps Kitchen',
    tags: ['kitchen', 'gift'],
    category: 'beekeeping-and-gifts',
    images: [{ file: 'enamel-mug.svg', altText: 'A white enamel mug with a blue rim and a bee on its side' }],
    variants: [
      { sku: 'MUG-WHITE', price: '13.90', options: [{ name: 'Colour', value: 'White' }], onHand: 79 },
      { sku: 'MUG-HONEY', price: '13.90', options: [{ name: 'Colour', value: 'Honey' }], onHand: 51 },
      { sku: 'MUG-SAGE', price: '13.90', options: [{ name: 'Colour', value: 'Sage' }], onHand: 36 },
    ],
  },
];
