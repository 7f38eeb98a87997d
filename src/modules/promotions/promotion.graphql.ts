import { requestError } from '../../graphql/context/request-error.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import type { Context } from '../../graphql/context/context.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { CategoryRef, ProductRef, ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { Money } from '../money.ts';
import { toPercent } from '../percent.ts';
import { normalizeCode } from './code.ts';
import type { Promotion, PromotionCode } from './promotion.types.ts';
import {
  PromotionKindRef,
  PromotionRef,
  PromotionScopeRef,
  PromotionStatusRef,
  PromotionTriggerRef,
} from './promotions.refs.graphql.ts';

/** Objects by ID, without those that were deleted. */
async function present<T>(found: Promise<readonly (T | null | Error)[]>): Promise<T[]> {
  return (await found).filter((item): item is T => item !== null && !(item instanceof Error));
}

function moneyOrNull(minor: bigint | null, ctx: Context): Money | null {
  return minor === null ? null : { minor, currency: ctx.shop.currency };
}

const PromotionCodeRef = builder.objectRef<PromotionCode>('PromotionCode').implement({
  description: 'A discount code of a promotion. Case and full-width letters make no difference. Staff only.',
  fields: (t) => ({
    code: t.exposeString('code', { nullable: false, description: 'Code as staff entered it.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the code was added.',
    }),
  }),
});

const PromotionCodeConnectionRef = connectionType(PromotionCodeRef, 'discount codes');
const ofCodes: CursorType = { list: 'promotion.codes', values: [cursorTypes.text] };

builder.node(PromotionRef, {
  description: 'A discount that applies to carts which meet its conditions. Staff only.',
  authScopes: { staff: true },
  id: { resolve: (promotion) => promotion.id, description: 'Global ID of the promotion.' },
  fields: (t) => ({
    title: t.exposeString('title', { nullable: false, description: 'Title, which customers see.' }),
    status: t.expose('status', { type: PromotionStatusRef, nullable: false, description: 'Status at present.' }),
    trigger: t.expose('trigger', {
      type: PromotionTriggerRef,
      nullable: false,
      description: 'How the promotion comes to apply. Never changes.',
    }),
    scope: t.expose('scope', {
      type: PromotionScopeRef,
      nullable: false,
      description: 'Part of the price that the promotion reduces. Never changes.',
    }),
    kind: t.expose('kind', {
      type: PromotionKindRef,
      nullable: false,
      description: 'How the promotion reduces prices. Never changes.',
    }),
    percent: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'Percentage that is taken off, for example `12.5`. Null unless `kind` is PERCENT or BUY_X_GET_Y.',
      resolve: ({ percentPpm }) => (percentPpm === null ? null : toPercent(percentPpm)),
    }),
    amount: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'Amount that is taken off. Null unless `kind` is FIXED_EACH or FIXED_ACROSS.',
      resolve: ({ amountMinor }, _args, ctx) => moneyOrNull(amountMinor, ctx),
    }),
    buyQuantity: t.exposeInt('buyQuantity', {
      nullable: true,
      description: 'Number of units to buy for each set. Null unless `kind` is BUY_X_GET_Y.',
    }),
    getQuantity: t.exposeInt('getQuantity', {
      nullable: true,
      description: 'Number of units that are reduced in each set. Null unless `kind` is BUY_X_GET_Y.',
    }),
    maxSets: t.exposeInt('maxSets', {
      nullable: true,
      description: 'Maximum number of sets in a cart. Null if there is no maximum.',
    }),
    products: t.field({
      type: [ProductRef],
      nullable: false,
      description: 'Products that the promotion targets.',
      resolve: ({ productIds }, _args, { loaders }) => present(loaders.product.loadMany(productIds)),
    }),
    variants: t.field({
      type: [ProductVariantRef],
      nullable: false,
      description: 'Variants that the promotion targets.',
      resolve: ({ variantIds }, _args, { loaders }) => present(loaders.variant.loadMany(variantIds)),
    }),
    categories: t.field({
      type: [CategoryRef],
      nullable: false,
      description: 'Categories whose products the promotion targets.',
      resolve: ({ categoryIds }, _args, { loaders }) => present(loaders.category.loadMany(categoryIds)),
    }),
    tags: t.exposeStringList('tags', {
      nullable: false,
      description:
        'Tags whose products the promotion targets. A promotion without any targets applies to all products.',
    }),
    excludedProducts: t.field({
      type: [ProductRef],
      nullable: false,
      description: 'Products that the promotion never reduces.',
      resolve: ({ excludedProductIds }, _args, { loaders }) => present(loaders.product.loadMany(excludedProductIds)),
    }),
    excludedVariants: t.field({
      type: [ProductVariantRef],
      nullable: false,
      description: 'Variants that the promotion never reduces.',
      resolve: ({ excludedVariantIds }, _args, { loaders }) => present(loaders.variant.loadMany(excludedVariantIds)),
    }),
    excludedCategories: t.field({
      type: [CategoryRef],
      nullable: false,
      description: 'Categories whose products the promotion never reduces.',
      resolve: ({ excludedCategoryIds }, _args, { loaders }) => present(loaders.category.loadMany(excludedCategoryIds)),
    }),
    excludedTags: t.exposeStringList('excludedTags', {
      nullable: false,
      description: 'Tags whose products the promotion never reduces.',
    }),
    getProducts: t.field({
      type: [ProductRef],
      nullable: false,
      description: 'With BUY_X_GET_Y, products whose units are reduced.',
      resolve: ({ getProductIds }, _args, { loaders }) => present(loaders.product.loadMany(getProductIds)),
    }),
    getVariants: t.field({
      type: [ProductVariantRef],
      nullable: false,
      description: 'With BUY_X_GET_Y, variants whose units are reduced.',
      resolve: ({ getVariantIds }, _args, { loaders }) => present(loaders.variant.loadMany(getVariantIds)),
    }),
    getCategories: t.field({
      type: [CategoryRef],
      nullable: false,
      description: 'With BUY_X_GET_Y, categories of products whose units are reduced.',
      resolve: ({ getCategoryIds }, _args, { loaders }) => present(loaders.category.loadMany(getCategoryIds)),
    }),
    getTags: t.exposeStringList('getTags', {
      nullable: false,
      description:
        'With BUY_X_GET_Y, tags of products whose units are reduced. Without any, units of the targets themselves are reduced.',
    }),
    minSubtotal: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'Amount that the targeted lines must cost before discounts. Null if there is no minimum.',
      resolve: ({ minSubtotalMinor }, _args, ctx) => moneyOrNull(minSubtotalMinor, ctx),
    }),
    minQuantity: t.exposeInt('minQuantity', {
      nullable: true,
      description: 'Number of units that the targeted lines must have. Null if there is no minimum.',
    }),
    countries: t.exposeStringList('countries', {
      nullable: false,
      description:
        'ISO 3166-1 alpha-2 codes of the countries to which the cart must be shipped. Empty for all countries.',
    }),
    firstOrderOnly: t.exposeBoolean('firstOrderOnly', {
      nullable: false,
      description: 'Whether the promotion applies only to the first order of a customer.',
    }),
    customers: t.field({
      type: [UserRef],
      nullable: false,
      description: 'Users for whom alone the promotion applies. Empty for all customers.',
      resolve: ({ customerIds }, _args, { loaders }) => present(loaders.user.loadMany(customerIds)),
    }),
    startsAt: t.expose('startsAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the promotion begins.',
    }),
    endsAt: t.expose('endsAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time from which the promotion no longer applies. Null if the promotion has no end.',
    }),
    priority: t.exposeInt('priority', {
      nullable: false,
      description: 'Rank among promotions of the same step: the higher is applied first.',
    }),
    combinesWith: t.field({
      type: [PromotionScopeRef],
      nullable: false,
      description:
        'Scopes of the promotions with which this one may be combined. Both promotions must allow each other; if they do ' +
        'not, the customer gets the combination with the lowest total.',
      resolve: ({ combinesWith }) => combinesWith,
    }),
    usageLimit: t.exposeInt('usageLimit', {
      nullable: true,
      description: 'Maximum number of orders. Null if there is no maximum.',
    }),
    usageLimitPerCustomer: t.exposeInt('usageLimitPerCustomer', {
      nullable: true,
      description: 'Maximum number of orders for each customer. Null if there is no maximum.',
    }),
    budget: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'Amount that the promotion may give away in all. Null if there is no maximum.',
      resolve: ({ budgetMinor }, _args, ctx) => moneyOrNull(budgetMinor, ctx),
    }),
    used: t.exposeInt('used', {
      nullable: false,
      description:
        'Number of orders that count toward the limits; cancelled orders do not. Counted only while the promotion has a limit ' +
        'or a budget; see `usage` for all orders.',
    }),
    spent: t.field({
      type: MoneyRef,
      nullable: false,
      description:
        'Amount given away by the orders in `used`. Counted only while the promotion has a limit or a budget; see `usage` for ' +
        'all orders.',
      resolve: ({ spentMinor }, _args, ctx) => ({ minor: spentMinor, currency: ctx.shop.currency }),
    }),
    codes: t.field({
      type: PromotionCodeConnectionRef,
      nullable: false,
      description: 'Discount codes of the promotion, in alphabetical order.',
      args: {
        search: t.arg.string({ description: 'Part of the codes to list, at most 64 characters.' }),
        ...t.arg.connectionArgs(),
      },
      complexity: pageCost,
      async resolve(promotion: Promotion, { search, ...args }, { services: { promotions } }) {
        const query = { promotionId: promotion.id, ...searchOf(search) };
        const page = await promotions.codePage(query, pageOf(args, ofCodes));
        return toConnection(page, ofCodes, () => promotions.codeCount(query));
      },
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the promotion was created.',
    }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time of the last change to the promotion.',
    }),
  }),
});

function searchOf(search: string | null | undefined): { search?: string } {
  if (search == null || search.trim() === '') return {};
  const normalized = normalizeCode(search);
  if (normalized === null)
    throw requestError('BAD_REQUEST', '`search` must be a part of a code, at most 64 characters.');
  return { search: normalized };
}

registerNode('Promotion', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  return (await ctx.loaders.promotion.loadMany(ids)).map((found) => (found instanceof Error ? null : found));
});
