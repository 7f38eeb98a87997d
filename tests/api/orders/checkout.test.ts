import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import type { AddressInput, CheckoutInput } from '../../generated/gql/graphql.ts';
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
import { eventsOf, ledgerOf, stepsOf } from '../../support/records.ts';
import { enter, rowId, shopperOf } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const usd = (amount: string) => ({ amount, currencyCode: 'USD' });
const EMAIL = 'buyer@example.com';
const ADDRESS: AddressInput = {
  name: 'Ada Baker',
  line1: '1 Hive Lane',
  line2: 'Flat 2',
  city: 'Honeyton',
  region: 'Wessex',
  postalCode: 'HN1 2EE',
  countryCode: 'GB',
};

/** A guest with units of one variant in the cart. */
async function withCart({ price = 1000, onHand = 10, quantity = 2 } = {}) {
  const honey = await makeVariant(shop, { price, onHand });
  const shopper = await enter(shop);
  const cart = known((await shopper.add({ sku: honey.sku, quantity })).cart);
  return { ...shopper, honey, added: cart };
}

const fault = (code: string, message: string, path: string[] | null) => ({
  __typename: 'GenericError',
  code,
  message,
  path,
});

describe('a checkout', () => {
  test("turns the cart into an order at the lines' prices, whole", async () => {
    const honey = await makeProduct(shop, {
      title: 'Heather Honey',
      variants: [{ sku: 'CHK-HTH', price: 1000, onHand: 10, options: [{ name: 'Size', value: '250 g' }] }],
    });
    const wax = await makeVariant(shop, { sku: 'CHK-WAX', title: 'Wax', price: 333, onHand: 5 });
    const heather = known(honey.variants[0]);
    const shopper = await enter(shop);
    await shopper.add({ sku: 'CHK-HTH', quantity: 2 }, { sku: 'CHK-WAX', quantity: 3 });
    await setPrice(shop, heather.id, 1250);
    const cart = known((await shopper.add({ sku: 'CHK-HTH', quantity: 1 })).cart);
    // What a thing costs by now is of no matter to who has it in the cart.
    await setPrice(shop, heather.id, 9900);
    await setPrice(shop, wax.id, 1);

    const before = Date.now();
    const { order, errors } = await shopper.checkout({
      idempotencyKey: 'whole',
      email: EMAIL,
      shippingAddress: ADDRESS,
      expectedTotal: '42.49',
    });
    expect(errors).toEqual([]);
    const placedAt = known(order).placedAt;
    const line = (title: string, sku: string, quantity: number, unitPrice: string, total: string) => ({
      id: expect.any(String) as string,
      title,
      sku,
      quantity,
      unitPrice: usd(unitPrice),
      total: usd(total),
    });
    expect(order).toEqual({
      id: expect.any(String) as string,
      number: expect.stringMatching(/^\d{4,}$/) as string,
      status: 'PLACED',
      paymentStatus: 'PENDING',
      email: EMAIL,
      accessToken: expect.stringMatching(/^[\w-]{22}\.[\w-]{8}\.[\w-]{43}$/) as string,
      shippingAddress: ADDRESS,
      lines: [
        line('Heather Honey - 250 g', 'CHK-HTH', 2, '10.00', '20.00'),
        line('Wax', 'CHK-WAX', 3, '3.33', '9.99'),
        line('Heather Honey - 250 g', 'CHK-HTH', 1, '12.50', '12.50'),
      ],
      totalQuantity: 6,
      subtotal: usd('42.49'),
      total: usd('42.49'),
      placedAt,
      updatedAt: placedAt,
      history: [{ from: null, to: 'PLACED', note: null, occurredAt: placedAt }],
    });
    expect(Date.parse(placedAt)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(placedAt)).toBeLessThanOrEqual(Date.now());

    // The holds have become a sale: units are gone, and no level has changed by it.
    expect(await levelOf(shop, heather.id)).toEqual({ onHand: 7, held: 0, available: 7 });
    expect(await levelOf(shop, wax.id)).toEqual({ onHand: 2, held: 0, available: 2 });
    expect((await ledgerOf(shop, heather.id)).at(-1)).toEqual({
      reason: 'SALE',
      onHandDelta: -3,
      heldDelta: -3,
      onHandAfter: 7,
      heldAfter: 0,
    });
    expect(await stepsOf(shop, heather.id)).toEqual([
      [0, 10],
      [10, 8],
      [8, 7],
    ]);
    expect(await eventsOf(shop, rowId(known(order).id))).toEqual([
      { type: 'order_placed', payload: { orderId: rowId(known(order).id) } },
    ]);
    const events = await eventsOf(shop, rowId(cart.id));
    expect(events.map(({ payload }) => [payload.kind, payload.version])).toEqual([
      ['LINES', 2],
      ['LINES', 3],
      ['CHECKED_OUT', 4],
    ]);
  });

  test('leaves the cart CHECKED_OUT, and none to go on with', async () => {
    const { checkout, cart, added, client, update, remove, add, honey } = await withCart();
    await checkout({ idempotencyKey: 'gone', email: EMAIL });
    expect(await cart()).toBeNull();
    const CartAfterCheckout = graphql(`
      query CheckoutCartAfter($id: ID!) {
        node(id: $id) {
          ... on Cart {
            status
            version
            totalQuantity
          }
        }
      }
    `);
    expect((await client.data(CartAfterCheckout, { id: added.id })).node).toEqual({
      status: 'CHECKED_OUT',
      version: 3,
      totalQuantity: 2,
    });
    const id = known(added.lines[0]).id;
    const none = { cart: null, errors: [fault('NOT_FOUND', 'You have no cart.', null)] };
    await changingNothing(shop, async () => {
      expect(await update({ id, quantity: 1 })).toEqual(none);
      expect(await remove(id)).toEqual(none);
    });
    const { cart: next } = await add({ sku: honey.sku, quantity: 1 });
    expect(next).toMatchObject({ status: 'ACTIVE', version: 2, totalQuantity: 1 });
    expect(next?.id).not.toBe(added.id);
  });

  test('numbers orders by ten digits that say nothing of other orders', async () => {
    const honey = await makeVariant(shop, { onHand: 10 });
    const numbers: number[] = [];
    for (let n = 0; n < 5; n += 1) {
      const { add, checkout } = await enter(shop);
      await add({ sku: honey.sku, quantity: 1 });
      const { order } = await checkout({ idempotencyKey: 'number', email: EMAIL });
      expect(known(order).number).toMatch(/^[1-9]\d{9}$/);
      numbers.push(Number(known(order).number));
    }
    const steps = numbers.slice(1).map((number, index) => Math.abs(number - (numbers[index] ?? 0)));
    // Five random numbers that lie this close to each other are drawn once in 10^20 times.
    expect(Math.max(...steps)).toBeGreaterThan(100_000);
  });

  test('buys an archived variant that is still in the cart', async () => {
    const made = await makeProduct(shop, {
      title: 'Old candle',
      variants: [{ sku: 'OLD-CANDLE', price: 450, onHand: 3 }, { sku: 'OLD-CANDLE-L' }],
    });
    const draft = await makeVariant(shop, { title: 'Withdrawn', price: 100, onHand: 1 });
    const { add, checkout } = await enter(shop);
    await add(
      { sku: 'OLD-CANDLE', quantity: 2 },
      { sku: 'OLD-CANDLE-L', quantity: 1 },
      { sku: draft.sku, quantity: 1 },
    );
    await setStatus(shop, made.id, 'ARCHIVED');
    await setStatus(shop, draft.productId, 'DRAFT');
    await archiveVariant(shop, known(made.variants[1]).id);
    const { order, errors } = await checkout({ idempotencyKey: 'old', email: EMAIL });
    expect(errors).toEqual([]);
    expect(order?.lines.map(({ title, quantity }) => [title, quantity])).toEqual([
      ['Old candle', 2],
      ['Old candle', 1],
      ['Withdrawn', 1],
    ]);
    expect(order?.total).toEqual(usd('20.00'));
    expect(await levelOf(shop, known(made.variants[0]).id)).toEqual({ onHand: 1, held: 0, available: 1 });
  });

  test('of a total beyond 32 bits is exact', async () => {
    const { variants } = await makeProduct(shop, {
      variants: Array.from({ length: 3 }, () => ({ price: 2 ** 31 - 1, onHand: 99 })),
    });
    const { add, checkout } = await enter(shop);
    await add(...variants.map(({ sku }) => ({ sku, quantity: 99 })));
    const { order } = await checkout({ idempotencyKey: 'dear', email: EMAIL, expectedTotal: '6378026431.59' });
    expect(order?.total).toEqual(usd('6378026431.59'));
  });

  test.each([
    ['nothing of the order', '{ errors { code } }', { errors: [] }],
    ['only its type', '{ order { __typename } errors { code } }', { order: { __typename: 'Order' }, errors: [] }],
    [
      'only what is reckoned',
      '{ order { totalQuantity total { amount } } }',
      { order: { totalQuantity: 2, total: { amount: '20.00' } } },
    ],
    ['only the address', '{ order { shippingAddress { city } } }', { order: { shippingAddress: null } }],
    [
      'only the lines',
      '{ order { lines { total { amount } } } }',
      { order: { lines: [{ total: { amount: '20.00' } }] } },
    ],
    ['__typename alone', '{ __typename }', { __typename: 'CheckoutPayload' }],
  ])('may be asked for %s', async (_what, selection, expected) => {
    const { client, honey } = await withCart();
    const document = `mutation ($input: CheckoutInput!) { checkout(input: $input) ${selection} }`;
    const answer = await client.execute(document, { input: { idempotencyKey: 'little', email: EMAIL } });
    expect({ data: answer.data, errors: answer.errors }).toEqual({ data: { checkout: expected }, errors: undefined });
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 8, held: 0, available: 8 });
    expect((await client.execute('{ cart { id } }')).data).toEqual({ cart: null });
  });
});

