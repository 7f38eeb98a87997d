import { getNamedType, isLeafType, isObjectType, parse, type GraphQLField, type GraphQLObjectType } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { decodeCursor } from '../../../src/events/cursor.ts';
import { createKeepable } from '../../../src/graphql/operations/keepable.ts';
import { schema } from '../../../src/graphql/schema.ts';
import { newPerson, newStaff } from '../../support/accounts.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter } from '../../support/shopper.ts';
import { createTestShop, type TestShop } from '../../support/shop.ts';
import { openSocket } from '../../support/socket.ts';
import { recordStatements } from '../../support/statements.ts';
import { until } from '../../support/until.ts';

// Answers about the catalogue are kept in memory. `plain` is another node of the same shop, which keeps none.

let shop: QuietShop;
let plain: TestShop;
let gate: Promise<unknown> = Promise.resolve();

const VARIANT = {
  compareAtMinor: 2500,
  selectedOptions: [{ name: 'Size', value: '250 g' }],
  lowStockThreshold: 2,
  weightGrams: 300,
  requiresShipping: true,
  taxCategoryId: null,
};

async function makeProduct(
  slug: string,
  { status = 'ACTIVE', onHand = 5 }: { status?: 'ACTIVE' | 'DRAFT'; onHand?: number } = {},
) {
  const { catalogWriting, catalog } = shop.app.services;
  const images = [{ url: '/images/jar.jpg', altText: 'A jar' }];
  const fields = { title: `Title of ${slug}`, description: 'Text', vendor: 'Vendor', tags: ['tag'], images, status };
  const variants = [{ ...VARIANT, sku: `${slug}-sku`, priceMinor: 1000, onHand }];
  const { id } = await catalogWriting.createProduct(null, { ...fields, slug, categorySlug: 'jars', variants });
  const [variant] = await catalog.variantsOfProducts([id]);
  return { id, slug, variantId: known(variant).id, sku: known(variant).sku };
}

beforeAll(async () => {
  shop = await openQuietShop(
    { READ_CACHE_MB: '1' },
    {
      eventLog: (real) => ({
        ...real,
        async end() {
          await gate;
          return real.end();
        },
      }),
    },
  );
  const { url } = shop.config.database as { url: string };
  plain = await createTestShop({ database: { url } as never, overrides: { quiet: true } });
  await shop.app.services.catalogWriting.createCategory(null, { name: 'Jars', slug: 'jars' });
  for (let n = 0; n < 25; n += 1) await makeProduct(`shared-${n}`);
});
afterAll(async () => {
  await plain.dispose();
  await shop.dispose();
});

beforeEach(() => settled());

const LIST = '{ products(first: 20) { nodes { slug title variants { id sku available price { amount } } } } }';
const ONE =
  'query One($slug: String!) { product(slug: $slug) { slug title status updatedAt variants { id sku available price { amount } } } }';

/** The statements that an operation of a visitor takes. */
async function statementsOf(query: string, variables: Record<string, unknown> = {}): Promise<string[]> {
  const { statements } = await recordStatements(() => shop.client().data(query, variables), shop);
  return statements;
}

