import { isScalarType } from 'graphql';
import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import type { Answer } from '../support/client.ts';
import { openEventStream } from '../support/event-stream.ts';
import { globalId, makeCategory, makeOverdue, makeProduct, makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, rowId, type Shopper } from '../support/shopper.ts';
import { changingNothing } from '../support/state.ts';

/*
 * What clients send that cannot be right: each gets a code and a place, as a top-level error (written `! CODE path`) or as
 * a UserError (`CODE path`), never a 5xx, never a name from inside, and nothing has changed.
 */

let shop: QuietShop;
let shopper: Shopper;
const ids = { variant: '', product: '', category: '', cart: '', line: '', order: '', stranger: '', expired: '' };
let sku = '';

beforeAll(async () => {
  shop = await openQuietShop();
  const category = await makeCategory(shop, 'Bad input');
  const honey = await makeVariant(shop, { onHand: 1000 });
  await makeProduct(shop, { categorySlug: category.slug });
  await makeProduct(shop, { categorySlug: category.slug });
  sku = honey.sku;
  shopper = await enter(shop);
  await shopper.add({ sku, quantity: 1 });
  const { order } = await shopper.checkout({ idempotencyKey: 'before', email: 'bad@example.com' });
  const expired = known((await shopper.add({ sku, quantity: 2 })).cart);
  await makeOverdue(shop, [rowId(expired.id)]);
  await shop.expireOverdue();
  const cart = known((await shopper.add({ sku, quantity: 3 })).cart);
  const stranger = known((await (await enter(shop)).add({ sku, quantity: 1 })).cart);
  Object.assign(ids, {
    variant: honey.globalId,
    product: globalId('Product', honey.productId),
    category: category.globalId,
    cart: cart.id,
    line: known(cart.lines[0]).id,
    order: known(order).id,
    stranger: known(stranger.lines[0]).id,
    expired: expired.id,
  });
});
afterAll(() => shop.dispose());

/** Of a text, so that a request with two of them, each escaped, stays below the limit of its body. */
const MOST = 40_000;
const huge = 'x'.repeat(MOST);

/** Names that nobody outside is to see. */
const INSIDE =
  /INTERNAL_SERVER_ERROR|prisma|postgres|\bsql|constraint|violates|relation "|column "|syntax|out of range|invalid byte|_check\b|_fkey\b|_idx\b|\.ts\b|\.js\b|node_modules|TypeError|RangeError|Refusal|Pothos|zod|dataloader|\buuid\b|int4|bigint|enum_/i;

/** Whether a text shows such a name. IDs are left out: given back, their letters spell anything now and then. */
function isRevealing(text: string): boolean {
  return INSIDE.test(text.replaceAll(/[\w+/=-]{24,}/g, ''));
}

interface Payload {
  errors?: { code: string; message: string; path: string[] | null }[];
  [result: string]: unknown;
}

/** The errors of an answer, in short. Throws if anything else about the answer is wrong. */
function faultsOf({ status, errors, data }: Answer<Record<string, Payload | null>>): string[] {
  expect(status).toBeLessThan(500);
  const top = (errors ?? []).map(({ extensions, path, message }) => {
    expect([message, JSON.stringify(extensions)].filter(isRevealing)).toEqual([]);
    expect(message.length).toBeLessThanOrEqual(1001);
    return `! ${String(extensions?.code)} ${path?.join('.') ?? ''}`.trim();
  });
  const user = Object.values(data ?? {}).flatMap((payload) => {
    const faults = payload?.errors ?? [];
    // What is refused has no result.
    if (payload != null && faults.length > 0) {
      expect(Object.entries(payload).filter(([name, value]) => name !== 'errors' && value !== null)).toEqual([]);
    }
    return faults.map(({ code, message, path }) => {
      expect(isRevealing(message)).toBe(false);
      return `${code} ${path?.join('.') ?? ''}`.trim();
    });
  });
  return [...top, ...user];
}

const ask = (document: string, variables: object) =>
  shopper.client.execute<Record<string, Payload | null>, object>(document, variables);

type Case = [what: string, variables: object, ...faults: string[]];

/** Aliases of a document, of which a client may have 15. */
const MOST_TOGETHER = 12;

/** What must go alone: it is refused as a whole for the type of a variable, has a long text, or its list may not be null. */
const goesAlone = (document: string, [, variables, ...faults]: Case) =>
  faults.includes('! BAD_REQUEST') || document.includes(' nodes(') || JSON.stringify(variables).length > 2000;

/** Cases in their order, as they are sent together. */
function batchesOf(document: string, cases: readonly Case[]): Case[][] {
  const batches: Case[][] = [];
  let open: Case[] | undefined;
  for (const item of cases) {
    if (goesAlone(document, item)) {
      batches.push([item]);
      open = undefined;
    } else if (open === undefined || open.length === MOST_TOGETHER) {
      open = [item];
      batches.push(open);
    } else {
      open.push(item);
    }
  }
  return batches;
}

