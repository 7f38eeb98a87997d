import { appendFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeProduct } from '../../support/fixtures.ts';
import { newFile, plainRow, runImportProcess, startImport, toCsv, writeProducts } from '../../support/import.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { startProcess } from '../../support/shop-process.ts';
import { watchNow } from '../../support/watch.ts';

/** An import beside the shop, in a process of its own. */

let shop: QuietShop;

beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

test('subscribers receive the changes of an import', async () => {
  const { globalId, variants } = await makeProduct(shop, {
    slug: 'seen',
    title: 'Seen',
    variants: [{ sku: 'SEEN', onHand: 5 }],
  });
  const products = await watchNow<{ productChanged: { product: { title: string } } }>(
    shop,
    'WebSocket',
    `subscription { productChanged(productIds: ["${globalId}"]) { product { title } } }`,
  );
  const levels = await watchNow<{ stockChanged: { available: number } }>(
    shop,
    'SSE',
    `subscription { stockChanged(variantIds: ["${variants[0]?.globalId}"]) { available } }`,
  );
  const file = await writeProducts([plainRow('seen', { Title: 'Seen anew', 'Variant Inventory Qty': '9' })]);
  expect((await runImportProcess(shop, file)).status).toBe(0);
  expect((await products.events.take()).productChanged.product.title).toBe('Seen anew');
  expect((await levels.events.take()).stockChanged.available).toBe(9);
});

test('a process that gets two signals stops at once', async () => {
  const file = await writeProducts(Array.from({ length: 30 }, (_, i) => plainRow(`twice-${i}`)));
  const lock = await shop.db.connect();
  try {
    await lock.query('BEGIN');
    await lock.query('LOCK TABLE products IN EXCLUSIVE MODE');
    const { child, exited } = startImport(shop, [file]);
    await expect
      .poll(async () => (await lock.query(`SELECT FROM pg_locks WHERE NOT granted`)).rowCount, { timeout: 20_000 })
      .toBeGreaterThan(0);
    child.kill('SIGINT');
    const insist = setInterval(() => child.kill('SIGINT'), 100);
    // By its own hand, or by a signal that came when it had let go of its handlers already.
    expect([130, 'SIGINT']).toContain(await exited);
    clearInterval(insist);
  } finally {
    await lock.end();
  }
});

test('a file that is larger than the memory of the process is imported', async () => {
  const path = newFile();
  const words = 'Words about it, in "quotes". '.repeat(70);
  await writeFile(path, toCsv([plainRow('p', { 'Body (HTML)': words })]));
  for (let chunk = 0; chunk < 45; chunk += 1) {
    const rows = Array.from({ length: 500 }, (_, i) => plainRow(`p-${chunk}-${i}`, { 'Body (HTML)': words }));
    await appendFile(path, toCsv(rows).replace(/^.*\n/, ''));
  }
  // 45 MB in 40 MB: code takes 20 of them. The process reads each byte twice, so optimised code pays here.
  const node = ['--opt', '--max-old-space-size=40'];
  const { output, exited } = startProcess([...node, 'tests/support/count-rows-child.ts', path], {});
  expect(await exited).toBe(0);
  expect(output()).toBe('22501 22501\n');
});