describe('nothing to buy', () => {
  const EMPTY = { order: null, errors: [fault('CART_EMPTY', 'The cart is empty.', null)] };
  const input = { idempotencyKey: 'empty', email: EMAIL };

  test('is CART_EMPTY for someone new, with an empty cart, and after the cart was bought', async () => {
    const nobody = shopperOf(shop.client());
    const empty = await enter(shop);
    const emptied = await withCart();
    await emptied.remove(known(emptied.added.lines[0]).id);
    const bought = await withCart();
    await bought.checkout({ idempotencyKey: 'another', email: EMAIL });
    for (const { checkout } of [nobody, empty, emptied, bought]) {
      expect(await changingNothing(shop, () => checkout(input))).toEqual(EMPTY);
    }
  });

  test('is CART_EXPIRED where the time ran out', async () => {
    const { checkout, added, honey } = await withCart();
    await makeOverdue(shop, [rowId(added.id)]);
    const expired = {
      order: null,
      errors: [fault('CART_EXPIRED', 'The cart has expired, and its units have returned to stock.', null)],
    };
    expect(await changingNothing(shop, () => checkout(input))).toEqual(expired);
    await shop.expireOverdue();
    expect(await changingNothing(shop, () => checkout(input))).toEqual(expired);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 10, held: 0, available: 10 });
  });
});