/** Sends a document once for all cases, each under an alias, and gives what each would have been answered alone. */
async function askTogether(
  document: string,
  cases: readonly Case[],
): Promise<Answer<Record<string, Payload | null>>[]> {
  const [first] = cases;
  if (first !== undefined && cases.length === 1) return [await ask(document, first[1])];
  const [, kind, declared = '', root = '', field = ''] = known(
    /^(query|mutation) \((.+?)\) \{ ((\w+)\b.*) \}$/.exec(document) ?? undefined,
  );
  const numbered = (text: string, index: number) => text.replaceAll(/\$(\w+)/g, `$$$1_${index}`);
  const declarations = cases.map((_, index) => numbered(declared, index)).join(', ');
  const fields = cases.map((_, index) => `a${index}: ${numbered(root, index)}`).join(' ');
  const variables = cases.flatMap(([, given], index) =>
    Object.entries(given).map(([name, value]) => [`${name}_${index}`, value as unknown]),
  );
  const answer = await ask(`${kind} (${declarations}) { ${fields} }`, Object.fromEntries(variables) as object);
  return cases.map((_, index) => {
    const errors = answer.errors
      ?.filter(({ path }) => path === undefined || path[0] === `a${index}`)
      .map(({ path, ...error }) => (path === undefined ? error : { ...error, path: [field, ...path.slice(1)] }));
    return { ...answer, errors, data: { [field]: answer.data?.[`a${index}`] ?? null } };
  });
}

/** Sends each case, and returns the errors of its answer, each kind once. Nothing may have changed. */
function errorsOf(document: string, cases: Case[]): Promise<string[][]> {
  return changingNothing(shop, async () => {
    const answers: string[][] = [];
    for (const batch of batchesOf(document, cases)) {
      const answered = await askTogether(document, batch);
      answers.push(...batch.map(([what], index) => [what, ...new Set(faultsOf(known(answered[index])))]));
    }
    return answers;
  });
}

const expected = (cases: Case[]): string[][] => cases.map(([what, , ...faults]) => [what, ...faults]);

/** A test that sends all cases at once and compares the errors. IDs exist only when it runs. */
function refuses(name: string, document: string, cases: () => Case[]): void {
  test.each([name])('%s', async () => {
    const sent = cases();
    expect(await errorsOf(document, sent)).toEqual(expected(sent));
  });
}

const cartMutation = (field: string, input: string) =>
  `mutation ($input: ${input}!) { ${field}(input: $input) { cart { id } errors { code message path } } }`;
const ADD = cartMutation('cartLinesAdd', 'CartLinesAddInput');
const UPDATE = cartMutation('cartLinesUpdate', 'CartLinesUpdateInput');
const REMOVE = cartMutation('cartLinesRemove', 'CartLinesRemoveInput');
const RECLAIM = cartMutation('cartReclaim', 'CartReclaimInput');
const EMAIL_SET = cartMutation('cartEmailSet', 'CartEmailSetInput');
const CHECKOUT =
  'mutation ($input: CheckoutInput!) { checkout(input: $input) { order { id } errors { code message path } } }';

const short = (value: unknown) => {
  const text = JSON.stringify(value) ?? 'left out';
  return text.length <= 60 ? text : `${text.slice(0, 20)}… (${text.length})`;
};

/** IDs that are none of a type, whatever is there. */
const badIds = (typename: string, otherType: string): string[] => [
  '',
  ' ',
  'garbage',
  '5',
  'null',
  'x'.repeat(10_000),
  huge,
  '\u0000',
  '🍯',
  otherType,
  uuid(),
  `${typename}:${uuid()}`,
  globalId(typename, '5'),
  globalId(typename, '-1'),
  globalId(typename, ''),
  globalId(typename, "' OR 1=1 --"),
  globalId(typename, uuid().toUpperCase()),
  globalId(typename, `${uuid()}:1`),
  globalId(typename, `${uuid()}\n`),
  globalId('', uuid()),
  globalId('Nothing', uuid()),
  globalId('__proto__', uuid()),
  Buffer.from(typename).toString('base64'),
];

