import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { contentfulSync } from '../../../src/commands/contentful-sync.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { callCommand } from '../../support/command.ts';
import { SPACE, startContentfulServer, type ContentfulServer } from '../../support/contentful-server.ts';
import { deliverAndApply, newEntryId, productOf, SECRET } from '../../support/contentful.ts';
import { globalId, makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { newDataDir } from '../../support/shop-process.ts';
import { enter } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let server: ContentfulServer;
let shop: QuietShop;
beforeAll(async () => {
  server = await startContentfulServer();
  shop = await openQuietShop({ CONTENTFUL_WEBHOOK_SECRET: SECRET, CONTENTFUL_HOST: server.host, ...SPACE });
});
afterAll(async () => {
  await shop.dispose();
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  server.entries = [];
  server.assets.clear();
  server.asked.length = 0;
  // Products of earlier tests are none of this one's.
  await rowsOf(shop.db, 'DELETE FROM contentful_entries');
});
afterEach(async () => {
  const faults = await findFaults(shop.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
});

const sync = (update: boolean, force = false) => known(shop.app.services.contentful.sync).run({ update, force });
const drift = async (update = false) =>
  (await sync(update)).drift.map(({ entryId, field, cms, shop: ours }) => [entryId, field, cms, ours]);

/** An entry that is in the space, and whose webhook was delivered. */
async function newEntry(fields: Record<string, unknown> = {}): Promise<string> {
  const id = newEntryId();
  const all = { title: 'Honey', slug: `synced-${id}`, price: 5, stock: 10, ...fields };
  server.entries.push({ id, fields: all });
  await deliverAndApply(shop, { id, fields: all });
  return id;
}

const entry = (id: string) => known(server.entries.find((one) => one.id === id));

describe('comparing the space with the catalogue', () => {
  test('finds no difference if every entry was delivered, whatever was sold in the meantime', async () => {
    const id = await newEntry();
    const { variantId } = known(await productOf(shop, id));
    const shopper = await enter(shop);
    await shopper.add({ variantId: globalId('ProductVariant', variantId), quantity: 3 });
    const { order } = await shopper.checkout({ idempotencyKey: crypto.randomUUID(), email: 'a@example.com' });
    expect(order?.totalQuantity).toBe(3);
    await makeProduct(shop); // one that never was an entry
    for (const update of [false, true]) {
      const report = await changingNothing(shop, () => sync(update));
      expect(report).toEqual({ entries: 1, drift: [], updated: 0, faults: [] });
    }
    expect(await productOf(shop, id)).toMatchObject({ onHand: 7, quantity: 10 });
  });

  test('finds each field that differs, changes nothing in a dry run, and mends it', async () => {
    const id = await newEntry({ description: 'Old' });
    const product = known(await productOf(shop, id));
    entry(id).fields = {
      title: 'New',
      slug: `other-${id}`,
      description: 'Newer',
      price: 6.5,
      stock: 12,
      sku: `SKU-${id}`,
    };
    entry(id).revision = 2;
    entry(id).minute = 2;
    await rowsOf(shop.db, `UPDATE products SET status = 'DRAFT' WHERE id = $1`, [product.id]);
    const expected = [
      [id, 'title', 'New', 'Honey'],
      [id, 'slug', `other-${id}`, `synced-${id}`],
      [id, 'description', 'Newer', 'Old'],
      [id, 'status', 'ACTIVE', 'DRAFT'],
      [id, 'price', '6.50', '5.00'],
      [id, 'sku', `SKU-${id}`, product.sku],
      [id, 'stock', '12', '10'],
    ];
    expect(await changingNothing(shop, () => drift())).toEqual(expected);
    expect(await drift(true)).toEqual(expected);
    expect(await productOf(shop, id)).toMatchObject({
      ...{ id: product.id, title: 'New', slug: `other-${id}`, description: 'Newer', status: 'ACTIVE', price: 650 },
      ...{ sku: `SKU-${id}`, onHand: 12, quantity: 12 },
    });
    expect(await drift()).toEqual([]);
  });

  test('mends what was changed in the shop although that revision was applied', async () => {
    const id = await newEntry();
    const { id: productId } = known(await productOf(shop, id));
    await shop.app.services.catalogWriting.updateProduct(null, productId, { title: 'By hand' });
    expect(await drift(true)).toEqual([[id, 'title', 'Honey', 'By hand']]);
    expect(await productOf(shop, id)).toMatchObject({ title: 'Honey' });
  });

  test('makes products of entries that are none, and takes over those that have their slug', async () => {
    const [missing, same] = [newEntryId(), newEntryId()];
    const product = await makeProduct(shop, {
      slug: `same-${same}`,
      title: 'Same',
      variants: [{ price: 100, onHand: 2 }],
    });
    server.entries.push(
      { id: missing, fields: { title: 'Missing', slug: `missing-${missing}`, price: 1, stock: 3 } },
      { id: same, fields: { title: 'Same', slug: `same-${same}`, price: 1 } },
    );
    const report = await sync(true);
    expect(report).toEqual({
      entries: 2,
      drift: [
        { entryId: missing, product: null, field: 'product', cms: 'Missing', shop: null },
        { entryId: same, product: `same-${same}`, field: 'entry', cms: 'published', shop: null },
      ],
      updated: 2,
      faults: [],
    });
    expect(await productOf(shop, missing)).toMatchObject({ title: 'Missing', onHand: 3, quantity: 3 });
    expect(await productOf(shop, same)).toMatchObject({ id: product.id, onHand: 2 });
    expect(await drift()).toEqual([]);
  });

  test('takes off sale what is a draft, archived or gone; what is only slow to come is not gone', async () => {
    const [draft, archived, gone, kept] = [await newEntry(), await newEntry(), await newEntry(), await newEntry()];
    const products = await Promise.all(
      [draft, archived, gone, kept].map(async (id) => known(await productOf(shop, id)).id),
    );
    Object.assign(entry(draft), { state: 'DRAFT', minute: 1 });
    Object.assign(entry(archived), { state: 'ARCHIVED', minute: 1 });
    server.entries = server.entries.filter(({ id }) => id !== gone);
    const all = await sync(false);
    expect(new Map(all.drift.map(({ entryId, field, cms, shop: ours }) => [entryId, [field, cms, ours]]))).toEqual(
      new Map([
        [draft, ['status', 'unpublished', 'ACTIVE']],
        [archived, ['status', 'archived', 'ACTIVE']],
        [gone, ['status', 'deleted', 'ACTIVE']],
      ]),
    );
    expect((await sync(true, true)).updated).toBe(3);
    const rows = await rowsOf<{ id: string; status: string }>(
      shop.db,
      'SELECT id, status FROM products WHERE id = ANY($1)',
      [products],
    );
    const status = new Map(rows.map((row) => [row.id, row.status]));
    expect(products.map((id) => status.get(id))).toEqual(['DRAFT', 'ARCHIVED', 'ARCHIVED', 'ACTIVE']);
    expect(await drift()).toEqual([]);
  });

  test('is refused, and nothing changes, where more than a tenth of the products would go off sale', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 10; n += 1) ids.push(await newEntry());
    const [first = '', second = ''] = ids;
    const all = server.entries;
    // Another space: none of the entries, and one of its own.
    server.entries = [{ id: newEntryId(), fields: { title: 'Foreign', slug: 'foreign-entry', price: 1, stock: 1 } }];
    const refused = await changingNothing(shop, () => sync(true).catch((error: Error) => error.message));
    expect(refused).toContain('This would take 10 of 10 products off sale, because their entries are not published');
    // What is not refused: a look, and a tenth.
    expect((await sync(false)).drift).toHaveLength(11);
    server.entries = all.filter(({ id }) => id !== first);
    expect((await sync(true)).updated).toBe(1);
    server.entries = all.filter(({ id }) => id !== first && id !== second && id !== ids[2]);
    await expect(sync(true)).rejects.toThrow('This would take 2 of 9 products off sale');
    expect(await productOf(shop, second)).toMatchObject({ status: 'ACTIVE' });
    expect((await sync(true, true)).updated).toBe(2);
  });

  test('an entry that slips from one page to the other while they are read is not taken for gone', async () => {
    const id = await newEntry();
    const all = server.entries;
    // The lists of published ones do not have it; asked for by its ID it is there.
    server.before = (path) => {
      server.entries = path.includes('/public/') ? [] : all;
    };
    try {
      const report = await changingNothing(shop, () => sync(true));
      expect(report).toMatchObject({ drift: [], updated: 0 });
      expect(await productOf(shop, id)).toMatchObject({ status: 'ACTIVE' });
    } finally {
      server.before = () => {};
    }
  });

  test('what a webhook applied meanwhile is not overwritten by what was read before it', async () => {
    const id = await newEntry();
    const { id: productId } = known(await productOf(shop, id));
    await shop.app.services.catalogWriting.updateProduct(null, productId, { title: 'By hand' });
    server.before = async (path) => {
      if (!path.includes('/assets')) return;
      server.before = () => {};
      await deliverAndApply(shop, { id, fields: { title: 'Later', stock: 20 }, revision: 2, minute: 2 });
    };
    server.assets.set('a', '//images.example/a.jpg');
    entry(id).fields = { ...entry(id).fields, images: [{ sys: { type: 'Link', linkType: 'Asset', id: 'a' } }] };
    expect((await sync(true)).updated).toBe(0);
    expect(await productOf(shop, id)).toMatchObject({ title: 'Later', quantity: 20, images: [] });
  });

  test('reads many pages and reports progress; an entry that cannot be applied is reported, and the others are applied', async () => {
    server.entries = Array.from({ length: 205 }, (_, i) => ({
      id: `many${String(i).padStart(3, '0')}`,
      fields: i === 7 ? { title: 'Bad', price: -1 } : { title: `Many ${i}`, slug: `many-${i}`, price: 1 },
    }));
    const progress: [number, number][] = [];
    const report = await known(shop.app.services.contentful.sync).run({
      update: false,
      onProgress: (done, total) => progress.push([done, total]),
    });
    expect(progress).toEqual([
      [100, 205],
      [200, 205],
      [205, 205],
    ]);
    expect(report).toMatchObject({ entries: 205, updated: 0 });
    expect(report.drift).toHaveLength(204);
    expect(report.faults).toEqual([{ entryId: 'many007', reason: 'price must not be negative.' }]);
  });
});

