import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProductCreateInput, ProductVariantInput } from '../../generated/gql/graphql.ts';
import { newPerson, newStaff } from '../../support/accounts.ts';
import { makeCategory, makeProduct, type MadeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import {
  choice,
  faultsOf,
  merchantDocuments,
  merchantOf,
  variantInput,
  type Merchant,
} from '../../support/merchant.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
let merchant: Merchant;
let product: MadeProduct;

beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  merchant = merchantOf((await newStaff(shop)).client);
  product = await makeProduct(shop, { variants: [{ options: choice({ Size: 'S' }) }] });
});
afterAll(() => shop.dispose());

const bad = 'INVALID_INPUT';
const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
const image = { url: 'https://example.com/a.jpg' };

/** What is wrong with fields that creating and updating a product have in common. */
const ofProduct: [string, Omit<Partial<ProductCreateInput>, 'variants'>, string[]][] = [
  ['an empty title', { title: ' ' }, [`${bad} title`]],
  ['a title of 301 characters', { title: 't'.repeat(301) }, [`${bad} title`]],
  ['a title of two lines', { title: 'a\nb' }, [`${bad} title`]],
  ['half a character in the title', { title: 'a\ud800b' }, [`${bad} title`]],
  ['a slug in capitals', { slug: 'Honey' }, [`${bad} slug`]],
  ['a slug with two dashes', { slug: 'a--b' }, [`${bad} slug`]],
  ['an empty slug', { slug: '' }, [`${bad} slug`]],
  ['a slug with an accent', { slug: 'café' }, [`${bad} slug`]],
  ['a slug of 201 characters', { slug: 's'.repeat(201) }, [`${bad} slug`]],
  ['a description of 50,001 characters', { description: 'd'.repeat(50_001) }, [`${bad} description`]],
  ['NUL in the description', { description: 'a\u0000b' }, [`${bad} description`]],
  ['a bell in the description', { description: 'a\u0007b' }, [`${bad} description`]],
  ['half a character in the description', { description: '\udc00' }, [`${bad} description`]],
  ['a vendor of 201 characters', { vendor: 'v'.repeat(201) }, [`${bad} vendor`]],
  ['a vendor of two lines', { vendor: 'a\rb' }, [`${bad} vendor`]],
  ['an empty tag', { tags: ['a', ' '] }, [`${bad} tags.1`]],
  ['a tag of 101 characters', { tags: ['t'.repeat(101)] }, [`${bad} tags.0`]],
  ['NUL in a tag', { tags: ['a', '\u0000', 'b\n'] }, [`${bad} tags.1`, `${bad} tags.2`]],
  ['101 tags', { tags: many(101, 'a') }, ['LIMIT_EXCEEDED tags']],
  ['51 pictures', { images: many(51, image) }, ['LIMIT_EXCEEDED images']],
  [
    'too many of both',
    { tags: many(101, 'a'), images: many(51, image) },
    ['LIMIT_EXCEEDED tags', 'LIMIT_EXCEEDED images'],
  ],
  ['an alt text of 501 characters', { images: [{ ...image, altText: 'a'.repeat(501) }] }, [`${bad} images.0.altText`]],
  ['NUL in an alt text', { images: [image, { ...image, altText: '\u0000' }] }, [`${bad} images.1.altText`]],
  ...[
    '',
    'a.jpg',
    '/a.jpg',
    '/images/',
    '/images/../secret',
    '/images/a/b.svg',
    '//example.com/a.jpg',
    'http:a.jpg',
    'ftp://example.com/a.jpg',
    'javascript:alert(1)',
    'data:image/png;base64,AAAA',
    'https://',
    'https://user:secret@example.com/a.jpg',
    'https://example.com/a b.jpg',
    'https://example.com/a\u0000.jpg',
    `https://example.com/${'a'.repeat(2000)}`,
  ].map((url): (typeof ofProduct)[number] => [
    `a picture at ${JSON.stringify(url.slice(0, 60))}`,
    { images: [{ url }] },
    [`${bad} images.0.url`],
  ]),
];

