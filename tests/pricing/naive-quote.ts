import type {
  PromotionTerms,
  QuoteInput,
  QuoteLineInput,
  Targets,
  TaxRateTerms,
} from '../../src/modules/pricing/quote.types.ts';

/*
 * A second implementation of the rules of prices, as simple as can be and without any regard to time: it tries every set of
 * promotions and counts units one by one. It shares no code with the first.
 */

interface Line {
  input: QuoteLineInput;
  total: bigint;
  cost: bigint;
  /** One entry for each unit: whether a set of "buy X get Y" has it. */
  units: boolean[];
}

export interface NaiveQuote {
  subtotal: bigint;
  /** By line id. */
  discounted: Map<string, bigint>;
  taxOfLines: Map<string, bigint>;
  shipping: bigint;
  tax: bigint;
  total: bigint;
  applied: string[];
}

function halfUp(dividend: bigint, divisor: bigint): bigint {
  const floor = dividend / divisor;
  return 2n * (dividend - floor * divisor) >= divisor ? floor + 1n : floor;
}

const MILLION = 1_000_000n;

function contained(gross: bigint, ppm: number): bigint {
  return gross - halfUp(gross * MILLION, MILLION + BigInt(ppm));
}

/** Gives a minor unit at a time to whoever is furthest below the exact share. */
function shared(amount: bigint, weights: bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  if (sum === 0n) return weights.map(() => 0n);
  const shares = weights.map((weight) => (amount * weight) / sum);
  const missing = (index: number) => amount * (weights[index] ?? 0n) - (shares[index] ?? 0n) * sum;
  while (shares.reduce((a, b) => a + b, 0n) < amount) {
    let next = 0;
    for (let index = 1; index < weights.length; index += 1) if (missing(index) > missing(next)) next = index;
    shares[next] = (shares[next] ?? 0n) + 1n;
  }
  return shares;
}

function isNamed(targets: Targets, line: QuoteLineInput, ifEmpty: boolean): boolean {
  const { variantIds, productIds, categoryIds, tags } = targets;
  if ([variantIds, productIds, categoryIds, tags].every((list) => list.length === 0)) return ifEmpty;
  return (
    variantIds.includes(line.variantId) ||
    productIds.includes(line.productId) ||
    categoryIds.some((id) => id === line.categoryId) ||
    line.tags.some((tag) => tags.includes(tag))
  );
}

function linesOf(promotion: PromotionTerms, targets: Targets, lines: Line[]): Line[] {
  return lines.filter(({ input }) => isNamed(targets, input, true) && !isNamed(promotion.exclusions, input, false));
}

function mayApply(promotion: PromotionTerms, input: QuoteInput, lines: Line[]): boolean {
  const targeted = linesOf(promotion, promotion.targets, lines);
  const country = input.shipping?.countryCode ?? null;
  const subtotal = targeted.reduce((sum, { total }) => sum + total, 0n);
  const units = targeted.reduce((sum, { input: line }) => sum + line.quantity, 0);
  return (
    promotion.obstacle === null &&
    targeted.length > 0 &&
    (promotion.countries.length === 0 || (country !== null && promotion.countries.includes(country))) &&
    subtotal >= (promotion.minSubtotalMinor ?? 0n) &&
    units >= (promotion.minQuantity ?? 0)
  );
}

function areCompatible(a: PromotionTerms, b: PromotionTerms): boolean {
  return a.combinesWith.includes(b.scope) && b.combinesWith.includes(a.scope);
}

