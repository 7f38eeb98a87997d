import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { levelOf, makeProduct, makeVariant, setPrice } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf, stepsOf } from '../../support/records.ts';
import { enter, linesOf, rowId, shopperOf } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const initial = (units: number) => ({
  reason: 'INITIAL',
  onHandDelta: units,
  heldDelta: 0,
  onHandAfter: units,
  heldAfter: 0,
});
const step = (reason: string, heldDelta: number, onHandAfter: number, heldAfter: number) => ({
  reason,
  onHandDelta: 0,
  heldDelta,
  onHandAfter,
  heldAfter,
});

describe('adding', () => {
  test('by someone new makes guest, cart, line, hold, ledger entry and events', async () => {
    const honey = await makeVariant(shop, { sku: 'NEW-250', price: 1299, onHand: 10 });
    const { cart, errors } = await shopperOf(shop.client()).add({ sku: honey.sku, quantity: 2 });
    expect(errors).toEqual([]);
    const usd = (amount: string) => ({ amount, currencyCode: 'USD' });
    expect(cart).toEqual({
      id: expect.any(String) as string,
      token: expect.stringMatching(/^[\w-]{43}$/) as string,
      status: 'ACTIVE',
      version: 2,
      email: null,
      expiresAt: expect.any(String) as string,
      totalQuantity: 2,
      subtotal: usd('25.98'),
      total: usd('25.98'),
      lines: [
        {
          id: expect.any(String) as string,
          quantity: 2,
          unitPrice: { amount: '12.99' },
          total: { amount: '25.98' },
          variant: { id: honey.globalId, sku: 'NEW-250' },
        },
      ],
    });
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 10, held: 2, available: 8 });
    expect(await ledgerOf(shop, honey.id)).toEqual([initial(10), step('HOLD', 2, 10, 2)]);
    expect(await eventsOf(shop, honey.id)).toEqual([
      {
        type: 'stock_changed',
        payload: { variantId: honey.id, productId: honey.productId, available: 10, previousAvailable: 0 },
      },
      {
        type: 'stock_changed',
        payload: { variantId: honey.id, productId: honey.productId, available: 8, previousAvailable: 10 },
      },
    ]);
    const cartId = rowId(known(cart).id);
    expect(await eventsOf(shop, cartId)).toEqual([
      {
        type: 'cart_changed',
        payload: { cartId, guestId: expect.any(String) as string, userId: null, kind: 'LINES', version: 2 },
      },
    ]);
  });

  test('by ID and by SKU is the same', async () => {
    const honey = await makeVariant(shop);
    const wax = await makeVariant(shop);
    const shopper = await enter(shop);
    const { cart, errors } = await shopper.add(
      { sku: wax.sku, quantity: 1 },
      { variantId: honey.globalId, quantity: 2 },
      { variantId: wax.globalId, sku: null, quantity: 3 },
      { sku: honey.sku, variantId: null, quantity: 1 },
    );
    expect(errors).toEqual([]);
    expect(linesOf(cart)).toEqual([
      [wax.sku, 4, '10.00'],
      [honey.sku, 3, '10.00'],
    ]);
  });

  test('the same variant twice in one call counts as its sum: one line, one entry, one event', async () => {
    const honey = await makeVariant(shop, { onHand: 9 });
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 4 }, { variantId: honey.globalId, quantity: 5 });
    expect(linesOf(cart)).toEqual([[honey.sku, 9, '10.00']]);
    expect(await ledgerOf(shop, honey.id)).toEqual([initial(9), step('HOLD', 9, 9, 9)]);
    expect(await stepsOf(shop, honey.id)).toEqual([
      [0, 9],
      [9, 0],
    ]);
  });

  test('the same variant twice is refused as its sum', async () => {
    const honey = await makeVariant(shop, { onHand: 8, title: 'Summed' });
    const wax = await makeVariant(shop);
    const shopper = await enter(shop);
    const { cart, errors } = await changingNothing(shop, () =>
      shopper.add(
        { sku: wax.sku, quantity: 1 },
        { sku: honey.sku, quantity: 4 },
        { variantId: honey.globalId, quantity: 5 },
      ),
    );
    expect(cart).toBeNull();
    expect(errors).toEqual([
      {
        __typename: 'InsufficientStockError',
        code: 'INSUFFICIENT_STOCK',
        message: 'Summed has only 8 more to give; 9 asked for.',
        path: ['lines', '1', 'quantity'],
        requested: 9,
        available: 8,
        variant: { sku: honey.sku },
      },
    ]);
  });

  test('is of all lines or of none, and each line that does not go is named', async () => {
    const [honey, wax, comb, mug] = [
      await makeVariant(shop, { onHand: 10 }),
      await makeVariant(shop, { onHand: 1, title: 'Wax' }),
      await makeVariant(shop, { onHand: 10 }),
      await makeVariant(shop, { onHand: 0, title: 'Mug' }),
    ];
    const shopper = await enter(shop);
    await shopper.add({ sku: comb.sku, quantity: 1 });
    const { cart, errors } = await changingNothing(shop, () =>
      shopper.add(
        { sku: honey.sku, quantity: 3 },
        { sku: wax.sku, quantity: 2 },
        { sku: comb.sku, quantity: 3 },
        { sku: mug.sku, quantity: 1 },
      ),
    );
    expect(cart).toBeNull();
    expect(errors).toMatchObject([
      {
        code: 'INSUFFICIENT_STOCK',
        message: 'Wax has only 1 more to give; 2 asked for.',
        path: ['lines', '1', 'quantity'],
        requested: 2,
        available: 1,
      },
      {
        code: 'INSUFFICIENT_STOCK',
        message: 'Mug is sold out; 1 asked for.',
        path: ['lines', '3', 'quantity'],
        requested: 1,
        available: 0,
      },
    ]);
    expect(linesOf(await shopper.cart())).toEqual([[comb.sku, 1, '10.00']]);
  });

  test('more of the same at the same price grows the line', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const shopper = await enter(shop);
    const first = known((await shopper.add({ sku: honey.sku, quantity: 2 })).cart);
    const second = known((await shopper.add({ sku: honey.sku, quantity: 5 })).cart);
    expect(second.id).toBe(first.id);
    expect(second.lines).toMatchObject([{ id: first.lines[0]?.id, quantity: 7 }]);
    expect(await ledgerOf(shop, honey.id)).toEqual([initial(10), step('HOLD', 2, 10, 2), step('HOLD', 5, 10, 7)]);
  });

  test('what is held counts against what is asked for: only more is short', async () => {
    const honey = await makeVariant(shop, { onHand: 5 });
    const shopper = await enter(shop);
    await shopper.add({ sku: honey.sku, quantity: 4 });
    const { errors } = await changingNothing(shop, () => shopper.add({ sku: honey.sku, quantity: 2 }));
    expect(errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 2, available: 1 }]);
    expect((await shopper.add({ sku: honey.sku, quantity: 1 })).errors).toEqual([]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 5, available: 0 });
  });

  test('two at once by a guest without a cart make one cart', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const wax = await makeVariant(shop, { onHand: 10 });
    const shopper = await enter(shop);
    await shopper.add({ sku: honey.sku, quantity: 1 });
    await shopper.checkout({ idempotencyKey: 'before', email: 'two@example.com' });
    expect(await shopper.cart()).toBeNull();
    const [one, other] = await Promise.all([
      shopper.add({ sku: honey.sku, quantity: 2 }),
      shopper.add({ sku: wax.sku, quantity: 3 }),
    ]);
    expect(known(one.cart).id).toBe(known(other.cart).id);
    const cart = await shopper.cart();
    expect(new Set(linesOf(cart))).toEqual(
      new Set([
        [honey.sku, 2, '10.00'],
        [wax.sku, 3, '10.00'],
      ]),
    );
    expect(cart?.version).toBe(3);
  });
});