/** What is wrong with a variant; paths are those within it. */
const ofVariant: [string, Partial<ProductVariantInput>, string[]][] = [
  ['an empty SKU', { sku: ' ' }, [`${bad} sku`]],
  ['a SKU of 101 characters', { sku: 's'.repeat(101) }, [`${bad} sku`]],
  ['a SKU with a tab', { sku: 'a\tb' }, [`${bad} sku`]],
  ['a price below 0', { price: '-0.01' }, [`${bad} price`]],
  ['a price of three decimals', { price: '1.001' }, [`${bad} price`]],
  ['a price beyond the largest', { price: '21474836.48' }, [`${bad} price`]],
  ['the largest decimal', { price: '9'.repeat(18) }, [`${bad} price`]],
  ['a price before of 0', { compareAtPrice: '0' }, [`${bad} compareAtPrice`]],
  ['a price before of three decimals', { compareAtPrice: '0.001' }, [`${bad} compareAtPrice`]],
  ['a price before beyond the largest', { compareAtPrice: '21474836.48' }, [`${bad} compareAtPrice`]],
  ['a threshold below 0', { lowStockThreshold: -1 }, [`${bad} lowStockThreshold`]],
];

const ofNewVariant: typeof ofVariant = [
  ['units below 0', { onHand: -1 }, [`${bad} onHand`]],
  ['too many units', { onHand: 1_000_000_001 }, ['LIMIT_EXCEEDED onHand']],
  ['an option without a name', { selectedOptions: choice({ ' ': 'S' }) }, [`${bad} selectedOptions.0.name`]],
  ['an option without a value', { selectedOptions: choice({ Size: '' }) }, [`${bad} selectedOptions.0.value`]],
  [
    'long names and values',
    { selectedOptions: choice({ ['n'.repeat(101)]: 'v'.repeat(101) }) },
    [`${bad} selectedOptions.0.name`, `${bad} selectedOptions.0.value`],
  ],
  ['NUL in a value', { selectedOptions: choice({ Size: 'S\u0000' }) }, [`${bad} selectedOptions.0.value`]],
  ['half a character in a value', { selectedOptions: choice({ Size: '\ud800' }) }, [`${bad} selectedOptions.0.value`]],
  [
    'an option twice',
    { selectedOptions: [...choice({ Size: 'S' }), ...choice({ 'Size ': 'M' })] },
    [`${bad} selectedOptions.1.name`],
  ],
  ['six options', { selectedOptions: many(6, { name: 'a', value: 'b' }) }, ['LIMIT_EXCEEDED selectedOptions']],
];

const under = (path: string, faults: string[]) => faults.map((fault) => fault.replace(' ', ` ${path}.`));

describe('of a product', () => {
  test.each(ofProduct)('%s is refused, made or updated', async (_what, input, faults) => {
    await changingNothing(shop, async () => {
      const { title: given, ...rest } = input;
      const create = { title: given ?? 'Any', ...rest, variants: [variantInput()] };
      expect(faultsOf(await merchant.createProduct(create))).toEqual(faults);
      expect(faultsOf(await merchant.updateProduct({ id: product.globalId, ...input }))).toEqual(faults);
    });
  });

  test('everything that is wrong is named at once', async () => {
    const payload = await changingNothing(shop, () =>
      merchant.createProduct({
        title: '',
        slug: '!',
        tags: ['ok', ''],
        variants: [variantInput({ price: '-1' }), variantInput({ sku: '', price: '0.001' })],
      }),
    );
    expect(payload.errors.map(({ path, message }) => [path?.join('.'), message])).toEqual([
      ['title', 'title must not be empty.'],
      [
        'slug',
        'slug must consist of lowercase letters and digits separated by single hyphens, at most 200 characters.',
      ],
      ['tags.1', '1 must not be empty.'],
      ['variants.0.price', 'price must not be negative.'],
      ['variants.1.sku', 'sku must not be empty.'],
      ['variants.1.price', 'price has more decimal places than USD.'],
    ]);
  });
});