const badQuantityTypes: unknown[] = [2 ** 31, -(2 ** 31) - 1, 1.5, '1', 'one', true, null, undefined, [1], {}, 1e300];
const badEmails = [
  '',
  ' ',
  'nobody',
  '@example.com',
  'nobody@',
  'nobody@example',
  'no body@example.com',
  'nobody@exam ple.com',
  'nobody@example..com',
  'no..body@example.com',
  '.nobody@example.com',
  'nobody@example.com, other@example.com',
  '<nobody@example.com>',
  'nobody@example.com\n',
  'nobody@example.com\r\nBcc: other@example.com',
  '\nnobody@example.com',
  'nobody\u0000@example.com',
  'nobody@example.com\u0000',
  'nobody@example.com\u0085',
  '🍯@example.com',
  `${'n'.repeat(288)}@example.com`,
  `nobody@${'e'.repeat(300)}.com`,
  `nobody@${'e.'.repeat(200)}com`,
  huge,
  `a@${huge}`,
  `${huge}@example.com`,
  'a@'.repeat(MOST / 2),
  `a@${'a.'.repeat(MOST / 2)}`,
];

describe('cartLinesAdd', () => {
  const line = (fields: object) => ({
    input: {
      lines: [
        { sku, quantity: 1 },
        { sku, quantity: 1, ...fields },
      ],
    },
  });

  refuses('quantities', ADD, () => [
    ...[0, -1, -(2 ** 31)].map((quantity): Case => [
      `${quantity}`,
      line({ quantity }),
      'INVALID_INPUT lines.1.quantity',
    ]),
    // Of one variant: the sum is too much, and the error is at its first mention.
    ['2^31-1', line({ quantity: 2 ** 31 - 1 }), 'LIMIT_EXCEEDED lines.0.quantity'],
    ...badQuantityTypes.map((quantity): Case => [short(quantity), line({ quantity }), '! BAD_REQUEST']),
  ]);

  refuses('variants by ID', ADD, () => [
    ...badIds('ProductVariant', ids.product).map((variantId): Case => [
      short(variantId),
      line({ sku: null, variantId }),
      'INVALID_INPUT lines.1.variantId',
    ]),
    ['of nothing', line({ sku: null, variantId: globalId('ProductVariant', uuid()) }), 'NOT_FOUND lines.1.variantId'],
    ...[1.5, true, [], {}].map((variantId): Case => [
      short(variantId),
      line({ sku: null, variantId }),
      '! BAD_REQUEST',
    ]),
  ]);

  refuses('variants by SKU', ADD, () => [
    ...[
      '',
      ' ',
      'none such',
      ` ${sku}`,
      sku.toLowerCase(),
      `${sku}\u0000`,
      '\ud800',
      '%',
      'x'.repeat(10_000),
      huge,
    ].map((wrong): Case => [short(wrong), line({ sku: wrong }), 'NOT_FOUND lines.1.sku']),
    ...[5, true, []].map((wrong): Case => [short(wrong), line({ sku: wrong }), '! BAD_REQUEST']),
  ]);

  refuses('neither or both of variantId and sku', ADD, () => [
    ['neither', line({ sku: undefined }), 'INVALID_INPUT lines.1'],
    ['both null', line({ sku: null, variantId: null }), 'INVALID_INPUT lines.1'],
    ['both', line({ variantId: ids.variant }), 'INVALID_INPUT lines.1'],
    ['both, one empty', line({ variantId: '' }), 'INVALID_INPUT lines.1'],
  ]);

  refuses('every fault of every line at once', ADD, () => [
    [
      'six',
      {
        input: {
          lines: [
            { quantity: 0 },
            { sku: 'none such', quantity: -1 },
            { variantId: 'garbage', quantity: 1 },
            { variantId: ids.variant, sku, quantity: 1 },
          ],
        },
      },
      'INVALID_INPUT lines.0.quantity',
      'INVALID_INPUT lines.0',
      'INVALID_INPUT lines.1.quantity',
      'NOT_FOUND lines.1.sku',
      'INVALID_INPUT lines.2.variantId',
      'INVALID_INPUT lines.3',
    ],
  ]);

  refuses('lists', ADD, () => [
    ['empty', { input: { lines: [] } }, 'INVALID_INPUT lines'],
    ['101', { input: { lines: Array.from({ length: 101 }, () => ({ sku, quantity: 1 })) } }, 'LIMIT_EXCEEDED lines'],
    ['null', { input: { lines: null } }, '! BAD_REQUEST'],
    ['of null', { input: { lines: [null] } }, '! BAD_REQUEST'],
    ['left out', { input: {} }, '! BAD_REQUEST'],
    ['no input', {}, '! BAD_REQUEST'],
    ['another field', { input: { lines: [{ sku, quantity: 1 }], price: 1 } }, '! BAD_REQUEST'],
    ['another field of a line', line({ price: '0.01' }), '! BAD_REQUEST'],
  ]);

  test('literals in the document', async () => {
    const literals = ['2147483648', '1.5', '"1"', 'null', 'true', '-2147483649', 'ONE'];
    await changingNothing(shop, async () => {
      for (const literal of literals) {
        const document = `mutation { cartLinesAdd(input: { lines: [{ sku: "${sku}", quantity: ${literal} }] }) { errors { code } } }`;
        expect([literal, ...faultsOf(await ask(document, {}))]).toEqual([literal, '! GRAPHQL_VALIDATION_FAILED']);
      }
    });
  });
});