describe('what is kept', () => {
  test('a list takes one statement when it is cold, and none when it is warm', async () => {
    const query = LIST.replace('first: 20', 'first: 19');
    expect(await statementsOf(query)).toHaveLength(1);
    expect(await statementsOf(query)).toEqual([]);
  });

  test('one product takes one statement when it is cold, and none when it is warm', async () => {
    expect(await statementsOf(ONE, { slug: 'shared-3' })).toHaveLength(1);
    expect(await statementsOf(ONE, { slug: 'shared-3' })).toEqual([]);
  });

  test('products that are asked for at the same time share a statement', async () => {
    const { catalog } = shop.app.services;
    const fields = { product: new Set(['title'] as const), variants: new Set(['sku'] as const), cursor: false };
    const others = { ...fields, variants: null };
    const slugs = [...Array.from({ length: 20 }, (_, n) => `shared-${n}`), 'shared-3', 'of-no-product'];
    const { result, statements } = await recordStatements(
      () =>
        Promise.all([
          ...slugs.map((slug) => catalog.productBySlug(slug, undefined, fields)),
          catalog.productBySlug('shared-3', undefined, others),
        ]),
      shop,
    );
    expect(statements).toHaveLength(2);
    const found = result.map((product) => [product?.title, product?.variants?.map(({ sku }) => sku)]);
    expect(found).toEqual([
      ...slugs.slice(0, -1).map((slug) => [`Title of ${slug}`, [`${slug}-sku`]]),
      [undefined, undefined],
      ['Title of shared-3', undefined],
    ]);
  });

  test('of products that are asked for at the same time, each answer depends on its own alone', async () => {
    const slugs = ['together-1', 'together-2', 'together-3'];
    const { id } = await makeProduct('together-1');
    await makeProduct('together-2');
    await settled();
    const ask = () => Promise.all(slugs.map((slug) => shop.client().data(ONE, { slug })));
    const before = await ask();
    expect(before).toMatchObject([{ product: { slug: slugs[0] } }, { product: { slug: slugs[1] } }, { product: null }]);
    await shop.app.services.catalogWriting.updateProduct(null, id, { title: 'Another title' });
    await settled();
    // What was not found depends on every product.
    expect(await statementsOf(ONE, { slug: slugs[1] })).toEqual([]);
    expect(await statementsOf(ONE, { slug: slugs[2] })).toHaveLength(1);
    const [changed, ...others] = await ask();
    expect(changed).toMatchObject({ product: { title: 'Another title' } });
    expect(others).toEqual(before.slice(1));
  });

  test('answers differ by variables and by operation', async () => {
    const two = 'query A { product(slug: "shared-1") { slug } } query B { product(slug: "shared-2") { slug } }';
    for (let round = 0; round < 2; round += 1) {
      const slugs = [];
      for (const operationName of ['A', 'B'])
        slugs.push((await shop.client().execute(two, {}, { operationName })).data);
      expect(slugs).toEqual([{ product: { slug: 'shared-1' } }, { product: { slug: 'shared-2' } }]);
      for (const slug of ['shared-5', 'shared-6'])
        expect(await shop.client().data(ONE, { slug })).toMatchObject({ product: { slug } });
    }
    expect((await shop.client().execute(two)).codes).toEqual(['BAD_REQUEST']);
  });

  const kept = Object.values(known(schema.getQueryType()).getFields()).filter(
    ({ extensions }) => extensions.keptInMemory === true,
  );

  test.each(kept.map((field) => [field.name, field] as const))(
    'every field below `%s` shows what a node without memory shows',
    async (name, field) => {
      const below = getNamedType(field.type) as GraphQLObjectType;
      const args = argumentsOf(field);
      const declared = args.includes('$') ? `(${args.includes('$sku') ? '$sku' : '$slug'}: String!)` : '';
      const query = `query All${declared} { eventCursor ${name}${args} ${selectionOf(below, 3)} }`;
      // Nothing that was left out could be wrong.
      expect(createKeepable(schema)(parse(query))).not.toBeNull();
      const variables = args.includes('$sku')
        ? { sku: 'shared-7-sku' }
        : args.includes('$')
          ? { slug: 'shared-7' }
          : {};
      const cold = await shop.client().execute(query, variables);
      expect(cold.errors).toBeUndefined();
      const { result: warm, statements } = await recordStatements(() => shop.client().execute(query, variables), shop);
      expect(statements).toEqual([]);
      const right = await plain.client().execute(query, variables);
      expect(withoutCursors(cold.data)).toEqual(withoutCursors(right.data));
      expect(withoutCursors(warm.data)).toEqual(withoutCursors(right.data));
    },
  );

  test('so do all types that are kept', () => {
    const types = Object.values(schema.getTypeMap()).filter(({ extensions }) => extensions.keptInMemory === true);
    const seen = new Set([...fieldsKept].map((field) => field.split('.')[0]));
    expect(types.length).toBeGreaterThan(10);
    expect(types.map(({ name }) => name).filter((name) => !seen.has(name))).toEqual([]);
  });

  test.each([
    ['fields of the viewer', '{ me { id } products(first: 1) { nodes { slug } } }'],
    ['carts', '{ cart { id } products(first: 1) { nodes { slug } } }'],
    ['the time', '{ serverTime products(first: 1) { nodes { slug } } }'],
    ['fields for staff', '{ products(first: 1) { nodes { variants { onHand } } } }'],
    [
      'fields for staff in a fragment',
      '{ products(first: 1) { nodes { ...F } } } fragment F on Product { variants { held } }',
    ],
    ['objects of any type', 'query ($id: ID!) { node(id: $id) { id } }'],
    ['introspection', '{ __type(name: "Product") { name } products(first: 1) { nodes { slug } } }'],
    ['mutations', 'mutation { logout { errors { code } } }'],
    ['nothing', '{ __typename }'],
    ['a position alone', '{ eventCursor }'],
  ])('%s: not kept', (_what, query) => {
    expect(createKeepable(schema)(parse(query))).toBeNull();
  });

  test('an error is not kept, and differs for customers and visitors', async () => {
    const query = '{ products(first: 3, filter: { status: DRAFT }) { nodes { slug } } }';
    const customer = await newPerson(shop);
    for (let round = 0; round < 2; round += 1) {
      expect((await shop.client().execute(query)).codes).toEqual(['UNAUTHENTICATED']);
      expect((await customer.client.execute(query)).codes).toEqual(['FORBIDDEN']);
    }
  });

  test('a GET, a POST and a WebSocket get the same answer', async () => {
    const query = '{ products(first: 2) { nodes { slug } } }';
    const post = await shop.client().execute(query);
    const get = await shop.request({
      path: `/graphql?query=${encodeURIComponent(query)}`,
      headers: { accept: 'application/json' },
    });
    const socket = await openSocket(shop.wsUrl);
    await socket.init();
    socket.subscribe('1', query);
    const { payload } = await socket.messages.take();
    await socket.close();
    expect(get.json()).toEqual({ data: post.data });
    expect(payload).toEqual({ data: post.data });
    expect(await statementsOf(query)).toEqual([]);
  });
});

