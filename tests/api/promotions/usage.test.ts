import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { v7 as uuid } from 'uuid';
import { graphql } from '../../generated/gql/index.ts';
import type { PromotionPreviewInput, PromotionUsageReportQueryVariables } from '../../generated/gql/graphql.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { globalId, makeProduct, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { faultsOf } from '../../support/merchant.ts';
import { recordQueries, rowsTouched } from '../../support/plans.ts';
import { addressIn, pricesOf } from '../../support/priced-cart.ts';
import { clearTerms } from '../../support/pricing.ts';
import { promoterOf, promotionInput, type Promoter } from '../../support/promotions.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter, rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
let promoter: Promoter;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  promoter = promoterOf(staff.client);
});
afterEach(() => clearTerms(shop));
afterAll(() => shop.dispose());

const UsageReport = graphql(`
  query PromotionUsageReport($id: ID!, $from: DateTime, $to: DateTime, $timeZone: String, $first: Int, $after: String) {
    promotion(id: $id) {
      usage(from: $from, to: $to, timeZone: $timeZone) {
        sums {
          ...UsageSums
        }
        byDay {
          startsAt
          sums {
            ...UsageSums
          }
        }
        byCode(first: $first, after: $after) {
          nodes {
            code
            sums {
              ...UsageSums
            }
          }
          pageInfo {
            endCursor
            hasNextPage
          }
          totalCount
        }
      }
    }
  }

  fragment UsageSums on PromotionUsageSums {
    orderCount
    revenue {
      amount
    }
    discountTotal {
      amount
    }
  }
`);

const sums = (orderCount: number, revenue: string, discount: string) => ({
  orderCount,
  revenue: { amount: revenue },
  discountTotal: { amount: discount },
});

async function usageOf(id: string, variables: Omit<PromotionUsageReportQueryVariables, 'id'> = {}) {
  const { promotion } = await staff.client.data(UsageReport, { id, ...variables });
  return known(known(promotion).usage);
}

/** A guest buys units of several variants with a code. */
async function buy(quantities: readonly number[], ...codes: string[]) {
  const shopper = await enter(shop);
  const lines = [];
  for (const quantity of quantities) {
    lines.push({ variantId: (await makeVariant(shop, { price: 1000 })).globalId, quantity });
  }
  known((await shopper.add(...lines)).cart);
  if (codes.length > 0) await pricesOf(shopper).setCodes(...codes);
  const { order, errors } = await shopper.checkout({
    idempotencyKey: uuid(),
    email: 'guest@example.com',
    shippingAddress: addressIn('DE'),
  });
  expect(errors).toEqual([]);
  return known(order);
}

async function placeAt(orderId: string, at: string): Promise<void> {
  await shop.db.query({ name: 'test_place_at', text: 'UPDATE orders SET placed_at = $2 WHERE id = $1' }, [
    rowId(orderId),
    at,
  ]);
}

async function created(...input: Parameters<Promoter['create']>): Promise<string> {
  const { promotion, errors } = await promoter.create(...input);
  expect(errors).toEqual([]);
  return known(promotion).id;
}

