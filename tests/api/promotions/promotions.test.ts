import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { PromotionFilter, PromotionsListedQueryVariables, PromotionSort } from '../../generated/gql/graphql.ts';
import { newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { globalId, makeCategory, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { faultsOf, recordedOf, recordOf } from '../../support/merchant.ts';
import { promoterOf, setUsed, type Promoter } from '../../support/promotions.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { termsEventsOf } from '../../support/records.ts';
import { rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
let promoter: Promoter;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  promoter = promoterOf(staff.client);
});
afterAll(() => shop.dispose());

const MISSING = '01234567-89ab-7def-8123-456789abcdef';
const CHANGED = [{ type: 'pricing_changed', payload: { what: 'PROMOTION' } }];

async function created(...input: Parameters<Promoter['create']>) {
  const { promotion, errors } = await promoter.create(...input);
  expect(errors).toEqual([]);
  return known(promotion);
}

describe('promotionCreate', () => {
  test('keeps every field, in the record of staff and as an event, too', async () => {
    const category = await makeCategory(shop, 'Everything');
    const one = await makeProduct(shop);
    const two = await makeProduct(shop);
    const customer = await newPerson(shop);
    const [variant] = two.variants;
    const promotion = await created({
      title: ' Three for two ',
      trigger: 'CODE',
      codes: [' Honey ', 'ｗａｘ'],
      scope: 'LINES',
      kind: 'BUY_X_GET_Y',
      buyQuantity: 2,
      getQuantity: 1,
      maxSets: 3,
      productIds: [one.globalId, one.globalId],
      variantIds: [known(variant).globalId],
      categoryIds: [category.globalId],
      tags: ['sale', ' sale '],
      excludedProductIds: [two.globalId],
      excludedVariantIds: [known(one.variants[0]).globalId],
      excludedCategoryIds: [category.globalId],
      excludedTags: ['new'],
      getProductIds: [one.globalId],
      getVariantIds: [known(variant).globalId],
      getCategoryIds: [category.globalId],
      getTags: ['gift'],
      minSubtotal: '20.5',
      minQuantity: 3,
      countries: ['de', ' AT '],
      firstOrderOnly: true,
      customerIds: [customer.userId],
      startsAt: '2026-01-01T00:00:00.000Z',
      endsAt: '2126-01-01T00:00:00.000Z',
      priority: -5,
      combinesWith: ['SHIPPING', 'LINES'],
      usageLimit: 100,
      usageLimitPerCustomer: 1,
      budget: '1000',
    });
    const { id, ...rest } = promotion;
    expect(rest).toEqual({
      title: 'Three for two',
      status: 'ACTIVE',
      trigger: 'CODE',
      scope: 'LINES',
      kind: 'BUY_X_GET_Y',
      percent: '100',
      amount: null,
      buyQuantity: 2,
      getQuantity: 1,
      maxSets: 3,
      products: [{ id: one.globalId }],
      variants: [{ id: known(variant).globalId }],
      categories: [{ id: category.globalId }],
      tags: ['sale'],
      excludedProducts: [{ id: two.globalId }],
      excludedVariants: [{ id: known(one.variants[0]).globalId }],
      excludedCategories: [{ id: category.globalId }],
      excludedTags: ['new'],
      getProducts: [{ id: one.globalId }],
      getVariants: [{ id: known(variant).globalId }],
      getCategories: [{ id: category.globalId }],
      getTags: ['gift'],
      minSubtotal: { amount: '20.50' },
      minQuantity: 3,
      countries: ['DE', 'AT'],
      firstOrderOnly: true,
      customers: [{ id: customer.userId }],
      startsAt: '2026-01-01T00:00:00.000Z',
      endsAt: '2126-01-01T00:00:00.000Z',
      priority: -5,
      combinesWith: ['SHIPPING', 'LINES'],
      usageLimit: 100,
      usageLimitPerCustomer: 1,
      budget: { amount: '1000.00' },
      used: 0,
      spent: { amount: '0.00' },
    });
    expect(await termsEventsOf(shop, rowId(id))).toEqual(CHANGED);
    const [entry, ...others] = await recordOf(shop, rowId(id));
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ actorId: rowId(staff.userId), kind: 'PROMOTION_CREATED', subjectType: 'Promotion' });
    expect(entry?.changes).toEqual(
      expect.arrayContaining([
        { field: 'title', before: null, after: 'Three for two' },
        { field: 'minSubtotal', before: null, after: '20.50' },
        { field: 'codes', before: null, after: 'Honey, ｗａｘ' },
      ]),
    );
  });

  test.each([
    ['0.0001', '0.0001'],
    ['12.5', '12.5'],
    ['33.3333', '33.3333'],
    ['99.99990000', '99.9999'],
    ['100', '100'],
    ['007', '7'],
  ])('keeps %s %% exactly', async (percent, shown) => {
    expect((await created({ percent })).percent).toBe(shown);
  });

  test('begins now if it has no start, and needs nothing else', async () => {
    const promotion = await created({});
    expect(promotion).toMatchObject({
      status: 'ACTIVE',
      endsAt: null,
      priority: 0,
      combinesWith: [],
      usageLimit: null,
    });
    const [row] = await shop.db.query<{ created: Date }>(
      { name: 'test_promotion_created', text: 'SELECT created_at AS created FROM promotions WHERE id = $1' },
      [rowId(promotion.id)],
    );
    expect(new Date(promotion.startsAt)).toEqual(row?.created);
  });

  test.each([
    ['a title that is blank', { title: ' ' }, ['INVALID_INPUT title']],
    ['a title that is too long', { title: 't'.repeat(256) }, ['INVALID_INPUT title']],
    ['no percentage', { percent: null }, ['INVALID_INPUT percent']],
    ['0 %', { percent: '0' }, ['INVALID_INPUT percent']],
    ['a negative percentage', { percent: '-1' }, ['INVALID_INPUT percent']],
    ['more than 100 %', { percent: '100.0001' }, ['INVALID_INPUT percent']],
    ['a percentage with 5 decimals', { percent: '1.00001' }, ['INVALID_INPUT percent']],
    ['an amount beside a percentage', { amount: '1' }, ['INVALID_INPUT amount']],
    ['no amount', { kind: 'FIXED_ACROSS' }, ['INVALID_INPUT amount']],
    ['an amount of 0', { kind: 'FIXED_ACROSS', amount: '0' }, ['INVALID_INPUT amount']],
    ['an amount with too many decimals', { kind: 'FIXED_ACROSS', amount: '0.001' }, ['INVALID_INPUT amount']],
    ['an amount that is too large', { kind: 'FIXED_ACROSS', amount: '9'.repeat(18) }, ['INVALID_INPUT amount']],
    ['a percentage beside FREE', { kind: 'FREE', percent: '5' }, ['INVALID_INPUT percent']],
    ['an amount for each unit of an order', { kind: 'FIXED_EACH', amount: '1' }, ['INVALID_INPUT kind']],
    [
      'an amount for each unit of shipping',
      { kind: 'FIXED_EACH', amount: '1', scope: 'SHIPPING' },
      ['INVALID_INPUT kind'],
    ],
    ['sets of an order', { kind: 'BUY_X_GET_Y', buyQuantity: 1, getQuantity: 1 }, ['INVALID_INPUT kind']],
    [
      'sets of nothing',
      { kind: 'BUY_X_GET_Y', scope: 'LINES' },
      ['INVALID_INPUT buyQuantity', 'INVALID_INPUT getQuantity'],
    ],
    [
      'sets of 0 units',
      { kind: 'BUY_X_GET_Y', scope: 'LINES', buyQuantity: 0, getQuantity: -1, maxSets: 0 },
      ['INVALID_INPUT maxSets', 'INVALID_INPUT buyQuantity', 'INVALID_INPUT getQuantity'],
    ],
    [
      'sets beside a percentage',
      { buyQuantity: 1, getQuantity: 1, maxSets: 1, getTags: ['a'] },
      ['INVALID_INPUT buyQuantity', 'INVALID_INPUT getQuantity', 'INVALID_INPUT maxSets', 'INVALID_INPUT getTags'],
    ],
    ['codes of an automatic promotion', { trigger: 'AUTOMATIC', codes: ['A'] }, ['INVALID_INPUT codes']],
    ['the same code twice', { codes: ['abc', 'ＡＢＣ'] }, ['INVALID_INPUT codes.1']],
    ['codes that are none', { codes: ['ok', ' ', 'x'.repeat(65)] }, ['INVALID_INPUT codes.1', 'INVALID_INPUT codes.2']],
    ['more than 1,000 codes', { codes: Array.from({ length: 1001 }, (_, i) => `c${i}`) }, ['INVALID_INPUT codes']],
    [
      'a window that is empty',
      { startsAt: '2026-01-01T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' },
      ['INVALID_INPUT endsAt'],
    ],
    ['an end in the past without a start', { endsAt: '2020-01-01T00:00:00Z' }, ['INVALID_INPUT endsAt']],
    [
      'limits of 0',
      { usageLimit: 0, usageLimitPerCustomer: 0, budget: '0' },
      ['INVALID_INPUT usageLimit', 'INVALID_INPUT usageLimitPerCustomer', 'INVALID_INPUT budget'],
    ],
    [
      'negative conditions',
      { minSubtotal: '-1', minQuantity: -1 },
      ['INVALID_INPUT minSubtotal', 'INVALID_INPUT minQuantity'],
    ],
    ['a country that is none', { countries: ['DE', 'XX'] }, ['INVALID_INPUT countries.1']],
    [
      'IDs of another type',
      { productIds: [globalId('Order', MISSING)], customerIds: ['x'] },
      ['INVALID_INPUT customerIds.0', 'INVALID_INPUT productIds.0'],
    ],
    [
      'targets that do not exist',
      {
        productIds: [globalId('Product', MISSING)],
        excludedVariantIds: [globalId('ProductVariant', MISSING)],
        categoryIds: [globalId('Category', MISSING)],
        customerIds: [globalId('User', MISSING)],
      },
      [
        'NOT_FOUND productIds.0',
        'NOT_FOUND categoryIds.0',
        'NOT_FOUND excludedVariantIds.0',
        'NOT_FOUND customerIds.0',
      ],
    ],
    ['more than 500 tags', { tags: Array.from({ length: 501 }, (_, i) => `t${i}`) }, ['LIMIT_EXCEEDED tags']],
  ] as [string, Parameters<Promoter['create']>[0], string[]][])('rejects %s', async (_, input, faults) => {
    await changingNothing(shop, async () => {
      const payload = await promoter.create(input);
      expect([payload.promotion, faultsOf(payload)]).toEqual([null, faults]);
    });
  });

  test('rejects a code that another promotion has', async () => {
    await created({ codes: ['Taken'] });
    await changingNothing(shop, async () => {
      expect(faultsOf(await promoter.create({ codes: ['free', 'ＴＡＫＥＮ'] }))).toEqual(['CONFLICT codes.1']);
    });
  });
});