describe('cartLinesUpdate', () => {
  const line = (fields: object) => ({ input: { lines: [{ id: ids.line, quantity: 1, ...fields }] } });

  refuses('quantities', UPDATE, () => [
    ...[-1, -(2 ** 31)].map((quantity): Case => [`${quantity}`, line({ quantity }), 'INVALID_INPUT lines.0.quantity']),
    ['2^31-1', line({ quantity: 2 ** 31 - 1 }), 'LIMIT_EXCEEDED lines.0.quantity'],
    ...badQuantityTypes.map((quantity): Case => [short(quantity), line({ quantity }), '! BAD_REQUEST']),
  ]);

  refuses('lines', UPDATE, () => [
    ...badIds('CartLine', ids.cart).map((id): Case => [short(id), line({ id }), 'INVALID_INPUT lines.0.id']),
    ['of nothing', line({ id: globalId('CartLine', uuid()) }), 'NOT_FOUND lines.0.id'],
    ["of someone else's cart", line({ id: ids.stranger }), 'NOT_FOUND lines.0.id'],
    ['null', line({ id: null }), '! BAD_REQUEST'],
  ]);

  refuses('lists', UPDATE, () => [
    ['empty', { input: { lines: [] } }, 'INVALID_INPUT lines'],
    [
      '101',
      { input: { lines: Array.from({ length: 101 }, () => ({ id: ids.line, quantity: 1 })) } },
      'LIMIT_EXCEEDED lines',
    ],
    [
      'a line twice',
      {
        input: {
          lines: [
            { id: ids.line, quantity: 1 },
            { id: ids.line, quantity: 2 },
          ],
        },
      },
      'INVALID_INPUT lines.1.id',
    ],
    ['null', { input: null }, '! BAD_REQUEST'],
  ]);
});

describe('cartLinesRemove', () => {
  refuses('lines', REMOVE, () => [
    ...badIds('CartLine', ids.variant).map((id): Case => [
      short(id),
      { input: { ids: [ids.line, id] } },
      'INVALID_INPUT ids.1',
    ]),
    ['of nothing', { input: { ids: [ids.line, globalId('CartLine', uuid())] } }, 'NOT_FOUND ids.1'],
    ["of someone else's cart", { input: { ids: [ids.stranger] } }, 'NOT_FOUND ids.0'],
  ]);

  refuses('lists', REMOVE, () => [
    ['empty', { input: { ids: [] } }, 'INVALID_INPUT ids'],
    ['101', { input: { ids: Array.from({ length: 101 }, () => ids.line) } }, 'LIMIT_EXCEEDED ids'],
    ['null', { input: { ids: null } }, '! BAD_REQUEST'],
    ['of null', { input: { ids: [null] } }, '! BAD_REQUEST'],
  ]);
});

describe('cartReclaim', () => {
  refuses('carts', RECLAIM, () => [
    ...badIds('Cart', ids.line).map((cartId): Case => [short(cartId), { input: { cartId } }, 'INVALID_INPUT cartId']),
    ['of nothing', { input: { cartId: globalId('Cart', uuid()) } }, 'NOT_FOUND cartId'],
    ['null', { input: { cartId: null } }, '! BAD_REQUEST'],
  ]);
});

describe('cartEmailSet', () => {
  refuses('e-mails', EMAIL_SET, () => [
    ...badEmails.map((email): Case => [short(email), { input: { email } }, 'INVALID_INPUT email']),
    ['null', { input: { email: null } }, '! BAD_REQUEST'],
    ['5', { input: { email: 5 } }, '! BAD_REQUEST'],
  ]);
});

const ADDRESS = { name: 'A', line1: 'B', city: 'C', postalCode: '10115', countryCode: 'DE' };
const badDecimals: unknown[] = [
  '',
  ' ',
  '1e3',
  '1,5',
  '.5',
  '5.',
  '+5',
  '--5',
  '5 ',
  '5\n',
  '0x10',
  'NaN',
  'Infinity',
  '１２',
  '1'.repeat(19),
  `0.${'1'.repeat(19)}`,
  '1'.repeat(MOST),
  '5\u0000',
  5,
  5.5,
  true,
  ['5'],
  {},
];