describe('the usage of a promotion', () => {
  test('counts an order of many lines once, by code and by day, and outlives what the promotion was', async () => {
    const id = await created({ scope: 'LINES', codes: ['honey', 'wax'] });
    const other = await created({ codes: ['other'] });
    const first = await buy([1, 2, 3], 'honey');
    const second = await buy([1], 'ＨＯＮＥＹ');
    await buy([4], 'wax');
    const cancelled = await buy([5], 'wax');
    await buy([7]);
    await buy([1], 'other');
    await staff.client.data('mutation ($id: ID!) { orderCancel(input: { id: $id }) { errors { code } } }', {
      id: cancelled.id,
    });
    expect(await usageOf(other)).toMatchObject({ sums: sums(1, '9.00', '1.00') });
    const report = await usageOf(id);
    expect(report.sums).toEqual(sums(3, '99.00', '11.00'));
    expect(report.byCode).toMatchObject({
      totalCount: 2,
      nodes: [
        { code: 'HONEY', sums: sums(2, '63.00', '7.00') },
        { code: 'WAX', sums: sums(1, '36.00', '4.00') },
      ],
    });
    const page = await usageOf(id, { first: 1 });
    const next = await usageOf(id, { first: 1, after: known(page.byCode.pageInfo.endCursor) });
    expect(next.byCode.nodes.map(({ code }) => code)).toEqual(['WAX']);

    // Two orders within the hour, on both sides of midnight in Berlin.
    const midnight = new Date();
    midnight.setUTCMinutes(0, 0, 0);
    const ahead = new Date(midnight.getTime() - 1000).toISOString();
    await placeAt(first.id, ahead);
    await placeAt(second.id, midnight.toISOString());
    const span = { from: ahead, to: new Date(midnight.getTime() + 1).toISOString() };
    expect((await usageOf(id, span)).sums).toEqual(sums(2, '63.00', '7.00'));
    expect((await usageOf(id, { ...span, to: midnight.toISOString() })).sums).toEqual(sums(1, '54.00', '6.00'));
    // By the clock of the zone in which that hour is midnight, there are two days.
    const offset = midnight.getUTCHours();
    const timeZone = offset <= 12 ? `Etc/GMT+${offset}` : `Etc/GMT-${24 - offset}`;
    expect((await usageOf(id, { ...span, timeZone })).byDay).toEqual([
      { startsAt: new Date(midnight.getTime() - 86_400_000).toISOString(), sums: sums(1, '54.00', '6.00') },
      { startsAt: midnight.toISOString(), sums: sums(1, '9.00', '1.00') },
    ]);

    await promoter.update({ id, percent: '50', title: 'Another title' });
    await promoter.removeCodes({ promotionId: id, codes: ['wax'] });
    expect((await usageOf(id)).sums.discountTotal).toEqual({ amount: '11.00' });
  });

  test('adds codes up that are one code in different spellings', async () => {
    const id = await created({ codes: ['straße', 'ışık 7'] });
    for (const code of ['straße', 'STRASSE', 'ｓtrasse', 'IŞIK  7', 'ışık 7', 'işık 7']) await buy([1], code);
    const { byCode } = await usageOf(id);
    expect(byCode.totalCount).toBe(2);
    expect(byCode.nodes.map(({ code, sums: of }) => [code, of])).toEqual([
      ['STRASSE', sums(3, '27.00', '3.00')],
      ['IŞIK 7', sums(3, '27.00', '3.00')],
    ]);
  });

  test('reads the orders of the promotion and the period alone', async () => {
    const id = await created({ codes: ['rare'] });
    const order = await buy([1], 'rare');
    await shop.db.query(
      {
        text: `INSERT INTO order_discounts (order_id, promotion_id, title, code, amount_minor)
               SELECT $1::uuid, gen_random_uuid(), 'Other', 'OTHER', 1 FROM generate_series(1, 5000)`,
      },
      [rowId(order.id)],
    );
    await shop.db.query({ text: 'ANALYZE order_discounts' });
    const queries = await recordQueries(() => usageOf(id));
    const reports = queries.filter(({ text }) => text.includes('order_discounts'));
    expect(reports).toHaveLength(6);
    expect(await rowsTouched(shop.db, reports)).toBeLessThan(200);
  });

  test('rejects periods and time zones that are none', async () => {
    const id = await created({});
    const from = '2026-01-01T00:00:00Z';
    for (const variables of [
      { from, to: '2025-12-31T00:00:00Z' },
      { from, to: '2027-02-06T00:00:00Z' },
      { timeZone: '+02:00' },
      { timeZone: 'Nowhere/Else' },
    ]) {
      expect((await staff.client.execute(UsageReport, { id, ...variables })).codes).toEqual(['BAD_REQUEST']);
    }
  });
});