describe('promotionUpdate', () => {
  test('changes what is given, clears what is null and leaves the rest', async () => {
    const product = await makeProduct(shop);
    const before = await created({
      codes: ['UPDATED'],
      productIds: [product.globalId],
      tags: ['a'],
      minSubtotal: '5',
      endsAt: '2126-01-01T00:00:00Z',
      combinesWith: ['ORDER'],
      usageLimit: 5,
      priority: 3,
      firstOrderOnly: true,
    });
    const { id } = before;
    const { promotion, errors } = await promoter.update({
      id,
      title: 'Another title',
      percent: '12.5',
      tags: null,
      minSubtotal: null,
      endsAt: null,
      usageLimit: null,
      budget: '50',
      priority: null,
      firstOrderOnly: null,
    });
    expect(errors).toEqual([]);
    expect(promotion).toEqual({
      ...before,
      title: 'Another title',
      percent: '12.5',
      tags: [],
      minSubtotal: null,
      endsAt: null,
      usageLimit: null,
      budget: { amount: '50.00' },
      priority: 0,
      firstOrderOnly: false,
    });
    expect((await recordedOf(shop, rowId(id)))[1]).toEqual([
      'PROMOTION_UPDATED',
      [
        'title: Ten percent off → Another title',
        'tags: ["a"] → -',
        'firstOrderOnly: true → false',
        'endsAt: 2126-01-01T00:00:00.000Z → -',
        'priority: 3 → 0',
        'usageLimit: 5 → -',
        'percent: 10 → 12.5',
        'minSubtotal: 5.00 → -',
        'budget: - → 50.00',
      ],
    ]);
    expect(await termsEventsOf(shop, rowId(id))).toEqual([...CHANGED, ...CHANGED]);
  });

  test('that changes nothing leaves no trace', async () => {
    const { id, title, percent, startsAt } = await created({ tags: ['x'] });
    await changingNothing(shop, async () => {
      for (const input of [
        { id },
        { id, title: ` ${title} `, percent, startsAt, tags: ['x', 'x'], minQuantity: null },
      ]) {
        expect((await promoter.update(input)).errors).toEqual([]);
      }
    });
  });

  test('rejects what does not go with the promotion, and what cannot be cleared', async () => {
    const { id } = await created({ startsAt: '2026-01-01T00:00:00Z', endsAt: '2126-01-01T00:00:00Z' });
    const sets = await created({ scope: 'LINES', kind: 'BUY_X_GET_Y', buyQuantity: 1, getQuantity: 1 });
    await changingNothing(shop, async () => {
      const cases: [Parameters<Promoter['update']>[0], string[]][] = [
        [{ id, title: null }, ['INVALID_INPUT title']],
        [{ id, percent: null }, ['INVALID_INPUT percent']],
        [{ id, startsAt: null }, ['INVALID_INPUT startsAt']],
        [{ id, amount: '5' }, ['INVALID_INPUT amount']],
        [{ id, getTags: ['a'], maxSets: 1 }, ['INVALID_INPUT maxSets', 'INVALID_INPUT getTags']],
        [{ id, endsAt: '2025-01-01T00:00:00Z' }, ['INVALID_INPUT endsAt']],
        [{ id, startsAt: '2126-01-01T00:00:00Z' }, ['INVALID_INPUT endsAt']],
        [{ id, categoryIds: [globalId('Category', MISSING)] }, ['NOT_FOUND categoryIds.0']],
        [{ id: sets.id, buyQuantity: null }, ['INVALID_INPUT buyQuantity']],
        [{ id: sets.id, amount: '1' }, ['INVALID_INPUT amount']],
        [{ id: globalId('Promotion', MISSING), title: 'x' }, ['NOT_FOUND id']],
        [{ id: globalId('Order', MISSING), title: 'x' }, ['INVALID_INPUT id']],
      ];
      for (const [input, faults] of cases) {
        const payload = await promoter.update(input);
        expect([input, payload.promotion, faultsOf(payload)]).toEqual([input, null, faults]);
      }
    });
  });

  test('rejects limits below what was used, and takes those that are just enough', async () => {
    const { id } = await created({ usageLimit: 10, budget: '100' });
    await setUsed(shop, id, 4, 2550);
    await changingNothing(shop, async () => {
      const payload = await promoter.update({ id, usageLimit: 3, budget: '25.49' });
      expect(faultsOf(payload)).toEqual(['CONFLICT usageLimit', 'CONFLICT budget']);
      expect(payload.errors.map(({ message }) => message)).toEqual([
        'The promotion has been used 4 times, which is more than usageLimit.',
        'The promotion has given away 25.50, which is more than budget.',
      ]);
    });
    const { promotion, errors } = await promoter.update({ id, usageLimit: 4, budget: '25.50' });
    expect(errors).toEqual([]);
    expect(promotion).toMatchObject({ status: 'USED_UP', usageLimit: 4, budget: { amount: '25.50' }, used: 4 });
    expect((await promoter.update({ id, usageLimit: 5, budget: null })).promotion?.status).toBe('ACTIVE');
  });

  test('keeps targets that were deleted meanwhile, which then match nothing', async () => {
    const category = await makeCategory(shop, 'Short-lived');
    const { id } = await created({ categoryIds: [category.globalId] });
    await shop.db.query({ text: 'DELETE FROM categories WHERE id = $1' }, [category.id]);
    const { promotion, errors } = await promoter.update({ id, title: 'Kept', categoryIds: [category.globalId] });
    expect(errors).toEqual([]);
    expect(promotion).toMatchObject({ title: 'Kept', categories: [] });
    const [row] = await shop.db.query<{ ids: string[] }>(
      { name: 'test_promotion_categories', text: 'SELECT category_ids AS ids FROM promotions WHERE id = $1' },
      [rowId(id)],
    );
    expect(row?.ids).toEqual([category.id]);
  });
});