describe('the expected total', () => {
  test.each(['19.99', '20.01', '0', '-20', '2000', '999999999999999999.99'])(
    'of %s for a cart of 20.00 is TOTAL_CHANGED: the error has both, nothing is bought',
    async (expectedTotal) => {
      const { checkout, cart, added } = await withCart();
      const { order, errors } = await changingNothing(shop, () =>
        checkout({ idempotencyKey: 'total', email: EMAIL, expectedTotal }),
      );
      expect(order).toBeNull();
      const decimal = expectedTotal.includes('.') ? expectedTotal : `${expectedTotal}.00`;
      expect(errors).toEqual([
        {
          __typename: 'TotalChangedError',
          code: 'TOTAL_CHANGED',
          message: 'The total is not the one that was expected; nothing was bought.',
          path: ['expectedTotal'],
          expected: usd(decimal),
          actual: usd('20.00'),
        },
      ]);
      expect(await cart()).toEqual(added);
    },
  );

  test.each(['20', '20.0', '20.00', '20.000', '0020.00'])(
    'of %s is right for a cart of 20.00',
    async (expectedTotal) => {
      const { checkout } = await withCart();
      const { order, errors } = await checkout({ idempotencyKey: 'total', email: EMAIL, expectedTotal });
      expect(errors).toEqual([]);
      expect(order?.total).toEqual(usd('20.00'));
    },
  );

  test.each(['20.001', '19.999', '0.0001', '20.00000000000000001'])(
    'of %s has more decimals than the currency',
    async (expectedTotal) => {
      const { checkout } = await withCart();
      expect(
        await changingNothing(shop, () => checkout({ idempotencyKey: 'total', email: EMAIL, expectedTotal })),
      ).toEqual({
        order: null,
        errors: [fault('INVALID_INPUT', 'expectedTotal has more decimal places than USD.', ['expectedTotal'])],
      });
    },
  );

  test('that was wrong costs nothing: the same key goes through with the right one', async () => {
    const { checkout } = await withCart();
    await checkout({ idempotencyKey: 'twice', email: EMAIL, expectedTotal: '1' });
    const { order, errors } = await checkout({ idempotencyKey: 'twice', email: EMAIL, expectedTotal: '20' });
    expect(errors).toEqual([]);
    expect(order?.total).toEqual(usd('20.00'));
  });
});

