import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StockSetInput } from '../../generated/gql/graphql.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { archiveVariant, globalId, levelOf, makeOverdue, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf } from '../../support/records.ts';
import { enter, rowId } from '../../support/shopper.ts';
import { recordOf, stockKeeperOf, type StockKeeper } from '../../support/staff-stock.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
let keeper: StockKeeper;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
  keeper = stockKeeperOf(staff.client);
});
afterAll(async () => {
  const faults = await findFaults(shop.db);
  await shop.dispose();
  if (faults.length > 0) throw new Error(faults.join('\n'));
});

async function withCart(sku: string, quantity: number): Promise<string> {
  const { cart } = await (await enter(shop)).add({ sku, quantity });
  return rowId(known(cart).id);
}

describe('stockSet', () => {
  test.each([
    ['more', 12, 2],
    ['fewer', 4, -6],
    ['none but what is held', 3, -7],
  ])('sets %s: the level, the ledger, the event and the record of staff', async (_what, onHand, delta) => {
    const honey = await makeVariant(shop, { onHand: 10 });
    await withCart(honey.sku, 3);
    const input = { variantId: honey.globalId, onHand, expectedOnHand: 10, note: 'Counted' };
    expect(await keeper.set(input)).toEqual({
      variant: { id: honey.globalId, sku: honey.sku, available: onHand - 3, onHand, held: 3 },
      errors: [],
    });
    expect((await ledgerOf(shop, honey.id)).slice(2)).toEqual([
      { reason: 'CORRECTION', onHandDelta: delta, heldDelta: 0, onHandAfter: onHand, heldAfter: 3 },
    ]);
    expect(
      await rowsOf(
        shop.db,
        `SELECT actor_id AS "actorId", note, idempotency_key AS key FROM stock_movements
          WHERE variant_id = $1 AND reason = 'CORRECTION'`,
        [honey.id],
      ),
    ).toEqual([{ actorId: rowId(staff.userId), note: 'Counted', key: null }]);
    expect((await eventsOf(shop, honey.id)).slice(2)).toEqual([
      {
        type: 'stock_changed',
        payload: { variantId: honey.id, productId: honey.productId, available: onHand - 3, previousAvailable: 7 },
      },
    ]);
    expect(await recordOf(shop, honey.id)).toEqual([
      {
        actorId: rowId(staff.userId),
        kind: 'STOCK_SET',
        subjectType: 'ProductVariant',
        changes: [{ field: 'onHand', before: '10', after: `${onHand}` }],
        note: 'Counted',
      },
    ]);
  });

  test('to what is there already changes nothing, and is no fault', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const input = { variantId: honey.globalId, onHand: 10, expectedOnHand: 10, note: 'Counted' };
    expect(await changingNothing(shop, () => keeper.set(input))).toEqual({
      variant: { id: honey.globalId, sku: honey.sku, available: 10, onHand: 10, held: 0 },
      errors: [],
    });
  });

  test('from nothing to all that can be counted, and back, of an archived variant', async () => {
    const honey = await makeVariant(shop, { onHand: 0 });
    await archiveVariant(shop, honey.id);
    const variantId = honey.globalId;
    const most = 1_000_000_000;
    expect((await keeper.set({ variantId, onHand: most, expectedOnHand: 0 })).variant?.onHand).toBe(most);
    expect((await keeper.set({ variantId, onHand: 0, expectedOnHand: most })).variant?.onHand).toBe(0);
  });

  test('is refused where the level is not what the caller last saw, also if it is the one asked for', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    await withCart(honey.sku, 3);
    for (const [onHand, expectedOnHand] of [
      [20, 9],
      [10, 9],
      [2, 7],
      [0, -1],
    ] as const) {
      const input = { variantId: honey.globalId, onHand, expectedOnHand };
      expect(await changingNothing(shop, () => keeper.set(input))).toEqual({
        variant: null,
        errors: [
          {
            __typename: 'StockConflictError',
            code: 'STOCK_CONFLICT',
            message: `Honey has 10 on hand, and not ${expectedOnHand}.`,
            path: ['expectedOnHand'],
            expectedOnHand,
            onHand: 10,
            variant: { sku: honey.sku },
          },
        ],
      });
    }
  });

  test('is refused below what carts hold, with what is free', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    await withCart(honey.sku, 3);
    const input = { variantId: honey.globalId, onHand: 2, expectedOnHand: 10 };
    expect(await changingNothing(shop, () => keeper.set(input))).toEqual({
      variant: null,
      errors: [
        {
          __typename: 'InsufficientStockError',
          code: 'INSUFFICIENT_STOCK',
          message: 'Honey has only 7 more to give; 8 asked for.',
          path: ['onHand'],
          requested: 8,
          available: 7,
          variant: { sku: honey.sku },
        },
      ],
    });
  });

  test('takes what carts past their time hold', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const late = await withCart(honey.sku, 3);
    await withCart(honey.sku, 1);
    await makeOverdue(shop, [late]);
    const { variant, errors } = await keeper.set({ variantId: honey.globalId, onHand: 1, expectedOnHand: 10 });
    expect([variant, errors]).toMatchObject([{ onHand: 1, held: 1, available: 0 }, []]);
    expect((await ledgerOf(shop, honey.id)).slice(3)).toEqual([
      { reason: 'RELEASE', onHandDelta: 0, heldDelta: -3, onHandAfter: 10, heldAfter: 1 },
      { reason: 'CORRECTION', onHandDelta: -9, heldDelta: 0, onHandAfter: 1, heldAfter: 1 },
    ]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 1, held: 1, available: 0 });
  });

  const cases: [what: string, change: Partial<StockSetInput>, code: string, path: string, message: string][] = [
    ['fewer than none', { onHand: -1 }, 'INVALID_INPUT', 'onHand', 'onHand must not be negative.'],
    ['too many', { onHand: 1_000_000_001 }, 'INVALID_INPUT', 'onHand', 'onHand must be at most 1000000000.'],
    ['a long note', { note: 'x'.repeat(1001) }, 'INVALID_INPUT', 'note', 'note must have at most 1000 characters.'],
    [
      'what is no ID',
      { variantId: '1' },
      'INVALID_INPUT',
      'variantId',
      'This is not the global ID of an object of type ProductVariant.',
    ],
    [
      'a variant that is not there',
      { variantId: globalId('ProductVariant', uuid()) },
      'NOT_FOUND',
      'variantId',
      'Variant not found.',
    ],
  ];
  test.each(cases)('refuses %s', async (_what, change, code, path, message) => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const input = { variantId: honey.globalId, onHand: 11, expectedOnHand: 10, ...change };
    expect(await changingNothing(shop, () => keeper.set(input))).toEqual({
      variant: null,
      errors: [{ __typename: 'GenericError', code, message, path: [path] }],
    });
  });
});
