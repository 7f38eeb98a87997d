import { divideHalfUp, partOf, PPM, shareOut } from './arithmetic.ts';
import type { InapplicableReason, PromotionEffect, PromotionTerms, QuoteLineInput, Targets } from './quote.types.ts';

/*
 * What promotions take off goods. Lines are referred to by their index in the order of their ids, so that the order in which a
 * cart lists them never matters.
 */

/** A promotion that may apply, with the lines that it is about. */
export interface Candidate {
  terms: PromotionTerms;
  /** Indices of the lines that it targets. */
  targeted: readonly number[];
  /** With BUY_X_GET_Y: indices of the lines that it reduces. */
  reduced: readonly number[];
}

/** What goods cost while promotions are being applied to them. */
export interface Goods {
  /** By line: what it still costs. */
  costs: bigint[];
  /** By line: number of units. */
  quantities: readonly number[];
  /** By line: units that a promotion with BUY_X_GET_Y has counted. */
  counted: number[];
}

function hits(targets: Targets, line: QuoteLineInput): boolean {
  return (
    targets.variantIds.includes(line.variantId) ||
    targets.productIds.includes(line.productId) ||
    (line.categoryId !== null && targets.categoryIds.includes(line.categoryId)) ||
    targets.tags.some((tag) => line.tags.includes(tag))
  );
}

function namesNothing({ productIds, variantIds, categoryIds, tags }: Targets): boolean {
  return productIds.length + variantIds.length + categoryIds.length + tags.length === 0;
}

function indicesOf(targets: Targets, exclusions: Targets, lines: readonly QuoteLineInput[]): number[] {
  const all = namesNothing(targets);
  const none = namesNothing(exclusions);
  const indices: number[] = [];
  lines.forEach((line, index) => {
    if ((all || hits(targets, line)) && (none || !hits(exclusions, line))) indices.push(index);
  });
  return indices;
}

/**
 * Finds the lines that a promotion is about, or the reason why it cannot apply to this cart.
 * @param totals by line: what it costs before discounts
 * @param countryCode of the destination; null: not known
 */
export function toCandidate(
  terms: PromotionTerms,
  {
    lines,
    totals,
    countryCode,
  }: { lines: readonly QuoteLineInput[]; totals: readonly bigint[]; countryCode: string | null },
): Candidate | InapplicableReason {
  const { effect, exclusions, targets, countries, obstacle } = terms;
  if (obstacle !== null) return obstacle;
  const targeted = indicesOf(targets, exclusions, lines);
  if (targeted.length === 0) return 'NO_TARGET';
  if (countries.length > 0 && (countryCode === null || !countries.includes(countryCode))) return 'OTHER_DESTINATION';
  if (terms.minSubtotalMinor !== null) {
    const subtotal = targeted.reduce((sum, index) => sum + (totals[index] ?? 0n), 0n);
    if (subtotal < terms.minSubtotalMinor) return 'MIN_SUBTOTAL_NOT_REACHED';
  }
  if (terms.minQuantity !== null) {
    const quantity = targeted.reduce((sum, index) => sum + (lines[index]?.quantity ?? 0), 0);
    if (quantity < terms.minQuantity) return 'MIN_QUANTITY_NOT_REACHED';
  }
  const getTargets = effect.kind === 'BUY_X_GET_Y' ? effect.getTargets : null;
  return { terms, targeted, reduced: getTargets === null ? targeted : indicesOf(getTargets, exclusions, lines) };
}

/** The number of the step in which a promotion of goods is applied; promotions of shipping come last. */
export function stepOf({ scope, effect }: PromotionTerms): number {
  if (scope === 'SHIPPING') return 3;
  if (scope === 'ORDER') return 2;
  return effect.kind === 'BUY_X_GET_Y' ? 1 : 0;
}

/** The order in which promotions are applied: by step, then by priority, then by id. */
export function byStep(a: Pick<Candidate, 'terms'>, b: Pick<Candidate, 'terms'>): number {
  return (
    stepOf(a.terms) - stepOf(b.terms) ||
    b.terms.priority - a.terms.priority ||
    (a.terms.id < b.terms.id ? -1 : a.terms.id > b.terms.id ? 1 : 0)
  );
}

/** What a promotion takes off lines, by their index. Amounts are positive. */
export type Reductions = { index: number; amountMinor: bigint }[];

/** An amount that covers several lines, shared out among them. */
function across(amountMinor: bigint, indices: readonly number[], { costs }: Goods): Reductions {
  const weights = indices.map((index) => costs[index] ?? 0n);
  const shares = shareOut(amountMinor, weights);
  return indices.flatMap((index, at) => {
    const share = shares[at] ?? 0n;
    return share === 0n ? [] : [{ index, amountMinor: share }];
  });
}

function perLine(
  indices: readonly number[],
  { costs }: Goods,
  amountOf: (cost: bigint, index: number) => bigint,
): Reductions {
  const reductions: Reductions = [];
  for (const index of indices) {
    const cost = costs[index] ?? 0n;
    if (cost === 0n) continue;
    const amount = amountOf(cost, index);
    if (amount > 0n) reductions.push({ index, amountMinor: amount < cost ? amount : cost });
  }
  return reductions;
}

