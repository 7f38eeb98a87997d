import type { UsageRow } from './customer.repository.ts';
import type { PromotionEffect, PromotionObstacle, PromotionTerms, Targets } from './quote.types.ts';
import type { PromotionRow } from './terms.repository.ts';

/** Who buys, as far as promotions ask. */
export interface Buyer {
  userId: string | null;
  /** Null as long as it does not matter, or nobody knows who buys. */
  customer: { keys: readonly string[]; hasOrders: boolean } | null;
}

/** Whether a promotion counts its uses. */
export function isLimited(row: PromotionRow): boolean {
  return row.usageLimit !== null || row.usageLimitPerCustomer !== null || row.budgetMinor !== null;
}

/** Whether a promotion depends on who buys. */
export function asksForCustomer(row: PromotionRow): boolean {
  return row.firstOrderOnly || row.usageLimitPerCustomer !== null;
}

/** Whether a promotion's window `[startsAt, endsAt)` is open. */
export function isOpen({ startsAt, endsAt }: PromotionRow, now: Date): boolean {
  return startsAt <= now.getTime() && (endsAt === null || now.getTime() < endsAt);
}

function obstacleOf(row: PromotionRow, now: Date, buyer: Buyer, usage: UsageRow | undefined): PromotionObstacle | null {
  if (row.startsAt > now.getTime()) return 'NOT_STARTED';
  if (!isOpen(row, now)) return 'ENDED';
  if (row.customerIds.length > 0) {
    if (buyer.userId === null) return 'LOG_IN_REQUIRED';
    if (!row.customerIds.includes(buyer.userId)) return 'OTHER_CUSTOMERS';
  }
  if (row.firstOrderOnly && buyer.customer?.hasOrders === true) return 'NOT_FIRST_ORDER';
  if (usage === undefined) return null;
  if (row.usageLimit !== null && usage.used >= row.usageLimit) return 'USED_UP';
  const ofCustomer = buyer.customer === null ? 0 : usage.usedByCustomer;
  if (row.usageLimitPerCustomer !== null && ofCustomer >= row.usageLimitPerCustomer) return 'USED_BY_CUSTOMER';
  return null;
}

function effectOf(row: PromotionRow): PromotionEffect {
  const { kind, percentPpm, amountMinor, buyQuantity, getQuantity, maxSets } = row;
  switch (kind) {
    case 'PERCENT':
      return { kind, ppm: percentPpm ?? 0 };
    case 'FIXED_EACH':
    case 'FIXED_ACROSS':
      return { kind, amountMinor: BigInt(amountMinor ?? 0) };
    case 'FREE':
      return { kind };
    default:
      return {
        kind,
        ppm: percentPpm ?? 0,
        buyQuantity: buyQuantity ?? 1,
        getQuantity: getQuantity ?? 1,
        maxSets,
        getTargets: getTargetsOf(row),
      };
  }
}

function getTargetsOf(row: PromotionRow): Targets | null {
  const targets = {
    productIds: row.getProductIds,
    variantIds: row.getVariantIds,
    categoryIds: row.getCategoryIds,
    tags: row.getTags,
  };
  return Object.values(targets).every((list) => list.length === 0) ? null : targets;
}

function toMinor(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}

/**
 * A promotion as a quote takes it.
 * @param now by the database's clock
 * @param usage its counters, where it is limited
 */
export function toTerms(row: PromotionRow, now: Date, buyer: Buyer, usage: UsageRow | undefined): PromotionTerms {
  const budget = toMinor(row.budgetMinor);
  return {
    id: row.id,
    title: row.title,
    scope: row.scope,
    effect: effectOf(row),
    targets: { productIds: row.productIds, variantIds: row.variantIds, categoryIds: row.categoryIds, tags: row.tags },
    exclusions: {
      productIds: row.excludedProductIds,
      variantIds: row.excludedVariantIds,
      categoryIds: row.excludedCategoryIds,
      tags: row.excludedTags,
    },
    minSubtotalMinor: toMinor(row.minSubtotalMinor),
    minQuantity: row.minQuantity,
    countries: row.countries,
    priority: row.priority,
    combinesWith: row.combinesWith,
    budgetLeftMinor: budget === null ? null : budget - (usage?.spentMinor ?? 0n),
    obstacle: obstacleOf(row, now, buyer, usage),
  };
}