describe('prices', () => {
  test('are kept: more at another price is another line, and goes back to the first when the price does', async () => {
    const honey = await makeVariant(shop, { price: 1000, onHand: 50 });
    const shopper = await enter(shop);
    const first = known((await shopper.add({ sku: honey.sku, quantity: 2 })).cart);
    await setPrice(shop, honey.id, 1250);
    expect(linesOf(await shopper.cart())).toEqual([[honey.sku, 2, '10.00']]);

    const second = known((await shopper.add({ sku: honey.sku, quantity: 3 })).cart);
    expect(linesOf(second)).toEqual([
      [honey.sku, 2, '10.00'],
      [honey.sku, 3, '12.50'],
    ]);
    expect(second).toMatchObject({ totalQuantity: 5, subtotal: { amount: '57.50' }, total: { amount: '57.50' } });

    await setPrice(shop, honey.id, 1000);
    const third = known((await shopper.add({ sku: honey.sku, quantity: 4 })).cart);
    expect(linesOf(third)).toEqual([
      [honey.sku, 6, '10.00'],
      [honey.sku, 3, '12.50'],
    ]);
    expect(third.lines[0]?.id).toBe(first.lines[0]?.id);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 50, held: 9, available: 41 });
  });

  test('of an update: more units cost what they cost today, fewer what the line does', async () => {
    const honey = await makeVariant(shop, { price: 1000, onHand: 50 });
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 4 });
    const lineId = known(cart?.lines[0]).id;
    await setPrice(shop, honey.id, 900);

    const raised = known((await shopper.update({ id: lineId, quantity: 10 })).cart);
    expect(linesOf(raised)).toEqual([
      [honey.sku, 4, '10.00'],
      [honey.sku, 6, '9.00'],
    ]);
    expect(raised.lines[0]?.id).toBe(lineId);

    const lowered = known((await shopper.update({ id: lineId, quantity: 1 })).cart);
    expect(linesOf(lowered)).toEqual([
      [honey.sku, 1, '10.00'],
      [honey.sku, 6, '9.00'],
    ]);
    const cheaper = known(lowered.lines[1]).id;
    // One line's units go, the other's stay: of one variant, so the hold moves by the sum.
    const both = await shopper.update({ id: lineId, quantity: 0 }, { id: cheaper, quantity: 8 });
    expect(linesOf(both.cart)).toEqual([[honey.sku, 8, '9.00']]);
    expect((await ledgerOf(shop, honey.id)).slice(1)).toEqual([
      step('HOLD', 4, 50, 4),
      step('HOLD', 6, 50, 10),
      step('RELEASE', -3, 50, 7),
      step('HOLD', 1, 50, 8),
    ]);
  });

  test('a line that is emptied and filled again in one call is the same line', async () => {
    const honey = await makeVariant(shop, { price: 1000, onHand: 50 });
    const shopper = await enter(shop);
    await shopper.add({ sku: honey.sku, quantity: 2 });
    await setPrice(shop, honey.id, 1200);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 3 });
    const [old, today] = known(cart).lines;
    // The old line's units beyond 2 cost 12.00: they go to today's line, whose own units are taken away.
    const { cart: changed, errors } = await shopper.update(
      { id: known(today).id, quantity: 0 },
      { id: known(old).id, quantity: 6 },
    );
    expect(errors).toEqual([]);
    expect(linesOf(changed)).toEqual([
      [honey.sku, 2, '10.00'],
      [honey.sku, 4, '12.00'],
    ]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 50, held: 6, available: 44 });
  });
});