function sumOf(indices: readonly number[], { costs }: Goods): bigint {
  let sum = 0n;
  for (const index of indices) sum += costs[index] ?? 0n;
  return sum;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** The largest whole number up to `most` that passes; 0 always does, and whatever is below a number that passes. */
function largest(most: number, passes: (n: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Compares lines by what a unit costs: as fractions, since that need not be a whole number once a line is reduced. */
function byUnitCost({ costs, quantities }: Goods): (a: number, b: number) => number {
  return (a, b) => {
    const left = (costs[a] ?? 0n) * BigInt(quantities[b] ?? 1);
    const right = (costs[b] ?? 0n) * BigInt(quantities[a] ?? 1);
    return left < right ? -1 : left > right ? 1 : a - b;
  };
}

/**
 * Buy X get Y: as many sets as the units allow, each unit in one set at most. The cheapest units are reduced. Counts the units
 * in `goods`.
 */
function setsOf(
  effect: Extract<PromotionEffect, { kind: 'BUY_X_GET_Y' }>,
  { targeted, reduced }: Candidate,
  goods: Goods,
): Reductions {
  const { buyQuantity, getQuantity, maxSets, ppm } = effect;
  const { costs, quantities, counted } = goods;
  const free = (index: number) => (quantities[index] ?? 0) - (counted[index] ?? 0);
  const bought = new Set(targeted);
  const got = new Set(reduced);
  let onlyBought = 0;
  let both = 0;
  let onlyGot = 0;
  for (const index of bought) {
    if (got.has(index)) both += free(index);
    else onlyBought += free(index);
  }
  for (const index of got) if (!bought.has(index)) onlyGot += free(index);
  const boughtOfBoth = (sets: number) => Math.max(0, sets * buyQuantity - onlyBought);
  const sets = largest(
    Math.min(
      Math.floor((onlyBought + both) / buyQuantity),
      Math.floor((onlyGot + both) / getQuantity),
      maxSets ?? Number.MAX_SAFE_INTEGER,
    ),
    (n) => boughtOfBoth(n) + Math.max(0, n * getQuantity - onlyGot) <= both,
  );
  if (sets === 0) return [];

  const cheapestFirst = byUnitCost(goods);
  let wanted = sets * getQuantity;
  let mayTakeOfBoth = both - boughtOfBoth(sets);
  const reductions: Reductions = [];
  for (const index of [...reduced].toSorted(cheapestFirst)) {
    const units = Math.min(free(index), wanted, bought.has(index) ? mayTakeOfBoth : wanted);
    if (units === 0) continue;
    wanted -= units;
    if (bought.has(index)) mayTakeOfBoth -= units;
    counted[index] = (counted[index] ?? 0) + units;
    const cost = costs[index] ?? 0n;
    const amountMinor = divideHalfUp(cost * BigInt(units) * BigInt(ppm), BigInt(quantities[index] ?? 1) * PPM);
    if (amountMinor > 0n) reductions.push({ index, amountMinor: least(amountMinor, cost) });
  }
  // The units that were bought for it: those that could not be reduced first, then the dearest.
  let paid = sets * buyQuantity;
  const dearestFirst = [...targeted].toSorted((a, b) => Number(got.has(a)) - Number(got.has(b)) || cheapestFirst(b, a));
  for (const index of dearestFirst) {
    const units = Math.min(free(index), paid);
    counted[index] = (counted[index] ?? 0) + units;
    paid -= units;
  }
  return reductions;
}

/** What a promotion of LINES or ORDER takes off goods as they cost now. Changes nothing but the counted units. */
export function reductionsOf(candidate: Candidate, goods: Goods): Reductions {
  const { terms, targeted } = candidate;
  const { effect, scope } = terms;
  switch (effect.kind) {
    case 'FREE':
      return perLine(targeted, goods, (cost) => cost);
    case 'PERCENT':
      return scope === 'ORDER'
        ? across(partOf(sumOf(targeted, goods), effect.ppm), targeted, goods)
        : perLine(targeted, goods, (cost) => partOf(cost, effect.ppm));
    case 'FIXED_EACH':
      return perLine(targeted, goods, (_, index) => effect.amountMinor * BigInt(goods.quantities[index] ?? 0));
    case 'FIXED_ACROSS':
      return across(least(effect.amountMinor, sumOf(targeted, goods)), targeted, goods);
    default:
      return setsOf(effect, candidate, goods);
  }
}

/**
 * An upper bound on what a promotion of LINES or ORDER takes off goods, whichever promotions are applied before it; roundings aside. For
 * most effects this is what the promotion takes off alone. BUY_X_GET_Y can take off more beside another promotion that has counted the
 * cheapest units, since dearer ones are left. So its bound is what the dearest units come to.
 * @param goods as they cost without promotions; they are not changed
 * @returns minor units
 */
export function mostOff(candidate: Candidate, goods: Goods): bigint {
  const { terms, targeted, reduced } = candidate;
  const { effect } = terms;
  if (effect.kind !== 'BUY_X_GET_Y')
    return reductionsOf(candidate, goods).reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  const { costs, quantities } = goods;
  const { buyQuantity, getQuantity, maxSets, ppm } = effect;
  let units = 0;
  for (const index of new Set([...targeted, ...reduced])) units += quantities[index] ?? 0;
  const sets = Math.min(Math.floor(units / (buyQuantity + getQuantity)), maxSets ?? Infinity);
  let left = sets * getQuantity;
  let most = 0n;
  const cheapestFirst = byUnitCost(goods);
  for (const index of [...reduced].toSorted((a, b) => cheapestFirst(b, a))) {
    const quantity = quantities[index] ?? 0;
    const count = Math.min(quantity, left);
    if (count === 0) continue;
    left -= count;
    most += divideHalfUp((costs[index] ?? 0n) * BigInt(count) * BigInt(ppm), BigInt(quantity) * PPM);
  }
  return most;
}
