import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { globalId } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { faultsOf, recordedOf } from '../../support/merchant.ts';
import { makePromotion, promoterOf, type Promoter } from '../../support/promotions.ts';
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

const MISSING = globalId('Promotion', '01234567-89ab-7def-8123-456789abcdef');

const PromotionCodesListed = graphql(`
  query PromotionCodesListed($id: ID!, $search: String, $first: Int, $after: String) {
    promotion(id: $id) {
      codes(search: $search, first: $first, after: $after) {
        nodes {
          code
        }
        pageInfo {
          endCursor
          hasNextPage
        }
        totalCount
        totalCountPrecision
      }
    }
  }
`);

async function list(id: string, variables: { search?: string; first?: number; after?: string | null } = {}) {
  const { promotion } = await staff.client.data(PromotionCodesListed, { id, ...variables });
  return known(promotion).codes;
}

const codesOf = async (id: string, search?: string) =>
  (await list(id, search === undefined ? {} : { search })).nodes.map(({ code }) => code);

describe('promotionCodesAdd', () => {
  test('adds codes as they are written; those that are there already stay', async () => {
    const id = await makePromotion(shop, 'First');
    const added = await promoter.addCodes({ promotionId: id, codes: [' second ', 'ＦＩＲＳＴ', 'third'] });
    expect(added).toEqual({ promotion: { status: 'ACTIVE' }, codes: ['second', 'third'], errors: [] });
    expect(await codesOf(id)).toEqual(['First', 'second', 'third']);
    expect(await recordedOf(shop, rowId(id))).toEqual([['PROMOTION_CODES_ADDED', ['codes: - → second, third']]]);
    expect(await termsEventsOf(shop, rowId(id))).toEqual([{ type: 'pricing_changed', payload: { what: 'PROMOTION' } }]);
    await changingNothing(shop, () => promoter.addCodes({ promotionId: id, codes: ['FIRST'] }));
  });

  test('rejects codes of other promotions, all or none', async () => {
    await makePromotion(shop, 'others');
    const promotionId = await makePromotion(shop, 'mine');
    const { promotion } = await promoter.create({});
    await changingNothing(shop, async () => {
      const cases: [Parameters<Promoter['addCodes']>[0], string[]][] = [
        [{ promotionId, codes: ['new', 'OTHERS', 'mine'] }, ['CONFLICT codes.1']],
        [{ promotionId, codes: [] }, ['INVALID_INPUT codes']],
        [{ promotionId, codes: ['new', '\t'] }, ['INVALID_INPUT codes.1']],
        [{ promotionId, codes: ['straße', 'STRASSE'] }, ['INVALID_INPUT codes.1']],
        [{ promotionId: MISSING, codes: ['new'] }, ['NOT_FOUND promotionId']],
        [{ promotionId: known(promotion).id, codes: ['new'] }, ['CONFLICT promotionId']],
      ];
      for (const [input, faults] of cases) {
        const payload = await promoter.addCodes(input);
        expect([input, payload.codes, faultsOf(payload)]).toEqual([input, null, faults]);
      }
    });
  });

  test('gives a code that many want at once to one of them', async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => makePromotion(shop)));
    const payloads = await Promise.all(
      ids.map((promotionId, index) =>
        promoter.addCodes({ promotionId, codes: index % 2 === 0 ? ['race-a', 'race-b'] : ['race-b', 'race-a'] }),
      ),
    );
    expect(payloads.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
    expect(payloads.flatMap((payload) => faultsOf(payload))).toHaveLength(8);
    const owned = await Promise.all(ids.map((id) => codesOf(id)));
    expect(owned.flat().toSorted()).toEqual(['race-a', 'race-b']);
  });
});