/** By how much each line is reduced. */
function reductions(promotion: PromotionTerms, lines: Line[]): Map<Line, bigint> {
  const { effect } = promotion;
  const targeted = linesOf(promotion, promotion.targets, lines);
  const sum = targeted.reduce((all, { cost }) => all + cost, 0n);
  const across = (amount: bigint) => {
    const shares = shared(
      amount < sum ? amount : sum,
      targeted.map(({ cost }) => cost),
    );
    return new Map(targeted.map((line, index) => [line, shares[index] ?? 0n]));
  };
  switch (effect.kind) {
    case 'FREE':
      return new Map(targeted.map((line) => [line, line.cost]));
    case 'FIXED_EACH':
      return new Map(
        targeted.map((line) => {
          const amount = effect.amountMinor * BigInt(line.input.quantity);
          return [line, amount < line.cost ? amount : line.cost];
        }),
      );
    case 'FIXED_ACROSS':
      return across(effect.amountMinor);
    case 'PERCENT':
      return promotion.scope === 'ORDER'
        ? across(halfUp(sum * BigInt(effect.ppm), MILLION))
        : new Map(targeted.map((line) => [line, halfUp(line.cost * BigInt(effect.ppm), MILLION)]));
    default: {
      const reduced = effect.getTargets === null ? targeted : linesOf(promotion, effect.getTargets, lines);
      const free = (some: Line[]) =>
        some.flatMap((line) => line.units.flatMap((taken, at) => (taken ? [] : [{ line, at }])));
      const each = ({ line }: { line: Line }) => ({ n: line.cost, d: BigInt(line.input.quantity) });
      const compare = (a: { line: Line }, b: { line: Line }) => {
        const difference = each(a).n * each(b).d - each(b).n * each(a).d;
        return difference === 0n ? lines.indexOf(a.line) - lines.indexOf(b.line) : difference < 0n ? -1 : 1;
      };
      // The largest number of sets for which there are enough different units.
      const units = free([...new Set([...targeted, ...reduced])]);
      const onlyBuy = units.filter(({ line }) => targeted.includes(line) && !reduced.includes(line)).length;
      const onlyGet = units.filter(({ line }) => !targeted.includes(line) && reduced.includes(line)).length;
      const both = units.length - onlyBuy - onlyGet;
      const buyOfBoth = (sets: number) => Math.max(0, sets * effect.buyQuantity - onlyBuy);
      const getOfBoth = (sets: number) => Math.max(0, sets * effect.getQuantity - onlyGet);
      let sets = 0;
      while (
        sets < (effect.maxSets ?? Infinity) &&
        buyOfBoth(sets + 1) + getOfBoth(sets + 1) <= both &&
        (sets + 1) * effect.buyQuantity <= onlyBuy + both &&
        (sets + 1) * effect.getQuantity <= onlyGet + both
      ) {
        sets += 1;
      }
      const amounts = new Map<Line, bigint>();
      let room = both - buyOfBoth(sets);
      const got: { line: Line; at: number }[] = [];
      for (const unit of free(reduced).toSorted(compare)) {
        if (got.length === sets * effect.getQuantity) break;
        if (targeted.includes(unit.line)) {
          if (room === 0) continue;
          room -= 1;
        }
        got.push(unit);
      }
      for (const { line, at } of got) line.units[at] = true;
      for (const line of new Set(got.map((unit) => unit.line))) {
        const count = BigInt(got.filter((unit) => unit.line === line).length);
        amounts.set(line, halfUp(line.cost * count * BigInt(effect.ppm), BigInt(line.input.quantity) * MILLION));
      }
      const bought = [
        ...free(targeted.filter((line) => !reduced.includes(line))).toSorted((a, b) => compare(b, a)),
        ...free(targeted.filter((line) => reduced.includes(line))).toSorted((a, b) => compare(b, a)),
      ];
      for (const { line, at } of bought.slice(0, sets * effect.buyQuantity)) line.units[at] = true;
      return amounts;
    }
  }
}

function step({ scope, effect }: PromotionTerms): number {
  return scope === 'SHIPPING' ? 3 : scope === 'ORDER' ? 2 : effect.kind === 'BUY_X_GET_Y' ? 1 : 0;
}

function rateOf(rates: ReadonlyMap<string, TaxRateTerms>, input: QuoteInput, category: string | null): number | null {
  const id = category ?? input.tax?.defaultCategoryId ?? null;
  return id === null ? null : (rates.get(id)?.ppm ?? null);
}

function shippingPrice(
  input: QuoteInput,
  lines: Line[],
  promotions: PromotionTerms[],
  applied: Set<string>,
): { price: bigint; category: string | null } {
  const { shipping } = input;
  const none = { price: 0n, category: null };
  if (shipping === null || shipping.countryCode === null || lines.every(({ input: line }) => !line.requiresShipping))
    return none;
  const goods = lines.reduce((sum, { cost }) => sum + cost, 0n);
  const grams = lines.reduce(
    (sum, { input: line }) => sum + (line.requiresShipping ? BigInt((line.weightGrams ?? 0) * line.quantity) : 0n),
    0n,
  );
  const available = shipping.methods.flatMap((method) => {
    const prices = method.bands
      .filter(({ basis, from, to }) => {
        const value = basis === 'WEIGHT' ? grams : goods;
        return from <= value && (to === null || value < to);
      })
      .map((band) => band.priceMinor)
      .toSorted((a, b) => (a < b ? -1 : 1));
    const [cheapest] = prices;
    if (cheapest === undefined) return [];
    const isFree = method.freeFromMinor !== null && goods >= method.freeFromMinor;
    return [{ id: method.id, price: isFree ? 0n : cheapest, category: method.taxCategoryId }];
  });
  const chosen =
    shipping.chosenMethodId === null && available.length === 1
      ? available[0]
      : available.find(({ id }) => id === shipping.chosenMethodId);
  if (chosen === undefined) return none;
  let { price } = chosen;
  for (const { id, effect, budgetLeftMinor } of promotions) {
    const wanted =
      effect.kind === 'PERCENT'
        ? halfUp(price * BigInt(effect.ppm), MILLION)
        : effect.kind === 'FIXED_ACROSS'
          ? effect.amountMinor
          : price;
    const off = wanted < price ? wanted : price;
    if (off === 0n || (budgetLeftMinor !== null && off > budgetLeftMinor)) continue;
    price -= off;
    applied.add(id);
  }
  return { price, category: chosen.category };
}

