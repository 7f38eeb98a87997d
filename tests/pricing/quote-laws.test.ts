import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quote } from '../../src/modules/pricing/quote.ts';
import type { PromotionTerms, Quote, QuoteInput } from '../../src/modules/pricing/quote.types.ts';
import { ONCE, sized } from '../support/sizes.ts';
import { buyXGetY, cart, NOTHING, promotion } from './carts.ts';
import { naiveQuote } from './naive-quote.ts';

/** `QUOTE_RUNS=1000000 npx vitest run tests/pricing/quote-laws.test.ts` tries more carts. */
const numRuns = Number(process.env.QUOTE_RUNS ?? sized({ inCi: 10_000, daily: 1_000 }));

// Of so many comparisons, those of node take a fraction of the time that `expect` does.

/** The fields by which a promotion is for all goods, and always applies. */
const UNCONDITIONAL = {
  ...{ targets: NOTHING, exclusions: NOTHING, minSubtotalMinor: null, minQuantity: null },
  ...{ countries: [], budgetLeftMinor: null, obstacle: null },
};

/** What a law came to grief on, with the seed and the shortest cart; null where it held. */
function faultOf<T>(law: fc.IProperty<T>, runs: number): string | null {
  return fc.defaultReportMessage(fc.check(law, { numRuns: runs })) ?? null;
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => a + b, 0n);
}

/** All amounts of a quote. */
function amountsOf(of: Quote): bigint[] {
  return [
    ...of.lines.flatMap((line) => [
      line.totalMinor,
      line.reliefMinor,
      line.discountMinor,
      line.discountedMinor,
      line.taxMinor,
      ...line.discounts.map(({ amountMinor }) => amountMinor - 1n),
    ]),
    ...[...of.discounts, ...of.shippingDiscounts].map(({ amountMinor }) => amountMinor - 1n),
    ...of.shippingOptions.flatMap(({ listMinor, priceMinor }) => [listMinor, priceMinor, listMinor - priceMinor]),
    ...of.taxes.map(({ amountMinor }) => amountMinor),
    of.subtotalMinor,
    of.discountMinor,
    of.shippingMinor,
    of.taxMinor,
    of.totalMinor,
  ];
}

function addsUp(of: Quote, input: QuoteInput): void {
  for (const [index, line] of of.lines.entries()) {
    const { unitPriceMinor = 0, quantity = 0, id } = input.lines[index] ?? {};
    strictEqual(line.id, id);
    strictEqual(line.totalMinor + line.reliefMinor, BigInt(unitPriceMinor) * BigInt(quantity));
    strictEqual(sum(line.discounts.map(({ amountMinor }) => amountMinor)), line.discountMinor);
    strictEqual(line.totalMinor - line.discountMinor, line.discountedMinor);
    strictEqual(line.taxMinor, line.tax?.amountMinor ?? 0n);
  }
  strictEqual(sum(of.lines.map(({ totalMinor }) => totalMinor)), of.subtotalMinor);
  strictEqual(sum(of.lines.map(({ discountMinor }) => discountMinor)), of.discountMinor);
  strictEqual(sum(of.discounts.map(({ amountMinor }) => amountMinor)), of.discountMinor);
  strictEqual(sum(of.taxes.map(({ amountMinor }) => amountMinor)), of.taxMinor);
  strictEqual(
    sum([...of.lines.map(({ taxMinor }) => taxMinor), ...of.shippingTaxes.map((tax) => tax.amountMinor)]),
    of.taxMinor,
  );
  const added = of.pricesIncludeTax ? 0n : of.taxMinor;
  strictEqual(of.subtotalMinor - of.discountMinor + of.shippingMinor + added, of.totalMinor);
  const method = of.shippingMethod;
  const taken = sum(of.shippingDiscounts.map(({ amountMinor }) => amountMinor));
  strictEqual((method?.listMinor ?? 0n) - taken, method?.priceMinor ?? 0n);
  strictEqual(method?.chargedMinor ?? 0n, of.shippingMinor);
}