describe('updating', () => {
  test('holds more or gives back, with ledger and events', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const wax = await makeVariant(shop, { onHand: 10 });
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 4 }, { sku: wax.sku, quantity: 4 });
    const [honeyLine, waxLine] = known(cart).lines.map((line) => line.id);
    const updated = await shopper.update({ id: known(honeyLine), quantity: 7 }, { id: known(waxLine), quantity: 1 });
    expect(updated.errors).toEqual([]);
    expect(updated.cart).toMatchObject({ version: 3, totalQuantity: 8, total: { amount: '80.00' } });
    expect(updated.cart?.lines.map((line) => [line.id, line.quantity])).toEqual([
      [honeyLine, 7],
      [waxLine, 1],
    ]);
    expect((await ledgerOf(shop, honey.id)).slice(1)).toEqual([step('HOLD', 4, 10, 4), step('HOLD', 3, 10, 7)]);
    expect((await ledgerOf(shop, wax.id)).slice(1)).toEqual([step('HOLD', 4, 10, 4), step('RELEASE', -3, 10, 1)]);
    expect((await stepsOf(shop, honey.id)).slice(1)).toEqual([
      [10, 6],
      [6, 3],
    ]);
    expect((await stepsOf(shop, wax.id)).slice(1)).toEqual([
      [10, 6],
      [6, 9],
    ]);
  });

  test('to 0 takes the line away', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const wax = await makeVariant(shop, { onHand: 10 });
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 4 }, { sku: wax.sku, quantity: 2 });
    const updated = await shopper.update({ id: known(cart?.lines[0]).id, quantity: 0 });
    expect(linesOf(updated.cart)).toEqual([[wax.sku, 2, '10.00']]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 10, held: 0, available: 10 });
  });

  test('is of all lines or of none', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const wax = await makeVariant(shop, { onHand: 5 });
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 4 }, { sku: wax.sku, quantity: 4 });
    const [honeyLine, waxLine] = known(cart).lines.map((line) => known(line.id));
    const { cart: none, errors } = await changingNothing(shop, () =>
      shopper.update({ id: known(honeyLine), quantity: 1 }, { id: known(waxLine), quantity: 6 }),
    );
    expect(none).toBeNull();
    expect(errors).toMatchObject([
      {
        code: 'INSUFFICIENT_STOCK',
        path: ['lines', '1', 'quantity'],
        requested: 2,
        available: 1,
        variant: { sku: wax.sku },
      },
    ]);
  });

  test('to what it is already changes nothing', async () => {
    const honey = await makeVariant(shop);
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 4 });
    const updated = await changingNothing(shop, () => shopper.update({ id: known(cart?.lines[0]).id, quantity: 4 }));
    expect(updated).toEqual({ cart, errors: [] });
  });

  test('or removing a line of another cart is NOT_FOUND, for a stranger and for nobody', async () => {
    const honey = await makeVariant(shop);
    const owner = await enter(shop);
    const id = known((await owner.add({ sku: honey.sku, quantity: 4 })).cart?.lines[0]).id;
    const other = await enter(shop);
    const otherId = known((await other.add({ sku: honey.sku, quantity: 1 })).cart?.lines[0]).id;
    const notThere = { __typename: 'GenericError', code: 'NOT_FOUND', message: 'Line not found in the cart.' };
    expect(await changingNothing(shop, () => other.update({ id: otherId, quantity: 2 }, { id, quantity: 0 }))).toEqual({
      cart: null,
      errors: [{ ...notThere, path: ['lines', '1', 'id'] }],
    });
    expect(await changingNothing(shop, () => other.remove(id))).toEqual({
      cart: null,
      errors: [{ ...notThere, path: ['ids', '0'] }],
    });
    const nobody = shopperOf(shop.client());
    const noCart = { cart: null, errors: [{ code: 'NOT_FOUND', message: 'You have no cart.', path: null }] };
    expect(await changingNothing(shop, () => nobody.update({ id, quantity: 0 }))).toMatchObject(noCart);
    expect(await changingNothing(shop, () => nobody.remove(id))).toMatchObject(noCart);
  });
});