describe('checkout', () => {
  const input = (fields: object) => ({ input: { idempotencyKey: 'bad', email: 'bad@example.com', ...fields } });

  refuses('e-mails', CHECKOUT, () => [
    ...badEmails.map((email): Case => [short(email), input({ email }), 'INVALID_INPUT email']),
    ['5', input({ email: 5 }), '! BAD_REQUEST'],
    ['null', input({ email: null }), 'INVALID_INPUT email'],
  ]);

  refuses('keys', CHECKOUT, () => [
    ...['', ' ', '\n', 'a\nb', '\u0000', 'k'.repeat(256), huge].map((idempotencyKey): Case => [
      short(idempotencyKey),
      input({ idempotencyKey }),
      'INVALID_INPUT idempotencyKey',
    ]),
    ...[null, undefined, 5].map((idempotencyKey): Case => [
      short(idempotencyKey),
      input({ idempotencyKey }),
      '! BAD_REQUEST',
    ]),
  ]);

  refuses('expected totals', CHECKOUT, () => [
    ...badDecimals.map((expectedTotal): Case => [short(expectedTotal), input({ expectedTotal }), '! BAD_REQUEST']),
    ['three decimals', input({ expectedTotal: '30.001' }), 'INVALID_INPUT expectedTotal'],
    ['18 decimals', input({ expectedTotal: `30.${'0'.repeat(17)}1` }), 'INVALID_INPUT expectedTotal'],
    ['a cent off', input({ expectedTotal: '30.01' }), 'TOTAL_CHANGED expectedTotal'],
    ['negative', input({ expectedTotal: '-30' }), 'TOTAL_CHANGED expectedTotal'],
    ['of 18 digits', input({ expectedTotal: '9'.repeat(18) }), 'TOTAL_CHANGED expectedTotal'],
  ]);

  refuses('addresses', CHECKOUT, () => [
    ...['name', 'line1', 'line2', 'city', 'region', 'postalCode', 'countryCode'].flatMap((field): Case[] => [
      [
        `${field} of a megabyte`,
        input({ shippingAddress: { ...ADDRESS, [field]: huge } }),
        `INVALID_INPUT shippingAddress.${field}`,
      ],
      [
        `${field} with NUL`,
        input({ shippingAddress: { ...ADDRESS, [field]: '\u0000' } }),
        `INVALID_INPUT shippingAddress.${field}`,
      ],
      [`${field} a number`, input({ shippingAddress: { ...ADDRESS, [field]: 5 } }), '! BAD_REQUEST'],
    ]),
    ['none of it', input({ shippingAddress: {} }), '! BAD_REQUEST'],
    ['a text', input({ shippingAddress: '1 Hive Lane' }), '! BAD_REQUEST'],
  ]);
});

describe('IDs in arguments', () => {
  refuses('node', 'query ($id: ID!) { node(id: $id) { id } }', () => [
    ...badIds('Product', 'Product')
      // These are IDs in form: of no type that there is.
      .filter((id) => id !== globalId('Nothing', uuid()))
      .map((id): Case => [short(id), { id }, ...(isWellFormed(id) ? [] : ['! BAD_REQUEST node'])]),
    ['of nothing', { id: globalId('Product', uuid()) }],
    ['null', { id: null }, '! BAD_REQUEST'],
  ]);

  /** An ID in form, of whatever type. */
  function isWellFormed(id: string): boolean {
    return /^[^:]+:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(Buffer.from(id, 'base64').toString());
  }

  test('nodes finds nothing by them', async () => {
    const bad = badIds('Product', 'Product').filter((id) => id !== huge);
    const answer = await ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: bad });
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({ nodes: bad.map(() => null) });
    expect((await ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: [huge] })).data).toEqual({
      nodes: [null],
    });
  });

  refuses('nodes', 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', () => [
    ['101', { ids: Array.from({ length: 101 }, () => ids.product) }, '! BAD_REQUEST nodes'],
    ['5,000', { ids: Array.from({ length: 5000 }, () => 'garbage') }, '! BAD_REQUEST nodes'],
    ['null', { ids: null }, '! BAD_REQUEST'],
    ['of null', { ids: [null] }, '! BAD_REQUEST'],
  ]);

  const byIdOrSlug = [
    { field: 'product', typename: 'Product', other: () => ids.variant },
    { field: 'category', typename: 'Category', other: () => ids.product },
  ];
  for (const { field, typename, other } of byIdOrSlug) {
    refuses(field, `query ($id: ID, $slug: String) { ${field}(id: $id, slug: $slug) { id } }`, () => [
      ...badIds(typename, other()).map((id): Case => [short(id), { id }, `! BAD_REQUEST ${field}`]),
      ['of nothing', { id: globalId(typename, uuid()) }],
      ['neither', {}, `! BAD_REQUEST ${field}`],
      ['both null', { id: null, slug: null }, `! BAD_REQUEST ${field}`],
      ['both', { id: globalId(typename, uuid()), slug: 'slug' }, `! BAD_REQUEST ${field}`],
      ...['', 'No Slug', 'a--b', '-', '\u0000', "'", 'x'.repeat(10_000), huge, `${'a-'.repeat(MOST / 2)}!`].map(
        (slug): Case => [short(slug), { slug }],
      ),
    ]);
  }

  refuses('order', 'query ($id: ID) { order(id: $id) { id } }', () => [
    ...badIds('Order', ids.line).map((id): Case => [short(id), { id }, '! BAD_REQUEST order']),
    ['of nothing', { id: globalId('Order', uuid()) }],
  ]);

  refuses(
    'order by anything else finds nothing',
    'query ($accessToken: String, $number: String, $email: String) { order(accessToken: $accessToken, number: $number, email: $email) { id } }',
    () => [
      ...['', 'garbage', '\u0000', huge].flatMap((text): Case[] => [
        [`token ${short(text)}`, { accessToken: text }],
        [`number ${short(text)}`, { number: text, email: 'bad@example.com' }],
        [`e-mail ${short(text)}`, { number: '1001', email: text }],
      ]),
      ['a number alone', { number: '1001' }, '! BAD_REQUEST order'],
      ['a number that is one', { number: 1001, email: 'bad@example.com' }, '! BAD_REQUEST'],
    ],
  );

  test('stockChanged', async () => {
    const wrong = (argument: string, id: string) =>
      `subscription { stockChanged(${argument}: [${JSON.stringify(id)}]) { available } }`;
    const documents = [
      ...badIds('ProductVariant', ids.product)
        .filter((id) => id.length < 1000)
        .map((id) => wrong('variantIds', id)),
      ...['', 'garbage', ids.variant, globalId('Product', '5')].map((id) => wrong('productIds', id)),
      `subscription { stockChanged(variantIds: ${JSON.stringify(Array.from({ length: 101 }, () => ids.variant))}) { available } }`,
    ];
    for (const document of documents) {
      const stream = await openEventStream(shop.url, document);
      const { event, data } = await stream.events.take();
      const codes = data?.errors?.map(({ extensions, path }) => [extensions?.code, path]);
      expect([document, event, codes]).toEqual([document, 'next', [['BAD_REQUEST', ['stockChanged']]]]);
      expect(isRevealing(JSON.stringify(data))).toBe(false);
      expect((await stream.events.take()).event).toBe('complete');
      await stream.ended;
    }
  });
});

