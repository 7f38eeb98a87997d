import { readFileSync } from 'node:fs';
import { isEnumType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { invalidInputReasons } from '../../src/modules/invalid-input.ts';
import { newPerson, newStaff } from '../support/accounts.ts';
import type { Client } from '../support/client.ts';
import { globalId, makeProduct, type MadeProduct } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter } from '../support/shopper.ts';

/** Why an input is refused, in a form that front ends can put in their own words. */

let shop: QuietShop;
let product: MadeProduct;
let clients: Record<'guest' | 'staff' | 'customer', Client>;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  product = await makeProduct(shop, { variants: [{ options: [{ name: 'Size', value: 'S' }] }] });
  const { token } = await enter(shop);
  clients = {
    guest: shop.client({ cartToken: token }),
    staff: (await newStaff(shop)).client,
    customer: (await newPerson(shop)).client,
  };
});
afterAll(() => shop.dispose());

interface Fault {
  code: string;
  path: string[] | null;
  reason: string | null;
  parameters: { name: string; value: string }[];
}

/** The faults of a mutation, each in one line: reason, place, parameters. */
async function faultsOf(client: Client, field: string, input: object): Promise<string[]> {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`;
  const answer = await client.data<Record<string, { errors: Fault[] }>>(
    `mutation ($input: ${type}!) { ${field}(input: $input) { errors { code path reason parameters { name value } } } }`,
    { input },
  );
  return known(answer[field]).errors.map(({ code, path, reason, parameters }) =>
    [
      ...(code === 'INVALID_INPUT' ? [] : [code]),
      ...(reason === null ? [] : [reason]),
      path?.join('.') ?? '-',
      ...parameters.map(({ name, value }) => `${name}=${value}`),
    ].join(' '),
  );
}

const NOBODY = '00000000-0000-4000-8000-000000000000';

const variant = (fields: object = {}) => ({ sku: crypto.randomUUID(), price: '1.00', ...fields });
const made = (fields: object) => ({ title: 'Any', variants: [variant()], ...fields });

describe('the reason of an INVALID_INPUT', () => {
  test.each<[string, keyof typeof clients, string, object, string[]]>([
    [
      'every fault has its own',
      'guest',
      'register',
      { email: 'nobody', password: 'short', name: ' ' },
      ['EMAIL_INVALID email', 'TOO_SHORT password min=10', 'REQUIRED name'],
    ],
    [
      'a common password',
      'guest',
      'register',
      { email: 'a@example.com', password: '1234567890', name: 'A' },
      ['PASSWORD_COMMON password'],
    ],
    [
      'a long password',
      'guest',
      'register',
      { email: 'a@example.com', password: 'x'.repeat(201), name: 'A' },
      ['TOO_LONG password max=200'],
    ],
    ['an address beyond ASCII', 'guest', 'cartEmailSet', { email: 'ädä@example.com' }, ['EMAIL_NOT_ASCII email']],
    [
      'a long address',
      'guest',
      'cartEmailSet',
      { email: `${'a'.repeat(250)}@example.com` },
      ['TOO_LONG email max=254'],
    ],
    ['control characters', 'guest', 'cartEmailSet', { email: 'a\u0000@example.com' }, ['CONTROL_CHARACTERS email']],
    ['no lines', 'guest', 'cartLinesAdd', { lines: [] }, ['REQUIRED lines']],
    [
      'no units',
      'guest',
      'cartLinesAdd',
      { lines: [{ sku: 'X', quantity: 0 }] },
      ['TOO_SMALL lines.0.quantity min=1', 'NOT_FOUND lines.0.sku'],
    ],
    [
      'neither of two',
      'guest',
      'cartLinesAdd',
      { lines: [{ quantity: 1 }] },
      ['EITHER_OR lines.0 fields=variantId,sku'],
    ],
    [
      'another ID',
      'guest',
      'cartLinesAdd',
      { lines: [{ variantId: 'x', quantity: 1 }] },
      ['ID_INVALID lines.0.variantId type=ProductVariant'],
    ],
    [
      'a line named twice',
      'guest',
      'cartLinesUpdate',
      { lines: [1, 2].map(() => ({ id: globalId('CartLine', NOBODY), quantity: 1 })) },
      ['NAMED_TWICE lines.1.id'],
    ],
    [
      'a total with decimals',
      'guest',
      'checkout',
      { idempotencyKey: 'k', email: 'a@example.com', expectedTotal: '1.001' },
      ['TOO_MANY_DECIMALS expectedTotal currencyCode=USD max=2'],
    ],
    [
      'an address of nowhere',
      'guest',
      'checkout',
      {
        idempotencyKey: 'k',
        email: 'a@example.com',
        shippingAddress: { name: 'A', line1: 'B', city: 'C', postalCode: 'D', countryCode: 'XX' },
      },
      ['COUNTRY_INVALID shippingAddress.countryCode'],
    ],
    [
      'an address that its country does not know',
      'guest',
      'checkout',
      {
        idempotencyKey: 'k',
        email: 'a@example.com',
        shippingAddress: { name: 'A', line1: 'B', city: 'C', region: 'Bavaria', postalCode: 'D', countryCode: 'US' },
      },
      [
        'ADDRESS_INVALID REGION_INVALID shippingAddress.region countryCode=US',
        'ADDRESS_INVALID POSTAL_CODE_INVALID shippingAddress.postalCode countryCode=US',
      ],
    ],
    ['neither id nor token', 'guest', 'stockAlertCancel', {}, ['EITHER_OR - fields=id,token']],
    ['a slug', 'staff', 'productCreate', made({ slug: 'No Slug' }), ['SLUG_INVALID slug max=200']],
    ['a picture', 'staff', 'productCreate', made({ images: [{ url: 'ftp://a/b' }] }), ['URL_INVALID images.0.url']],
    [
      'a price',
      'staff',
      'productCreate',
      made({ variants: [variant({ price: '1.001' })] }),
      ['TOO_MANY_DECIMALS variants.0.price currencyCode=USD max=2'],
    ],
    [
      'a price below 0',
      'staff',
      'productCreate',
      made({ variants: [variant({ price: '-1' })] }),
      ['TOO_SMALL variants.0.price min=0.00'],
    ],
    [
      'a price too large',
      'staff',
      'productCreate',
      made({ variants: [variant({ price: '99999999.00' })] }),
      ['TOO_LARGE variants.0.price max=21474836.47'],
    ],
    [
      'several without options',
      'staff',
      'productCreate',
      made({ variants: [variant(), variant()] }),
      ['OPTIONS_REQUIRED variants.0.selectedOptions', 'OPTIONS_REQUIRED variants.1.selectedOptions'],
    ],
    [
      'several with different options',
      'staff',
      'productCreate',
      made({ variants: ['Size', 'Colour'].map((name) => variant({ selectedOptions: [{ name, value: 'v' }] })) }),
      ['OPTIONS_DIFFER variants.1.selectedOptions options=["Size"]'],
    ],
    [
      'an option named twice',
      'staff',
      'productCreate',
      made({ variants: [variant({ selectedOptions: [1, 2].map((n) => ({ name: 'Size', value: `${n}` })) })] }),
      ['NAMED_TWICE variants.0.selectedOptions.1.name'],
    ],
    [
      'no change of stock',
      'staff',
      'stockAdjust',
      { variantId: globalId('ProductVariant', crypto.randomUUID()), delta: 0, reason: 'RESTOCK', idempotencyKey: 'k' },
      ['ZERO delta'],
    ],
    ['an ID', 'staff', 'productArchive', { id: 'x' }, ['ID_INVALID id type=Product']],
  ])('is given: %s', async (_what, who, field, input, faults) => {
    expect(await faultsOf(clients[who], field, input)).toEqual(faults);
  });

  test('of a value that cannot be cleared', async () => {
    const input = { id: product.globalId, title: null };
    expect(await faultsOf(clients.staff, 'productUpdate', input)).toEqual(['CANNOT_BE_CLEARED title']);
  });

  test('is null with other codes', async () => {
    const input = { email: 'nobody@example.com', password: 'a wrong password' };
    expect(await faultsOf(shop.client(), 'login', input)).toEqual(['INVALID_CREDENTIALS password']);
  });
});

describe('every reason', () => {
  const reasons = Object.keys(invalidInputReasons);

  test('is described in the schema', () => {
    const type = schema.getType('InvalidInputReason');
    if (!isEnumType(type)) throw new Error('it is no enum');
    expect(
      type
        .getValues()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(reasons.toSorted());
    for (const { description } of type.getValues()) expect(description).toMatch(/^[A-Z].{10,}\.$/);
  });

  test('is documented, with its meaning', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const table = page.slice(page.indexOf('## Invalid input'));
    const documented = [...table.matchAll(/^\| `([A-Z_]+)` +\| (.*?) +\|$/gm)].map(([, name, meaning]) => [
      name,
      meaning,
    ]);
    expect(Object.fromEntries(documented)).toEqual(invalidInputReasons);
  });
});

test('one selection of the variant fits every error that has one', async () => {
  const answer = await clients.guest.data<{ cartLinesAdd: { errors: object[] } }>(
    `mutation ($sku: String!) { cartLinesAdd(input: { lines: [{ sku: $sku, quantity: 50 }] }) { errors {
       ... on InsufficientStockError { variant { sku } } ... on LimitExceededError { variant { sku } } ... on StockConflictError { variant { sku } } } } }`,
    { sku: known(product.variants[0]).sku },
  );
  expect(answer.cartLinesAdd.errors).toEqual([{ variant: { sku: known(product.variants[0]).sku } }]);
});