describe('removing', () => {
  test('takes whole lines and gives their units back; naming one twice is once', async () => {
    const [honey, wax, mug] = [await makeVariant(shop), await makeVariant(shop), await makeVariant(shop)];
    const shopper = await enter(shop);
    const { cart } = await shopper.add(
      { sku: honey.sku, quantity: 1 },
      { sku: wax.sku, quantity: 2 },
      { sku: mug.sku, quantity: 3 },
    );
    const ids = known(cart).lines.map((line) => line.id);
    const { cart: left, errors } = await shopper.remove(known(ids[2]), known(ids[0]), known(ids[2]));
    expect(errors).toEqual([]);
    expect(linesOf(left)).toEqual([[wax.sku, 2, '10.00']]);
    expect(left?.version).toBe(known(cart).version + 1);
    expect((await ledgerOf(shop, mug.id)).slice(1)).toEqual([step('HOLD', 3, 10, 3), step('RELEASE', -3, 10, 0)]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 10, held: 0, available: 10 });
  });

  test('is of all lines or of none', async () => {
    const honey = await makeVariant(shop);
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 1 });
    const id = known(cart?.lines[0]).id;
    await shopper.remove(id);
    const again = known((await shopper.add({ sku: honey.sku, quantity: 1 })).cart?.lines[0]).id;
    const { errors } = await changingNothing(shop, () => shopper.remove(again, id));
    expect(errors).toMatchObject([{ code: 'NOT_FOUND', path: ['ids', '1'] }]);
  });

  test('the last line leaves an empty cart, whose time does not run', async () => {
    const honey = await makeVariant(shop);
    const shopper = await enter(shop);
    const { cart } = await shopper.add({ sku: honey.sku, quantity: 5 });
    const { cart: empty } = await shopper.remove(known(cart?.lines[0]).id);
    expect(empty).toEqual({
      id: cart?.id,
      token: shopper.token,
      status: 'ACTIVE',
      version: 3,
      email: null,
      expiresAt: null,
      totalQuantity: 0,
      subtotal: { amount: '0.00', currencyCode: 'USD' },
      total: { amount: '0.00', currencyCode: 'USD' },
      lines: [],
    });
  });

  test('lets others have the units', async () => {
    const honey = await makeVariant(shop, { onHand: 3 });
    const [one, other] = [await enter(shop), await enter(shop)];
    const { cart } = await one.add({ sku: honey.sku, quantity: 3 });
    expect((await other.add({ sku: honey.sku, quantity: 1 })).errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK' }]);
    await one.remove(known(cart?.lines[0]).id);
    expect((await other.add({ sku: honey.sku, quantity: 3 })).errors).toEqual([]);
  });
});

