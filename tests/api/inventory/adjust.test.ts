import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StockAdjustInput } from '../../generated/gql/graphql.ts';
import { newStaff, type Person } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { archiveVariant, globalId, levelOf, makeOverdue, makeProduct, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf, stepsOf } from '../../support/records.ts';
import { enter, rowId } from '../../support/shopper.ts';
import { newKey, recordOf, stockKeeperOf, type StockKeeper } from '../../support/staff-stock.ts';
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

/** Who has put units of a variant into a cart. */
async function withCart(sku: string, quantity: number) {
  const shopper = await enter(shop);
  const { cart, errors } = await shopper.add({ sku, quantity });
  expect(errors).toEqual([]);
  return { shopper, cartId: rowId(known(cart).id) };
}

describe('stockAdjust', () => {
  test('adds units: the level, the ledger, the event and the record of staff', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    await withCart(honey.sku, 4);
    const input = { variantId: honey.globalId, delta: 5, note: ' Pallet 7 ', idempotencyKey: newKey() };
    expect(await keeper.adjust(input)).toEqual({
      variant: { id: honey.globalId, sku: honey.sku, available: 11, onHand: 15, held: 4 },
      errors: [],
    });

    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 15, held: 4, available: 11 });
    expect((await ledgerOf(shop, honey.id)).at(-1)).toEqual({
      reason: 'RESTOCK',
      onHandDelta: 5,
      heldDelta: 0,
      onHandAfter: 15,
      heldAfter: 4,
    });
    const written = await rowsOf(
      shop.db,
      `SELECT actor_id AS "actorId", note, idempotency_key AS key, octet_length(request_hash) AS bytes, cart_id AS "cartId"
         FROM stock_movements WHERE variant_id = $1 AND reason = 'RESTOCK'`,
      [honey.id],
    );
    expect(written).toEqual([
      { actorId: rowId(staff.userId), note: 'Pallet 7', key: input.idempotencyKey, bytes: 32, cartId: null },
    ]);
    expect((await eventsOf(shop, honey.id)).at(-1)).toEqual({
      type: 'stock_changed',
      payload: { variantId: honey.id, productId: honey.productId, available: 11, previousAvailable: 6 },
    });
    expect(await recordOf(shop, honey.id)).toEqual([
      {
        actorId: rowId(staff.userId),
        kind: 'STOCK_ADJUSTED',
        subjectType: 'ProductVariant',
        changes: [{ field: 'onHand', before: '10', after: '15' }],
        note: 'Pallet 7',
      },
    ]);
  });

  test.each([
    ['RESTOCK', 3],
    ['CORRECTION', -3],
    ['DAMAGE', -1],
    ['RETURN', 1],
  ] as const)('by reason of %s', async (reason, delta) => {
    const honey = await makeVariant(shop, { onHand: 3 });
    const { variant } = await keeper.adjust({ variantId: honey.globalId, delta, reason, note: '' });
    expect(variant).toMatchObject({ onHand: 3 + delta, held: 0, available: 3 + delta });
    expect((await ledgerOf(shop, honey.id)).map((entry) => [entry.reason, entry.onHandDelta])).toEqual([
      ['INITIAL', 3],
      [reason, delta],
    ]);
    expect(await stepsOf(shop, honey.id)).toEqual([
      [0, 3],
      [3, 3 + delta],
    ]);
    expect(await recordOf(shop, honey.id)).toMatchObject([
      { changes: [{ field: 'onHand', before: '3', after: `${3 + delta}` }], note: null },
    ]);
  });

  test('of what shoppers do not see: a draft, and what was archived', async () => {
    const draft = known((await makeProduct(shop, { status: 'DRAFT', variants: [{ onHand: 2 }] })).variants[0]);
    const gone = await makeVariant(shop, { onHand: 2 });
    await archiveVariant(shop, gone.id);
    for (const { globalId: variantId } of [draft, gone]) {
      expect(await keeper.adjust({ variantId, delta: -2, reason: 'DAMAGE' })).toMatchObject({
        variant: { id: variantId, onHand: 0 },
        errors: [],
      });
    }
  });

  test('is for an ADMIN as well', async () => {
    const honey = await makeVariant(shop, { onHand: 1 });
    const admin = await newStaff(shop, 'ADMIN');
    const { variant } = await stockKeeperOf(admin.client).adjust({ variantId: honey.globalId, delta: 1 });
    expect(variant?.onHand).toBe(2);
  });

  test('up to what the shop can count', async () => {
    const honey = await makeVariant(shop, { onHand: 1 });
    const { variant } = await keeper.adjust({ variantId: honey.globalId, delta: 999_999_999 });
    expect(variant?.onHand).toBe(1_000_000_000);
    const { errors } = await changingNothing(shop, () => keeper.adjust({ variantId: honey.globalId, delta: 1 }));
    expect(errors).toEqual([
      {
        __typename: 'LimitExceededError',
        code: 'LIMIT_EXCEEDED',
        message: 'Honey can have at most 1000000000 units on hand.',
        path: ['delta'],
        limit: 1_000_000_000,
        requested: 1_000_000_001,
        ofVariant: { sku: honey.sku },
      },
    ]);
    const least = await keeper.adjust({ variantId: honey.globalId, delta: -1_000_000_000, reason: 'CORRECTION' });
    expect(least.variant?.onHand).toBe(0);
  });

  test('two of them in one operation each return what they left', async () => {
    const honey = await makeVariant(shop, { onHand: 1 });
    const input = (delta: number) => ({
      variantId: honey.globalId,
      delta,
      reason: 'RESTOCK',
      idempotencyKey: newKey(),
    });
    const LEVEL =
      'variant { onHand available product { variants { onHand } } stockMovements(first: 1) { totalCount nodes { onHandAfter } } }';
    const answer = await staff.client.data(
      `mutation ($one: StockAdjustInput!, $two: StockAdjustInput!) {
         one: stockAdjust(input: $one) { ${LEVEL} } two: stockAdjust(input: $two) { ${LEVEL} } }`,
      { one: input(2), two: input(4) },
    );
    const level = (units: number, entries: number) => ({
      variant: {
        onHand: units,
        available: units,
        product: { variants: [{ onHand: units }] },
        stockMovements: { totalCount: entries, nodes: [{ onHandAfter: units }] },
      },
    });
    expect(answer).toEqual({ one: level(3, 2), two: level(7, 3) });
  });
});

