import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findFaults, rowsOf } from '../../support/books.ts';
import {
  applyAll,
  deliver,
  deliverAndApply,
  deliveriesOf,
  newEntryId,
  productOf,
  SECRET,
} from '../../support/contentful.ts';
import { makeProduct, setStatus } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf } from '../../support/records.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ CONTENTFUL_WEBHOOK_SECRET: SECRET });
});
afterAll(() => shop.dispose());
afterEach(async () => {
  const faults = await findFaults(shop.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
});

const APPLIED = { status: 'APPLIED', reason: null };
const LATER = { status: 'SKIPPED', reason: 'This change or a later one has already been applied.' };

/** An entry that is a product already, at revision 1 and minute 0. */
async function newEntry(fields: Record<string, unknown> = {}): Promise<string> {
  const id = newEntryId();
  const all = { title: 'Honey', slug: `honey-${id}`, price: 12.5, stock: 10, ...fields };
  expect(await deliverAndApply(shop, { id, fields: all })).toEqual(APPLIED);
  return id;
}

/** Fails with the reason, and changes nothing of the shop but the row of the delivery. */
async function expectFailure(id: string, fields: Record<string, unknown>, reason: string): Promise<void> {
  const before = await productOf(shop, id);
  // The event of its arrival comes with the delivery.
  await deliver(shop, { id, fields, revision: 9, minute: 9 });
  await changingNothing(shop, () => applyAll(shop));
  const last = (await deliveriesOf(shop, id)).at(-1);
  expect(last).toMatchObject({ status: 'FAILED', reason, productId: null });
  expect(await productOf(shop, id)).toEqual(before);
}

describe('an entry that is published', () => {
  test('becomes a product, with its events and its entry in the record', async () => {
    const id = newEntryId();
    const fields = {
      title: ' Acacia honey ',
      slug: 'acacia-honey',
      description: 'From the hills.\r\nLight.',
      price: 12.5,
      stock: 7,
      sku: 'ACA-1',
    };
    expect(await deliverAndApply(shop, { id, fields })).toEqual(APPLIED);
    const product = known(await productOf(shop, id));
    expect(product).toMatchObject({
      title: 'Acacia honey',
      slug: 'acacia-honey',
      description: 'From the hills.\nLight.',
      status: 'ACTIVE',
      images: [],
      sku: 'ACA-1',
      price: 1250,
      onHand: 7,
      held: 0,
      quantity: 7,
      shortfall: 0,
    });
    expect(await ledgerOf(shop, product.variantId)).toEqual([
      { reason: 'SYNC', onHandDelta: 7, heldDelta: 0, onHandAfter: 7, heldAfter: 0 },
    ]);
    expect((await eventsOf(shop, product.id)).map((event) => event.type)).toEqual(['product_changed']);
    expect((await eventsOf(shop, product.variantId)).map((event) => event.type)).toEqual(['stock_changed']);
    const record = `SELECT kind, actor_id FROM staff_actions WHERE subject_id IN ($1, $2) ORDER BY id`;
    expect(await rowsOf(shop.db, record, [product.id, product.variantId])).toEqual([
      { kind: 'PRODUCT_CREATED', actor_id: null },
      { kind: 'PRODUCT_VARIANT_CREATED', actor_id: null },
    ]);
    const [delivery] = await deliveriesOf(shop, id);
    expect(delivery).toMatchObject({ productId: product.id, attempts: 1 });
    expect((await eventsOf(shop, known(delivery).id)).map(({ type, payload }) => [type, payload])).toEqual([
      ['webhook_received', { deliveryId: delivery?.id }],
    ]);
  });

  test('changes its product where it is published again, whatever its slug is then; what it does not name stays', async () => {
    const id = await newEntry({ description: 'Sweet.' });
    const before = known(await productOf(shop, id));
    const fields = { title: 'Better honey', slug: `better-${id}`, price: '13' };
    expect(await deliverAndApply(shop, { id, fields, revision: 2, minute: 1 })).toEqual(APPLIED);
    expect(await productOf(shop, id)).toEqual({
      ...before,
      title: 'Better honey',
      slug: `better-${id}`,
      price: 1300,
    });
    // Nothing of a description is nothing said of it; an empty one is one.
    await deliverAndApply(shop, { id, fields: { ...fields, description: null }, revision: 3, minute: 2 });
    expect(await productOf(shop, id)).toMatchObject({ description: '', price: 1300 });
  });

  test('is found by its slug where it is not known, and takes the product that is there over', async () => {
    const product = await makeProduct(shop, { slug: 'by-slug', variants: [{ sku: 'OWN', price: 100, onHand: 4 }] });
    const id = newEntryId();
    const fields = { title: 'By slug', slug: 'by-slug', stock: 6 };
    expect(await deliverAndApply(shop, { id, fields })).toEqual(APPLIED);
    expect(await productOf(shop, id)).toMatchObject({ id: product.id, sku: 'OWN', price: 100, onHand: 6, quantity: 6 });

    const other = newEntryId();
    await expectFailure(other, fields, 'The product with this slug belongs to another entry.');
  });

  test('needs a title and a price where it is new; slug and SKU are made where it names none', async () => {
    await expectFailure(newEntryId(), { price: 1 }, 'title must not be empty for a new product.');
    await expectFailure(newEntryId(), { title: 'X' }, 'price must not be empty for a new product.');
    const first = newEntryId();
    expect(await deliverAndApply(shop, { id: first, fields: { title: 'Ünnamed', price: 1 } })).toEqual(APPLIED);
    const second = newEntryId();
    expect(await deliverAndApply(shop, { id: second, fields: { title: 'Ünnamed', price: 1 } })).toEqual(APPLIED);
    expect([await productOf(shop, first), await productOf(shop, second)]).toMatchObject([
      { slug: 'unnamed', sku: first, onHand: 0, quantity: null },
      { slug: 'unnamed-2', sku: second, onHand: 0, quantity: null },
    ]);
    // An SKU that is made is a free one; one that is named is that one.
    await makeProduct(shop, { variants: [{ sku: 'taken-sku' }] });
    const third = newEntryId();
    await deliverAndApply(shop, { id: third, fields: { title: 'X', slug: 'taken-sku', price: 1 } });
    expect(await productOf(shop, third)).toMatchObject({ sku: 'taken-sku-2' });
    await expectFailure(
      newEntryId(),
      { title: 'X', price: 1, sku: 'taken-sku' },
      'The SKU is already used by another variant.',
    );
  });

  test('is read in the locale of the shop', async () => {
    const id = await newEntry();
    const { sys } = {
      sys: { id, contentType: { sys: { id: 'product' } }, revision: 2, updatedAt: '2026-01-01T13:00:00Z' },
    };
    const fields = { title: { de: 'Honig', 'en-US': 'Plain honey' }, price: { de: 99 } };
    await deliverAndApply(shop, { id, body: JSON.stringify({ sys, fields }) });
    expect(await productOf(shop, id)).toMatchObject({ title: 'Plain honey', price: 1250 });
  });

  test('has Rich Text as plain text', async () => {
    const text = (value: string, ...marks: string[]) => ({
      nodeType: 'text',
      value,
      marks: marks.map((type) => ({ type })),
    });
    const block = (nodeType: string, ...content: unknown[]) => ({ nodeType, data: {}, content });
    const document = block(
      'document',
      block('heading-1', text('Acacia')),
      block('paragraph', text('From '), block('hyperlink', text('the hills', 'bold')), text('.')),
      block('unordered-list', block('list-item', block('paragraph', text('light')))),
      block('paragraph', text('')),
      block('paragraph', text('<b>sweet</b>')),
    );
    const id = await newEntry({ description: document });
    expect(await productOf(shop, id)).toMatchObject({ description: 'Acacia\nFrom the hills.\nlight\n<b>sweet</b>' });
  });

  test('is not applied where the product has several variants and it has what belongs to one', async () => {
    const product = await makeProduct(shop, {
      slug: 'several',
      variants: ['S', 'L'].map((value) => ({ options: [{ name: 'Size', value }] })),
    });
    const id = newEntryId();
    const reason = 'price, sku and stock apply to a single variant, but the product has 2.';
    await expectFailure(id, { title: 'Several', slug: 'several', stock: 1 }, reason);
    expect(
      await deliverAndApply(shop, { id, fields: { title: 'Two sizes', slug: 'several' }, revision: 10, minute: 10 }),
    ).toEqual(APPLIED);
    const [row] = await rowsOf(shop.db, 'SELECT title FROM products WHERE id = $1', [product.id]);
    expect(row).toEqual({ title: 'Two sizes' });
  });
});

describe('bad fields', () => {
  test.each([
    ['a title that is a number', { title: 5 }, 'title must be text.'],
    ['a title with a NUL', { title: 'a\0b' }, 'title must not contain line breaks or control characters.'],
    [
      'a title with half a character',
      { title: 'a\ud800' },
      'title must not contain line breaks or control characters.',
    ],
    ['a title that is too long', { title: 'x'.repeat(301) }, 'title must have at most 300 characters.'],
    [
      'a slug that is none',
      { slug: 'No slug' },
      'slug must consist of lowercase letters and digits separated by single hyphens, at most 200 characters.',
    ],
    [
      'a description that is too long',
      { description: 'x'.repeat(50_001) },
      'description must have at most 50000 characters.',
    ],
    ['a price below nothing', { price: -1 }, 'price must not be negative.'],
    ['a price with too many decimals', { price: 1.005 }, 'price has more decimal places than USD.'],
    ['a price that is too high', { price: 1e15 }, 'price must be at most 21474836.47.'],
    ['a price in words', { price: 'twelve' }, 'price must be a number, for example 12.5.'],
    ['half a unit', { stock: 1.5 }, 'stock must be an integer from 0 to 1000000000.'],
    ['fewer than no units', { stock: -1 }, 'stock must be an integer from 0 to 1000000000.'],
    ['more than can be counted', { stock: 1_000_000_001 }, 'stock must be an integer from 0 to 1000000000.'],
    ['units in words', { stock: '10' }, 'stock must be an integer from 0 to 1000000000.'],
    ['a flag that is a number', { inStock: 1 }, 'inStock must be true or false.'],
    ['pictures that are texts', { images: ['a.jpg'] }, 'images must be links to assets, at most 50.'],
    ['two of them', { title: 5, price: -1 }, 'title must be text. price must not be negative.'],
  ])('%s: nothing of it is applied, and the reason is kept', async (_what, fields, reason) => {
    const id = await newEntry();
    await expectFailure(id, { title: 'Other', price: 99, stock: 99, ...fields }, reason);
    expect(await productOf(shop, id)).toMatchObject({ title: 'Honey', price: 1250, onHand: 10, quantity: 10 });
  });

  test('values that are not by locale', async () => {
    const id = await newEntry();
    const sys = { id, contentType: { sys: { id: 'product' } }, revision: 2, updatedAt: '2026-01-01T13:00:00Z' };
    await deliverAndApply(shop, { id, body: JSON.stringify({ sys, fields: { title: 'Flat' } }) });
    expect((await deliveriesOf(shop, id)).at(-1)).toMatchObject({
      status: 'FAILED',
      reason: 'title must have one value per locale.',
    });
    await deliverAndApply(shop, { id, body: JSON.stringify({ sys: { ...sys, updatedAt: 'yesterday' }, fields: {} }) });
    expect((await deliveriesOf(shop, id)).at(-1)).toMatchObject({
      status: 'FAILED',
      reason: 'sys.updatedAt: must be an ISO 8601 timestamp.',
    });
    await deliverAndApply(shop, { id, body: JSON.stringify({ sys: { ...sys, contentType: undefined }, fields: {} }) });
    expect((await deliveriesOf(shop, id)).at(-1)).toMatchObject({
      status: 'FAILED',
      reason: 'sys.contentType is missing.',
    });
  });
});

describe('an entry that is taken back', () => {
  test('is hidden, put on sale again, archived, and archived when it is deleted', async () => {
    const id = await newEntry();
    const status = async () => (await productOf(shop, id))?.status;
    expect(await deliverAndApply(shop, { id, topic: 'unpublish', minute: 1 })).toEqual(APPLIED);
    expect(await status()).toBe('DRAFT');
    expect(await deliverAndApply(shop, { id, revision: 2, minute: 2, fields: {} })).toEqual(APPLIED);
    expect(await status()).toBe('ACTIVE');
    await deliverAndApply(shop, { id, topic: 'unpublish', revision: 2, minute: 3 });
    expect(await deliverAndApply(shop, { id, topic: 'archive', minute: 4 })).toEqual(APPLIED);
    expect(await status()).toBe('ARCHIVED');
    expect(await deliverAndApply(shop, { id, revision: 3, minute: 5, fields: {} })).toEqual(APPLIED);
    expect(await status()).toBe('ACTIVE');

    const { id: productId } = known(await productOf(shop, id));
    expect(await deliverAndApply(shop, { id, topic: 'delete', minute: 6 })).toEqual(APPLIED);
    const [row] = await rowsOf(shop.db, 'SELECT status FROM products WHERE id = $1', [productId]);
    expect(row).toEqual({ status: 'ARCHIVED' });
    // What came before the end comes too late; another entry may become that product, its revisions begun anew.
    expect(await deliverAndApply(shop, { id, revision: 9, minute: 5, fields: {} })).toEqual(LATER);
    const next = newEntryId();
    await deliverAndApply(shop, { id: next, fields: { title: 'Again', slug: `honey-${id}` }, minute: 7 });
    expect(await productOf(shop, next)).toMatchObject({ id: productId, status: 'ACTIVE', title: 'Again', onHand: 10 });
  });

  test('stays archived where staff archived it, when it is only hidden', async () => {
    const id = await newEntry();
    await setStatus(shop, known(await productOf(shop, id)).id, 'ARCHIVED');
    expect(await deliverAndApply(shop, { id, topic: 'unpublish', minute: 1 })).toEqual(APPLIED);
    expect(await productOf(shop, id)).toMatchObject({ status: 'ARCHIVED' });
  });

  test('is skipped where it is no product; what was published before it comes too late', async () => {
    const id = newEntryId();
    const reason = 'The entry is not a product of this shop.';
    expect(await deliverAndApply(shop, { id, topic: 'delete', minute: 5 })).toEqual({ status: 'SKIPPED', reason });
    const late = { id, fields: { title: 'Late', price: 1 }, revision: 3, minute: 4 };
    expect(await deliverAndApply(shop, late)).toEqual(LATER);
    expect(await productOf(shop, id)).toBeNull();
  });
});

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}

