import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff, type Person } from '../../support/accounts.ts';
import { rowId } from '../../support/shopper.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { archiveVariant, globalId, levelOf, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import {
  choice,
  faultsOf,
  merchantOf,
  newSku,
  recordedOf,
  recordOf,
  variantInput,
  type Merchant,
} from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { eventsOf, ledgerOf } from '../../support/records.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let staff: Person;
let merchant: Merchant;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4', LOW_STOCK_THRESHOLD: '7' });
  staff = await newStaff(shop);
  merchant = merchantOf(staff.client);
});
afterAll(() => shop.dispose());

const MISSING = '01234567-89ab-7def-8123-456789abcdef';

/** A product in these sizes, at 10.00, 11.00 … */
async function sized(...sizes: string[]) {
  const product = await makeProduct(shop, {
    variants: sizes.map((size, n) => ({ price: 1000 + 100 * n, options: choice({ Size: size }) })),
  });
  return { ...product, first: known(product.variants[0]) };
}

/** What there is of a product's own row: when it changed last, and what it is found by. */
async function rowOf(productId: string) {
  const [row] = await rowsOf<{ updatedAt: Date; min: number; max: number; search: string }>(
    shop.db,
    `SELECT updated_at AS "updatedAt", min_price_minor AS min, max_price_minor AS max, search::text FROM products WHERE id = $1`,
    [productId],
  );
  return known(row);
}

const changedEvent = (productId: string) => ({ type: 'product_changed', payload: { productId } });