describe('the idempotency key', () => {
  const input: CheckoutInput = {
    idempotencyKey: 'key-1',
    email: EMAIL,
    shippingAddress: ADDRESS,
    expectedTotal: '20.00',
  };

  test('returns the first order for a repeated input, however often, also if there is a new cart', async () => {
    const { checkout, add, honey, cart } = await withCart();
    const first = await checkout(input);
    expect(first.errors).toEqual([]);
    expect(await changingNothing(shop, () => checkout(input))).toEqual(first);
    const { cart: next } = await add({ sku: honey.sku, quantity: 1 });
    expect(await changingNothing(shop, () => checkout(input))).toEqual(first);
    expect(await cart()).toEqual(next);
    // The same said in other words is the same.
    const again = { ...input, idempotencyKey: ' key-1 ', expectedTotal: '20', email: ` ${EMAIL}` };
    const address = { ...ADDRESS, countryCode: 'gb', city: 'Honeyton ' };
    expect(await changingNothing(shop, () => checkout({ ...again, shippingAddress: address }))).toEqual(first);
  });

  test('gives the same order where the cart is past its time or its product gone meanwhile', async () => {
    const { checkout, add, honey } = await withCart();
    const first = await checkout(input);
    const next = known((await add({ sku: honey.sku, quantity: 1 })).cart);
    await makeOverdue(shop, [rowId(next.id)]);
    await setStatus(shop, honey.productId, 'ARCHIVED');
    expect(await changingNothing(shop, () => checkout(input))).toEqual(first);
  });

  test('gives the same order when both are sent at once', async () => {
    const { checkout, honey } = await withCart();
    const answers = await Promise.all(Array.from({ length: 6 }, () => checkout(input)));
    const numbers = answers.map(({ order, errors }) => [order?.number, errors]);
    expect(numbers).toEqual(answers.map(() => [answers[0]?.order?.number, []]));
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 8, held: 0, available: 8 });
  });

  test.each<[string, Partial<CheckoutInput>]>([
    ['another e-mail', { email: 'other@example.com' }],
    ['no e-mail', { email: null }],
    ['another address', { shippingAddress: { ...ADDRESS, line2: null } }],
    ['no address', { shippingAddress: null }],
    ['another total', { expectedTotal: '20.01' }],
    ['no total', { expectedTotal: null }],
  ])('is refused with %s, and the order stands', async (_what, change) => {
    const { checkout, add, honey } = await withCart();
    const first = await checkout(input);
    const reused = {
      order: null,
      errors: [
        fault('IDEMPOTENCY_KEY_REUSED', 'The idempotency key was used before for a different checkout.', [
          'idempotencyKey',
        ]),
      ],
    };
    expect(await changingNothing(shop, () => checkout({ ...input, ...change }))).toEqual(reused);
    await add({ sku: honey.sku, quantity: 2 });
    expect(await changingNothing(shop, () => checkout({ ...input, ...change }))).toEqual(reused);
    expect(await changingNothing(shop, () => checkout(input))).toEqual(first);
  });

  test("is each guest's own", async () => {
    const [one, other] = [await withCart(), await withCart()];
    const first = known((await one.checkout(input)).order);
    const second = known((await other.checkout(input)).order);
    expect(second.number).not.toBe(first.number);
    expect((await changingNothing(shop, () => one.checkout(input))).order?.id).toBe(first.id);
    expect((await changingNothing(shop, () => other.checkout(input))).order?.id).toBe(second.id);
  });

  test('another one buys the next cart', async () => {
    const { checkout, add, honey } = await withCart();
    const first = known((await checkout(input)).order);
    await add({ sku: honey.sku, quantity: 2 });
    const { order } = await checkout({ ...input, idempotencyKey: 'key-2' });
    expect(order?.id).not.toBe(first.id);
    expect(await levelOf(shop, honey.id)).toEqual({ onHand: 6, held: 0, available: 6 });
  });

  test.each(['', ' ', 'k'.repeat(256), 'two\nlines', 'nul\u0000'])(
    'must be a line of text: %j',
    async (idempotencyKey) => {
      const { checkout } = await withCart();
      const { order, errors } = await changingNothing(shop, () => checkout({ ...input, idempotencyKey }));
      expect(order).toBeNull();
      expect(errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['idempotencyKey'] }]);
    },
  );
});