describe('lists', () => {
  const ARGUMENTS = '$first: Int, $after: String, $last: Int, $before: String';
  const PASSED = 'first: $first, after: $after, last: $last, before: $before';
  const lists: Record<string, { document: string; path: string }> = {
    products: { document: `query (${ARGUMENTS}) { products(${PASSED}) { pageInfo { endCursor } } }`, path: 'products' },
    'products by title': {
      document: `query (${ARGUMENTS}) { products(sort: { key: TITLE }, ${PASSED}) { pageInfo { endCursor } } }`,
      path: 'products',
    },
    'products by price': {
      document: `query (${ARGUMENTS}) { products(sort: { key: PRICE }, ${PASSED}) { pageInfo { endCursor } } }`,
      path: 'products',
    },
    'products that are searched for': {
      document: `query (${ARGUMENTS}) { products(filter: { search: "honey" }, ${PASSED}) { pageInfo { endCursor } } }`,
      path: 'products',
    },
    categories: {
      document: `query (${ARGUMENTS}) { categories(${PASSED}) { pageInfo { endCursor } } }`,
      path: 'categories',
    },
    'products of a category': {
      document: `query (${ARGUMENTS}) { category(slug: "bad-input") { products(${PASSED}) { pageInfo { endCursor } } } }`,
      path: 'category.products',
    },
  };
  const cursor = (values: unknown) => Buffer.from(JSON.stringify(values)).toString('base64url');

  for (const [name, { document, path }] of Object.entries(lists)) {
    const anywhere = cursor(['2026-01-01 00:00:00+00', uuid()]);
    refuses(`${name}: page sizes`, document, () => [
      ...[-1, 101, 2 ** 31 - 1, -(2 ** 31)].flatMap((size): Case[] => [
        [`first ${size}`, { first: size }, `! BAD_REQUEST ${path}`],
        [`last ${size}`, { last: size }, `! BAD_REQUEST ${path}`],
      ]),
      ['first and last', { first: 1, last: 1 }, `! BAD_REQUEST ${path}`],
      ['first and before', { first: 1, before: anywhere }, `! BAD_REQUEST ${path}`],
      ['last and after', { last: 1, after: anywhere }, `! BAD_REQUEST ${path}`],
      ['after and before', { after: anywhere, before: anywhere }, `! BAD_REQUEST ${path}`],
      ...[2 ** 31, 1.5, '1'].map((first): Case => [`first ${short(first)}`, { first }, '! BAD_REQUEST']),
    ]);
  }

  refuses(
    'products that cannot be: page sizes all the same',
    `query ($first: Int, $last: Int) { products(filter: { search: "!!!" }, first: $first, last: $last) { nodes { id } } }`,
    () => [
      ['first -1', { first: -1 }, '! BAD_REQUEST products'],
      ['last 101', { last: 101 }, '! BAD_REQUEST products'],
      ['first and last', { first: 1, last: 1 }, '! BAD_REQUEST products'],
      ['first 1', { first: 1 }],
    ],
  );

  const id = '0190a8c0-0000-7000-8000-000000000000';
  const INSTANT = '2026-01-01 00:00:00+00';
  /** What is no cursor of any list. */
  const garbage = [
    '',
    ' ',
    'garbage',
    '\u0000',
    huge,
    cursor(null),
    cursor(5),
    cursor({}),
    cursor([]),
    cursor([id]),
    cursor([[id], id]),
    cursor([null, id]),
    cursor([5, id]),
    cursor([INSTANT, 'garbage']),
    cursor([INSTANT, '']),
    cursor([INSTANT, id, id]),
    cursor(Array.from({ length: 1000 }, () => id)),
    cursor([huge.slice(0, 500_000), id]),
    cursor(["' OR 1=1 --", "' OR 1=1 --"]),
  ];
  const instants = [
    'now',
    'infinity',
    '-infinity',
    '2026-13-01 00:00:00+00',
    '2026-02-30 00:00:00+00',
    '2026-01-01 25:00:00+00',
    '2026-01-01 00:61:00+00',
    '2026-01-01 00:00:00+99',
    '999999-01-01 00:00:00+00',
    '0000-01-01 00:00:00+00',
    '2026-01-01 00:00:00',
    '2026-01-01',
  ];
  const integers = ['9999999999', '-9999999999', '2147483648', '-2147483649', '1.5', '1e3', '', 'NaN', ' 1', '１'];
  const texts = ['a\u0000b', '\u0000', 'x'.repeat(2001)];
  const others = ['honey', '5'];
  /** What may not stand in a cursor of the list in place of the value that it is sorted by. */
  const wrongValues: Record<string, unknown[]> = {
    products: [...instants, ...others],
    'products by title': texts,
    'products by price': [...integers, INSTANT, 'honey'],
    'products that are searched for': [...integers, INSTANT, 'honey'],
    categories: texts,
    'products of a category': [...instants, ...others],
  };

  /** The cursor of the first item of a list. */
  async function cursorOf(name: string): Promise<string> {
    const { document, path } = known(lists[name]);
    const answer = await ask(document, { first: 1 });
    const list = path.split('.').reduce((data, key) => (data as Record<string, unknown>)[key], answer.data as unknown);
    return (list as { pageInfo: { endCursor: string } }).pageInfo.endCursor;
  }

  const shown = (text: string) => short(Buffer.from(text, 'base64url').toString());
  const bothWays = (cursors: string[], ...faults: string[]) =>
    cursors.flatMap((wrong): Case[] => [
      [`after ${shown(wrong)}`, { first: 1, after: wrong }, ...faults],
      [`before ${shown(wrong)}`, { last: 1, before: wrong }, ...faults],
    ]);

  for (const [name, { document, path }] of Object.entries(lists)) {
    refuses(`${name}: what is no cursor`, document, () => bothWays(garbage, `! BAD_REQUEST ${path}`));
  }

  test.each(Object.entries(lists))('%s: cursors that were tampered with', async (name, { document, path }) => {
    const held = JSON.parse(Buffer.from(await cursorOf(name), 'base64url').toString()) as unknown[];
    const at = held.length - 2;
    const tampered = [
      ...known(wrongValues[name]).map((value) => held.with(at, value)),
      ...['garbage', '', 'x'.repeat(36), null].map((value) => held.with(at + 1, value)),
      ...[null, 5, [], {}].map((value) => held.with(at, value)),
      held.toReversed(),
      held.slice(1),
      held.slice(0, -1),
      [...held, id],
      [held],
    ];
    const cases = [
      // Made again as it was, it is good: what is refused below is so for what was changed.
      ...bothWays([cursor(held)]),
      ...bothWays(tampered.map(cursor), `! BAD_REQUEST ${path}`),
    ];
    expect(await errorsOf(document, cases)).toEqual(expected(cases));
  });

  test.each(Object.entries(lists))('%s: cursors of other lists', async (name, { document, path }) => {
    const cases: Case[] = [];
    for (const other of Object.keys(lists).filter((key) => key !== name)) {
      cases.push([other, { first: 1, after: await cursorOf(other) }, `! BAD_REQUEST ${path}`]);
    }
    expect(await errorsOf(document, cases)).toEqual(expected(cases));
  });
});