describe('productVariantCreate', () => {
  test('puts a variant behind the others, archived ones too, with stock, event and record', async () => {
    const product = await sized('S', 'M');
    await archiveVariant(shop, known(product.variants[1]).id);
    const before = await rowOf(product.id);
    const sku = newSku();
    const { variant, errors } = await merchant.createVariant({
      productId: product.globalId,
      variant: { sku, price: '7.25', compareAtPrice: '8', selectedOptions: choice({ Size: 'L' }), onHand: 5 },
    });
    expect(errors).toEqual([]);
    const after = await rowOf(product.id);
    const { id } = known(variant);
    expect(variant).toEqual({
      id,
      sku,
      title: 'L',
      selectedOptions: [{ name: 'Size', value: 'L' }],
      price: { amount: '7.25' },
      compareAtPrice: { amount: '8.00' },
      available: 5,
      availableForSale: true,
      lowStockThreshold: 7,
      product: {
        id: product.globalId,
        updatedAt: after.updatedAt.toISOString(),
        variants: [{ sku: product.first.sku }, { sku }],
      },
    });
    const row = rowId(id);
    expect(await rowsOf(shop.db, 'SELECT position FROM product_variants WHERE id = $1', [row])).toEqual([
      { position: 2 },
    ]);
    expect([after.min, after.max, after.updatedAt > before.updatedAt]).toEqual([725, 1000, true]);
    expect([before.search, after.search].map((search) => search.includes("'staff'"))).toEqual([false, true]);
    expect(await eventsOf(shop, product.id)).toEqual([changedEvent(product.id)]);
    expect(await eventsOf(shop, row)).toEqual([
      { type: 'stock_changed', payload: { variantId: row, productId: product.id, available: 5, previousAvailable: 0 } },
    ]);
    expect(await ledgerOf(shop, row)).toEqual([
      { reason: 'INITIAL', onHandDelta: 5, heldDelta: 0, onHandAfter: 5, heldAfter: 0 },
    ]);
    expect(await recordedOf(shop, row)).toEqual([
      [
        'PRODUCT_VARIANT_CREATED',
        [
          `sku: - → ${sku}`,
          'price: - → 7.25',
          'compareAtPrice: - → 8.00',
          'selectedOptions: - → [{"name":"Size","value":"L"}]',
          'lowStockThreshold: - → 7',
          'onHand: - → 5',
        ],
      ],
    ]);
    const [entry] = await recordOf(shop, row);
    expect(entry).toMatchObject({
      actorId: rowId(staff.userId),
      subjectType: 'ProductVariant',
      occurredAt: after.updatedAt,
    });
  });

  test('the choice of an archived variant is free again', async () => {
    const product = await sized('S', 'M');
    await archiveVariant(shop, product.first.id);
    const again = { productId: product.globalId, variant: variantInput({ selectedOptions: choice({ Size: 'S' }) }) };
    expect((await merchant.createVariant(again)).errors).toEqual([]);
  });

  test('refuses what does not go with the variants that there are', async () => {
    const product = await sized('S', 'M');
    const plain = await makeProduct(shop);
    const two = await makeProduct(shop, { variants: [{ options: choice({ Size: 'S', Box: 'none' }) }] });
    const attempt = async (
      { globalId: productId }: { globalId: string },
      selectedOptions: ReturnType<typeof choice>,
    ) => {
      const payload = await merchant.createVariant({ productId, variant: variantInput({ selectedOptions }) });
      expect(payload.variant).toBeNull();
      return payload.errors.map(({ code, path, message }) => [code, path?.join('.'), message]);
    };
    const at = 'variant.selectedOptions';
    const needed = 'Every variant of this product has these options, in this order:';
    await changingNothing(shop, async () => {
      expect(await attempt(product, choice({ Size: 'M' }))).toEqual([
        ['CONFLICT', at, 'The product already has a variant with these option values.'],
      ]);
      expect(await attempt(product, choice({ Colour: 'M' }))).toEqual([['CONFLICT', at, `${needed} Size.`]]);
      expect(await attempt(product, choice({ Size: 'L', Box: 'none' }))).toEqual([['CONFLICT', at, `${needed} Size.`]]);
      expect(await attempt(product, [])).toEqual([
        ['INVALID_INPUT', at, 'A product with several variants needs options that distinguish them.'],
      ]);
      expect(await attempt(two, choice({ Box: 'gift', Size: 'S' }))).toEqual([
        ['CONFLICT', at, `${needed} Size, Box.`],
      ]);
      expect(await attempt(plain, choice({ Size: 'S' }))).toEqual([
        ['CONFLICT', at, "The product's variant has no options: no other can stand beside it."],
      ]);
      expect(await attempt(two, [...choice({ Size: 'L' }), ...choice({ Size: 'XL' })])).toEqual([
        ['INVALID_INPUT', `${at}.1.name`, 'The option appears twice.'],
      ]);
    });
  });

  test('refuses a SKU that is taken, and a product that is not there', async () => {
    const product = await sized('S');
    const other = await sized('S');
    const variant = variantInput({ sku: other.first.sku, selectedOptions: choice({ Size: 'L' }) });
    await changingNothing(shop, async () => {
      const faults = [];
      for (const productId of [product.globalId, globalId('Product', MISSING), product.first.globalId, '']) {
        faults.push(faultsOf(await merchant.createVariant({ productId, variant })));
      }
      expect(faults).toEqual([
        ['CONFLICT variant.sku'],
        ['NOT_FOUND productId'],
        ['INVALID_INPUT productId'],
        ['INVALID_INPUT productId'],
      ]);
    });
  });

  test('refuses one beyond a hundred that are not archived', async () => {
    const product = await sized(...Array.from({ length: 100 }, (_, n) => `${n}`));
    const input = () => ({
      productId: product.globalId,
      variant: variantInput({ selectedOptions: choice({ Size: 'one more' }) }),
    });
    const refused = await changingNothing(shop, () => merchant.createVariant(input()));
    expect(refused).toEqual({
      variant: null,
      errors: [
        {
          __typename: 'LimitExceededError',
          code: 'LIMIT_EXCEEDED',
          message: 'A product can have at most 100 variants.',
          path: ['variant'],
          limit: 100,
          requested: 101,
        },
      ],
    });
    await archiveVariant(shop, product.first.id);
    expect((await merchant.createVariant(input())).errors).toEqual([]);
  });
});