describe('what is read', () => {
  const typeOf = (name: string) => schema.getType(name) as GraphQLObjectType;
  const scalars = { Product: ['asOf'], ProductVariant: ['asOf'] };

  /** Each field alone, since fields that are read together could hide what one of them does not read. */
  test.each(['Product', 'ProductVariant'] as const)(
    'each field of %s shows by itself what all of it shows',
    async (name) => {
      const staff = await newStaff(shop);
      const { id } = known(await shop.app.services.catalog.productBySlug('shared-4'));
      for (const field of Object.values(typeOf(name).getFields())) {
        if (scalars[name].includes(field.name)) continue;
        const below = getNamedType(field.type);
        const inner = isObjectType(below) ? ` ${selectionOf(below, 1)}` : '';
        const asked = `${field.name}${argumentsOf(field)}${inner}`;
        const selected = name === 'Product' ? asked : `variants { ${asked} }`;
        const query = `query ($id: ID!, $slug: String!, $sku: String!) {
        node(id: $id) { ... on Product { ${selected} } }
        product(slug: $slug) { ${selected} }
        products(first: 1, filter: { search: "shared-4" }) { nodes { ${selected} } }
        any: productVariant(sku: $sku) { sku }
      }`;
        const variables = {
          id: Buffer.from(`Product:${id}`).toString('base64'),
          slug: 'shared-4',
          sku: 'shared-4-sku',
        };
        const data = withoutCursors(await staff.client.data(query, variables)) as Record<string, { nodes: unknown[] }>;
        expect(data.product, field.name).toEqual(data.node);
        expect(known(data.products).nodes[0], field.name).toEqual(data.node);
      }
    },
  );

  test('a page has its places whether or not they are read', async () => {
    const query =
      '{ a: products(first: 3) { edges { cursor } pageInfo { startCursor endCursor hasNextPage } } b: products(first: 3) { nodes { slug } } }';
    const { a, b } = await shop.client().data<{
      a: { edges: { cursor: string }[]; pageInfo: Record<string, unknown> };
      b: { nodes: { slug: string }[] };
    }>(query);
    expect(a.pageInfo).toEqual({ startCursor: a.edges[0]?.cursor, endCursor: a.edges[2]?.cursor, hasNextPage: true });
    const after = 'query ($after: String) { products(first: 1, after: $after) { nodes { slug } } }';
    const next = await shop
      .client()
      .data<{ products: { nodes: { slug: string }[] } }>(after, { after: a.edges[1]?.cursor });
    expect(next.products.nodes[0]?.slug).toBe(b.nodes[2]?.slug);
  });
});