describe('the filter of products', () => {
  const document =
    'query ($filter: ProductFilter, $sort: ProductSort) { products(filter: $filter, sort: $sort) { nodes { id } } }';

  refuses('prices', document, () =>
    ['minPrice', 'maxPrice'].flatMap((field): Case[] => [
      ...badDecimals.map((value): Case => [
        `${field} ${short(value)}`,
        { filter: { [field]: value } },
        '! BAD_REQUEST',
      ]),
      [`${field} negative`, { filter: { [field]: '-1' } }, '! BAD_REQUEST products'],
      [`${field} three decimals`, { filter: { [field]: '1.001' } }, '! BAD_REQUEST products'],
      [`${field} of 18 digits`, { filter: { [field]: '9'.repeat(18) } }],
      [`${field} minus nothing`, { filter: { [field]: '-0.00' } }],
    ]),
  );

  refuses('the rest', document, () => [
    ['search of a megabyte', { filter: { search: huge } }, '! BAD_REQUEST products'],
    ['search a number', { filter: { search: 5 } }, '! BAD_REQUEST'],
    ['slug of a megabyte', { filter: { categorySlug: huge } }],
    ['slug with NUL', { filter: { categorySlug: '\u0000' } }],
    ['tag of a megabyte', { filter: { tags: [huge] } }],
    ['tag with NUL', { filter: { tags: ['\u0000'] } }],
    ['tag that is empty', { filter: { tags: [''] } }],
    ['tag that is null', { filter: { tags: [null] } }, '! BAD_REQUEST'],
    ['21 tags', { filter: { tags: Array.from({ length: 21 }, () => 'tag') } }, '! BAD_REQUEST products'],
    ['no status', { filter: { status: 'SOLD' } }, '! BAD_REQUEST'],
    ['a status for staff', { filter: { status: 'DRAFT' } }, '! UNAUTHENTICATED products'],
    ['inStock a text', { filter: { inStock: 'true' } }, '! BAD_REQUEST'],
    ['another field', { filter: { price: '5' } }, '! BAD_REQUEST'],
    ['no sort key', { sort: {} }, '! BAD_REQUEST'],
    ['another sort key', { sort: { key: 'RANDOM' } }, '! BAD_REQUEST'],
    ['reverse null', { sort: { key: 'TITLE', reverse: null } }],
  ]);
});