describe('productVariantUpdate', () => {
  test('changes the given fields and keeps the others, with an event and an entry in the record; price ranges, sorting and search follow', async () => {
    const product = await sized('S', 'M');
    const { first } = product;
    const sku = newSku();
    const before = await rowOf(product.id);
    const { variant, errors } = await merchant.updateVariant({
      id: first.globalId,
      sku: ` ${sku} `,
      price: '20.5',
      compareAtPrice: '25.00',
      lowStockThreshold: 0,
    });
    expect(errors).toEqual([]);
    const after = await rowOf(product.id);
    expect(variant).toEqual({
      id: first.globalId,
      sku,
      title: 'S',
      selectedOptions: choice({ Size: 'S' }),
      price: { amount: '20.50' },
      compareAtPrice: { amount: '25.00' },
      available: 10,
      availableForSale: true,
      lowStockThreshold: 0,
      product: {
        id: product.globalId,
        updatedAt: after.updatedAt.toISOString(),
        variants: [{ sku }, { sku: known(product.variants[1]).sku }],
      },
    });
    expect([after.min, after.max, after.updatedAt > before.updatedAt]).toEqual([1100, 2050, true]);
    expect([before.search, after.search].map((search) => search.includes("'staff'"))).toEqual([false, true]);
    expect(await eventsOf(shop, product.id)).toEqual([changedEvent(product.id)]);
    // Stock has not moved.
    expect(await eventsOf(shop, first.id)).toHaveLength(1);
    expect(await recordedOf(shop, first.id)).toEqual([
      [
        'PRODUCT_VARIANT_UPDATED',
        [`sku: ${first.sku} → ${sku}`, 'price: 10.00 → 20.50', 'compareAtPrice: - → 25.00', 'lowStockThreshold: 3 → 0'],
      ],
    ]);
    expect((await recordOf(shop, first.id)).map((entry) => entry.occurredAt)).toEqual([after.updatedAt]);
  });

  test('null clears the price before, and the threshold to the default of the shop', async () => {
    const { first } = await sized('S');
    await merchant.updateVariant({ id: first.globalId, compareAtPrice: '25', lowStockThreshold: 1 });
    const { variant } = await merchant.updateVariant({
      id: first.globalId,
      compareAtPrice: null,
      lowStockThreshold: null,
    });
    expect(variant).toMatchObject({ price: { amount: '10.00' }, compareAtPrice: null, lowStockThreshold: 7 });
    const refused = await changingNothing(shop, () =>
      merchant.updateVariant({ id: first.globalId, sku: null, price: null }),
    );
    expect(faultsOf(refused)).toEqual(['INVALID_INPUT sku', 'INVALID_INPUT price']);
  });

  test('that changes nothing succeeds, and leaves no trace', async () => {
    const { first } = await sized('S');
    await changingNothing(shop, async () => {
      const { id, sku } = { id: first.globalId, sku: first.sku };
      for (const input of [
        { id },
        { id, sku: `${sku} `, price: '10.000', compareAtPrice: null, lowStockThreshold: 3 },
      ]) {
        const { variant, errors } = await merchant.updateVariant(input);
        expect([variant?.sku, variant?.price.amount, errors]).toEqual([sku, '10.00', []]);
      }
    });
  });

  test('an archived variant can be changed: its SKU is free again then', async () => {
    const product = await sized('S', 'M');
    const { first } = product;
    await archiveVariant(shop, first.id);
    const { variant } = await merchant.updateVariant({ id: first.globalId, sku: newSku(), price: '1.00' });
    expect(variant).toMatchObject({ price: { amount: '1.00' }, availableForSale: false });
    // Its price is none of the product's.
    expect((await rowOf(product.id)).min).toBe(1100);
    const taken = {
      productId: product.globalId,
      variant: variantInput({ sku: first.sku, selectedOptions: choice({ Size: 'S' }) }),
    };
    expect((await merchant.createVariant(taken)).errors).toEqual([]);
  });

  test('refuses a SKU that is taken, and a variant that is not there', async () => {
    const [{ first }, other] = [await sized('S'), await sized('S')];
    await changingNothing(shop, async () => {
      const faults = [];
      for (const id of [first.globalId, globalId('ProductVariant', MISSING), other.globalId, '?']) {
        const payload = await merchant.updateVariant({ id, sku: other.first.sku, price: '99' });
        expect(payload.variant).toBeNull();
        faults.push(faultsOf(payload));
      }
      expect(faults).toEqual([['CONFLICT sku'], ['NOT_FOUND id'], ['INVALID_INPUT id'], ['INVALID_INPUT id']]);
    });
  });
});