describe('of a variant', () => {
  test.each([...ofVariant, ...ofNewVariant])(
    '%s is refused, with its product or alone',
    async (_what, input, faults) => {
      await changingNothing(shop, async () => {
        const variant = variantInput({ selectedOptions: choice({ Size: 'L' }), ...input });
        const other = variantInput({ selectedOptions: choice({ Size: 'M' }) });
        const created = await merchant.createProduct({ title: 'Any', variants: [other, variant] });
        expect(faultsOf(created)).toEqual(under('variants.1', faults));
        const joined = await merchant.createVariant({ productId: product.globalId, variant });
        expect(faultsOf(joined)).toEqual(under('variant', faults));
      });
    },
  );

  test.each(ofVariant)('%s is refused in an update', async (_what, input, faults) => {
    const id = known(product.variants[0]).globalId;
    await changingNothing(shop, async () => {
      expect(faultsOf(await merchant.updateVariant({ id, ...input }))).toEqual(faults);
    });
  });

  test('variants of one product that do not go together are refused, each where it is', async () => {
    const sized = (...sizes: (string | null)[]) =>
      sizes.map((Size) => variantInput({ selectedOptions: Size === null ? [] : choice({ Size }) }));
    const at = (n: number) => `variants.${n}.selectedOptions`;
    const cases: [string, ProductVariantInput[], string[]][] = [
      ['none', [], [`${bad} variants`]],
      ['101', many(101, variantInput()), ['LIMIT_EXCEEDED variants']],
      ['without options', sized(null, null), [`${bad} ${at(0)}`, `${bad} ${at(1)}`]],
      ['one without options', sized(null, 'S', 'M'), [`${bad} ${at(0)}`]],
      ['alike', sized('S', 'M', 'S', 'M'), [`CONFLICT ${at(2)}`, `CONFLICT ${at(3)}`]],
      [
        'of other options',
        [...sized('S'), variantInput({ selectedOptions: choice({ Colour: 'red' }) })],
        [`${bad} ${at(1)}`],
      ],
      [
        'in another order',
        [
          { a: '1', b: '2' },
          { b: '3', a: '4' },
        ].map((options) => variantInput({ selectedOptions: choice(options as Record<string, string>) })),
        [`${bad} ${at(1)}`],
      ],
    ];
    await changingNothing(shop, async () => {
      for (const [what, variants, faults] of cases) {
        const payload = await merchant.createProduct({ title: 'Any', variants });
        expect([what, payload.product, faultsOf(payload)]).toEqual([what, null, faults]);
      }
    });
  });

  test('limits say how much there may be', async () => {
    const { errors } = await merchant.createProduct({ title: 'Any', variants: many(101, variantInput()) });
    expect(errors).toEqual([
      {
        __typename: 'LimitExceededError',
        code: 'LIMIT_EXCEEDED',
        message: 'A product can have at most 100 variants.',
        path: ['variants'],
        limit: 100,
        requested: 101,
      },
    ]);
    const units = await merchant.createVariant({
      productId: product.globalId,
      variant: variantInput({ selectedOptions: choice({ Size: 'L' }), onHand: 2_000_000_000 }),
    });
    expect(units.errors).toMatchObject([{ limit: 1_000_000_000, requested: 2_000_000_000 }]);
  });
});

test('prices have the decimals of the shop’s currency', async () => {
  const yen = await openQuietShop({ BCRYPT_COST: '4', SHOP_CURRENCY: 'JPY' });
  try {
    const inYen = merchantOf((await newStaff(yen)).client);
    const refused = await changingNothing(yen, () =>
      inYen.createProduct({ title: 'Any', variants: [variantInput({ price: '100.5' })] }),
    );
    expect(faultsOf(refused)).toEqual([`${bad} variants.0.price`]);
    const { product: made } = await inYen.createProduct({
      title: 'Any',
      variants: [variantInput({ price: '2147483647', compareAtPrice: '100.00' })],
    });
    expect(made?.variants).toMatchObject([{ price: { amount: '2147483647' }, compareAtPrice: { amount: '100' } }]);
  } finally {
    await yen.dispose();
  }
});

test('only staff write the catalogue: UNAUTHENTICATED for guests, FORBIDDEN for customers, and nothing changes', async () => {
  const category = await makeCategory(shop, 'Guarded');
  const variant = known(product.variants[0]).globalId;
  const customer = (await newPerson(shop)).client;
  const guest = shop.client();
  const attempts: [keyof typeof merchantDocuments, string, object][] = [
    ['createProduct', 'productCreate', { title: 'Any', variants: [variantInput()] }],
    ['updateProduct', 'productUpdate', { id: product.globalId, title: 'Any' }],
    ['archiveProduct', 'productArchive', { id: product.globalId }],
    ['createVariant', 'productVariantCreate', { productId: product.globalId, variant: variantInput() }],
    ['updateVariant', 'productVariantUpdate', { id: variant, price: '1.00' }],
    ['archiveVariant', 'productVariantArchive', { id: variant }],
    ['createCategory', 'categoryCreate', { name: 'Any' }],
    ['updateCategory', 'categoryUpdate', { id: category.globalId, name: 'Any' }],
    ['deleteCategory', 'categoryDelete', { id: category.globalId }],
  ];
  expect(attempts.map(([document]) => document)).toEqual(Object.keys(merchantDocuments));
  await changingNothing(shop, async () => {
    for (const [name, field, input] of attempts) {
      const answers = [];
      for (const client of [guest, customer]) {
        const { status, data, codes } = await client.execute<object, object>(merchantDocuments[name] as never, {
          input,
        });
        answers.push([status, data, codes]);
      }
      expect([name, ...answers]).toEqual([
        name,
        [200, { [field]: null }, ['UNAUTHENTICATED']],
        [200, { [field]: null }, ['FORBIDDEN']],
      ]);
    }
  });
});