describe('stockAdjust never takes what carts hold', () => {
  test('and says how many are free', async () => {
    const honey = await makeVariant(shop, { onHand: 5 });
    await withCart(honey.sku, 3);
    const lose = (units: number) => keeper.adjust({ variantId: honey.globalId, delta: -units, reason: 'DAMAGE' });
    expect(await changingNothing(shop, () => lose(3))).toEqual({
      variant: null,
      errors: [
        {
          __typename: 'InsufficientStockError',
          code: 'INSUFFICIENT_STOCK',
          message: 'Honey has only 2 more to give; 3 asked for.',
          path: ['delta'],
          requested: 3,
          available: 2,
          variant: { sku: honey.sku },
        },
      ],
    });
    expect((await lose(2)).variant).toMatchObject({ onHand: 3, held: 3, available: 0 });
    expect((await changingNothing(shop, () => lose(1))).errors).toMatchObject([{ requested: 1, available: 0 }]);
  });

  test('but takes what carts past their time hold, of as few of them as it needs', async () => {
    const honey = await makeVariant(shop, { onHand: 6 });
    const carts = [];
    for (let n = 0; n < 3; n += 1) carts.push(await withCart(honey.sku, 2));
    await makeOverdue(
      shop,
      carts.map(({ cartId }) => cartId),
    );
    const { variant, errors } = await keeper.adjust({ variantId: honey.globalId, delta: -3, reason: 'DAMAGE' });
    expect(errors).toEqual([]);
    // Two carts of two give four back, three of which are gone.
    expect(variant).toMatchObject({ onHand: 3, held: 2, available: 1 });
    expect((await ledgerOf(shop, honey.id)).slice(4)).toEqual([
      { reason: 'RELEASE', onHandDelta: 0, heldDelta: -2, onHandAfter: 6, heldAfter: 4 },
      { reason: 'RELEASE', onHandDelta: 0, heldDelta: -2, onHandAfter: 6, heldAfter: 2 },
      { reason: 'DAMAGE', onHandDelta: -3, heldDelta: 0, onHandAfter: 3, heldAfter: 2 },
    ]);
    expect(
      await rowsOf(
        shop.db,
        'SELECT status, count(*)::int AS carts FROM carts WHERE id = ANY($1) GROUP BY status ORDER BY 1',
        [carts.map(({ cartId }) => cartId)],
      ),
    ).toEqual([
      { status: 'ACTIVE', carts: 1 },
      { status: 'EXPIRED', carts: 2 },
    ]);
  });

  test('and leaves overdue carts alone where there are units enough', async () => {
    const honey = await makeVariant(shop, { onHand: 6 });
    const { cartId } = await withCart(honey.sku, 2);
    await makeOverdue(shop, [cartId]);
    const { variant } = await keeper.adjust({ variantId: honey.globalId, delta: -4, reason: 'DAMAGE' });
    expect(variant).toMatchObject({ onHand: 2, held: 2, available: 0 });
  });

  test('units of an overdue cart count as available in the error if they do not suffice', async () => {
    const honey = await makeVariant(shop, { onHand: 5 });
    const late = await withCart(honey.sku, 2);
    await withCart(honey.sku, 3);
    await makeOverdue(shop, [late.cartId]);
    const { errors } = await keeper.adjust({ variantId: honey.globalId, delta: -4, reason: 'DAMAGE' });
    expect(errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 4, available: 2 }]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 3, available: 2 });
    expect(await recordOf(shop, honey.id)).toEqual([]);
  });
});