function priceWith(input: QuoteInput, set: PromotionTerms[], fresh: () => Line[]): NaiveQuote {
  const lines = fresh();
  const applied = new Set<string>();
  const ordered = [...set].toSorted((a, b) => step(a) - step(b) || b.priority - a.priority || (a.id < b.id ? -1 : 1));
  for (const promotion of ordered.filter(({ scope }) => scope !== 'SHIPPING')) {
    const before = lines.map(({ units }) => [...units]);
    const amounts = reductions(promotion, lines);
    const sum = [...amounts.values()].reduce((a, b) => a + b, 0n);
    if (promotion.budgetLeftMinor !== null && sum > promotion.budgetLeftMinor) {
      lines.forEach((line, index) => (line.units = before[index] ?? []));
      continue;
    }
    for (const [line, amount] of amounts) line.cost -= amount;
    if (sum > 0n) applied.add(promotion.id);
  }
  const shipped = shippingPrice(
    input,
    lines,
    ordered.filter(({ scope }) => scope === 'SHIPPING'),
    applied,
  );
  const { category } = shipped;
  let shipping = shipped.price;
  const { tax } = input;
  const isIncluded = tax !== null && tax.included && tax.relief === null;
  const taxOn = (amount: bigint, ppm: number | null) =>
    ppm === null ? 0n : isIncluded ? contained(amount, ppm) : halfUp(amount * BigInt(ppm), MILLION);
  const taxOfLines = new Map(
    lines.map(({ input: line, cost }) => [
      line.id,
      tax === null ? 0n : taxOn(cost, rateOf(tax.rates, input, line.taxCategoryId)),
    ]),
  );
  let taxOfShipping = 0n;
  if (tax !== null && shipping > 0n) {
    const parts = (rates: ReadonlyMap<string, TaxRateTerms>, amount: bigint): [number | null, bigint][] => {
      if (category !== null) return [[rates.get(category)?.ppm ?? null, amount]];
      const by = [
        (line: Line) => line.cost,
        (line: Line) => line.total,
        (line: Line) => BigInt(line.input.quantity),
      ].find((weigh) => lines.some((line) => weigh(line) > 0n));
      const ppms = [...new Set(lines.map(({ input: line }) => rateOf(rates, input, line.taxCategoryId)))];
      ppms.sort((a, b) => (b ?? -1) - (a ?? -1));
      const weights = ppms.map((ppm) =>
        lines
          .filter(({ input: line }) => rateOf(rates, input, line.taxCategoryId) === ppm)
          .reduce((sum, line) => sum + (by?.(line) ?? 0n), 0n),
      );
      const shares = shared(amount, weights);
      return ppms.map((ppm, index) => [ppm, shares[index] ?? 0n]);
    };
    if (tax.included && tax.relief !== null) {
      for (const [ppm, part] of parts(tax.relief, shipping)) shipping -= ppm === null ? 0n : contained(part, ppm);
    }
    for (const [ppm, part] of parts(tax.rates, shipping)) taxOfShipping += taxOn(part, ppm);
  }
  const goods = lines.reduce((sum, { cost }) => sum + cost, 0n);
  const allTax = [...taxOfLines.values()].reduce((a, b) => a + b, 0n) + taxOfShipping;
  return {
    subtotal: lines.reduce((sum, { total }) => sum + total, 0n),
    discounted: new Map(lines.map(({ input: line, cost }) => [line.id, cost])),
    taxOfLines,
    shipping,
    tax: allTax,
    total: goods + shipping + (isIncluded ? 0n : allTax),
    applied: [...applied].toSorted(),
  };
}

/** What a cart costs, by trying every set of promotions. For at most about ten of them. */
export function naiveQuote(input: QuoteInput): NaiveQuote {
  const { tax } = input;
  const fresh = (): Line[] =>
    [...input.lines]
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((line) => {
        const gross = BigInt(line.unitPriceMinor) * BigInt(line.quantity);
        const relief =
          tax?.included === true && tax.relief !== null ? rateOf(tax.relief, input, line.taxCategoryId) : null;
        const total = relief === null ? gross : gross - contained(gross, relief);
        return { input: line, total, cost: total, units: Array.from({ length: line.quantity }, () => false) };
      });
  const possible = input.promotions.filter((promotion) => mayApply(promotion, input, fresh()));
  let best: (NaiveQuote & { isWhole: boolean }) | null = null;
  for (let mask = 0; mask < 2 ** possible.length; mask += 1) {
    const set = possible.filter((_, index) => (mask & (1 << index)) !== 0);
    if (set.some((a, i) => set.some((b, j) => i < j && !areCompatible(a, b)))) continue;
    const isWhole = possible.every(
      (other) => set.includes(other) || set.some((member) => !areCompatible(member, other)),
    );
    const priced = { ...priceWith(input, set, fresh), isWhole };
    if (best === null || isBetter(priced, best)) best = priced;
  }
  if (best === null) throw new Error('the empty set is always possible');
  return best;
}

function isBetter(a: NaiveQuote & { isWhole: boolean }, b: NaiveQuote & { isWhole: boolean }): boolean {
  if (a.total !== b.total) return a.total < b.total;
  if (a.isWhole !== b.isWhole) return a.isWhole;
  const [left, right] = [a.applied.join(), b.applied.join()];
  return left < right;
}