function agreesWithNaive(input: QuoteInput): void {
  const ours = quote(input);
  const naive = naiveQuote(input);
  const found = {
    subtotal: ours.subtotalMinor,
    shipping: ours.shippingMinor,
    tax: ours.taxMinor,
    total: ours.totalMinor,
    applied: [...new Set([...ours.discounts, ...ours.shippingDiscounts].map((of) => of.promotionId))].toSorted(),
    discounted: new Map(ours.lines.map((line) => [line.id, line.discountedMinor])),
    taxOfLines: new Map(ours.lines.map((line) => [line.id, line.taxMinor])),
  };
  const expected = {
    subtotal: naive.subtotal,
    shipping: naive.shipping,
    tax: naive.tax,
    total: naive.total,
    applied: naive.applied,
    discounted: naive.discounted,
    taxOfLines: naive.taxOfLines,
  };
  deepStrictEqual(found, expected);
}

function reversed(input: QuoteInput): QuoteInput {
  return {
    ...input,
    lines: input.lines.toReversed(),
    promotions: input.promotions.toReversed(),
    codes: input.codes.toReversed(),
  };
}

describe('for any cart', ONCE, () => {
  it('the parts add up, no amount is negative, the order of things does not matter, and a promotion never raises the total', () => {
    const law = fc.property(cart(), promotion, (input, further) => {
      const first = quote(input);
      addsUp(first, input);
      deepStrictEqual(
        amountsOf(first).filter((amount) => amount < 0n),
        [],
      );
      deepStrictEqual(quote(input), first);
      const other = quote(reversed(input));
      strictEqual(other.hash, first.hash);
      strictEqual(other.totalMinor, first.totalMinor);
      deepStrictEqual(other.lines.toReversed(), first.lines);
      const more = quote({ ...input, promotions: [...input.promotions, { ...further, id: 'further' }] });
      ok(more.totalMinor <= first.totalMinor);
      const none = quote({ ...input, promotions: [] });
      ok(first.totalMinor <= none.totalMinor);
    });
    expect(faultOf(law, numRuns)).toBeNull();
  });

  it('agrees with a naive implementation that tries every set of promotions', () => {
    expect(faultOf(fc.property(cart(), agreesWithNaive), numRuns)).toBeNull();
  });

  // The search skips sets by an upper bound on what each promotion takes off. Here a promotion can take off more beside another than alone.
  it('agrees with the naive implementation where promotions that count units in sets compete with those of the order', () => {
    const effects = fc.array(buyXGetY, { minLength: 5, maxLength: 5 });
    const law = fc.property(cart({ maxLines: 3 }), effects, (input, sets) => {
      const promotions = input.promotions.map((each, index): PromotionTerms => {
        const [effect] = sets.slice(index);
        const terms = { ...each, ...UNCONDITIONAL };
        if (each.scope !== 'LINES' || effect === undefined) return { ...terms, combinesWith: [] };
        return {
          ...terms,
          effect: { ...effect, maxSets: effect.maxSets ?? 1, getTargets: null },
          combinesWith: ['LINES'],
        };
      });
      agreesWithNaive({ ...input, promotions });
    });
    expect(faultOf(law, numRuns / 2)).toBeNull();
  });

  it('a promotion of goods never raises what the goods cost, where neither tax nor shipping is at stake', () => {
    const law = fc.property(cart(), promotion, (input, further) => {
      const plain = { ...input, shipping: null, tax: null };
      const goods = (of: QuoteInput) => {
        const { subtotalMinor, discountMinor } = quote(of);
        return subtotalMinor - discountMinor;
      };
      const more = { ...plain, promotions: [...plain.promotions, { ...further, id: 'further' }] };
      ok(goods(more) <= goods(plain));
    });
    expect(faultOf(law, numRuns / 4)).toBeNull();
  });

  it('splitting a line changes no discount of the order by more than its rounding', () => {
    const law = fc.property(cart({ maxPromotions: 1 }), fc.nat(), (input, seed) => {
      const lines = input.lines.filter(({ quantity }) => quantity > 1);
      const split = lines[seed % Math.max(1, lines.length)];
      const plain = {
        ...input,
        shipping: null,
        tax: null,
        promotions: input.promotions.filter(({ scope, minQuantity }) => scope === 'ORDER' && minQuantity === null),
      };
      if (split === undefined) return;
      const halves = {
        ...plain,
        lines: plain.lines.flatMap((line) =>
          line.id === split.id
            ? [
                { ...line, quantity: 1 },
                { ...line, id: 'half', quantity: line.quantity - 1 },
              ]
            : [line],
        ),
      };
      const before = quote(plain).discountMinor;
      const after = quote(halves).discountMinor;
      ok(after - before <= 1n && before - after <= 1n);
    });
    expect(faultOf(law, numRuns / 4)).toBeNull();
  });
});