describe('the order of revisions', () => {
  test('an older one never comes over a newer one, and the same only once', async () => {
    const id = await newEntry();
    const say = (title: string, revision: number, minute: number) =>
      deliverAndApply(shop, { id, fields: { title, stock: revision }, revision, minute });
    expect(await say('Third', 3, 3)).toEqual(APPLIED);
    expect(await say('Second', 2, 2)).toEqual(LATER);
    expect(await say('Third, otherwise', 3, 3)).toEqual(LATER);
    // Revisions count for more than clocks.
    expect(await say('Second, late', 2, 30)).toEqual(LATER);
    expect(await productOf(shop, id)).toMatchObject({ title: 'Third', onHand: 3 });
    expect(await say('Fourth', 4, 3)).toEqual(APPLIED);
    expect(await deliverAndApply(shop, { id, topic: 'unpublish', revision: 3, minute: 3 })).toEqual(LATER);
    expect(await deliverAndApply(shop, { id, topic: 'archive', minute: 2 })).toEqual(LATER);
    expect(await productOf(shop, id)).toMatchObject({ title: 'Fourth', status: 'ACTIVE' });
  });

  test.each(['publish', 'unpublish', 'archive', 'delete'] as const)(
    'a life that ends with %s ends so in whichever order its changes arrive',
    async (end) => {
      const life = [
        { topic: 'publish', revision: 1, minute: 1 },
        { topic: 'unpublish', revision: 1, minute: 2 },
        { topic: 'publish', revision: 2, minute: 3 },
        { topic: end, revision: end === 'publish' ? 3 : 2, minute: 4 },
      ] as const;
      const stories = permutations([0, 1, 2, 3]).map((order) => ({ order, id: newEntryId() }));
      // The first change of all entries, then the second, and so on: entries do not depend on one another.
      for (const index of life.keys()) {
        const answers = await Promise.all(
          stories.map(({ order, id }) => {
            const told = known(life[known(order[index])]);
            const fields = { title: `At ${told.minute}`, slug: `life-${id}`, price: 1, stock: 5 };
            return deliver(shop, { ...told, id, fields });
          }),
        );
        expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
        await applyAll(shop);
      }
      const ids = stories.map(({ id }) => id);
      const settled = `SELECT FROM webhook_deliveries WHERE subject = ANY($1) AND status IN ('APPLIED', 'SKIPPED')`;
      expect(await rowsOf(shop.db, settled, [ids])).toHaveLength(stories.length * life.length);
      for (const { order, id } of stories) {
        const [product] = await rowsOf<{ status: string; title: string }>(
          shop.db,
          'SELECT status, title FROM products WHERE slug = $1',
          [`life-${id}`],
        );
        const story = order.join();
        if (end === 'publish')
          expect({ story, product }).toEqual({ story, product: { status: 'ACTIVE', title: 'At 4' } });
        // An entry whose publication never arrived in time never was a product.
        else expect([undefined, end === 'unpublish' ? 'DRAFT' : 'ARCHIVED'], story).toContain(product?.status);
      }
    },
    60_000,
  );

  test('an entry of another content type is ignored', async () => {
    const id = newEntryId();
    const skipped = { status: 'SKIPPED', reason: 'The entry has another content type: page.' };
    await deliver(shop, { id, contentType: 'page', fields: { title: 'Us', price: 1 } });
    await changingNothing(shop, () => applyAll(shop));
    expect((await deliveriesOf(shop, id)).at(-1)).toMatchObject(skipped);
  });
});
