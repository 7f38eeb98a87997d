import { graphql } from '../../shared/graphql.ts';
import type {
  PromotionCreateInput,
  PromotionKind,
  PromotionScope,
  PromotionTrigger,
  PromotionUpdateInput,
  StaffPromotionFragment,
} from '../../generated/graphql.ts';
import { decimal, instant, listOf, orNull, toLocal } from '../parts/entered.ts';

export const PROMOTION = graphql(`
  fragment StaffPromotion on Promotion {
    id
    title
    status
    trigger
    scope
    kind
    percent
    amount {
      amount
      currencyCode
    }
    buyQuantity
    getQuantity
    maxSets
    products {
      id
      title
    }
    categories {
      id
      name
    }
    tags
    excludedProducts {
      id
      title
    }
    excludedCategories {
      id
      name
    }
    excludedTags
    minSubtotal {
      amount
      currencyCode
    }
    minQuantity
    countries
    firstOrderOnly
    startsAt
    endsAt
    priority
    combinesWith
    usageLimit
    usageLimitPerCustomer
    budget {
      amount
      currencyCode
    }
    used
    spent {
      amount
      currencyCode
    }
    updatedAt
  }
`);

/** A row by its ID, with the words that name it. */
export interface Named {
  id: string;
  name: string;
}

/** A promotion as the fields of the form have it. Empty texts stand for what is not set. */
export interface PromotionDraft {
  title: string;
  trigger: PromotionTrigger;
  scope: PromotionScope;
  kind: PromotionKind;
  percent: string;
  amount: string;
  buyQuantity: string;
  getQuantity: string;
  maxSets: string;
  products: readonly Named[];
  categories: readonly Named[];
  tags: string;
  excludedProducts: readonly Named[];
  excludedCategories: readonly Named[];
  excludedTags: string;
  minSubtotal: string;
  minQuantity: string;
  countries: string;
  firstOrderOnly: boolean;
  startsAt: string;
  endsAt: string;
  priority: string;
  combinesWith: readonly PromotionScope[];
  usageLimit: string;
  usageLimitPerCustomer: string;
  budget: string;
  /** With a new promotion by code. */
  codes: string;
}

export const EMPTY_PROMOTION: PromotionDraft = {
  title: '',
  trigger: 'CODE',
  scope: 'ORDER',
  kind: 'PERCENT',
  percent: '',
  amount: '',
  buyQuantity: '',
  getQuantity: '',
  maxSets: '',
  products: [],
  categories: [],
  tags: '',
  excludedProducts: [],
  excludedCategories: [],
  excludedTags: '',
  minSubtotal: '',
  minQuantity: '',
  countries: '',
  firstOrderOnly: false,
  startsAt: '',
  endsAt: '',
  priority: '',
  combinesWith: [],
  usageLimit: '',
  usageLimitPerCustomer: '',
  budget: '',
  codes: '',
};

const text = (value: number | null | undefined) => (value == null ? '' : String(value));
const titled = (products: readonly { id: string; title: string }[]) =>
  products.map(({ id, title }) => ({ id, name: title }));
const named = (categories: readonly { id: string; name: string }[]) => categories.map(({ id, name }) => ({ id, name }));

/** A promotion as the form edits it. */
export function draftOf(promotion: StaffPromotionFragment): PromotionDraft {
  const { title, trigger, scope, kind, firstOrderOnly, combinesWith } = promotion;
  return {
    ...{ title, trigger, scope, kind, firstOrderOnly, combinesWith },
    percent: promotion.percent ?? '',
    amount: promotion.amount?.amount ?? '',
    buyQuantity: text(promotion.buyQuantity),
    getQuantity: text(promotion.getQuantity),
    maxSets: text(promotion.maxSets),
    products: titled(promotion.products),
    categories: named(promotion.categories),
    tags: promotion.tags.join(', '),
    excludedProducts: titled(promotion.excludedProducts),
    excludedCategories: named(promotion.excludedCategories),
    excludedTags: promotion.excludedTags.join(', '),
    minSubtotal: promotion.minSubtotal?.amount ?? '',
    minQuantity: text(promotion.minQuantity),
    countries: promotion.countries.join(', '),
    startsAt: toLocal(promotion.startsAt),
    endsAt: toLocal(promotion.endsAt),
    priority: promotion.priority === 0 ? '' : String(promotion.priority),
    usageLimit: text(promotion.usageLimit),
    usageLimitPerCustomer: text(promotion.usageLimitPerCustomer),
    budget: promotion.budget?.amount ?? '',
    codes: '',
  };
}