describe('the key of a stockAdjust', () => {
  test('does the same once, and shows the variant as it is now', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const input = { variantId: honey.globalId, delta: 5, note: 'Pallet', idempotencyKey: newKey() };
    await keeper.adjust(input);
    await withCart(honey.sku, 1);
    const spaced = { ...input, note: 'Pallet ', idempotencyKey: ` ${input.idempotencyKey} ` };
    for (const again of [input, spaced]) {
      expect(await changingNothing(shop, () => keeper.adjust(again))).toEqual({
        variant: { id: honey.globalId, sku: honey.sku, available: 14, onHand: 15, held: 1 },
        errors: [],
      });
    }
  });

  test('an omitted note, null and blank text are the same input', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const input = { variantId: honey.globalId, delta: 5, idempotencyKey: newKey() };
    await keeper.adjust(input);
    for (const note of [null, '', '  ']) {
      const again = await changingNothing(shop, () => keeper.adjust({ ...input, note }));
      expect(again.variant?.onHand).toBe(15);
    }
  });

  test('refuses anything else', async () => {
    const [honey, other] = [await makeVariant(shop, { onHand: 10 }), await makeVariant(shop, { onHand: 10 })];
    const input = { variantId: honey.globalId, delta: 5, idempotencyKey: newKey() };
    await keeper.adjust(input);
    const others: Partial<StockAdjustInput>[] = [
      { delta: 6 },
      { delta: -5 },
      // More than there are: it is not even looked at.
      { delta: -50 },
      { reason: 'RETURN' },
      { note: 'Pallet' },
      { variantId: other.globalId },
      { variantId: globalId('ProductVariant', uuid()) },
    ];
    for (const change of others) {
      expect(await changingNothing(shop, () => keeper.adjust({ ...input, ...change }))).toEqual({
        variant: null,
        errors: [
          {
            __typename: 'GenericError',
            code: 'IDEMPOTENCY_KEY_REUSED',
            message: 'The idempotency key was used before for a different adjustment.',
            path: ['idempotencyKey'],
          },
        ],
      });
    }
  });

  test("is the user's own", async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const colleague = stockKeeperOf((await newStaff(shop)).client);
    const input = { variantId: honey.globalId, delta: 5, idempotencyKey: newKey() };
    await keeper.adjust(input);
    expect((await colleague.adjust(input)).variant?.onHand).toBe(20);
    expect((await colleague.adjust({ ...input, delta: 1 })).errors).toMatchObject([{ code: 'IDEMPOTENCY_KEY_REUSED' }]);
  });

  test('is not kept where nothing was done', async () => {
    const honey = await makeVariant(shop, { onHand: 1 });
    const input = { variantId: honey.globalId, delta: -2, reason: 'DAMAGE', idempotencyKey: newKey() } as const;
    expect((await changingNothing(shop, () => keeper.adjust(input))).errors).toMatchObject([
      { code: 'INSUFFICIENT_STOCK' },
    ]);
    await keeper.adjust({ variantId: honey.globalId, delta: 1 });
    expect((await keeper.adjust(input)).variant?.onHand).toBe(0);
    expect((await keeper.adjust({ ...input, idempotencyKey: newKey() })).errors).toMatchObject([
      { code: 'INSUFFICIENT_STOCK' },
    ]);
  });

  test('may have 255 characters', async () => {
    const honey = await makeVariant(shop, { onHand: 1 });
    const idempotencyKey = '🍯'.repeat(127) + 'x';
    const input = { variantId: honey.globalId, delta: 1, idempotencyKey, note: 'n'.repeat(1000) };
    expect((await keeper.adjust(input)).errors).toEqual([]);
    expect((await changingNothing(shop, () => keeper.adjust(input))).variant?.onHand).toBe(2);
  });
});

