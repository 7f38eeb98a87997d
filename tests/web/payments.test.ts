import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newEmail, newStaff, type Person } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { hasBrowser, launchBrowser, type TestBrowser } from '../support/browser.ts';
import { globalId, makeProduct, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { paymentDocuments } from '../support/payer.ts';
import { enter } from '../support/shopper.ts';
import { fillCheckout, newVisitor } from '../support/shop-window.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';
import { ensureWebBuild } from '../support/web-build.ts';

// Paying in the shop window, in a real browser, with the test provider: its pay page, its webhooks, its refunds.

describe.skipIf(!hasBrowser('payments in the shop window'))('paying', () => {
  let shop: TestShop & World;
  let browser: TestBrowser;
  let staff: Person;

  beforeAll(async () => {
    await ensureWebBuild();
    const env = { WEB: 'on', PAYMENT_PROVIDERS: 'test,manual' };
    const [opened, launched] = await Promise.all([createTestShop({ env }), launchBrowser()]);
    shop = { ...opened, eventLog: opened.app.eventLog };
    browser = launched;
    staff = await newStaff(shop);
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.dispose();
  });

  const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name, exact: true });

  /** A visitor who has filled the checkout in, and is about to pay. */
  async function atCheckout(onHand = 5) {
    const made = await makeProduct(shop, { title: 'Clover Honey', variants: [{ onHand, price: 1000 }] });
    const visitor = await newVisitor(browser, shop.url);
    const page = await visitor.open(`/products/${made.slug}`);
    await button(page, 'Add to cart').click();
    await page.getByRole('dialog').getByRole('link', { name: 'Check out' }).click();
    const email = newEmail();
    await fillCheckout(page, email);
    return { ...visitor, page, email, variantId: known(made.variants[0]).id };
  }

  const orderOf = async (email: string) =>
    until('the order is there', async () => {
      const [order] = await rowsOf<{ id: string; payment_status: string }>(
        shop.db,
        'SELECT id, payment_status FROM orders WHERE email = $1',
        [email],
      );
      return order;
    });

  test('pays on the page of the provider, and sees a refund as it happens', async () => {
    const { page, email } = await atCheckout();
    await button(page, 'Pay $10.00').click();
    await page.waitForURL('**/pay/test/**');
    await page.locator('button[value=pay]').click();
    await page.getByRole('heading', { name: /^Order \d+$/ }).waitFor();
    const order = known(await orderOf(email));
    await page.getByTestId('payment').getByText('Paid', { exact: true }).waitFor();
    const orderId = Buffer.from(`Order:${order.id}`).toString('base64');
    await staff.client.data(paymentDocuments.refund, { input: { orderId, idempotencyKey: 'once', amount: '4' } });
    await page.getByTestId('payment').getByText('Refunded in part').waitFor();
    await page.getByTestId('refund').getByText('$4.00').waitFor();
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('is declined, and tries again', async () => {
    const { page, email } = await atCheckout();
    await button(page, 'Pay $10.00').click();
    await page.waitForURL('**/pay/test/**');
    await page.locator('button[value=decline]').click();
    await page.getByRole('alert').waitFor();
    await page.getByRole('link', { name: 'Try again' }).click();
    await page.waitForURL('**/pay/test/**');
    await page.locator('button[value=pay]').click();
    await page.getByRole('heading', { name: /^Order \d+$/ }).waitFor();
    expect(await orderOf(email)).toBeDefined();
  });

  test('closes the tab while paying, and comes back', async () => {
    const { page, open, email } = await atCheckout();
    await button(page, 'Pay $10.00').click();
    await page.waitForURL('**/pay/test/**');
    await page.close();
    const again = await open('/checkout');
    await again.getByRole('link', { name: 'Go on paying' }).click();
    await again.getByRole('link', { name: 'Pay now' }).click();
    await again.waitForURL('**/pay/test/**');
    // The order is there before the page is, and the cart leads to the payment no longer.
    await again.route('**/pay', async (route) => {
      await orderOf(email);
      await route.continue();
    });
    await again.locator('button[value=pay]').click();
    await again.getByRole('heading', { name: /^Order \d+$/ }).waitFor();
    expect(await orderOf(email)).toBeDefined();
  });

  /** The time to pay is over, and the units go back to stock; the bank has not heard of that. */
  async function runOutOfTime(variantId: string): Promise<void> {
    await rowsOf(
      shop.db,
      `UPDATE carts SET expires_at = clock_timestamp() - interval '1 second'
        WHERE id IN (SELECT cart_id FROM cart_lines WHERE variant_id = $1)`,
      [variantId],
    );
    await until('the units are back', async () => {
      await shop.app.services.cart.expireOverdue();
      const text = 'SELECT held FROM product_variants WHERE id = $1';
      return (await rowsOf<{ held: number }>(shop.db, text, [variantId]))[0]?.held === 0;
    });
  }

  test('runs out of time, and has the order after all when the bank agrees afterwards', async () => {
    const { page, email, variantId } = await atCheckout();
    await button(page, 'Pay $10.00').click();
    await page.waitForURL('**/pay/test/**');
    await runOutOfTime(variantId);
    await page.locator('button[value=pay]').click();
    await page.getByRole('heading', { name: /^Order \d+$/ }).waitFor();
    expect(await orderOf(email)).toBeDefined();
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('runs out of time, and gets the money back where somebody else has the last unit', async () => {
    const { page, variantId } = await atCheckout(1);
    await button(page, 'Pay $10.00').click();
    await page.waitForURL('**/pay/test/**');
    await runOutOfTime(variantId);
    const other = await enter(shop);
    const { errors } = await other.add({ variantId: globalId('ProductVariant', variantId), quantity: 1 });
    expect(errors).toEqual([]);
    await page.locator('button[value=pay]').click();
    const notice = page.getByText('your items are no longer available');
    await notice.waitFor();
    expect(await notice.textContent()).toMatch(/No order was placed for this payment\. You were not charged\.$/);
    await until('the authorization is voided', async () => {
      const text = `SELECT state FROM test_provider_payments WHERE state = 'CANCELLED' AND payment_id IN (
        SELECT p.id::text FROM payments p JOIN cart_lines l ON l.cart_id = p.cart_id WHERE l.variant_id = $1)`;
      return (await rowsOf(shop.db, text, [variantId])).length === 1;
    });
    expect(await findFaults(shop.db)).toEqual([]);
  });

  test('cancels, and changes the cart', async () => {
    const { page, open } = await atCheckout();
    await button(page, 'Pay $10.00').click();
    await page.waitForURL('**/pay/test/**');
    await page.close();
    const again = await open('/pay');
    await button(again, 'Cancel the payment and change the cart').click();
    await again.getByText('The payment was cancelled.').waitFor();
    await again.getByRole('link', { name: 'Back to your cart' }).click();
    await again.getByText('Held for you for').first().waitFor();
    expect(await rowsOf(shop.db, `SELECT state FROM payments ORDER BY created_at DESC LIMIT 1`)).toEqual([
      { state: 'CANCELLED' },
    ]);
  });
});