const ids = (rows: readonly Named[]) => rows.map(({ id }) => id);
/** What is wrong with a draft before the shop is asked: numbers that are none. */
export function faultsOfDraft(draft: PromotionDraft): Record<string, string> {
  const faults: Record<string, string> = {};
  for (const field of ['percent', 'amount', 'minSubtotal', 'budget'] as const) {
    const entered = decimal(draft[field]);
    if (entered !== '' && !/^\d{1,15}(\.\d{1,6})?$/.test(entered)) faults[field] = 'Enter a number, such as 12.50.';
  }
  const whole = [
    'buyQuantity',
    'getQuantity',
    'maxSets',
    'minQuantity',
    'usageLimit',
    'usageLimitPerCustomer',
  ] as const;
  for (const field of whole) {
    if (!/^\s*\d{0,9}\s*$/.test(draft[field])) faults[field] = 'Enter a whole number.';
  }
  if (!/^\s*-?\d{0,9}\s*$/.test(draft.priority)) faults['priority'] = 'Enter a whole number.';
  return faults;
}

/** The terms of a draft. What does not belong to its kind is left out. */
function termsOf(draft: PromotionDraft) {
  const { kind } = draft;
  const isSets = kind === 'BUY_X_GET_Y';
  return {
    title: draft.title,
    ...(kind === 'PERCENT' || isSets ? { percent: orNull(draft.percent, decimal) } : {}),
    ...(kind === 'FIXED_EACH' || kind === 'FIXED_ACROSS' ? { amount: orNull(draft.amount, decimal) } : {}),
    ...(isSets
      ? {
          buyQuantity: orNull(draft.buyQuantity, Number),
          getQuantity: orNull(draft.getQuantity, Number),
          maxSets: orNull(draft.maxSets, Number),
        }
      : {}),
    productIds: ids(draft.products),
    categoryIds: ids(draft.categories),
    tags: listOf(draft.tags),
    excludedProductIds: ids(draft.excludedProducts),
    excludedCategoryIds: ids(draft.excludedCategories),
    excludedTags: listOf(draft.excludedTags),
    minSubtotal: orNull(draft.minSubtotal, decimal),
    minQuantity: orNull(draft.minQuantity, Number),
    countries: listOf(draft.countries),
    firstOrderOnly: draft.firstOrderOnly,
    endsAt: orNull(draft.endsAt, instant),
    priority: orNull(draft.priority, Number),
    combinesWith: [...draft.combinesWith],
    usageLimit: orNull(draft.usageLimit, Number),
    usageLimitPerCustomer: orNull(draft.usageLimitPerCustomer, Number),
    budget: orNull(draft.budget, decimal),
  };
}

/** What `promotionCreate` is to be sent. */
export function creationOf(draft: PromotionDraft): PromotionCreateInput {
  const { trigger, scope, kind } = draft;
  return {
    ...termsOf(draft),
    ...{ trigger, scope, kind },
    startsAt: orNull(draft.startsAt, instant),
    ...(trigger === 'CODE' ? { codes: listOf(draft.codes) } : {}),
  };
}

/** What `promotionUpdate` is to be sent: the fields in which a draft differs from the promotion. */
export function updateOf(draft: PromotionDraft, current: PromotionDraft): Omit<PromotionUpdateInput, 'id'> {
  const before: Record<string, unknown> = termsOf(current);
  const changed = Object.entries(termsOf(draft)).filter(
    ([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field]),
  );
  const start = draft.startsAt === current.startsAt ? {} : { startsAt: orNull(draft.startsAt, instant) };
  return { ...Object.fromEntries(changed), ...start };
}

type Money = Parameters<(money: { amount: string; currencyCode: string }) => void>[0];

/** What a promotion does, in a few words. */
export function effectInWords(promotion: StaffPromotionFragment, money: (amount: Money) => string): string {
  const { kind, scope, percent, amount, buyQuantity, getQuantity } = promotion;
  const off = scope === 'SHIPPING' ? 'off shipping' : 'off';
  switch (kind) {
    case 'PERCENT':
      return `${percent} % ${off}`;
    case 'FIXED_EACH':
      return `${amount == null ? '' : money(amount)} off each unit`;
    case 'FIXED_ACROSS':
      return `${amount == null ? '' : money(amount)} ${off}`;
    case 'FREE':
      return scope === 'SHIPPING' ? 'Free shipping' : 'Free';
    default:
      return `Buy ${buyQuantity}, get ${getQuantity} ${percent === '100' ? 'free' : `at ${percent} % off`}`;
  }
}
