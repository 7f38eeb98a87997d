import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import {
  archiveVariant,
  levelOf,
  makeOverdue,
  makeProduct,
  makeVariant,
  setPrice,
  setStatus,
} from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf } from '../../support/records.ts';
import { enter, linesOf, rowId, shopperOf } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const CartStatus = graphql(`
  query ReclaimStatus($id: ID!) {
    node(id: $id) {
      ... on Cart {
        status
        version
        lines {
          quantity
        }
      }
    }
  }
`);

/** A guest whose cart has expired; its units are back. */
async function withExpiredCart(...lines: { sku: string; quantity: number }[]) {
  const shopper = await enter(shop);
  const cart = known((await shopper.add(...lines)).cart);
  await expireCart(cart.id);
  const statusOf = async (id: string) => (await shopper.client.data(CartStatus, { id })).node;
  return { shopper, cart, statusOf };
}

async function expireCart(cartId: string): Promise<void> {
  await makeOverdue(shop, [rowId(cartId)]);
  await shop.expireOverdue();
}

const kindsOf = async (cartId: string) =>
  (await eventsOf(shop, rowId(cartId))).map(({ payload }) => [payload.kind, payload.version]);

describe('a reclaim', () => {
  test('in full makes the cart live again as it was, with holds, ledger and events', async () => {
    const honey = await makeVariant(shop, { price: 700, onHand: 10 });
    const wax = await makeVariant(shop, { price: 300, onHand: 10 });
    const { shopper, cart } = await withExpiredCart({ sku: honey.sku, quantity: 4 }, { sku: wax.sku, quantity: 2 });
    const before = Date.now();
    const { cart: again, errors } = await shopper.reclaim(cart.id);
    expect(errors).toEqual([]);
    expect(again).toEqual({ ...cart, status: 'ACTIVE', version: 4, expiresAt: expect.any(String) as string });
    const at = Date.parse(known(again?.expiresAt)) - 900_000;
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 10, held: 4, available: 6 });
    expect((await ledgerOf(shop, honey.id)).map(({ reason, heldDelta }) => [reason, heldDelta])).toEqual([
      ['INITIAL', 0],
      ['HOLD', 4],
      ['RELEASE', -4],
      ['HOLD', 4],
    ]);
    expect(await kindsOf(cart.id)).toEqual([
      ['LINES', 2],
      ['EXPIRED', 3],
      ['RECLAIMED', 4],
    ]);
    expect(await shopper.cart()).toEqual(again);
  });

  test('of a cart past its time whose units are not back yet is the same', async () => {
    const honey = await makeVariant(shop, { onHand: 4 });
    const shopper = await enter(shop);
    const cart = known((await shopper.add({ sku: honey.sku, quantity: 4 })).cart);
    await makeOverdue(shop, [rowId(cart.id)]);
    const { cart: again, errors } = await shopper.reclaim(cart.id);
    expect(errors).toEqual([]);
    expect(again).toMatchObject({ id: cart.id, status: 'ACTIVE', version: 4, totalQuantity: 4 });
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 4, held: 4, available: 0 });
  });

  test('in part names each line that is short or gone; the rest is in the cart', async () => {
    const [honey, wax, mug] = [
      await makeVariant(shop, { onHand: 5, title: 'Heather' }),
      await makeVariant(shop, { onHand: 3, title: 'Wax' }),
      await makeVariant(shop, { onHand: 9, title: 'Mug' }),
    ];
    const { shopper, cart } = await withExpiredCart(
      { sku: honey.sku, quantity: 5 },
      { sku: wax.sku, quantity: 3 },
      { sku: mug.sku, quantity: 9 },
    );
    await (await enter(shop)).add({ sku: honey.sku, quantity: 2 }, { sku: wax.sku, quantity: 3 });
    const { cart: again, errors } = await shopper.reclaim(cart.id);
    const short = (title: string, message: string, sku: string, requested: number, available: number) => ({
      __typename: 'InsufficientStockError',
      code: 'INSUFFICIENT_STOCK',
      message: `${title} ${message}; ${requested} asked for.`,
      path: ['cartId'],
      requested,
      available,
      variant: { sku },
    });
    expect(errors).toEqual([
      short('Heather', 'has only 3 more to give', honey.sku, 5, 3),
      short('Wax', 'is sold out', wax.sku, 3, 0),
    ]);
    expect(again).toMatchObject({ id: cart.id, status: 'ACTIVE', version: 4 });
    expect(linesOf(again)).toEqual([
      [honey.sku, 3, '10.00'],
      [mug.sku, 9, '10.00'],
    ]);
    expect(again?.lines.map((line) => line.id)).toEqual([cart.lines[0]?.id, cart.lines[2]?.id]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 5, available: 0 });
    expect(await levelOf(shop, wax.id)).toEqual({ onHand: 3, held: 3, available: 0 });
  });

  test('of what is all gone does nothing', async () => {
    const honey = await makeVariant(shop, { onHand: 5 });
    const { shopper, cart } = await withExpiredCart({ sku: honey.sku, quantity: 5 });
    await (await enter(shop)).add({ sku: honey.sku, quantity: 5 });
    const { cart: none, errors } = await changingNothing(shop, () => shopper.reclaim(cart.id));
    expect(none).toBeNull();
    expect(errors).toMatchObject([{ code: 'INSUFFICIENT_STOCK', requested: 5, available: 0, path: ['cartId'] }]);
    expect(await shopper.cart()).toMatchObject({ id: cart.id, status: 'EXPIRED', totalQuantity: 5 });
  });

  test('takes units that others hold past their time', async () => {
    const honey = await makeVariant(shop, { onHand: 5 });
    const { shopper, cart } = await withExpiredCart({ sku: honey.sku, quantity: 5 });
    const other = await enter(shop);
    const theirs = known((await other.add({ sku: honey.sku, quantity: 5 })).cart);
    await makeOverdue(shop, [rowId(theirs.id)]);
    expect((await shopper.reclaim(cart.id)).errors).toEqual([]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 5, held: 5, available: 0 });
    expect(await kindsOf(theirs.id)).toEqual([
      ['LINES', 2],
      ['EXPIRED', 3],
    ]);
  });

  test("is at today's prices, whatever the lines cost before", async () => {
    const honey = await makeVariant(shop, { price: 1000, onHand: 20 });
    const wax = await makeVariant(shop, { price: 500, onHand: 20 });
    const shopper = await enter(shop);
    await shopper.add({ sku: honey.sku, quantity: 2 }, { sku: wax.sku, quantity: 1 });
    await setPrice(shop, honey.id, 1100);
    const cart = known((await shopper.add({ sku: honey.sku, quantity: 3 })).cart);
    expect(linesOf(cart)).toHaveLength(3);
    await expireCart(cart.id);
    await setPrice(shop, honey.id, 1200);
    const { cart: again, errors } = await shopper.reclaim(cart.id);
    expect(errors).toEqual([]);
    expect(linesOf(again).toSorted((a, b) => a[1] - b[1])).toEqual([
      [wax.sku, 1, '5.00'],
      [honey.sku, 5, '12.00'],
    ]);
    expect(again?.total.amount).toBe('65.00');
  });

  test('joins another cart that was begun meanwhile; the old one is MERGED', async () => {
    const [honey, wax, mug] = [
      await makeVariant(shop, { onHand: 20 }),
      await makeVariant(shop, { onHand: 20 }),
      await makeVariant(shop, { onHand: 20 }),
    ];
    const {
      shopper,
      cart: old,
      statusOf,
    } = await withExpiredCart({ sku: honey.sku, quantity: 2 }, { sku: wax.sku, quantity: 3 });
    const live = known((await shopper.add({ sku: wax.sku, quantity: 1 }, { sku: mug.sku, quantity: 1 })).cart);
    const { cart: joined, errors } = await shopper.reclaim(old.id);
    expect(errors).toEqual([]);
    expect(joined).toMatchObject({ id: live.id, status: 'ACTIVE', version: 3, token: shopper.token });
    expect(linesOf(joined)).toEqual([
      [wax.sku, 4, '10.00'],
      [mug.sku, 1, '10.00'],
      [honey.sku, 2, '10.00'],
    ]);
    expect(await statusOf(old.id)).toEqual({ status: 'MERGED', version: 4, lines: [] });
    expect(await shopper.cart()).toEqual(joined);
    expect(await kindsOf(old.id)).toEqual([
      ['LINES', 2],
      ['EXPIRED', 3],
      ['MERGED', 4],
    ]);
    expect(await kindsOf(live.id)).toEqual([
      ['LINES', 2],
      ['RECLAIMED', 3],
    ]);
    expect(await levelOf(shop, wax.id)).toEqual({ onHand: 20, held: 4, available: 16 });
  });

  test('joins an empty cart, too, and one that is past its time becomes the only one', async () => {
    const honey = await makeVariant(shop, { onHand: 20 });
    const { shopper, cart: old, statusOf } = await withExpiredCart({ sku: honey.sku, quantity: 2 });
    const empty = known((await shopper.create()).cart);
    const joined = known((await shopper.reclaim(old.id)).cart);
    expect(joined).toMatchObject({ id: empty.id, version: 2, totalQuantity: 2 });
    expect(await statusOf(old.id)).toMatchObject({ status: 'MERGED' });

    // Both are over now: the one that is asked for lives again, by itself.
    const second = await withExpiredCart({ sku: honey.sku, quantity: 3 });
    const later = known((await second.shopper.add({ sku: honey.sku, quantity: 1 })).cart);
    await makeOverdue(shop, [rowId(later.id)]);
    const again = known((await second.shopper.reclaim(second.cart.id)).cart);
    expect(again).toMatchObject({ id: second.cart.id, status: 'ACTIVE', totalQuantity: 3 });
    expect(await second.statusOf(later.id)).toMatchObject({ status: 'EXPIRED' });
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 20, held: 5, available: 15 });
  });

  test('that does not fit the live cart takes what does', async () => {
    const honey = await makeVariant(shop, { onHand: 200 });
    const { shopper, cart: old, statusOf } = await withExpiredCart({ sku: honey.sku, quantity: 60 });
    await shopper.add({ sku: honey.sku, quantity: 60 });
    const { cart: joined, errors } = await shopper.reclaim(old.id);
    expect(errors).toMatchObject([
      { code: 'LIMIT_EXCEEDED', limit: 99, requested: 120, path: ['cartId'], ofVariant: { sku: honey.sku } },
    ]);
    expect(linesOf(joined)).toEqual([[honey.sku, 99, '10.00']]);
    expect(await statusOf(old.id)).toMatchObject({ status: 'MERGED', lines: [] });
  });

  test('of more lines than a cart takes names those that do not fit', async () => {
    const { variants } = await makeProduct(shop, { title: 'Many', variants: Array.from({ length: 100 }, () => ({})) });
    const honey = await makeVariant(shop, { title: 'One more' });
    const { shopper, cart: old } = await withExpiredCart({ sku: honey.sku, quantity: 2 });
    await shopper.add(...variants.map(({ sku }) => ({ sku, quantity: 1 })));
    const { cart: none, errors } = await changingNothing(shop, () => shopper.reclaim(old.id));
    expect(none).toBeNull();
    expect(errors).toMatchObject([{ code: 'LIMIT_EXCEEDED', limit: 100, requested: 101, path: ['cartId'] }]);
  });

  test('asked for twice, or of a cart that never was over, changes nothing', async () => {
    const honey = await makeVariant(shop);
    const { shopper, cart } = await withExpiredCart({ sku: honey.sku, quantity: 2 });
    const again = await shopper.reclaim(cart.id);
    expect(await changingNothing(shop, () => shopper.reclaim(cart.id))).toEqual(again);
    const other = await enter(shop);
    const { cart: fresh } = await other.add({ sku: honey.sku, quantity: 1 });
    expect(await changingNothing(shop, () => other.reclaim(known(fresh).id))).toEqual({ cart: fresh, errors: [] });
  });

  test('twice at once takes the units once', async () => {
    const honey = await makeVariant(shop, { onHand: 9 });
    const { shopper, cart } = await withExpiredCart({ sku: honey.sku, quantity: 4 });
    const answers = await Promise.all([shopper.reclaim(cart.id), shopper.reclaim(cart.id)]);
    expect(answers.map(({ errors }) => errors)).toEqual([[], []]);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 9, held: 4, available: 5 });
    expect((await shopper.cart())?.version).toBe(4);
  });

  test("is of one's own cart alone", async () => {
    const honey = await makeVariant(shop);
    const { cart, shopper } = await withExpiredCart({ sku: honey.sku, quantity: 2 });
    const notThere = (message: string, path: string[] | null) => ({
      cart: null,
      errors: [{ __typename: 'GenericError', code: 'NOT_FOUND', message, path }],
    });
    const stranger = await enter(shop);
    await changingNothing(shop, async () => {
      expect(await stranger.reclaim(cart.id)).toEqual(notThere('Cart not found.', ['cartId']));
      expect(await shopperOf(shop.client()).reclaim(cart.id)).toEqual(notThere('You have no cart.', null));
    });
    expect(await shopper.cart()).toMatchObject({ id: cart.id, status: 'EXPIRED' });
  });

  test('of a cart that was bought, or that joined another, is a CONFLICT', async () => {
    const honey = await makeVariant(shop, { onHand: 50 });
    const shopper = await enter(shop);
    const bought = known((await shopper.add({ sku: honey.sku, quantity: 1 })).cart);
    await shopper.checkout({ idempotencyKey: 'bought', email: 'reclaim@example.com' });
    const merged = known((await shopper.add({ sku: honey.sku, quantity: 1 })).cart);
    await expireCart(merged.id);
    await shopper.add({ sku: honey.sku, quantity: 1 });
    await shopper.reclaim(merged.id);
    for (const { id } of [bought, merged]) {
      expect(await changingNothing(shop, () => shopper.reclaim(id))).toEqual({
        cart: null,
        errors: [
          {
            __typename: 'GenericError',
            code: 'CONFLICT',
            message: 'The cart has been checked out or merged into another cart.',
            path: ['cartId'],
          },
        ],
      });
    }
  });

  test('leaves out what is no longer sold, and names it', async () => {
    const honey = await makeVariant(shop, { title: 'Honey' });
    const gone = await makeVariant(shop, { title: 'Royal jelly' });
    const half = await makeProduct(shop, {
      title: 'Candle',
      variants: [{ options: [{ name: 'Size', value: 'Small' }] }, { options: [{ name: 'Size', value: 'Large' }] }],
    });
    const [small, large] = half.variants;
    const { shopper, cart } = await withExpiredCart(
      { sku: gone.sku, quantity: 1 },
      { sku: honey.sku, quantity: 2 },
      { sku: known(small).sku, quantity: 3 },
      { sku: known(large).sku, quantity: 4 },
    );
    await setStatus(shop, gone.productId, 'ARCHIVED');
    await archiveVariant(shop, known(small).id);
    const { cart: again, errors } = await shopper.reclaim(cart.id);
    const notSold = (title: string) => ({
      __typename: 'GenericError',
      code: 'NOT_FOUND',
      message: `${title} is no longer for sale.`,
      path: ['cartId'],
    });
    expect(errors).toEqual([notSold('Royal jelly'), notSold('Candle - Small')]);
    expect(linesOf(again)).toEqual([
      [honey.sku, 2, '10.00'],
      [known(large).sku, 4, '10.00'],
    ]);
    expect(await levelOf(shop, gone.id)).toEqual({ onHand: 10, held: 0, available: 10 });
  });

  test('of nothing that is still sold does nothing', async () => {
    const gone = await makeVariant(shop, { title: 'Royal jelly' });
    const { shopper, cart } = await withExpiredCart({ sku: gone.sku, quantity: 1 });
    await setStatus(shop, gone.productId, 'DRAFT');
    const { cart: none, errors } = await changingNothing(shop, () => shopper.reclaim(cart.id));
    expect(none).toBeNull();
    expect(errors).toMatchObject([{ code: 'NOT_FOUND', message: 'Royal jelly is no longer for sale.' }]);
  });
});