describe('stockAdjust refuses', () => {
  const cases: [what: string, change: Partial<StockAdjustInput>, path: string, message: string][] = [
    ['no units at all', { delta: 0 }, 'delta', 'delta must not be 0.'],
    ['too many', { delta: 1_000_000_001 }, 'delta', 'delta must be at most 1000000000.'],
    ['too few', { delta: -1_000_000_001 }, 'delta', 'delta must be at least -1000000000.'],
    ['a blank key', { idempotencyKey: ' ' }, 'idempotencyKey', 'idempotencyKey must not be empty.'],
    [
      'a long key',
      { idempotencyKey: 'x'.repeat(256) },
      'idempotencyKey',
      'idempotencyKey must have at most 255 characters.',
    ],
    [
      'a key with a NUL',
      { idempotencyKey: 'a\u0000b' },
      'idempotencyKey',
      'idempotencyKey must not contain line breaks or control characters.',
    ],
    ['a long note', { note: 'x'.repeat(1001) }, 'note', 'note must have at most 1000 characters.'],
    ['a note of two lines', { note: 'a\nb' }, 'note', 'note must not contain line breaks or control characters.'],
    [
      'what is no ID',
      { variantId: 'honey' },
      'variantId',
      'This is not the global ID of an object of type ProductVariant.',
    ],
    [
      "another type's ID",
      { variantId: globalId('Product', uuid()) },
      'variantId',
      'This is not the global ID of an object of type ProductVariant.',
    ],
  ];

  test.each(cases)('%s', async (_what, change, path, message) => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const answer = await changingNothing(shop, () => keeper.adjust({ variantId: honey.globalId, delta: 1, ...change }));
    expect(answer).toEqual({
      variant: null,
      errors: [{ __typename: 'GenericError', code: 'INVALID_INPUT', message, path: [path] }],
    });
  });

  test('a variant that is not there', async () => {
    const variantId = globalId('ProductVariant', uuid());
    expect(await changingNothing(shop, () => keeper.adjust({ variantId, delta: 1 }))).toEqual({
      variant: null,
      errors: [{ __typename: 'GenericError', code: 'NOT_FOUND', message: 'Variant not found.', path: ['variantId'] }],
    });
  });
});