describe('the status', () => {
  test('follows the window, the limits and the codes', async () => {
    const scheduled = await created({ startsAt: '2126-01-01T00:00:00Z' });
    expect(scheduled.status).toBe('SCHEDULED');
    const ended = await created({ startsAt: '2020-01-01T00:00:00Z', endsAt: '2020-01-02T00:00:00Z', usageLimit: 1 });
    expect(ended.status).toBe('ENDED');
    const draft = await created({ trigger: 'CODE' });
    expect(draft.status).toBe('DRAFT');
    expect((await promoter.addCodes({ promotionId: draft.id, codes: ['undrafted'] })).promotion?.status).toBe('ACTIVE');
    const usedUp = await created({ budget: '1' });
    await setUsed(shop, usedUp.id, 1, 100);
    expect((await promoter.update({ id: usedUp.id })).promotion?.status).toBe('USED_UP');
  });
});

describe('promotionEnd', () => {
  test('ends a promotion now, once', async () => {
    const { id } = await created({ endsAt: '2126-01-01T00:00:00Z' });
    const { promotion, errors } = await promoter.end(id);
    expect(errors).toEqual([]);
    expect(promotion?.status).toBe('ENDED');
    expect((await recordOf(shop, rowId(id)))[1]).toMatchObject({ kind: 'PROMOTION_ENDED' });
    expect(await termsEventsOf(shop, rowId(id))).toEqual([...CHANGED, ...CHANGED]);
    await changingNothing(shop, async () => {
      expect(await promoter.end(id)).toEqual({ promotion, errors: [] });
    });
  });

  test('keeps a promotion that has not begun from ever beginning', async () => {
    const { id } = await created({ startsAt: '2126-01-01T00:00:00Z', endsAt: '2127-01-01T00:00:00Z' });
    const { promotion } = await promoter.end(id);
    expect(promotion?.status).toBe('ENDED');
    expect(new Date(known(promotion).startsAt) < new Date(known(promotion).endsAt ?? 0)).toBe(true);
  });

  test('rejects a promotion that does not exist', async () => {
    expect(faultsOf(await promoter.end(globalId('Promotion', MISSING)))).toEqual(['NOT_FOUND id']);
  });
});

