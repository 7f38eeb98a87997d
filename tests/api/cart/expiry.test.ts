import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { levelOf, makeOverdue, makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf, stepsOf } from '../../support/records.ts';
import { enter, linesOf, rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

// No timer runs in this shop: what is past its time stays as it is until somebody meets it.
let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const CartByNode = graphql(`
  query ExpiryNodes($id: ID!, $lineId: ID!) {
    node(id: $id) {
      ... on Cart {
        status
        version
        totalQuantity
      }
    }
    nodes(ids: [$id, $lineId]) {
      ... on Cart {
        status
      }
      ... on CartLine {
        quantity
      }
    }
  }
`);

const EXPIRED = {
  __typename: 'GenericError',
  code: 'CART_EXPIRED',
  message: 'The cart has expired, and its units have returned to stock.',
  path: null,
};

/** A guest with a cart that is past its time, all units of the variant in it. */
async function withOverdueCart({ onHand = 5 } = {}) {
  const honey = await makeVariant(shop, { onHand });
  const shopper = await enter(shop);
  const cart = known((await shopper.add({ sku: honey.sku, quantity: onHand })).cart);
  await makeOverdue(shop, [rowId(cart.id)]);
  return { honey, shopper, cart, lineId: known(cart.lines[0]).id };
}

/** Where a cart's clock stands, as the database has it. */
async function clockOf(cartId: string) {
  const [row] = await shop.db.query<{ sinceSeconds: number; leftSeconds: number }>(
    {
      name: 'test_cart_clock',
      text: `SELECT extract(epoch FROM updated_at - hold_started_at)::float8 AS "sinceSeconds",
                    extract(epoch FROM expires_at - updated_at)::float8 AS "leftSeconds" FROM carts WHERE id = $1`,
    },
    [rowId(cartId)],
  );
  return known(row);
}

/** Turns a cart's clock: as if its holds had begun so long ago, and ended in so long. */
async function turnClock(cartId: string, agoSeconds: number, leftSeconds: number): Promise<void> {
  await shop.db.query(
    {
      name: 'test_turn_clock',
      text: `UPDATE carts SET hold_started_at = clock_timestamp() - make_interval(secs => $2),
                              expires_at = clock_timestamp() + make_interval(secs => $3) WHERE id = $1`,
    },
    [rowId(cartId), agoSeconds, leftSeconds],
  );
}

describe('a cart past its time', () => {
  test('is EXPIRED at once to every reader, its lines kept, before its units are back', async () => {
    const { honey, shopper, cart, lineId } = await withOverdueCart();
    const read = await changingNothing(shop, () => shopper.cart());
    expect(read).toEqual({ ...cart, status: 'EXPIRED', expiresAt: expect.any(String) as string });
    expect(Date.parse(known(read?.expiresAt))).toBeLessThan(Date.now());
    expect(await shopper.client.data(CartByNode, { id: cart.id, lineId })).toEqual({
      node: { status: 'EXPIRED', version: 2, totalQuantity: 5 },
      nodes: [{ status: 'EXPIRED' }, { quantity: 5 }],
    });
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 5, available: 0 });
  });

  test('gives its units back once, with ledger and events, when it is expired', async () => {
    const { honey, shopper, cart } = await withOverdueCart();
    await shop.expireOverdue();
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 0, available: 5 });
    expect((await ledgerOf(shop, honey.id)).slice(1)).toEqual([
      { reason: 'HOLD', onHandDelta: 0, heldDelta: 5, onHandAfter: 5, heldAfter: 5 },
      { reason: 'RELEASE', onHandDelta: 0, heldDelta: -5, onHandAfter: 5, heldAfter: 0 },
    ]);
    expect((await stepsOf(shop, honey.id)).slice(1)).toEqual([
      [5, 0],
      [0, 5],
    ]);
    const events = await eventsOf(shop, rowId(cart.id));
    expect(events.map(({ payload }) => [payload.kind, payload.version])).toEqual([
      ['LINES', 2],
      ['EXPIRED', 3],
    ]);
    const after = await shopper.cart();
    expect(after).toMatchObject({ id: cart.id, status: 'EXPIRED', version: 3, totalQuantity: 5 });
    expect(linesOf(after)).toEqual([[honey.sku, 5, '10.00']]);
    expect(await changingNothing(shop, () => shop.expireOverdue())).toEqual({ carts: 0, units: 0 });
  });

  test.each(['before', 'after'])('refuses to be changed or bought, %s its units are back', async (when) => {
    const { shopper, lineId } = await withOverdueCart();
    if (when === 'after') await shop.expireOverdue();
    const refused = { errors: [EXPIRED] };
    await changingNothing(shop, async () => {
      expect(await shopper.update({ id: lineId, quantity: 1 })).toEqual({ cart: null, ...refused });
      expect(await shopper.update({ id: lineId, quantity: 0 })).toEqual({ cart: null, ...refused });
      expect(await shopper.remove(lineId)).toEqual({ cart: null, ...refused });
      expect(await shopper.setEmail('late@example.com')).toEqual({ cart: null, ...refused });
      expect(await shopper.checkout({ idempotencyKey: 'late', email: 'late@example.com' })).toEqual({
        order: null,
        ...refused,
      });
    });
  });

  test.each(['before', 'after'])(
    'is followed by a new one when something is added, %s its units are back',
    async (when) => {
      const { honey, shopper, cart } = await withOverdueCart();
      if (when === 'after') await shop.expireOverdue();
      // All five again: they can only be had once the old cart has given them back.
      const { cart: next, errors } = await shopper.add({ sku: honey.sku, quantity: 5 });
      expect(errors).toEqual([]);
      expect(next).toMatchObject({ status: 'ACTIVE', version: 2, token: shopper.token, email: null });
      expect(next?.id).not.toBe(cart.id);
      expect(linesOf(next)).toEqual([[honey.sku, 5, '10.00']]);
      expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 5, available: 0 });
      expect((await ledgerOf(shop, honey.id)).map(({ reason, heldDelta }) => [reason, heldDelta])).toEqual([
        ['INITIAL', 0],
        ['HOLD', 5],
        ['RELEASE', -5],
        ['HOLD', 5],
      ]);
      expect((await shopper.cart())?.id).toBe(next?.id);
      expect((await shopper.client.data(CartByNode, { id: cart.id, lineId: cart.id })).node).toEqual({
        status: 'EXPIRED',
        version: 3,
        totalQuantity: 5,
      });
    },
  );

  test('is followed by an empty one when one is created', async () => {
    const { honey, shopper, cart } = await withOverdueCart();
    const { cart: next, errors } = await shopper.create();
    expect(errors).toEqual([]);
    expect(next).toMatchObject({ status: 'ACTIVE', version: 1, lines: [], expiresAt: null, token: shopper.token });
    expect(next?.id).not.toBe(cart.id);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 0, available: 5 });
  });

  test('is over even where the new one cannot be begun; nothing else is done', async () => {
    const { honey, shopper, cart } = await withOverdueCart();
    const { cart: none, errors } = await shopper.add({ sku: honey.sku, quantity: 6 });
    expect(none).toBeNull();
    expect(errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 6, available: 5 }]);
    expect(await shopper.cart()).toMatchObject({ id: cart.id, status: 'EXPIRED', version: 3 });
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 0, available: 5 });
  });

  test('does not keep its units from others: as few carts as are needed give theirs back', async () => {
    const honey = await makeVariant(shop, { onHand: 12 });
    const shoppers = [await enter(shop), await enter(shop), await enter(shop)];
    const carts = [];
    for (const shopper of shoppers) carts.push(known((await shopper.add({ sku: honey.sku, quantity: 4 })).cart));
    const [first, second, alive] = carts;
    await makeOverdue(shop, [rowId(known(first).id), rowId(known(second).id)]);

    const buyer = await enter(shop);
    expect((await buyer.add({ sku: honey.sku, quantity: 3 })).errors).toEqual([]);
    /** Of the two that are overdue; a cart's version rises when it is expired. */
    const versions = async () => {
      const read = await Promise.all(shoppers.slice(0, 2).map((shopper) => shopper.cart()));
      return read.map((cart) => known(cart).version).toSorted((a, b) => a - b);
    };
    expect(await versions()).toEqual([2, 3]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 12, held: 11, available: 1 });

    // One more needs the other overdue cart, and beyond that there is nothing: the live one is let be.
    const { errors } = await buyer.add({ sku: honey.sku, quantity: 6 });
    expect(errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 6, available: 5 }]);
    expect(await versions()).toEqual([3, 3]);
    expect(await known(shoppers[2]).cart()).toEqual(alive);
    expect((await buyer.add({ sku: honey.sku, quantity: 5 })).errors).toEqual([]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 12, held: 12, available: 0 });
  });

  test('also gives way to an update of someone else', async () => {
    const { honey } = await withOverdueCart({ onHand: 5 });
    const buyer = await enter(shop);
    const line = known((await buyer.add({ sku: honey.sku, quantity: 1 })).cart?.lines[0]);
    expect((await buyer.update({ id: line.id, quantity: 5 })).errors).toEqual([]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 5, available: 0 });
  });
});

