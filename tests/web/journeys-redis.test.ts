import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff } from '../support/accounts.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import type { World } from '../support/fixtures.ts';
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { ensureWebBuild } from '../support/web-build.ts';
import { losesHoldAndTakesItAgain, seesOrderAsItIsPlaced } from '../support/window-journeys.ts';

// The journeys that depend on how events and jobs travel, where both go through Redis. The other files make them without.

const isTried = hasBrowser('journeys on Redis') && hasRedis('the shop window');

describe.skipIf(!isTried)('on Redis', () => {
  let shop: TestShop & World;
  let browser: TestBrowser;
  let redis: TestRedis;

  beforeAll(async () => {
    await ensureWebBuild();
    redis = await startRedis();
    const env = { WEB: 'on', BCRYPT_COST: '4', REDIS_URL: redis.url };
    const [opened, launched] = await Promise.all([createTestShop({ env }), launchBrowser()]);
    shop = { ...opened, eventLog: opened.app.eventLog };
    browser = launched;
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.dispose();
    await redis?.dispose();
  });

  test('a hold runs out under the eyes of its shopper, and is taken again', async () => {
    expect(await losesHoldAndTakesItAgain(shop, browser)).toEqual([]);
  });

  test('an order is seen on the dashboard as it is placed', async () => {
    expect(await seesOrderAsItIsPlaced(shop, browser, await newStaff(shop))).toEqual([]);
  });
});
