import { newEmail, PASSWORD, type Person } from './accounts.ts';
import type { TestBrowser } from './browser.ts';
import { makeOverdue, type World } from './fixtures.ts';
import { guestWithOrder } from './order-life.ts';
import { addToCart, button, fillCheckout, makeProductPage, newVisitor } from './shop-window.ts';
import type { TestShop } from './shop.ts';

/*
 * The journeys that depend on how events and jobs travel: they are made on both ways to run. Each gives what went wrong in its pages.
 */

type Shop = TestShop & World;

/** One holds the last unit; the other one waits, hears of it when it is back, and buys it. */
export async function pursueLastUnit(shop: Shop, browser: TestBrowser): Promise<string[]> {
  const { path } = await makeProductPage(shop, 1);
  const [ada, eve] = [await newVisitor(browser, shop.url), await newVisitor(browser, shop.url)];
  const [adas, eves] = [await ada.open(path), await eve.open(path)];
  await eves.getByText('1 left').waitFor();
  await addToCart(adas);
  await button(eves, 'Notify me').waitFor();
  const email = newEmail();
  await eves.getByLabel('E-mail').fill(email);
  await button(eves, 'Notify me').click();
  await eves.getByText(`We write to ${email}`).waitFor();

  await adas.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await adas.getByText('Nothing here yet.').waitFor();
  await addToCart(eves);
  await button(adas, 'Close').click();
  await button(adas, 'Notify me').waitFor();
  await eves.getByRole('dialog').getByRole('link', { name: 'Check out' }).click();
  await fillCheckout(eves, email);
  await button(eves, 'Place order').click();
  await eves.getByRole('heading', { name: /^Order / }).waitFor();
  return [...ada.faults, ...eve.faults];
}

/** A hold counts down by the clock of the shop, runs out under the eyes of its shopper, and is taken again. */
export async function losesHoldAndTakesItAgain(shop: Shop, browser: TestBrowser): Promise<string[]> {
  const { path } = await makeProductPage(shop, 5);
  const ada = await newVisitor(browser, shop.url);
  const page = await ada.newPage();
  // A device whose clock is years behind.
  await using _clock = await page.addInitScript(() => {
    const behind = 20 * 365 * 24 * 60 * 60 * 1000;
    const now = Date.now.bind(Date);
    Date.now = () => now() - behind;
  });
  await page.goto(`${shop.url}${path}`);
  await addToCart(page);
  await page.getByText(/^Held for you for 1[45]:\d\d$/).waitFor();
  await makeOverdue(shop);
  const drawer = page.getByRole('dialog');
  await drawer.getByText('The time is over.').waitFor();
  await page.getByText('5 in stock').waitFor();
  await drawer.getByRole('button', { name: 'Hold it again' }).click();
  await drawer.getByText('Held for you for').waitFor();
  await page.getByText('4 in stock').waitFor();
  return ada.faults;
}

/** Staff see an order on the dashboard as it is placed. */
export async function seesOrderAsItIsPlaced(shop: Shop, browser: TestBrowser, staff: Person): Promise<string[]> {
  const { sku } = await makeProductPage(shop, 5);
  const desk = await newVisitor(browser, shop.url, { viewport: { width: 1440, height: 900 } });
  const page = await desk.newPage();
  await page.goto(`${shop.url}/dashboard/orders`);
  await page.getByLabel('E-mail').fill(staff.email);
  await page.getByLabel('Password').fill(PASSWORD);
  await button(page, 'Log in').click();
  await page.getByText('Live', { exact: true }).waitFor();
  const { order } = await guestWithOrder(shop, [{ sku, quantity: 2 }]);
  await page.getByRole('row').filter({ hasText: order.number }).waitFor();
  return desk.faults;
}
