import { builder } from '../../graphql/schema/builder.ts';
import { EXPECTED_UPDATED_AT } from '../../graphql/schema/edit-conflict.ts';
import { inputId } from '../../graphql/schema/global-id.ts';
import { Refusal, type UserError } from '../user-error.ts';
import { MAX } from './promotion-input.ts';
import { ID_LISTS, type IdList } from './promotion.types.ts';
import { PromotionKindRef, PromotionScopeRef, PromotionTriggerRef } from './promotions.refs.graphql.ts';

const MOST = `At most ${MAX.list} entries.`;
const SETS = 'Only with `kind` BUY_X_GET_Y';

type Fields = Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0];

/** The fields that `promotionCreate` and `promotionUpdate` have in common, all of which can be left out. */
function commonFields(t: Fields) {
  return {
    percent: t.field({
      type: 'Decimal',
      description:
        'Percentage to take off, greater than 0 and at most 100, with at most 4 decimal places; for example `12.5`. Only with ' +
        '`kind` PERCENT, and BUY_X_GET_Y, where it defaults to 100.',
    }),
    amount: t.field({
      type: 'Decimal',
      description: 'Amount to take off, greater than 0. Only with `kind` FIXED_EACH and FIXED_ACROSS.',
    }),
    buyQuantity: t.int({ description: `Number of units to buy for each set. ${SETS}.` }),
    getQuantity: t.int({ description: `Number of units that are reduced in each set. ${SETS}.` }),
    maxSets: t.int({ description: `Maximum number of sets in a cart. ${SETS}; without it, there is no maximum.` }),
    productIds: t.idList({
      description: `Global IDs of the targeted products. ${MOST} A promotion without any targets applies to all products.`,
    }),
    variantIds: t.idList({ description: `Global IDs of the targeted variants. ${MOST}` }),
    categoryIds: t.idList({ description: `Global IDs of the categories whose products are targeted. ${MOST}` }),
    tags: t.stringList({ description: `Tags whose products are targeted. ${MOST}` }),
    excludedProductIds: t.idList({ description: `Global IDs of products that are never reduced. ${MOST}` }),
    excludedVariantIds: t.idList({ description: `Global IDs of variants that are never reduced. ${MOST}` }),
    excludedCategoryIds: t.idList({
      description: `Global IDs of categories whose products are never reduced. ${MOST}`,
    }),
    excludedTags: t.stringList({ description: `Tags whose products are never reduced. ${MOST}` }),
    getProductIds: t.idList({
      description: `Global IDs of products whose units are reduced. ${SETS}; without any, units of the targets are reduced. ${MOST}`,
    }),
    getVariantIds: t.idList({ description: `Global IDs of variants whose units are reduced. ${SETS}. ${MOST}` }),
    getCategoryIds: t.idList({
      description: `Global IDs of categories of products whose units are reduced. ${SETS}. ${MOST}`,
    }),
    getTags: t.stringList({ description: `Tags of products whose units are reduced. ${SETS}. ${MOST}` }),
    minSubtotal: t.field({
      type: 'Decimal',
      description: 'Amount that the targeted lines must cost before discounts.',
    }),
    minQuantity: t.int({ description: 'Number of units that the targeted lines must have.' }),
    countries: t.stringList({
      description: `ISO 3166-1 alpha-2 codes of the countries to which the cart must be shipped. ${MOST} Without any, all countries.`,
    }),
    firstOrderOnly: t.boolean({ description: 'Whether the promotion applies only to the first order of a customer.' }),
    customerIds: t.idList({
      description: `Global IDs of the users for whom alone the promotion applies. ${MOST} Without any, all customers.`,
    }),
    endsAt: t.field({
      type: 'DateTime',
      description:
        'Time from which the promotion no longer applies; later than `startsAt`. Without it, there is no end.',
    }),
    priority: t.int({
      description: 'Rank among promotions of the same step: the higher is applied first. Defaults to 0.',
    }),
    combinesWith: t.field({
      type: [PromotionScopeRef],
      description: 'Scopes of the promotions with which this one may be combined. Without any, it applies alone.',
    }),
    usageLimit: t.int({ description: 'Maximum number of orders. Without it, there is no maximum.' }),
    usageLimitPerCustomer: t.int({
      description: 'Maximum number of orders for each customer. Without it, there is no maximum.',
    }),
    budget: t.field({
      type: 'Decimal',
      description: 'Amount that the promotion may give away in all, greater than 0. Without it, there is no maximum.',
    }),
  };
}

/** Input of `promotionCreate`, and of previews. */
export const PromotionCreateInputRef = builder.inputType('PromotionCreateInput', {
  description: 'A promotion to create.',
  fields: (t) => ({
    title: t.string({ required: true, description: 'Title, which customers see; at most 255 characters.' }),
    trigger: t.field({
      type: PromotionTriggerRef,
      required: true,
      description: 'How the promotion comes to apply. Cannot be changed later.',
    }),
    scope: t.field({
      type: PromotionScopeRef,
      required: true,
      description: 'Part of the price that the promotion reduces. Cannot be changed later.',
    }),
    kind: t.field({
      type: PromotionKindRef,
      required: true,
      description: 'How the promotion reduces prices. Cannot be changed later.',
    }),
    codes: t.stringList({
      description: `Discount codes, each of at most 64 characters. Only with \`trigger\` CODE. At most ${MAX.codes.toLocaleString('en')} codes; more can be added later.`,
    }),
    startsAt: t.field({
      type: 'DateTime',
      description: 'Time at which the promotion begins. Defaults to the current time.',
    }),
    ...commonFields(t),
  }),
});

/** Input of `promotionUpdate`. */
export const PromotionUpdateInputRef = builder.inputType('PromotionUpdateInput', {
  description:
    'Input of `promotionUpdate`. Omitted fields keep their values. Null clears lists, conditions, limits, `endsAt` and ' +
    '`maxSets`, and resets `priority` to 0 and `firstOrderOnly` to false; other fields cannot be cleared.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the promotion.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', description: EXPECTED_UPDATED_AT }),
    title: t.string({ description: 'Title, which customers see; at most 255 characters.' }),
    startsAt: t.field({ type: 'DateTime', description: 'Time at which the promotion begins.' }),
    ...commonFields(t),
  }),
});

/**
 * The input with row IDs in place of global IDs.
 * @throws Refusal with the path of each ID that is invalid
 */
export function withRowIds(input: object): Record<string, unknown> {
  const faults: UserError[] = [];
  const decoded = Object.entries(input).map(([field, value]: [string, unknown]) => {
    if (!Object.hasOwn(ID_LISTS, field) || !Array.isArray(value) || value.length > MAX.list) return [field, value];
    const type = ID_LISTS[field as IdList];
    return [
      field,
      value.map((id, index) => {
        try {
          return inputId(type, String(id), [field, String(index)]);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          faults.push(...error.errors);
          return '';
        }
      }),
    ];
  });
  if (faults.length > 0) throw new Refusal(...faults);
  return Object.fromEntries(decoded) as Record<string, unknown>;
}