describe('who asks', () => {
  test('only staff see drafts, also if staff asked first', async () => {
    const staff = await newStaff(shop);
    const draft = await makeProduct('draft', { status: 'DRAFT' });
    const guest = await enter(shop);
    const customer = await newPerson(shop);
    for (let round = 0; round < 2; round += 1) {
      expect(await staff.client.data(ONE, { slug: draft.slug })).toMatchObject({ product: { slug: 'draft' } });
      for (const client of [shop.client(), guest.client, customer.client])
        expect(await client.data(ONE, { slug: draft.slug })).toEqual({ product: null });
    }
  });

  test('a credential that is not valid is refused though the answer is there', async () => {
    await shop.client().data(LIST);
    const { codes } = await shop.client().execute(LIST, {}, { headers: { authorization: 'Bearer nonsense' } });
    expect(codes).toEqual(['UNAUTHENTICATED']);
  });

  test('an operation that costs too much is refused', async () => {
    const query = `{ products(first: 100) { nodes { variants { product { variants { product { variants { sku title } } } } } } } }`;
    for (let round = 0; round < 2; round += 1)
      expect((await shop.client().execute(query)).codes).toEqual(['TOO_COSTLY']);
  });
});

describe('a change', () => {
  test('is seen at once on the node that made it, although its event has no number yet', async () => {
    const { id, slug, variantId } = await makeProduct('own');
    const { catalogWriting, inventory } = shop.app.services;
    const read = async () => {
      const { product } = await shop
        .client()
        .data<{ product: { title: string; variants: { available: number; price: { amount: string } }[] } }>(ONE, {
          slug,
        });
      return [product.title, product.variants[0]?.available, product.variants[0]?.price.amount];
    };
    await shop.app.relay.flush();
    const client = await shop.db.connect();
    try {
      // The relay waits for this lock.
      await client.query('BEGIN; SELECT FROM event_sequence FOR UPDATE');
      for (let n = 1; n <= 5; n += 1) {
        await catalogWriting.updateProduct(null, id, { title: `Title ${n}` });
        expect(await read()).toEqual([`Title ${n}`, 4 + n, `${9 + n}.00`]);
        await catalogWriting.updateVariant(null, variantId, { priceMinor: 1000 + 100 * n });
        expect(await read()).toEqual([`Title ${n}`, 4 + n, `${10 + n}.00`]);
        await shop.db.transaction(async (tx) => {
          const at = await inventory.lock(tx, [variantId]);
          await inventory.apply(tx, at, [{ variantId, reason: 'RESTOCK', onHandDelta: 1 }]);
        });
        expect(await read()).toEqual([`Title ${n}`, 5 + n, `${10 + n}.00`]);
      }
    } finally {
      await client.end();
    }
  });

  test('of another node is seen as soon as its event has arrived', async () => {
    const { id, slug } = await makeProduct('other');
    await settled();
    const title = async () => (await shop.client().data<{ product: { title: string } }>(ONE, { slug })).product.title;
    expect(await title()).toBe('Title of other');
    await plain.app.services.catalogWriting.updateProduct(null, id, { title: 'Changed elsewhere' });
    await settled();
    expect(await title()).toBe('Changed elsewhere');
    expect(await statementsOf(ONE, { slug })).toEqual([]);
  });

  test('of a product leaves the answers about others where they are; one of a level leaves lists without it', async () => {
    const [one, two] = [await makeProduct('apart-1'), await makeProduct('apart-2')];
    await settled();
    const list = '{ products(first: 100) { nodes { slug variants { available } } } }';
    const inStock = '{ products(first: 100, filter: { inStock: true }) { nodes { slug variants { available } } } }';
    for (const query of [list, inStock]) await statementsOf(query);
    for (const { slug } of [one, two]) await statementsOf(ONE, { slug });
    const { inventory } = shop.app.services;
    await shop.db.transaction(async (tx) => {
      const at = await inventory.lock(tx, [one.variantId]);
      await inventory.apply(tx, at, [{ variantId: one.variantId, reason: 'RESTOCK', onHandDelta: 1 }]);
    });
    await settled();
    const isKept = async (query: string, variables = {}) => (await statementsOf(query, variables)).length === 0;
    expect(await isKept(ONE, { slug: two.slug })).toBe(true);
    expect(await isKept(ONE, { slug: one.slug })).toBe(false);
    const { products } = await shop.client().data<{ products: { nodes: { slug: string }[] } }>(list);
    expect(products.nodes.some(({ slug }) => slug === one.slug)).toBe(true);
    expect(await isKept(inStock)).toBe(false);
  });

  test('that comes while an answer is read leaves no answer from before it', async () => {
    const { id, slug } = await makeProduct('race');
    await settled();
    let open = () => {};
    const { catalog, catalogWriting } = shop.app.services;
    const real = catalog.productBySlug;
    let isRead = false;
    catalog.productBySlug = async (...given) => {
      const rows = await real(...given);
      isRead = true;
      await new Promise<void>((resolve) => {
        open = resolve;
      });
      return rows;
    };
    const withCursor = ONE.replace('{ product', '{ eventCursor product');
    const before = shop.client().data<{ eventCursor: string }>(withCursor, { slug });
    try {
      await until('the product is read', () => isRead);
    } finally {
      catalog.productBySlug = real;
    }
    await catalogWriting.updateProduct(null, id, { title: 'Changed meanwhile' });
    // Who asks after the change does not share the execution that began before it.
    expect(await shop.client().data(ONE, { slug })).toMatchObject({ product: { title: 'Changed meanwhile' } });
    // The node has the event by the time at which the first answer is made: it is not in the answer, nor before its position.
    await settled();
    open();
    const first = await before;
    expect(first).toMatchObject({ product: { title: 'Title of race' } });
    const [change] = await shop.db.query<{ seq: bigint }>(
      { text: 'SELECT max(seq) AS seq FROM event_log WHERE subject_id = $1' },
      [id],
    );
    expect(known(decodeCursor(first.eventCursor)).seq).toBeLessThan(Number(known(change).seq));
    expect(await shop.client().data(ONE, { slug })).toMatchObject({ product: { title: 'Changed meanwhile' } });
  });
});

