/** How a promotion comes to apply. */
export type PromotionTrigger = 'AUTOMATIC' | 'CODE';
/** Part of the price that a promotion reduces. */
export type PromotionScope = 'LINES' | 'ORDER' | 'SHIPPING';
/** How a promotion reduces it. */
export type PromotionKind = 'PERCENT' | 'FIXED_EACH' | 'FIXED_ACROSS' | 'FREE' | 'BUY_X_GET_Y';

export const TRIGGERS = ['AUTOMATIC', 'CODE'] as const;
export const SCOPES = ['LINES', 'ORDER', 'SHIPPING'] as const;
export const KINDS = ['PERCENT', 'FIXED_EACH', 'FIXED_ACROSS', 'FREE', 'BUY_X_GET_Y'] as const;

/** Lists of rows by which a promotion names its lines. */
export const ID_LISTS = {
  productIds: 'Product',
  variantIds: 'ProductVariant',
  categoryIds: 'Category',
  excludedProductIds: 'Product',
  excludedVariantIds: 'ProductVariant',
  excludedCategoryIds: 'Category',
  getProductIds: 'Product',
  getVariantIds: 'ProductVariant',
  getCategoryIds: 'Category',
  customerIds: 'User',
} as const;

export type IdList = keyof typeof ID_LISTS;

/** Everything that staff decide about a promotion. Amounts are in minor units of the shop's currency. */
export interface PromotionTerms extends Record<IdList, string[]> {
  title: string;
  trigger: PromotionTrigger;
  scope: PromotionScope;
  kind: PromotionKind;
  /** Parts per million. Null unless the kind is PERCENT or BUY_X_GET_Y. */
  percentPpm: number | null;
  /** Null unless the kind is FIXED_EACH or FIXED_ACROSS. */
  amountMinor: bigint | null;
  buyQuantity: number | null;
  getQuantity: number | null;
  /** Null: as many sets as a cart has. */
  maxSets: number | null;
  tags: string[];
  excludedTags: string[];
  getTags: string[];
  minSubtotalMinor: bigint | null;
  minQuantity: number | null;
  /** ISO 3166-1 alpha-2 codes; empty: all. */
  countries: string[];
  firstOrderOnly: boolean;
  startsAt: Date;
  /** Null: no end. */
  endsAt: Date | null;
  priority: number;
  combinesWith: PromotionScope[];
  usageLimit: number | null;
  usageLimitPerCustomer: number | null;
  budgetMinor: bigint | null;
}

/** Where a promotion is in its life, by the database's clock. */
export const promotionStatuses = {
  DRAFT: 'The promotion applies by code and has no codes, so nobody can use it yet.',
  SCHEDULED: 'The promotion has not begun.',
  ACTIVE: 'The promotion applies to carts that meet its conditions.',
  ENDED: 'The promotion is over.',
  USED_UP:
    'The usage limit is reached or the budget is spent. Orders that are cancelled make the promotion active again.',
} as const;

export type PromotionStatus = keyof typeof promotionStatuses;

/** A promotion as it is stored. */
export interface Promotion extends PromotionTerms {
  id: string;
  /** Orders that it applies to, cancelled orders excluded. Counted only while it has a limit or a budget. */
  used: number;
  spentMinor: bigint;
  status: PromotionStatus;
  createdAt: Date;
  updatedAt: Date;
}

/** A promotion that is to be created, with its codes. */
export interface NewPromotion {
  /** Without a start: it begins at once. */
  terms: Omit<PromotionTerms, 'startsAt'> & { startsAt: Date | null };
  codes: NewCode[];
}

/** What can be changed of a promotion. Trigger, scope and kind stay. */
export type PromotionChanges = Partial<Omit<PromotionTerms, 'trigger' | 'scope' | 'kind'>>;

/** A discount code that is to be added. */
export interface NewCode {
  /** As staff entered it. */
  code: string;
  /** What codes are compared by. */
  normalized: string;
}

/** A discount code. */
export interface PromotionCode extends NewCode {
  promotionId: string;
  createdAt: Date;
}
