/*
 * What `quote` takes and gives. All amounts are in minor units of the shop's currency, all rates in parts per million (20 % is
 * 200,000), all weights in grams.
 */

/** Lines that a promotion applies to: a line that any list names. All lists empty: every line. */
export interface Targets {
  productIds: readonly string[];
  variantIds: readonly string[];
  categoryIds: readonly string[];
  tags: readonly string[];
}

export type PromotionScope = 'LINES' | 'ORDER' | 'SHIPPING';

/** How much a promotion takes off. */
export type PromotionEffect =
  | { kind: 'PERCENT'; ppm: number }
  /** Off each unit. */
  | { kind: 'FIXED_EACH'; amountMinor: bigint }
  /** Off the lines in all, shared out among them. */
  | { kind: 'FIXED_ACROSS'; amountMinor: bigint }
  | { kind: 'FREE' }
  /** `getQuantity` units at `ppm` off for each `buyQuantity` others; the cheapest first. */
  | {
      kind: 'BUY_X_GET_Y';
      ppm: number;
      buyQuantity: number;
      getQuantity: number;
      /** Null: as many as there are. */
      maxSets: number | null;
      /** What is reduced; null: the targets. */
      getTargets: Targets | null;
    };

/** A promotion as far as a quote needs it. The caller hands in those whose window is open. */
export interface PromotionTerms {
  id: string;
  title: string;
  scope: PromotionScope;
  effect: PromotionEffect;
  targets: Targets;
  exclusions: Targets;
  /** What the targeted lines must cost before discounts; null: anything. */
  minSubtotalMinor: bigint | null;
  /** How many units the targeted lines must have; null: any number. */
  minQuantity: number | null;
  /** ISO 3166-1 alpha-2 codes of destinations; empty: all. */
  countries: readonly string[];
  /** The higher is applied first among promotions of one step. */
  priority: number;
  /** Scopes of promotions that it may be combined with; both must allow the other. */
  combinesWith: readonly PromotionScope[];
  /** What is left of its budget; null: no budget. A promotion that would take off more does not apply. */
  budgetLeftMinor: bigint | null;
  /** Why this customer cannot have it at all, as limits and conditions about customers say; null: nothing is in the way. */
  obstacle: PromotionObstacle | null;
}

/** A reason that is known before prices are. */
export type PromotionObstacle =
  'NOT_STARTED' | 'ENDED' | 'USED_UP' | 'USED_BY_CUSTOMER' | 'NOT_FIRST_ORDER' | 'OTHER_CUSTOMERS' | 'LOG_IN_REQUIRED';

/** Why a promotion takes nothing off. */
export type InapplicableReason =
  | PromotionObstacle
  /** No line is among its targets. */
  | 'NO_TARGET'
  | 'MIN_SUBTOTAL_NOT_REACHED'
  | 'MIN_QUANTITY_NOT_REACHED'
  | 'OTHER_DESTINATION'
  /** Its budget does not cover what it would take off. */
  | 'BUDGET_USED_UP'
  /** It cannot be combined with others that make the cart cheaper. */
  | 'NOT_COMBINABLE'
  /** There is no shipping to reduce. */
  | 'NO_SHIPPING'
  /** It would take nothing off. */
  | 'NOTHING_TO_REDUCE';

/** A line of a cart. */
export interface QuoteLineInput {
  id: string;
  variantId: string;
  productId: string;
  categoryId: string | null;
  tags: readonly string[];
  quantity: number;
  /** The price of one unit at which the line was added. */
  unitPriceMinor: number;
  /** Null: the default category. */
  taxCategoryId: string | null;
  /** Of one unit. Null: unknown, counted as 0. */
  weightGrams: number | null;
  requiresShipping: boolean;
}

/** A code as the shopper entered it, and the promotion that it stands for; null: none. */
export interface QuoteCodeInput {
  code: string;
  promotionId: string | null;
}

/** A band of a shipping method: from a value on, and below another. */
export interface ShippingBand {
  basis: 'WEIGHT' | 'SUBTOTAL';
  from: bigint;
  /** Null: no end. */
  to: bigint | null;
  priceMinor: bigint;
}

/** A shipping method of the destination's zone. */
export interface ShippingMethodTerms {
  id: string;
  title: string;
  /** Null: taxed in proportion to the goods. */
  taxCategoryId: string | null;
  /** Discounted goods of this much ship for nothing; null: never. */
  freeFromMinor: bigint | null;
  /** Where several bands match, the cheapest counts. */
  bands: readonly ShippingBand[];
}

/** Where the goods go, and how. */
export interface ShippingInput {
  /** Null as long as there is no address. */
  countryCode: string | null;
  /** In the order in which they are offered; empty without an address. */
  methods: readonly ShippingMethodTerms[];
  /** The shopper's choice; null: none. */
  chosenMethodId: string | null;
}

