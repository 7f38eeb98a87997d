import { formatTime } from '../../shared/format.ts';
import type { PromotionDraft } from './promotion-draft.ts';
import { SCOPES } from './promotion-fields.tsx';

const NAMES: Readonly<Record<keyof PromotionDraft, string>> = {
  title: 'Title',
  trigger: 'Applies',
  scope: 'Reduces',
  kind: 'By',
  percent: 'Percent',
  amount: 'Amount',
  buyQuantity: 'Units to buy',
  getQuantity: 'Units reduced',
  maxSets: 'Most sets',
  products: 'Products',
  categories: 'Categories',
  tags: 'Tags',
  excludedProducts: 'Products left out',
  excludedCategories: 'Categories left out',
  excludedTags: 'Tags left out',
  minSubtotal: 'From an amount of',
  minQuantity: 'From a number of units',
  countries: 'Countries',
  firstOrderOnly: 'For the first order of a customer alone',
  startsAt: 'Begins',
  endsAt: 'Ends',
  priority: 'Priority',
  combinesWith: 'May be combined with promotions of',
  usageLimit: 'Most orders',
  usageLimitPerCustomer: 'Most orders for each customer',
  budget: 'Budget',
  codes: 'Codes',
};

const scopes = new Map<string, string>(SCOPES);

/** Name and value of a field, for people who decide between two versions of a promotion. */
export function promotionFieldInWords(field: keyof PromotionDraft, draft: PromotionDraft): [string, string] {
  const value = draft[field];
  const name = NAMES[field];
  if (typeof value === 'boolean') return [name, value ? 'yes' : 'no'];
  if (typeof value !== 'string') {
    return [name, value.map((one) => (typeof one === 'string' ? (scopes.get(one) ?? one) : one.name)).join(', ')];
  }
  const isTime = value !== '' && (field === 'startsAt' || field === 'endsAt');
  return [name, isTime ? formatTime(value) : value];
}
