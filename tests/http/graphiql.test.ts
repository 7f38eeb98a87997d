import { readFileSync } from 'node:fs';
import { buildSchema, Kind, parse, validate } from 'graphql';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTabs } from '../../src/graphql/graphiql/tabs.ts';
import { hasBrowser, launchBrowser, PLAIN, type TestBrowser } from '../support/browser.ts';
import { settled } from '../support/settled.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

describe.skipIf(!hasBrowser('GraphiQL'))('GraphiQL in a real browser, without the internet', () => {
  let shop: TestShop;
  let browser: TestBrowser;
  let page: Page;
  /** What the page asked for that is not this shop, and what went wrong in it. */
  const outside: string[] = [];
  const faults: string[] = [];

  beforeAll(async () => {
    // The password that stands in the tab already.
    const env = { SEED: 'demo', BCRYPT_COST: '4', ADMIN_PASSWORD: 'see .data/admin-password' };
    shop = await createApiNode({ env });
    browser = await launchBrowser();
    // High enough for whole answers: the editor draws what is in sight alone.
    page = await browser.newPage({ ...PLAIN, viewport: { width: 1400, height: 2000 } });
    page.setDefaultTimeout(PATIENCE_MS);
    // Blobs are made by the page itself.
    page.on('request', (request) => {
      if (!request.url().startsWith(`${shop.url}/`) && !request.url().startsWith('blob:')) outside.push(request.url());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(shop.url);
    await page.locator('.graphiql-execute-button').waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.dispose();
  });

  /** Whether the answer comes to show all of this, spaces aside: the editor writes some that do not break. */
  async function answerShows(...texts: string[]): Promise<boolean> {
    let shown = '';
    await until('the answer shows it', async () => {
      shown = ((await page.locator('.graphiql-response').textContent()) ?? '').replaceAll(/[\u00a0\s]/g, '');
      return texts.every((text) => shown.includes(text));
    }).catch((error: unknown) => {
      throw new Error(`wanted ${texts.join(' ')}, shown: ${shown}`, { cause: error });
    });
    return true;
  }

  async function openTab(name: string): Promise<void> {
    await page.locator('.graphiql-tab-button', { hasText: name }).click();
    // GraphiQL looks into the new document a moment later; until then it would run the operation of the old one.
    await page.waitForFunction((wanted) => {
      const state = JSON.parse(localStorage.getItem('graphiql:tabState') ?? '{}') as {
        tabs?: { operationName: string }[];
        activeTabIndex?: number;
      };
      return state.tabs?.[state.activeTabIndex ?? 0]?.operationName === wanted;
    }, name);
  }
  const run = () => page.locator('.graphiql-execute-button').click();

  test('has its tabs ready', async () => {
    const names = await page.locator('.graphiql-tab-button').allTextContents();
    expect(names).toEqual(['Browse', 'AddToCart', 'WatchStock', 'CheckOut', 'LookUpOrder', 'LogIn', 'RunTheShop']);
  });

  test('runs the browse example as it stands', async () => {
    await run();
    expect(await answerShows('"title":"AcaciaHoney"', '"sku":"ACACIA-250"', '"available":120')).toBe(true);
  });

  test('runs the subscription example, and shows what is sold elsewhere', async () => {
    await openTab('WatchStock');
    await settled(shop);
    const feed = shop.app.feed ?? expect.fail();
    const { subscribe } = feed;
    const subscribed = new Promise<void>((resolve) => {
      feed.subscribe = (listener) => {
        resolve();
        return subscribe(listener);
      };
    });
    await run();
    await subscribed;
    feed.subscribe = subscribe;
    const { cartLinesAdd } = await shop
      .client()
      .data<{ cartLinesAdd: { errors: [] } }>(
        'mutation { cartLinesAdd(input: { lines: [{ sku: "ACACIA-250", quantity: 3 }] }) { errors { code } } }',
      );
    expect(cartLinesAdd.errors).toEqual([]);
    expect(await answerShows('"available":117', '"previousAvailable":120', '"sku":"ACACIA-250"')).toBe(true);
    // Pressed again it stops.
    await run();
  });

  test('runs the others one after the other: fills the cart, checks out, finds the order', async () => {
    await openTab('AddToCart');
    await run();
    expect(await answerShows('"quantity":2', '"available":115', '"errors":[]')).toBe(true);
    await openTab('CheckOut');
    await run();
    expect(
      await answerShows('"status":"PLACED"', '"subtotal":{"amount":"19.80"}', '"amount":"35.97"', '"errors":[]'),
    ).toBe(true);
    await openTab('LookUpOrder');
    await run();
    expect(await answerShows('"data":{"order":')).toBe(true);
  });

  test('lets staff in, and shows them what is theirs to see', async () => {
    await openTab('LogIn');
    await run();
    expect(await answerShows('"role":"ADMIN"', '"errors":[]')).toBe(true);
    await openTab('RunTheShop');
    await run();
    expect(await answerShows('"totalCount":1', '"onHand":', '"kind":"USER_CREATED"', '"discrepancies":[]')).toBe(true);
  });

  test('asked nobody but the shop, and had no fault', () => {
    expect(outside).toEqual([]);
    expect(faults).toEqual([]);
  });
});

test('every tab is a valid operation of the schema, with the variables that it takes', () => {
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  const tabs = readTabs();
  expect(tabs).toHaveLength(7);
  for (const { query, variables } of tabs) {
    const document = parse(query);
    expect(validate(schema, document).map(({ message }) => message)).toEqual([]);
    const taken = document.definitions.flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION ? (definition.variableDefinitions ?? []) : [],
    );
    expect(Object.keys(JSON.parse(variables ?? '{}') as object)).toEqual(
      taken.map(({ variable }) => variable.name.value),
    );
    // Says what it shows.
    expect(query).toMatch(/^# \w/);
  }
});

test('the page is sent compressed or plain, and answered with 304 to clients that have it', async () => {
  const shop = await createApiNode();
  try {
    const headers = { accept: 'text/html' };
    const plain = await shop.request({ path: '/graphql', headers });
    expect([plain.status, plain.headers['content-type'], plain.headers['content-encoding']]).toEqual([
      200,
      'text/html; charset=utf-8',
      undefined,
    ]);
    expect(plain.body).toMatch(/^\s*<!doctype html>/);
    expect(plain.headers['content-security-policy']).toMatch(
      /script-src 'sha256-[\w+/=]+' blob:;.*frame-ancestors 'none'/,
    );
    expect(plain.headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/);
    const packed = await shop.request({ path: '/graphql', headers: { ...headers, 'accept-encoding': 'br, gzip' } });
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(Number(packed.headers['content-length'])).toBeLessThan(Number(plain.headers['content-length']) / 3);
    const again = await shop.request({
      path: '/graphql',
      headers: { ...headers, 'if-none-match': String(plain.headers.etag) },
    });
    expect([again.status, again.body]).toEqual([304, '']);
  } finally {
    await shop.dispose();
  }
});