describe('pictures', () => {
  const link = (id: string) => ({ sys: { type: 'Link', linkType: 'Asset', id } });

  test('are read through the CMS, in order, when a delivery is applied', async () => {
    server.assets.set('one', '//images.ctfassets.net/one.jpg').set('two', 'https://images.ctfassets.net/two.jpg');
    const id = await newEntry({ images: [link('two'), link('gone'), link('one')] });
    expect(await productOf(shop, id)).toMatchObject({
      images: [
        { url: 'https://images.ctfassets.net/two.jpg', altText: 'Picture two' },
        { url: 'https://images.ctfassets.net/one.jpg', altText: 'Picture one' },
      ],
    });
    expect(await drift()).toEqual([]);
    server.assets.set('two', '//images.ctfassets.net/better.jpg');
    expect((await drift()).map(([, field]) => field)).toEqual(['images']);
    await deliverAndApply(shop, { id, fields: { images: null }, revision: 2, minute: 1 });
    expect(await productOf(shop, id)).toMatchObject({ images: [] });
  });

  test('the CMS is asked again where it is busy, or failed for a moment', async () => {
    server.assets.set('busy', '//images.ctfassets.net/busy.jpg');
    server.troubles.push({ status: 429, headers: { 'x-contentful-ratelimit-reset': '0' } }, { status: 502 });
    const id = await newEntry({ images: [link('busy')] });
    expect(await productOf(shop, id)).toMatchObject({ images: [{ url: 'https://images.ctfassets.net/busy.jpg' }] });
    expect(server.asked).toHaveLength(3);
  }, 20_000);

  test('an invalid token is retried, and is not logged', async () => {
    const other = await openQuietShop({
      ...{ CONTENTFUL_WEBHOOK_SECRET: SECRET, CONTENTFUL_HOST: server.host, ...SPACE },
      CONTENTFUL_MANAGEMENT_TOKEN: 'CFPAT-wrong',
    });
    try {
      const id = newEntryId();
      const fields = { title: 'X', price: 1, images: [link('a')] };
      const failure = /^Contentful: AccessTokenInvalid \(401.*\)$/;
      await expect(deliverAndApply(other, { id, fields })).rejects.toThrow(failure);
      const row = () =>
        rowsOf<{ status: string; reason: string }>(other.db, 'SELECT status, reason FROM webhook_deliveries');
      expect(await row()).toEqual([{ status: 'PENDING', reason: null }]);
      // The tenth time it is left to staff.
      await rowsOf(other.db, 'UPDATE webhook_deliveries SET attempts = 9');
      const [{ id: delivery } = { id: '' }] = await rowsOf<{ id: string }>(
        other.db,
        'SELECT id FROM webhook_deliveries',
      );
      await other.app.services.webhooks.apply(delivery);
      expect(await row()).toEqual([
        { status: 'FAILED', reason: expect.stringMatching(/AccessTokenInvalid/) as string },
      ]);
      expect(await productOf(other, id)).toBeNull();
    } finally {
      await other.dispose();
    }
  });
});