describe('scalars', () => {
  /** Whether the scalar takes a value. Not all of them stand in an argument yet, where a client could send it. */
  function takes(name: string, value: unknown): boolean {
    const scalar = schema.getType(name);
    if (!isScalarType(scalar)) throw new Error(`${name} is no scalar`);
    try {
      scalar.parseValue(value);
      return true;
    } catch (error) {
      expect(error).toMatchObject({
        message: expect.stringMatching(new RegExp(`^${name} must be `)) as string,
        extensions: { code: 'BAD_REQUEST' },
      });
      return false;
    }
  }

  test('DateTime takes instants with a zone, of days that there are', () => {
    const good = [
      '2026-01-31T12:00:00Z',
      '2026-01-31T12:00Z',
      '2026-01-31T12:00:00.123456Z',
      '2026-01-31t12:00:00z',
      '2026-01-31T12:00:00+05:30',
      '2024-02-29T00:00:00Z',
      '2026-12-31T23:59:59.999Z',
    ];
    const bad = [
      '',
      'now',
      'yesterday',
      '2026-01-31',
      '2026-01-31T12:00:00',
      '2026-01-31 12:00:00Z',
      '2026-02-29T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '2026-04-31T00:00:00+02:00',
      '2026-00-10T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-32T00:00:00Z',
      '2026-01-31T25:00:00Z',
      '2026-01-31T12:60:00Z',
      '2026-01-31T12:00:00+99:99',
      '+275760-09-13T00:00:01Z',
      '-000001-01-01T00:00:00Z',
      '2026-01-31T12:00:00Z\n',
      '２０２６-01-31T12:00:00Z',
      'x'.repeat(MOST),
      1_800_000_000,
      null,
      true,
      {},
    ];
    expect(good.filter((value) => !takes('DateTime', value))).toEqual([]);
    expect(bad.filter((value) => takes('DateTime', value))).toEqual([]);
  });

  test('Decimal, EventCursor and CurrencyCode take texts of their form', () => {
    expect(badDecimals.filter((value) => takes('Decimal', value))).toEqual([]);
    expect(['0', '-5', '007.50', '9'.repeat(18)].filter((value) => !takes('Decimal', value))).toEqual([]);
    expect(['', 'x'.repeat(101), huge, 5, null, {}].filter((value) => takes('EventCursor', value))).toEqual([]);
    expect(['', 'usd', 'US', 'USDD', 'US1', 5, null].filter((value) => takes('CurrencyCode', value))).toEqual([]);
  });
});
