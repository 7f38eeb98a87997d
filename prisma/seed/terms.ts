/*
 * What carts of the demo shop cost: example zones, shipping methods, tax rates and promotions. The tax rates are examples, not
 * advice: a merchant replaces them.
 */

export interface SeedMethod {
  title: string;
  description: string | null;
  deliveryEstimate: string;
  /** Decimal in USD; goods of this much ship for nothing. */
  freeFrom?: string;
  /** Prices for bands of weight, in ascending order: `below` in grams, the last one without an end. */
  bands: readonly { below: number | null; price: string }[];
}

export interface SeedZone {
  name: string;
  countries: readonly string[];
  isHome?: boolean;
  isRest?: boolean;
  methods: readonly SeedMethod[];
  taxRates: readonly { category: string; title: string; percent: string }[];
}

export interface SeedTaxCategory {
  code: string;
  name: string;
  isDefault: boolean;
}

export interface SeedPromotion {
  title: string;
  code?: string;
  scope: 'LINES' | 'ORDER' | 'SHIPPING';
  kind: 'PERCENT' | 'FIXED_ACROSS' | 'FREE' | 'BUY_X_GET_Y';
  percent?: string;
  /** Decimal in USD. */
  amount?: string;
  buyQuantity?: number;
  getQuantity?: number;
  maxSets?: number;
  /** Slugs. */
  categories?: readonly string[];
  tags?: readonly string[];
  /** Decimal in USD. */
  minSubtotal?: string;
  countries?: readonly string[];
  firstOrderOnly?: boolean;
  combinesWith: readonly ('LINES' | 'ORDER' | 'SHIPPING')[];
  usageLimit?: number;
}

const EU = 'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ');

export const taxCategories: readonly SeedTaxCategory[] = [
  { code: 'standard', name: 'Standard', isDefault: true },
  { code: 'reduced', name: 'Food', isDefault: false },
];

/** Categories whose goods are food, by their slugs. */
export const foodCategories: readonly string[] = ['raw-honey', 'infused-honey', 'honeycomb-and-pollen'];

export const zones: readonly SeedZone[] = [
  {
    name: 'United States',
    countries: ['US'],
    isHome: true,
    methods: [
      {
        title: 'Standard',
        description: 'By parcel post, packed in straw.',
        deliveryEstimate: '3 to 5 working days',
        freeFrom: '75.00',
        bands: [
          { below: 2000, price: '5.90' },
          { below: 10_000, price: '8.90' },
          { below: null, price: '14.90' },
        ],
      },
      {
        title: 'Express',
        description: 'Ordered by noon, on its way the same day.',
        deliveryEstimate: '1 to 2 working days',
        bands: [
          { below: 5000, price: '14.90' },
          { below: null, price: '24.90' },
        ],
      },
    ],
    taxRates: [
      { category: 'standard', title: 'Sales tax', percent: '7.25' },
      { category: 'reduced', title: 'Sales tax', percent: '2' },
    ],
  },
  {
    name: 'European Union',
    countries: EU,
    methods: [
      {
        title: 'Parcel to the EU',
        description: 'By air and road, with tracking.',
        deliveryEstimate: '6 to 9 working days',
        bands: [
          { below: 2000, price: '12.90' },
          { below: null, price: '19.90' },
        ],
      },
    ],
    taxRates: [
      { category: 'standard', title: 'VAT', percent: '20' },
      { category: 'reduced', title: 'VAT', percent: '10' },
    ],
  },
  {
    name: 'Rest of the world',
    countries: [],
    isRest: true,
    methods: [
      {
        title: 'Airmail',
        description: 'Duties of the destination are paid on delivery.',
        deliveryEstimate: '2 to 3 weeks',
        bands: [
          { below: 2000, price: '18.90' },
          { below: 20_000, price: '34.90' },
        ],
      },
      {
        title: 'Courier',
        description: 'Door to door, with tracking. Duties of the destination are paid on delivery.',
        deliveryEstimate: '4 to 6 working days',
        bands: [
          { below: 5000, price: '44.90' },
          { below: null, price: '89.00' },
        ],
      },
    ],
    taxRates: [],
  },
];

export const promotions: readonly SeedPromotion[] = [
  {
    title: '10 % off your order',
    code: 'HONEY10',
    scope: 'ORDER',
    kind: 'PERCENT',
    percent: '10',
    combinesWith: ['LINES', 'SHIPPING'],
  },
  {
    title: '5.00 off candles',
    code: 'CANDLES5',
    scope: 'LINES',
    kind: 'FIXED_ACROSS',
    amount: '5.00',
    tags: ['candle'],
    minSubtotal: '20.00',
    combinesWith: ['LINES', 'ORDER', 'SHIPPING'],
    usageLimit: 500,
  },
  {
    title: '5.00 off your first order',
    code: 'WELCOME',
    scope: 'ORDER',
    kind: 'FIXED_ACROSS',
    amount: '5.00',
    minSubtotal: '25.00',
    firstOrderOnly: true,
    combinesWith: ['LINES', 'SHIPPING'],
  },
  {
    title: 'Infused honey: three for two',
    scope: 'LINES',
    kind: 'BUY_X_GET_Y',
    percent: '100',
    buyQuantity: 2,
    getQuantity: 1,
    maxSets: 3,
    categories: ['infused-honey'],
    combinesWith: ['LINES', 'ORDER', 'SHIPPING'],
  },
  {
    title: '15 % off honeycomb and pollen',
    scope: 'LINES',
    kind: 'PERCENT',
    percent: '15',
    categories: ['honeycomb-and-pollen'],
    combinesWith: ['LINES', 'ORDER', 'SHIPPING'],
  },
  {
    title: 'Free shipping in the EU from 120.00',
    scope: 'SHIPPING',
    kind: 'FREE',
    minSubtotal: '120.00',
    countries: EU,
    combinesWith: ['LINES', 'ORDER'],
  },
];