describe('limits', () => {
  const tooMany = (sku: string, requested: number, path: string[], title = 'Honey') => ({
    __typename: 'LimitExceededError',
    code: 'LIMIT_EXCEEDED',
    message: `A cart can hold at most 99 units of ${title}.`,
    path,
    limit: 99,
    requested,
    ofVariant: { sku },
  });

  test('99 units of a variant, in one call or several, at one price or several', async () => {
    const honey = await makeVariant(shop, { onHand: 500, price: 100 });
    const shopper = await enter(shop);
    const refused = await changingNothing(shop, () => shopper.add({ sku: honey.sku, quantity: 100 }));
    expect(refused).toEqual({ cart: null, errors: [tooMany(honey.sku, 100, ['lines', '0', 'quantity'])] });

    const { cart } = await shopper.add({ sku: honey.sku, quantity: 60 });
    await setPrice(shop, honey.id, 110);
    const again = await changingNothing(shop, () =>
      shopper.add({ sku: honey.sku, quantity: 20 }, { sku: honey.sku, quantity: 20 }),
    );
    expect(again.errors).toEqual([tooMany(honey.sku, 100, ['lines', '0', 'quantity'])]);
    const updated = await changingNothing(shop, () => shopper.update({ id: known(cart?.lines[0]).id, quantity: 100 }));
    expect(updated.errors).toEqual([tooMany(honey.sku, 100, ['lines', '0', 'quantity'])]);

    expect((await shopper.add({ sku: honey.sku, quantity: 39 })).cart?.totalQuantity).toBe(99);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 500, held: 99, available: 401 });
  });

  test('are named where both they and the stock refuse', async () => {
    const honey = await makeVariant(shop, { onHand: 5 });
    const shopper = await enter(shop);
    const { errors } = await changingNothing(shop, () => shopper.add({ sku: honey.sku, quantity: 2 ** 31 - 1 }));
    expect(errors).toEqual([tooMany(honey.sku, 2 ** 31 - 1, ['lines', '0', 'quantity'])]);
    const twice = await changingNothing(shop, () =>
      shopper.add({ sku: honey.sku, quantity: 2 ** 31 - 1 }, { sku: honey.sku, quantity: 2 ** 31 - 1 }),
    );
    expect(twice.errors).toEqual([tooMany(honey.sku, 2 ** 31 - 1, ['lines', '0', 'quantity'])]);
  });

  test('100 lines a cart', async () => {
    const { variants } = await makeProduct(shop, { variants: Array.from({ length: 100 }, () => ({ price: 100 })) });
    const extra = await makeVariant(shop);
    const shopper = await enter(shop);
    const { cart, errors } = await shopper.add(...variants.map(({ sku }) => ({ sku, quantity: 1 })));
    expect(errors).toEqual([]);
    expect(cart?.lines).toHaveLength(100);
    const tooManyLines = {
      __typename: 'LimitExceededError',
      code: 'LIMIT_EXCEEDED',
      message: 'A cart can hold at most 100 lines.',
      path: ['lines'],
      limit: 100,
      requested: 101,
      ofVariant: null,
    };
    const added = await changingNothing(shop, () => shopper.add({ sku: extra.sku, quantity: 1 }));
    expect(added).toEqual({ cart: null, errors: [tooManyLines] });
    // An update can make a line, too: at another price.
    await setPrice(shop, known(variants[0]).id, 200);
    const updated = await changingNothing(shop, () => shopper.update({ id: known(cart?.lines[0]).id, quantity: 2 }));
    expect(updated).toEqual({ cart: null, errors: [tooManyLines] });
    // More of what is there makes none.
    expect((await shopper.add({ sku: known(variants[1]).sku, quantity: 5 })).errors).toEqual([]);
  });

  test('100 lines a call', async () => {
    const honey = await makeVariant(shop, { onHand: 500 });
    const shopper = await enter(shop);
    const lines = (count: number) => Array.from({ length: count }, () => ({ sku: honey.sku, quantity: 1 }));
    expect(await changingNothing(shop, () => shopper.add(...lines(101)))).toEqual({
      cart: null,
      errors: [
        {
          __typename: 'LimitExceededError',
          code: 'LIMIT_EXCEEDED',
          message: 'A call accepts at most 100 lines.',
          path: ['lines'],
          limit: 100,
          requested: 101,
          ofVariant: null,
        },
      ],
    });
    expect(linesOf((await shopper.add(...lines(99))).cart)).toEqual([[honey.sku, 99, '10.00']]);
  });

  test('are what the settings say', async () => {
    const small = await openQuietShop({ CART_MAX_UNITS_PER_VARIANT: '5', CART_MAX_LINES: '2' });
    try {
      const [honey, wax, mug] = [await makeVariant(small), await makeVariant(small), await makeVariant(small)];
      const shopper = await enter(small);
      const refused = await changingNothing(small, () =>
        shopper.add({ sku: honey.sku, quantity: 6 }, { sku: wax.sku, quantity: 1 }, { sku: mug.sku, quantity: 1 }),
      );
      expect(refused.errors).toMatchObject([
        { code: 'LIMIT_EXCEEDED', limit: 5, requested: 6, path: ['lines', '0', 'quantity'] },
        { code: 'LIMIT_EXCEEDED', limit: 2, requested: 3, path: ['lines'] },
      ]);
      expect((await shopper.add({ sku: honey.sku, quantity: 5 }, { sku: wax.sku, quantity: 5 })).errors).toEqual([]);
    } finally {
      await small.dispose();
    }
  });
});