describe('the time of a cart', () => {
  test('runs for 15 minutes from the last change, and reading never extends it', async () => {
    const honey = await makeVariant(shop);
    const shopper = await enter(shop);
    expect((await shopper.cart())?.expiresAt).toBeNull();
    const cart = known((await shopper.add({ sku: honey.sku, quantity: 1 })).cart);
    const { leftSeconds } = await clockOf(cart.id);
    expect(leftSeconds).toBe(900);

    await turnClock(cart.id, 300, 600);
    await changingNothing(shop, async () => {
      for (let n = 0; n < 3; n += 1) {
        await shopper.cart();
        await shopper.client.data(CartByNode, { id: cart.id, lineId: known(cart.lines[0]).id });
        await shopper.create();
        await shopper.update({ id: known(cart.lines[0]).id, quantity: 1 });
        await shopper.add({ sku: honey.sku, quantity: 50 });
      }
    });
  });

  test('begins anew with each change of the lines', async () => {
    const honey = await makeVariant(shop, { onHand: 50 });
    const shopper = await enter(shop);
    const cart = known((await shopper.add({ sku: honey.sku, quantity: 2 })).cart);
    const id = known(cart.lines[0]).id;
    const changes = [
      () => shopper.add({ sku: honey.sku, quantity: 1 }),
      () => shopper.update({ id, quantity: 5 }),
      () => shopper.update({ id, quantity: 4 }),
    ];
    for (const change of changes) {
      await turnClock(cart.id, 600, 60);
      const before = Date.now();
      const { cart: changed } = await change();
      const { sinceSeconds, leftSeconds } = await clockOf(cart.id);
      expect(sinceSeconds).toBeGreaterThanOrEqual(600);
      expect(leftSeconds).toBe(900);
      expect(Date.parse(known(changed?.expiresAt))).toBeGreaterThan(before + 900_000 - 1);
    }
  });

  test('is an hour in all at most, however often the cart is changed', async () => {
    const honey = await makeVariant(shop, { onHand: 50 });
    const shopper = await enter(shop);
    const cart = known((await shopper.add({ sku: honey.sku, quantity: 2 })).cart);
    await turnClock(cart.id, 3000, 60);
    await shopper.add({ sku: honey.sku, quantity: 1 });
    const { sinceSeconds, leftSeconds } = await clockOf(cart.id);
    expect(sinceSeconds + leftSeconds).toBeCloseTo(3600, 3);
    expect(leftSeconds).toBeLessThanOrEqual(600);
  });

  test('stops while the cart is empty, and begins anew with the next line', async () => {
    const honey = await makeVariant(shop);
    const shopper = await enter(shop);
    const cart = known((await shopper.add({ sku: honey.sku, quantity: 2 })).cart);
    await turnClock(cart.id, 3500, 60);
    expect((await shopper.remove(known(cart.lines[0]).id)).cart).toMatchObject({ status: 'ACTIVE', expiresAt: null });
    await makeOverdue(shop, [rowId(cart.id)]);
    expect(await shopper.cart()).toMatchObject({ id: cart.id, status: 'ACTIVE', expiresAt: null });
    expect((await shopper.add({ sku: honey.sku, quantity: 1 })).cart?.id).toBe(cart.id);
    const { sinceSeconds, leftSeconds } = await clockOf(cart.id);
    expect(sinceSeconds).toBe(0);
    expect(leftSeconds).toBe(900);
  });

  test('is what the settings say', async () => {
    const brief = await openQuietShop({ CART_HOLD_SECONDS: '60', CART_MAX_HOLD_SECONDS: '90' });
    try {
      const honey = await makeVariant(brief);
      const shopper = await enter(brief);
      const before = Date.now();
      const { cart } = await shopper.add({ sku: honey.sku, quantity: 2 });
      const at = Date.parse(known(cart?.expiresAt)) - 60_000;
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(Date.now());
    } finally {
      await brief.dispose();
    }
  });
});