describe('the e-mail', () => {
  test('is needed', async () => {
    const { checkout } = await withCart();
    for (const email of [undefined, null]) {
      const input = email === undefined ? { idempotencyKey: 'mail' } : { idempotencyKey: 'mail', email };
      expect(await changingNothing(shop, () => checkout(input))).toEqual({
        order: null,
        errors: [fault('INVALID_INPUT', 'An email address is required.', ['email'])],
      });
    }
  });

  test("may be the cart's; one that is given goes before it", async () => {
    const one = await withCart();
    await one.setEmail('cart@example.com');
    expect((await one.checkout({ idempotencyKey: 'mail' })).order?.email).toBe('cart@example.com');
    const other = await withCart();
    await other.setEmail('cart@example.com');
    expect((await other.checkout({ idempotencyKey: 'mail', email: EMAIL })).order?.email).toBe(EMAIL);
  });
});

describe('the address', () => {
  test('is taken without the white space around it; what is blank and may be is left out', async () => {
    const { checkout } = await withCart();
    const { order, errors } = await checkout({
      idempotencyKey: 'address',
      email: EMAIL,
      shippingAddress: {
        name: '  Zoë Ødegård ',
        line1: ' 1 Hive Lane',
        line2: '   ',
        city: '東京',
        region: '',
        postalCode: ' 100-0001 ',
        countryCode: ' jp',
      },
    });
    expect(errors).toEqual([]);
    expect(order?.shippingAddress).toEqual({
      name: 'Zoë Ødegård',
      line1: '1 Hive Lane',
      line2: null,
      city: '東京',
      region: null,
      postalCode: '100-0001',
      countryCode: 'JP',
    });
  });

  const EMPTY_LINE = 'must not be empty.';
  const CONTROLS = 'must not contain line breaks or control characters.';
  const COUNTRY = 'countryCode is not an ISO 3166-1 alpha-2 code.';
  const cases: { what: string; address: Partial<AddressInput>; field: string; message: string }[] = [
    ...(['name', 'line1', 'city'] as const).flatMap((field) => [
      { what: `${field} empty`, address: { [field]: '' }, field, message: `${field} ${EMPTY_LINE}` },
      { what: `${field} blank`, address: { [field]: ' \u00a0 ' }, field, message: `${field} ${EMPTY_LINE}` },
    ]),
    ...(['name', 'line1', 'line2', 'city', 'region', 'postalCode'] as const).flatMap((field) => {
      const most = { name: 200, line1: 200, line2: 200, city: 100, region: 100, postalCode: 20 }[field];
      return [
        {
          what: `${field} too long`,
          address: { [field]: 'x'.repeat(most + 1) },
          field,
          message: `${field} must have at most ${most} characters.`,
        },
        { what: `${field} with a line break`, address: { [field]: 'a\r\nb' }, field, message: `${field} ${CONTROLS}` },
        { what: `${field} with NUL`, address: { [field]: 'a\u0000' }, field, message: `${field} ${CONTROLS}` },
      ];
    }),
    ...['', 'X', 'XX', 'UK', 'GBR', 'Germany', '12', 'ＧＢ'].map((countryCode) => ({
      what: `countryCode ${JSON.stringify(countryCode)}`,
      address: { countryCode },
      field: 'countryCode',
      message: COUNTRY,
    })),
  ];

  test('is checked field by field: each fault has its path', async () => {
    const { checkout } = await withCart();
    await changingNothing(shop, async () => {
      for (const { what, address, field, message } of cases) {
        const payload = await checkout({
          idempotencyKey: 'address',
          email: EMAIL,
          shippingAddress: { ...ADDRESS, ...address },
        });
        expect({ what, ...payload }).toEqual({
          what,
          order: null,
          errors: [fault('INVALID_INPUT', message, ['shippingAddress', field])],
        });
      }
    });
  });

  test('with several faults, and other invalid fields, gets all errors at once', async () => {
    const { checkout } = await withCart();
    const { errors } = await changingNothing(shop, () =>
      checkout({
        idempotencyKey: '',
        email: 'nobody',
        shippingAddress: { name: '', line1: '', city: '', postalCode: '', countryCode: '' },
      }),
    );
    expect(errors.map(({ code, path }) => [code, path?.join('.')])).toEqual([
      ['INVALID_INPUT', 'idempotencyKey'],
      ['INVALID_INPUT', 'email'],
      ['INVALID_INPUT', 'shippingAddress.name'],
      ['INVALID_INPUT', 'shippingAddress.line1'],
      ['INVALID_INPUT', 'shippingAddress.city'],
      ['INVALID_INPUT', 'shippingAddress.countryCode'],
    ]);
  });
});