describe('npm run contentful:sync', () => {
  async function run(args: string[], env: NodeJS.ProcessEnv = {}) {
    const { database } = shop.config;
    if (database.kind !== 'url') throw new Error('the shop has its own database');
    const { status, output } = await callCommand(contentfulSync, args, {
      ...{ DATABASE_URL: database.url, DATA_DIR: newDataDir(), CONTENTFUL_HOST: server.host, ...SPACE },
      ...env,
    });
    return { status, output };
  }

  test('prints the drift and ends with 1 in a dry run, mends it with 0, and has nothing more to say then', async () => {
    const id = await newEntry({ stock: 4 });
    entry(id).fields = { ...entry(id).fields, title: 'Renamed', price: 7, stock: 5 };
    const dry = await changingNothing(shop, () => run(['--dry-run']));
    expect(dry.status).toBe(1);
    const cells = dry.output.split('\n').map((line) =>
      line
        .split('│')
        .map((cell) => cell.trim())
        .filter((cell) => cell !== ''),
    );
    expect(cells.filter((row) => row.length === 5)).toEqual([
      ['entry', 'product', 'field', 'Contentful', 'shop'],
      [id, `synced-${id}`, 'title', 'Renamed', 'Honey'],
      [id, `synced-${id}`, 'price', '7.00', '5.00'],
      [id, `synced-${id}`, 'stock', '5', '4'],
    ]);
    expect(dry.output).toContain('1 entries compared, 1 differ; nothing was changed.\n');
    const updated = await run([]);
    expect(updated).toMatchObject({ status: 0 });
    expect(updated.output).toContain('1 entries compared, 1 differ; 1 updated.\n');
    expect(await productOf(shop, id)).toMatchObject({ title: 'Renamed', price: 700, onHand: 5 });
    expect(await run(['--dry-run'])).toEqual({
      status: 0,
      output: '1 entries compared, 0 differ; nothing was changed.\n',
    });
  });

  test('exits with 1 if the shop has a later revision than the space, which it reports and keeps', async () => {
    const id = await newEntry();
    await deliverAndApply(shop, { id, fields: { title: 'Later' }, revision: 9, minute: 9 });
    const left = await changingNothing(shop, () => run([]));
    expect(left.output).toContain(
      '1 entries compared, 1 differ; 0 updated.\n1 left unchanged, because a later change was',
    );
    expect(left.status).toBe(1);
  });

  test('ends with 2, and says why, where it cannot ask, or an entry cannot be applied', async () => {
    const none = await run([], { CONTENTFUL_SPACE_ID: '', CONTENTFUL_MANAGEMENT_TOKEN: '' });
    const needed = 'Contentful requires CONTENTFUL_SPACE_ID and CONTENTFUL_MANAGEMENT_TOKEN.\n';
    expect(none).toEqual({ status: 2, output: needed });
    const refused = await run([], { CONTENTFUL_MANAGEMENT_TOKEN: 'wrong-token' });
    expect(refused.status).toBe(2);
    expect(refused.output).toMatch(/^Contentful: AccessTokenInvalid/);
    expect(refused.output).not.toContain('wrong-token');
    server.entries = [{ id: 'bad1', fields: { title: 'Bad', price: -1 } }];
    const bad = await changingNothing(shop, () => run([]));
    expect(bad.status).toBe(2);
    expect(bad.output).toContain('bad1 cannot be applied: price must not be negative.\n');
  });
});