describe('promotionDelete', () => {
  test('deletes a promotion with its codes, which are free then', async () => {
    const { id } = await created({ codes: ['REUSED'] });
    expect(await promoter.remove(id)).toEqual({ deletedId: id, errors: [] });
    expect(faultsOf(await promoter.remove(id))).toEqual(['NOT_FOUND id']);
    expect((await recordOf(shop, rowId(id)))[1]).toMatchObject({ kind: 'PROMOTION_DELETED' });
    expect(await termsEventsOf(shop, rowId(id))).toEqual([...CHANGED, ...CHANGED]);
    await created({ codes: ['reused'] });
  });
});

const PromotionsListed = graphql(`
  query PromotionsListed($filter: PromotionFilter, $sort: PromotionSort, $first: Int, $after: String) {
    promotions(filter: $filter, sort: $sort, first: $first, after: $after) {
      nodes {
        title
      }
      pageInfo {
        endCursor
        hasNextPage
      }
      totalCount
    }
  }
`);

describe('promotions', () => {
  test('are found by title, code, trigger and status, in any order', async () => {
    const word = 'Zebra%_';
    await created({ title: `b ${word}`, codes: ['zebracode'], startsAt: '2025-01-01T00:00:00Z' });
    await created({ title: `C ${word}`, startsAt: '2126-01-01T00:00:00Z' });
    await created({ title: `a ${word}`, startsAt: '2024-01-01T00:00:00Z', endsAt: '2024-02-01T00:00:00Z' });
    const list = async (variables: PromotionsListedQueryVariables) => {
      const { promotions } = await staff.client.data(PromotionsListed, variables);
      return known(promotions);
    };
    const titles = async (filter: PromotionFilter, sort?: PromotionSort) =>
      (await list({ filter, ...(sort === undefined ? {} : { sort }) })).nodes.map(({ title }) => title[0]);
    expect(await titles({ search: 'zebra%_' })).toEqual(['a', 'C', 'b']);
    expect(await titles({ search: 'zebra%_' }, 'TITLE')).toEqual(['a', 'b', 'C']);
    expect(await titles({ search: 'zebra%_' }, 'STARTS_AT')).toEqual(['C', 'b', 'a']);
    expect(await titles({ search: 'ZEBRACODE' })).toEqual(['b']);
    expect(await titles({ search: 'zebracod' })).toEqual([]);
    expect(await titles({ search: 'zebraX_' })).toEqual([]);
    expect(await titles({ search: word, statuses: ['ENDED', 'SCHEDULED'] })).toEqual(['a', 'C']);
    expect(await titles({ search: word, trigger: 'CODE' })).toEqual(['b']);
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof list>> = await list({
        filter: { search: word },
        sort: 'TITLE',
        first: 1,
        after,
      });
      seen.push(...page.nodes.map(({ title }) => known(title[0])));
      expect(page.totalCount).toBe(3);
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(['a', 'b', 'C']);
  });
});