describe('the position in the log', () => {
  test('of an answer in memory goes on with the node, and is the same in all of its places', async () => {
    const query = '{ a: eventCursor products(first: 3) { asOf nodes { asOf slug variants { asOf } } } b: eventCursor }';
    await settled();
    await shop.client().data(query);
    // Events of which the answer does not depend.
    await newPerson(shop);
    await settled();
    const { result, statements } = await recordStatements(() => shop.client().data(query), shop);
    expect(statements).toEqual([]);
    const cursors = new Set(
      JSON.stringify(result)
        .match(/"(?:a|b|asOf)":"[^"]+"/g)
        ?.map((found) => found.split(':')[1]),
    );
    expect([...cursors].map((text) => decodeCursor(JSON.parse(String(text)) as string)?.seq)).toEqual([
      (await shop.app.eventLog.end()).seq,
    ]);
  });
});

describe('a node whose feed is away', () => {
  test('reads from the database until it has caught up', async () => {
    await settled();
    await shop.client().data(LIST);
    expect(await statementsOf(LIST)).toEqual([]);
    let open = () => {};
    gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const clock = vi.spyOn(performance, 'now');
    const real = performance.timeOrigin;
    try {
      const shift = 6000;
      clock.mockImplementation(() => Date.now() - real + shift);
      expect(shop.app.feed?.isCurrent()).toBe(false);
      expect((await statementsOf(LIST)).length).toBeGreaterThan(0);
    } finally {
      clock.mockRestore();
      open();
      gate = Promise.resolve();
    }
    await until('the feed is back', () => shop.app.feed?.isCurrent() === true);
    await shop.client().data(LIST);
    expect(await statementsOf(LIST)).toEqual([]);
  });
});

