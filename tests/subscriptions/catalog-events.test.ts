import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff, type Person } from '../support/accounts.ts';
import { makeOverdue, makeProduct, makeVariant, setStatus } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, rowId } from '../support/shopper.ts';
import { transports, watch, watchNow } from '../support/watch.ts';

let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

interface Changed {
  productChanged: { cursor: string; product: { id: string; title: string; status: string } };
}

interface Back {
  backInStock: { cursor: string; available: number; variant: { id: string; available: number } };
}

const changes = (args = '') => `subscription { productChanged${args} { cursor product { id title status } } }`;
const returns = (args = '') => `subscription { backInStock${args} { cursor available variant { id available } } }`;

async function update(id: string, fields: string): Promise<void> {
  const answer = await staff.client.data<{ productUpdate: { errors: unknown[] } }>(
    `mutation { productUpdate(input: { id: "${id}", ${fields} }) { errors { code } } }`,
  );
  expect(answer.productUpdate.errors).toEqual([]);
}

async function restock(variantId: string, delta: number): Promise<void> {
  const input = `{ variantId: "${variantId}", delta: ${delta}, reason: RESTOCK, idempotencyKey: "${crypto.randomUUID()}" }`;
  await staff.client.data(`mutation { stockAdjust(input: ${input}) { errors { code } } }`);
}

describe.each(transports)('over %s', (transport) => {
  test('productChanged delivers the requested products, and those that are not ACTIVE to staff only', async () => {
    const [one, two] = [await makeProduct(shop), await makeProduct(shop)];
    const list = `(productIds: ["${one.globalId}"])`;
    const toShopper = await watchNow<Changed>(shop, transport, changes(list));
    const toStaff = await watchNow<Changed>(shop, transport, changes(list), { accessToken: staff.accessToken });
    await update(two.globalId, 'title: "Not asked for"');
    await update(one.globalId, 'title: "First"');
    const first = await toShopper.events.take();
    expect(first.productChanged.product).toEqual({ id: one.globalId, title: 'First', status: 'ACTIVE' });
    expect((await toStaff.events.take()).productChanged.product.title).toBe('First');
    await update(one.globalId, 'title: "Hidden", status: DRAFT');
    expect((await toStaff.events.take()).productChanged.product.status).toBe('DRAFT');
    await update(one.globalId, 'title: "Back", status: ACTIVE');
    expect((await toStaff.events.take()).productChanged.product.title).toBe('Back');
    expect((await toShopper.events.take()).productChanged.product.title).toBe('Back');
    // Events show the product as it is when they are read: the hidden one may have been read once it was back.
    expect(toShopper.events.left.filter(({ productChanged }) => productChanged.product.title !== 'Back')).toEqual([]);
    expect(toStaff.events.left).toEqual([]);

    const after = `, after: "${first.productChanged.cursor}"`;
    const resumed = watch<Changed>(shop, transport, changes(list.replace(')', `${after})`)));
    // As it is now: by now it is to be seen again.
    expect((await resumed.events.take()).productChanged.product.title).toBe('Back');
  });

  test('backInStock arrives when a level leaves 0: by restocking, and by a cart whose time is over', async () => {
    const variant = await makeVariant(shop, { onHand: 0 });
    const { events } = await watchNow<Back>(shop, transport, returns(`(variantIds: ["${variant.globalId}"])`));
    await restock(variant.globalId, 3);
    const first = await events.take();
    expect(first.backInStock).toMatchObject({ available: 3, variant: { id: variant.globalId } });
    // More of what there is already is no news.
    await restock(variant.globalId, 2);
    const guest = await enter(shop);
    const { cart } = await guest.add({ variantId: variant.globalId, quantity: 5 });
    await makeOverdue(shop, [rowId(known(cart).id)]);
    await shop.expireOverdue();
    expect((await events.take()).backInStock.available).toBe(5);

    const query = returns(`(variantIds: ["${variant.globalId}"], after: "${first.backInStock.cursor}")`);
    const resumed = watch<Back>(shop, transport, query);
    expect((await resumed.events.take()).backInStock.available).toBe(5);
    expect([...events.left, ...resumed.events.left]).toEqual([]);
  });

  test('backInStock of what is not ACTIVE goes to staff alone, by product as well', async () => {
    const product = await makeProduct(shop, { variants: [{ onHand: 0 }] });
    const { globalId } = known(product.variants[0]);
    await setStatus(shop, product.id, 'DRAFT');
    const list = `(productIds: ["${product.globalId}"])`;
    const toShopper = await watchNow<Back>(shop, transport, returns(list));
    const toStaff = await watchNow<Back>(shop, transport, returns(list), { accessToken: staff.accessToken });
    await restock(globalId, 1);
    expect((await toStaff.events.take()).backInStock.available).toBe(1);
    await restock(globalId, -1);
    await setStatus(shop, product.id, 'ACTIVE');
    await restock(globalId, 4);
    expect((await toShopper.events.take()).backInStock.available).toBe(4);
  });

  test('lists of IDs are checked', async () => {
    for (const query of [
      changes('(productIds: ["x"])'),
      returns('(variantIds: ["x"])'),
      returns('(productIds: [""])'),
    ]) {
      expect(await watch(shop, transport, query).ended).toEqual(['BAD_REQUEST']);
    }
  });
});