const Preview = graphql(`
  mutation PromotionPreviewed($input: PromotionPreviewInput!) {
    promotionPreview(input: $input) {
      preview {
        outcome {
          code
          status
          message
        }
        lines {
          variant {
            id
          }
          quantity
          subtotal {
            amount
          }
          discountedTotal {
            amount
          }
        }
        discounts {
          title
          code
          amount {
            amount
          }
        }
        total {
          amount
        }
      }
      errors {
        ...PromotionError
      }
    }
  }
`);

describe('promotionPreview', () => {
  const preview = async (input: PromotionPreviewInput) =>
    known((await staff.client.data(Preview, { input })).promotionPreview);

  test('prices an example cart with the promotion beside those that are active, and stores nothing', async () => {
    await created({ title: 'Always', kind: 'FIXED_ACROSS', amount: '1', combinesWith: ['LINES'] });
    const a = await makeVariant(shop, { price: 1000, onHand: 0 });
    const b = await makeProduct(shop, { tags: ['sale'], variants: [{ price: 333 }] });
    const lines = [
      { variantId: known(b.variants[0]).globalId, quantity: 3 },
      { variantId: a.globalId, quantity: 1 },
    ];
    const promotion = promotionInput({
      title: 'Half off',
      trigger: 'CODE',
      scope: 'LINES',
      percent: '50',
      tags: ['sale'],
      combinesWith: ['ORDER'],
      startsAt: '2126-01-01T00:00:00Z',
      budget: '100',
    });
    await changingNothing(shop, async () => {
      const result = await preview({ promotion, lines });
      expect(result.errors).toEqual([]);
      expect(result.preview).toEqual({
        outcome: { code: 'Half off', status: 'APPLIED', message: null },
        lines: [
          {
            variant: { id: lines[0]?.variantId },
            quantity: 3,
            subtotal: { amount: '9.99' },
            discountedTotal: { amount: '4.66' },
          },
          {
            variant: { id: a.globalId },
            quantity: 1,
            subtotal: { amount: '10.00' },
            discountedTotal: { amount: '9.33' },
          },
        ],
        discounts: [
          { title: 'Half off', code: null, amount: { amount: '5.00' } },
          { title: 'Always', code: null, amount: { amount: '1.00' } },
        ],
        total: { amount: '13.99' },
      });
      const short = await preview({ promotion: { ...promotion, minQuantity: 4 }, lines });
      expect(short.preview).toMatchObject({
        outcome: { status: 'NOT_APPLICABLE', message: 'There are too few items in your cart for this code.' },
        total: { amount: '18.99' },
      });
    });
  });

  test('rejects what `promotionCreate` rejects, and carts that are none', async () => {
    const { globalId: variantId } = await makeVariant(shop);
    const lines = [{ variantId, quantity: 1 }];
    const missing = globalId('ProductVariant', '01234567-89ab-7def-8123-456789abcdef');
    const cases: [Partial<PromotionPreviewInput>, string[]][] = [
      [{ promotion: promotionInput({ percent: '101' }) }, ['INVALID_INPUT promotion.percent']],
      [{ promotion: promotionInput({ productIds: ['x'] }) }, ['INVALID_INPUT promotion.productIds.0']],
      [{ lines: [] }, ['INVALID_INPUT lines']],
      [{ lines: [{ variantId, quantity: 0 }] }, ['INVALID_INPUT lines.0.quantity']],
      [{ lines: [{ variantId: 'x', quantity: 1 }] }, ['INVALID_INPUT lines.0.variantId']],
      [{ lines: [...lines, { variantId: missing, quantity: 1 }] }, ['NOT_FOUND lines.1.variantId']],
      [{ countryCode: 'XX' }, ['INVALID_INPUT countryCode']],
    ];
    for (const [input, faults] of cases) {
      const payload = await preview({ promotion: promotionInput(), lines, ...input });
      expect([input, payload.preview, faultsOf(payload)]).toEqual([input, null, faults]);
    }
  });
});