describe('promotionCodesGenerate', () => {
  test('generates 10,000 different codes that are easy to read', async () => {
    const id = await makePromotion(shop);
    const { codes, promotion, errors } = await promoter.generateCodes({
      promotionId: id,
      count: 10_000,
      prefix: ' summer-',
    });
    expect(errors).toEqual([]);
    expect(promotion?.status).toBe('ACTIVE');
    expect(new Set(codes).size).toBe(10_000);
    expect(known(codes).filter((code) => !/^summer-([2-9A-HJ-NP-Z]{4}-){2}[2-9A-HJ-NP-Z]{4}$/.test(code))).toEqual([]);
    // Every character is drawn about as often as every other: 120,000 draws of 32.
    const counts = new Map<string, number>();
    for (const code of known(codes))
      for (const one of code.slice(7).replaceAll('-', '')) counts.set(one, (counts.get(one) ?? 0) + 1);
    expect(counts.size).toBe(32);
    for (const count of counts.values()) expect(Math.abs(count - 3750)).toBeLessThan(600);
    const page = await list(id, { first: 100 });
    expect(page).toMatchObject({ totalCount: 1000, totalCountPrecision: 'AT_LEAST', pageInfo: { hasNextPage: true } });
    expect((await recordedOf(shop, rowId(id)))[0]?.[1]).toEqual([
      `codes: - → 10000 codes, ${known(codes)[0]} among them`,
    ]);
  });

  test('takes a length, and rejects what is out of bounds', async () => {
    const promotionId = await makePromotion(shop);
    const { codes } = await promoter.generateCodes({ promotionId, count: 2, length: 9 });
    expect(known(codes)[0]).toMatch(/^\w{4}-\w{4}-\w$/);
    const longest = await promoter.generateCodes({ promotionId, count: 1, length: 32, prefix: 'p'.repeat(20) });
    expect(longest.errors).toEqual([]);
    await changingNothing(shop, async () => {
      const cases: [Partial<Parameters<Promoter['generateCodes']>[0]>, string[]][] = [
        [{ count: 0 }, ['INVALID_INPUT count']],
        [{ count: 10_001 }, ['INVALID_INPUT count']],
        [{ prefix: 'p'.repeat(21) }, ['INVALID_INPUT prefix']],
        [{ prefix: 'a\nb' }, ['INVALID_INPUT prefix']],
        [{ length: 7 }, ['INVALID_INPUT length']],
        [{ length: 33 }, ['INVALID_INPUT length']],
        [{ promotionId: MISSING }, ['NOT_FOUND promotionId']],
      ];
      for (const [input, faults] of cases) {
        const payload = await promoter.generateCodes({ promotionId, count: 1, ...input });
        expect([input, payload.codes, faultsOf(payload)]).toEqual([input, null, faults]);
      }
    });
  });
});

describe('promotionCodesRemove', () => {
  test('removes codes, all or none', async () => {
    const promotionId = await makePromotion(shop, 'one', 'two', 'three');
    await makePromotion(shop, 'elsewhere');
    await changingNothing(shop, async () => {
      const payload = await promoter.removeCodes({ promotionId, codes: ['one', 'elsewhere', 'unknown'] });
      expect([payload.codes, faultsOf(payload)]).toEqual([null, ['NOT_FOUND codes.1', 'NOT_FOUND codes.2']]);
    });
    const { codes, errors } = await promoter.removeCodes({ promotionId, codes: ['ＯＮＥ', 'Two'] });
    expect([codes, errors]).toEqual([['ＯＮＥ', 'Two'], []]);
    expect(await codesOf(promotionId)).toEqual(['three']);
    expect((await promoter.removeCodes({ promotionId, codes: ['three'] })).promotion?.status).toBe('DRAFT');
    expect(await recordedOf(shop, rowId(promotionId))).toEqual([
      ['PROMOTION_CODES_REMOVED', ['codes: ＯＮＥ, Two → -']],
      ['PROMOTION_CODES_REMOVED', ['codes: three → -']],
    ]);
  });
});

describe('the codes of a promotion', () => {
  test('are listed in order, page by page, and searched', async () => {
    await makePromotion(shop, 'LIST-0');
    const id = await makePromotion(shop, 'list-c', 'LIST-a', 'list_b', 'other');
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof list>> = await list(id, { first: 3, after });
      seen.push(...page.nodes.map(({ code }) => code));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen.toSorted()).toEqual(['LIST-a', 'list-c', 'list_b', 'other']);
    expect(await codesOf(id, 'ｌｉｓｔ-')).toEqual(['LIST-a', 'list-c']);
    expect(await codesOf(id, '_')).toEqual(['list_b']);
    expect(await codesOf(id, '%')).toEqual([]);
  });
});