/** A rate as customers read it. */
export interface TaxRateTerms {
  title: string;
  ppm: number;
}

/** How goods are taxed at the destination. A category without a rate is free of tax. */
export interface TaxInput {
  /** Whether prices contain the tax, or it is added to them. */
  included: boolean;
  /** Of variants without a category; null: they are free of tax. */
  defaultCategoryId: string | null;
  /** Of the destination's zone, else of the shop's own, by category. */
  rates: ReadonlyMap<string, TaxRateTerms>;
  /**
   * Rates whose tax is taken out of prices that contain it, by category: of the shop's own zone, for a buyer who is exempt or
   * abroad with `TAX_ABROAD=net`. Null: prices stay as they are.
   */
  relief: ReadonlyMap<string, TaxRateTerms> | null;
}

/** Everything that decides what a cart costs. */
export interface QuoteInput {
  /** ISO 4217. */
  currency: string;
  lines: readonly QuoteLineInput[];
  /** Automatic ones, and those of the codes. */
  promotions: readonly PromotionTerms[];
  codes: readonly QuoteCodeInput[];
  /** Null: the shop has no zones, and asks for neither address nor method. */
  shipping: ShippingInput | null;
  /** Null: the shop has no taxes. */
  tax: TaxInput | null;
}

/** What a promotion took off a line, or off the shipping. */
export interface AppliedAmount {
  promotionId: string;
  amountMinor: bigint;
}

/** What a promotion took off in all. */
export interface AppliedPromotion extends AppliedAmount {
  title: string;
  scope: PromotionScope;
  /** The code that brought it; null for an automatic one. */
  code: string | null;
}

/** The tax by one rate. */
export interface TaxAmount extends TaxRateTerms {
  amountMinor: bigint;
}

/** What a line costs. */
export interface QuotedLine {
  id: string;
  /** Price times quantity, less `reliefMinor`. */
  totalMinor: bigint;
  /** Tax that was taken out of the price; 0 unless the input has a relief. */
  reliefMinor: bigint;
  discounts: readonly AppliedAmount[];
  discountMinor: bigint;
  /** After discounts; with tax where prices include it. */
  discountedMinor: bigint;
  /** Null: free of tax, or no tax in this shop. */
  tax: TaxAmount | null;
  taxMinor: bigint;
}

/** A shipping method that is available, and its price. */
export interface ShippingOption {
  methodId: string;
  title: string;
  /** Before shipping promotions. */
  listMinor: bigint;
  /** After shipping promotions, were it chosen. */
  priceMinor: bigint;
  /** What would be paid for it: the price, less the tax in it of which the buyer is relieved. */
  chargedMinor: bigint;
}

/**
 * What is still missing for shipping. NOT_NEEDED: nothing requires shipping, or the shop has no zones. UNAVAILABLE: the chosen
 * method is not available any more, or no method is at this address.
 */
export type ShippingState = 'NOT_NEEDED' | 'ADDRESS_REQUIRED' | 'METHOD_REQUIRED' | 'UNAVAILABLE' | 'CHOSEN';

/** A code, and what became of it. */
export interface QuotedCode {
  code: string;
  status: 'APPLIED' | 'NOT_APPLICABLE' | 'UNKNOWN';
  /** Why it takes nothing off; null unless the status is NOT_APPLICABLE. */
  reason: InapplicableReason | null;
  promotionId: string | null;
}

/** What a cart costs, with every intermediate figure. */
export interface Quote {
  currency: string;
  /** Whether the amounts contain `taxMinor`, or it is added to them. */
  pricesIncludeTax: boolean;
  quantity: number;
  /** In the order of the input. */
  lines: readonly QuotedLine[];
  /** Sum of the lines' `totalMinor`. */
  subtotalMinor: bigint;
  /** Promotions of goods that took something off, in the order in which they were applied. */
  discounts: readonly AppliedPromotion[];
  discountMinor: bigint;
  shippingState: ShippingState;
  /** Methods that are available, in their order. */
  shippingOptions: readonly ShippingOption[];
  /** The chosen one, or the only one there is. */
  shippingMethod: ShippingOption | null;
  shippingDiscounts: readonly AppliedPromotion[];
  /** After shipping promotions, and after a relief of tax. */
  shippingMinor: bigint;
  /** The tax on the shipping, by rate. */
  shippingTaxes: readonly TaxAmount[];
  /** What is missing for free shipping with the method; null: it is free, never is, or no method is chosen. */
  freeShippingRemainingMinor: bigint | null;
  /** By rate, of goods and shipping. */
  taxes: readonly TaxAmount[];
  taxMinor: bigint;
  totalMinor: bigint;
  codes: readonly QuotedCode[];
  /** Changes whenever anything that is to be paid changes. */
  hash: string;
}