test('the version rises by one with each change, and not otherwise', async () => {
  const honey = await makeVariant(shop, { onHand: 10 });
  const wax = await makeVariant(shop, { onHand: 10 });
  const shopper = await enter(shop);
  const versions: (number | undefined)[] = [(await shopper.cart())?.version];
  const note = async ({ cart }: { cart: { version: number } | null }) => {
    versions.push(cart?.version);
    expect((await shopper.cart())?.version).toBe(cart?.version ?? versions.at(-2));
  };
  await note(await shopper.create());
  await note(await shopper.add({ sku: honey.sku, quantity: 1 }));
  await note(await shopper.add({ sku: honey.sku, quantity: 1 }, { sku: wax.sku, quantity: 1 }));
  await note(await shopper.add({ sku: honey.sku, quantity: 50 }));
  const id = known((await shopper.cart())?.lines[0]).id;
  await note(await shopper.update({ id, quantity: 2 }));
  await note(await shopper.update({ id, quantity: 3 }));
  await note(await shopper.setEmail('version@example.com'));
  await note(await shopper.setEmail('version@example.com'));
  await note(await shopper.setEmail(' version@example.com '));
  await note(await shopper.remove(id));
  await note(await shopper.remove(id));
  expect(versions).toEqual([1, 1, 2, 3, undefined, 3, 4, 5, 5, 5, 6, undefined]);
});

test('each of several changes in one operation shows the stock that it left', async () => {
  const honey = await makeVariant(shop, { onHand: 10 });
  const { client } = await enter(shop);
  const add = (quantity: number) =>
    `cartLinesAdd(input: { lines: [{ sku: "${honey.sku}", quantity: ${quantity} }] }) { cart { lines { variant { available } } } }`;
  const answer = await client.data(`mutation { one: ${add(1)} two: ${add(3)} }`);
  const left = (available: number) => ({ cart: { lines: [{ variant: { available } }] } });
  expect(answer).toEqual({ one: left(9), two: left(6) });
});