describe('memory', () => {
  test('is bounded, and counted', async () => {
    await settled();
    for (let n = 0; n < 150; n += 1) {
      const query = `{ products(first: 20, filter: { maxPrice: "${100 + n}" }) { nodes { id slug title description vendor images { url altText } variants { id sku title available price { amount currencyCode } } } } }`;
      await shop.client().data(query);
    }
    const { text } = await metrics();
    const valueOf = (name: string) => Number(new RegExp(`^vitrine_${name} (\\S+)$`, 'm').exec(text)?.[1]);
    expect(valueOf('memory_bytes')).toBeLessThanOrEqual(1_000_000);
    expect(valueOf('memory_bytes')).toBeGreaterThan(100_000);
    expect(valueOf('memory_answers')).toBeLessThan(150);
    expect(valueOf('memory_evictions_total')).toBeGreaterThan(0);
    expect(valueOf('memory_reads_total{outcome="hit"}')).toBeGreaterThan(0);
    expect(valueOf('memory_reads_total{outcome="miss"}')).toBeGreaterThan(0);
  });
});

async function metrics(): Promise<{ text: string }> {
  const response = await fetch(`${shop.url}/metrics`);
  return { text: await response.text() };
}

/** Waits until the node has every event. */
async function settled(): Promise<void> {
  await until('the node has every event', async () => {
    for (const { app } of [shop, plain]) await app.relay.flush();
    const end = await shop.app.eventLog.end();
    return shop.app.feed?.position().seq === end.seq && shop.app.feed.isCurrent();
  });
}

const fieldsKept = new Set<string>();

/** Every field of a type that is kept, to a depth, with arguments where they are required. */
function selectionOf(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (isRestricted(field)) return [];
    const below = getNamedType(field.type);
    fieldsKept.add(`${type.name}.${field.name}`);
    if (isLeafType(below)) return [field.name];
    if (!isObjectType(below) || depth === 0) return [];
    return [`${field.name}${argumentsOf(field)} ${selectionOf(below, depth - 1)}`];
  });
  return `{ ${fields.length === 0 ? '__typename' : fields.join(' ')} }`;
}

function isRestricted({ extensions }: GraphQLField<unknown, unknown>): boolean {
  return (extensions.pothosOptions as { authScopes?: unknown } | undefined)?.authScopes !== undefined;
}

function argumentsOf({ name, args }: GraphQLField<unknown, unknown>): string {
  const names = new Set(args.map((argument) => argument.name));
  if (names.has('first')) return '(first: 1)';
  if (name === 'category') return names.has('slug') ? '(slug: "jars")' : '';
  if (names.has('slug')) return '(slug: $slug)';
  return names.has('sku') ? '(sku: $sku)' : '';
}

function withoutCursors(value: unknown): unknown {
  const text = JSON.stringify(value, (key, inner: unknown) => (key === 'asOf' || key === 'eventCursor' ? null : inner));
  // Images have the address of their node.
  return JSON.parse(text.replaceAll(plain.url, shop.url));
}