describe('productVariantArchive', () => {
  test('takes a variant off sale, whatever stock it has; again, it changes nothing', async () => {
    const product = await sized('S', 'M');
    const { first } = product;
    const before = await rowOf(product.id);
    const { variant, errors } = await merchant.archiveVariant(first.globalId);
    expect(errors).toEqual([]);
    const after = await rowOf(product.id);
    expect(variant).toMatchObject({
      id: first.globalId,
      available: 10,
      availableForSale: false,
      product: { updatedAt: after.updatedAt.toISOString(), variants: [{ sku: known(product.variants[1]).sku }] },
    });
    expect([after.min, after.max, after.updatedAt > before.updatedAt]).toEqual([1100, 1100, true]);
    expect(await rowsOf(shop.db, 'SELECT archived_at AS at FROM product_variants WHERE id = $1', [first.id])).toEqual([
      { at: after.updatedAt },
    ]);
    expect(await levelOf(shop, first.id)).toEqual({ onHand: 10, held: 0, available: 10 });
    expect(await eventsOf(shop, product.id)).toEqual([changedEvent(product.id)]);
    expect(await recordedOf(shop, first.id)).toEqual([['PRODUCT_VARIANT_ARCHIVED', []]]);
    await changingNothing(shop, async () => {
      expect(await merchant.archiveVariant(first.globalId)).toEqual({ variant, errors: [] });
    });
  });

  test('refuses the last one of a product, also where it was archived with others before', async () => {
    const product = await sized('S', 'M');
    await merchant.archiveVariant(product.first.globalId);
    const last = known(product.variants[1]);
    await changingNothing(shop, async () => {
      expect(await merchant.archiveVariant(last.globalId)).toEqual({
        variant: null,
        errors: [
          {
            __typename: 'GenericError',
            code: 'CONFLICT',
            message: 'The variant is the only one of its product. Archive the product instead.',
            path: ['id'],
          },
        ],
      });
      expect((await merchant.archiveVariant(product.first.globalId)).errors).toEqual([]);
    });
  });

  test('refuses a variant that is not there', async () => {
    await changingNothing(shop, async () => {
      expect(faultsOf(await merchant.archiveVariant(globalId('ProductVariant', MISSING)))).toEqual(['NOT_FOUND id']);
      expect(faultsOf(await merchant.archiveVariant(globalId('Product', MISSING)))).toEqual(['INVALID_INPUT id']);
    });
  });
});

test('the books agree in the end', async () => {
  expect(await findFaults(shop.db)).toEqual([]);
});

describe('the words by which a product is found', () => {
  /** How often products' words are derived meanwhile; each time costs as much as the description is long. */
  async function derivations(work: () => Promise<unknown>): Promise<number> {
    const client = await shop.db.connect();
    try {
      await client.query(`CREATE SEQUENCE derivations;
        CREATE FUNCTION count_derivation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('derivations'); RETURN NEW; END $$;
        CREATE TRIGGER count_derivation BEFORE UPDATE OF title ON products FOR EACH ROW EXECUTE FUNCTION count_derivation()`);
      await work();
      const { rows } = await client.query<{ n: number }>(`SELECT nextval('derivations')::int - 1 AS n`);
      return known(rows[0]).n;
    } finally {
      await client.query('DROP FUNCTION count_derivation() CASCADE; DROP SEQUENCE derivations');
      await client.end();
    }
  }

  test.each([1, 20])('are derived once more for its %s variants', async (count) => {
    const variants = Array.from({ length: count }, (_, n) =>
      variantInput({ sku: newSku(), selectedOptions: choice({ Size: `${n}` }) }),
    );
    const create = () => merchant.createProduct({ title: 'Of many sizes', variants });
    expect(await derivations(create)).toBe(1);
  });

  test('stay when a price changes, which the range of prices follows', async () => {
    const product = await sized('S', 'M');
    const before = await rowOf(product.id);
    const change = () => merchant.updateVariant({ id: product.first.globalId, price: '3.00' });
    expect(await derivations(change)).toBe(0);
    expect(await rowOf(product.id)).toMatchObject({ min: 300, max: 1100, search: before.search });
  });

  test('change with a SKU', async () => {
    const product = await sized('S', 'M');
    const sku = `OTHER-${newSku()}`;
    expect(await derivations(() => merchant.updateVariant({ id: product.first.globalId, sku }))).toBe(1);
    expect((await rowOf(product.id)).search).toContain("'other'");
  });
});
