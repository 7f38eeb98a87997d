import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { newPerson, newStaff, PASSWORD, type Person } from '../support/accounts.ts';
import { findBarriers, findBarriersInAllLooks } from '../support/axe.ts';
import { hasBrowser, launchBrowser, PLAIN, type BorrowedContext, type TestBrowser } from '../support/browser.ts';
import { levelOf, makeProduct, type World } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { guestWithOrder } from '../support/order-life.ts';
import { shopperOf } from '../support/shopper.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { ensureWebBuild } from '../support/web-build.ts';
import { collectFaults, countScriptBytes, goWithin, type Faults } from '../support/web-page.ts';

// Journeys of staff in the dashboard, in a real browser.

const MAX_SCRIPT_BYTES = 300_000;
const DESK_SIZE = { width: 1440, height: 900 };

interface Desk {
  page: Page;
  faults: Faults;
  scriptBytes: () => Promise<number>;
}

describe.skipIf(!hasBrowser('dashboard'))('the dashboard', () => {
  let shop: TestShop & World;
  let browser: TestBrowser;
  let staff: Person;
  let sku: string;
  let desk: Desk | null = null;
  let isSpoilt = false;

  async function openShop(): Promise<void> {
    const opened = await createTestShop({ env: { WEB: 'on', BCRYPT_COST: '4' } });
    shop = { ...opened, eventLog: opened.app.eventLog };
    staff = await newStaff(shop);
    const product = await makeProduct(shop, { title: 'Acacia honey', variants: [{ onHand: 500, price: 990 }] });
    sku = known(product.variants[0]).sku;
  }

  beforeAll(async () => {
    await ensureWebBuild();
    await openShop();
    browser = await launchBrowser();
  });
  // What a test that failed has left behind, such as a shipping zone, would fail its second try and other tests.
  beforeEach(async () => {
    onTestFailed(() => {
      isSpoilt = true;
    });
    if (!isSpoilt) return;
    isSpoilt = false;
    await desk?.page.context().close();
    desk = null;
    await shop.dispose();
    await openShop();
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.dispose();
  });
  /** Somebody with a browser of their own, who leaves when the test is over. The test fails where something went wrong in the pages. */
  async function newVisitor(isExpected?: (fault: string) => boolean): Promise<BorrowedContext> {
    const visitor = await browser.borrow({ url: shop.url, locale: 'en-GB', viewport: DESK_SIZE });
    const faults = collectFaults(visitor.context, isExpected);
    onTestFinished(async () => {
      await visitor.leave();
      faults.stop();
      expect(faults.found).toEqual([]);
    });
    return visitor;
  }

  async function open(visitor: BorrowedContext, path = ''): Promise<Page> {
    const page = await visitor.newPage();
    page.setDefaultTimeout(30_000);
    await page.goto(`${shop.url}/dashboard${path}`);
    return page;
  }

  /**
   * The page of one of the staff, who is logged in and goes on working from test to test: it is loaded once. The test after one
   * that failed gets a new one.
   */
  async function atDesk(path: string): Promise<Page> {
    desk ??= await openDesk();
    const { page, faults } = desk;
    onTestFinished(() => expect(faults.found.splice(0)).toEqual([]));
    await goWithin(page, `/dashboard${path}`);
    return page;
  }

  async function openDesk(): Promise<Desk> {
    const context = await browser.newContext({ ...PLAIN, locale: 'en-GB', viewport: DESK_SIZE });
    const faults = collectFaults(context);
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const scriptBytes = countScriptBytes(page);
    await page.addInitScript(() => {
      // The document keeps the states that what sounds has had, one after the other.
      globalThis.AudioContext = class extends AudioContext {
        constructor() {
          super();
          const { dataset } = document.documentElement;
          this.addEventListener('statechange', () => (dataset['sound'] = `${dataset['sound'] ?? ''} ${this.state}`));
        }
      };
    });
    await page.goto(`${shop.url}/dashboard`);
    await logIn(page);
    await page.getByRole('link', { name: 'Orders' }).waitFor();
    return { page, faults, scriptBytes };
  }

  async function logIn(page: Page, person: Person = staff): Promise<void> {
    await page.getByLabel('E-mail').fill(person.email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  function place(name = 'Ada Lovelace') {
    const shippingAddress = {
      line1: '12 St James Square',
      city: 'London',
      postalCode: 'SW1Y 4LE',
      countryCode: 'GB',
      name,
    };
    const input = { email: 'ada@example.com', shippingAddress };
    return guestWithOrder(shop, [{ sku, quantity: 2 }], input);
  }

  test('an order appears as it is placed, and goes its way by the steps of staff', async () => {
    const page = await atDesk('');
    const { scriptBytes } = known(desk);
    await page.getByRole('link', { name: 'Orders' }).click();
    await page.getByText('No orders yet').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();

    const { order } = await place();
    const row = page.getByRole('row').filter({ hasText: order.number });
    await row.waitFor();
    await page.locator('html[data-sound*=running]').waitFor();
    expect(await row.textContent()).toContain('Ada Lovelace');
    expect(await scriptBytes()).toBeGreaterThan(50_000);
    expect(await scriptBytes()).toBeLessThan(MAX_SCRIPT_BYTES);

    await row.getByRole('link', { name: order.number }).click();
    await page.getByRole('heading', { name: `Order ${order.number}` }).waitFor();
    await page.getByText('12 St James Square').waitFor();
    await page.getByLabel('Note').fill('Handed to the courier');
    await page.getByRole('button', { name: 'Mark as fulfilled' }).click();
    await page.getByText('Handed to the courier').first().waitFor();
    await page.getByRole('button', { name: 'Mark as paid' }).click();
    await page.getByRole('button', { name: 'Mark as refunded' }).waitFor();
    await page.getByRole('button', { name: 'Mark as delivered' }).click();
    await page
      .getByRole('listitem')
      .filter({ hasText: /^Delivered/ })
      .waitFor();
    expect(await page.getByRole('button', { name: 'Cancel order' }).count()).toBe(0);
    // The bell that rang rests: it costs nothing until the next order.
    await page.locator('html[data-sound$=suspended]').waitFor();
  });

  test('orders are found by status, number, name and e-mail, and a list loses what no longer meets its conditions', async () => {
    const [first, second] = [await place('Grace Hopper'), await place('Łucja Dębska')];
    const page = await atDesk('/orders?status=PLACED');
    const numbers = page.locator('tbody th');
    await page.getByRole('row').filter({ hasText: second.order.number }).waitFor();
    await page.getByLabel('Search').fill('lucja deb');
    await page.getByRole('row').filter({ hasText: first.order.number }).waitFor({ state: 'detached' });
    expect(await numbers.allTextContents()).toEqual([second.order.number]);

    await page.getByLabel('Search').fill(first.order.number);
    await page.getByRole('row').filter({ hasText: first.order.number }).waitFor();
    await staff.client.data(
      'mutation ($id: ID!) { orderStatusUpdate(input: { id: $id, status: FULFILLED }) { errors { code } } }',
      { id: first.order.id },
    );
    await page.getByText('No order matches').waitFor();
    await page.getByLabel('Status').selectOption('FULFILLED');
    await page.getByRole('row').filter({ hasText: first.order.number }).waitFor();
    // The address has it all.
    await page.reload();
    await page.getByRole('row').filter({ hasText: first.order.number }).waitFor();
    expect(await page.getByLabel('Status').inputValue()).toBe('FULFILLED');
  });

  test('a session that ends leads to the log-in, and back to the same page', async () => {
    const other = await newStaff(shop);
    const { order } = await place();
    // What the browser says of answers that ended the session.
    const visitor = await newVisitor((fault) => /\b401\b/.test(fault));
    const page = await open(visitor, `/orders/${order.number}`);
    await logIn(page, other);
    await page.getByRole('heading', { name: `Order ${order.number}` }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await other.client.data('mutation { logout(input: { everywhere: true }) { loggedOut } }', {});
    await page.getByText('Your session has ended').waitFor();
    await logIn(page, other);
    await page.getByRole('heading', { name: `Order ${order.number}` }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/dashboard/orders/${order.number}`);
  });

  test('customers see a page that says that the dashboard is for staff', async () => {
    const customer = await newPerson(shop);
    const page = await open(await newVisitor());
    await logIn(page, customer);
    await page.getByRole('heading', { name: 'This page is for staff' }).waitFor();
    expect(await page.getByRole('link', { name: 'Orders' }).count()).toBe(0);
  });

  test('levels change as carts take units, low stock comes first, and the second of two who set a level sees what the first set', async () => {
    const { variants } = await makeProduct(shop, {
      title: 'Heather honey',
      variants: [{ sku: 'HEATHER', onHand: 9, price: 1200 }],
    });
    const page = await atDesk('/stock');
    const second = await open(await newVisitor(), '/stock');
    await logIn(second);
    const row = page.getByRole('row').filter({ hasText: 'HEATHER' });
    const cells = row.getByRole('cell');
    await row.waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    await shopperOf(shop.client()).add({ sku: 'HEATHER', quantity: 9 });
    await row.getByText('Sold out').waitFor();
    expect((await cells.allTextContents()).slice(0, 4)).toEqual(['Sold out', '0', '9', '9']);
    await page.getByRole('row').nth(1).filter({ hasText: 'HEATHER' }).waitFor();

    for (const one of [page, second]) {
      await one.getByRole('button', { name: 'Change stock of HEATHER' }).click();
      await one.getByLabel('Counted units').fill(one === page ? '50' : '60');
    }
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page.getByText('Saved.').waitFor();
    await second.getByText('The units on hand changed from 9 to 50').waitFor();
    expect(await second.getByRole('button', { name: 'Set', exact: true }).isDisabled()).toBe(true);
    await second.getByRole('button', { name: 'Replace 50 all the same' }).click();
    await second.getByRole('button', { name: 'Set', exact: true }).click();
    await second.getByText('Saved.').waitFor();

    await page.getByLabel('Units', { exact: true }).fill('5');
    await page.getByRole('button', { name: 'Restock' }).dblclick();
    await page.getByText('5 added.').waitFor();
    expect(await levelOf(shop, known(variants[0]).id)).toMatchObject({ onHand: 65, held: 9 });
    await page.getByRole('button', { name: 'Close' }).click();
    await row.getByRole('link').click();
    await page.getByRole('img', { name: '65 on hand and 56 available' }).waitFor();
    await page.getByRole('row').filter({ hasText: 'Restock' }).waitFor();
  });

  test('products are created and edited with errors at their fields, and the second of two editors sees what the first saved', async () => {
    const page = await atDesk('/catalogue/new');
    const submit = page.getByRole('button', { name: 'Create product' });
    await page.getByLabel('Title').fill('Forest honey');
    await page.getByLabel('Slug').fill('Not a slug');
    await page.getByLabel('SKU').fill('FOREST-S');
    await page.getByLabel('Price', { exact: true }).fill('a lot');
    await submit.click();
    await page.getByText('Enter an amount, such as 19.90.').waitFor();
    await page.getByLabel('Price', { exact: true }).fill('7,50');
    await submit.click();
    await page.getByText('slug must consist of lowercase letters').waitFor();
    expect(await page.getByLabel('Slug').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('Slug').fill('');
    await page.getByLabel('Status').selectOption('ACTIVE');
    await page.getByRole('button', { name: 'Add a picture' }).click();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel('Address').fill('https://example.com/a b.png');
    await submit.click();
    await page.getByText('url must be an absolute http or https URL').waitFor();
    await page.getByRole('button', { name: 'Remove picture 1' }).click();
    await submit.click();
    await page.getByRole('heading', { name: 'Forest honey' }).waitFor();

    // A second variant, once the first has an option.
    await page.getByRole('button', { name: 'Edit FOREST-S' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('button', { name: 'Add an option' }).click();
    await drawer.getByLabel('Option 1').fill('Size');
    await drawer.getByLabel('Value 1').fill('250 g');
    await drawer.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Add a variant' }).click();
    await drawer.getByLabel('SKU').fill('FOREST-S');
    await drawer.getByLabel('Price', { exact: true }).fill('13');
    await drawer.getByLabel('Size').fill('500 g');
    await drawer.getByRole('button', { name: 'Add variant' }).click();
    await drawer.getByText('The SKU is already used by another variant.').waitFor();
    await drawer.getByLabel('SKU').fill('FOREST-L');
    await drawer.getByRole('button', { name: 'Add variant' }).click();
    await page.getByRole('row').filter({ hasText: '500 g' }).waitFor();

    expect(await findBarriers(page)).toEqual([]);
    const second = await open(await newVisitor(), new URL(page.url()).pathname.replace('/dashboard', ''));
    await logIn(second);
    await second.getByText('Live', { exact: true }).waitFor();
    await second.getByLabel('Vendor').fill('Bees of the North');
    await second.getByLabel('Title').fill('Honey of the forest');
    await page.getByLabel('Title').fill('Woodland honey');
    await page.getByLabel('Tags').fill('dark, strong');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await second.getByText('Somebody else changed this product').waitFor();
    expect(await second.getByRole('alert').textContent()).toContain('Woodland honey');
    expect(await second.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await second.getByRole('button', { name: 'Keep my changes' }).click();
    await second.getByRole('button', { name: 'Save' }).click();
    await second.getByText('Saved.').waitFor();
    // What the first did not edit again shows there by itself.
    await page.getByRole('heading', { name: 'Honey of the forest' }).waitFor();
    expect(await page.getByLabel('Vendor').inputValue()).toBe('Bees of the North');
    const { product } = await shop
      .client()
      .data<{ product: object }>(
        '{ product(slug: "forest-honey") { title vendor tags variants { sku title price { amount } } } }',
        {},
      );
    expect(product).toEqual({
      title: 'Honey of the forest',
      vendor: 'Bees of the North',
      tags: ['dark', 'strong'],
      variants: [
        { sku: 'FOREST-S', title: '250 g', price: { amount: '7.50' } },
        { sku: 'FOREST-L', title: '500 g', price: { amount: '13.00' } },
      ],
    });

    await page.getByRole('button', { name: 'Archive FOREST-L' }).click();
    await page.getByRole('button', { name: 'Archive this variant' }).click();
    await page.getByRole('row').filter({ hasText: '500 g' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Archive product' }).click();
    await page.getByRole('button', { name: 'Archive this product' }).click();
    await second.getByText('Archived', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'All products' }).click();
    await page.getByRole('link', { name: 'Categories' }).click();
    await page.getByLabel('Name').fill('Honeydew');
    await page.getByRole('button', { name: 'Create category' }).click();
    await page.getByRole('region', { name: 'Honeydew' }).waitFor();
  });

  test('a file is checked and imported, with its report; what failed in the background is retried', async () => {
    const page = await atDesk('/imports');
    const content =
      'Handle,Title,Variant SKU,Variant Price\nlime-honey,Lime honey,LIME,8.00\nodd-honey,Odd honey,ODD,plenty\n';
    await page
      .getByLabel('Product CSV')
      .setInputFiles({ name: 'honeys.csv', mimeType: 'text/csv', buffer: Buffer.from(content) });
    await page.getByRole('button', { name: 'Upload and check' }).click();
    await page.getByRole('heading', { name: 'honeys.csv' }).waitFor();
    await page.getByText('Completed').waitFor();
    await page.getByText('Would be created').waitFor();
    await page.getByRole('row').filter({ hasText: 'odd-honey' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Import for good' }).click();
    await page.getByText('Created', { exact: true }).waitFor();
    await page.getByText('Completed').waitFor();
    await page.getByRole('link', { name: 'All imports' }).click();
    await page.getByRole('row').filter({ hasText: 'honeys.csv' }).waitFor();
    await page.getByRole('link', { name: 'All products' }).click();
    await page.getByRole('link', { name: 'Lime honey' }).waitFor();

    await page.getByRole('link', { name: 'System', exact: true }).click();
    await page.getByRole('row').filter({ hasText: 'product-import' }).getByText('Well').waitFor();
    await page.getByRole('row').filter({ hasText: 'relay' }).getByText('Well').waitFor();
  });

  test('the overview counts what is sold and held, as it happens', async () => {
    const page = await atDesk('');
    const figure = (name: string) => page.getByRole('region', { name }).locator('.figure-value');
    await figure('Orders in the last hour').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const before = Number(await figure('Orders in the last hour').textContent());
    const held = Number(await figure('Units held in carts').textContent());
    await place();
    await shopperOf(shop.client()).add({ sku, quantity: 3 });
    await figure('Orders in the last hour')
      .getByText(String(before + 1), { exact: true })
      .waitFor();
    await figure('Units held in carts')
      .getByText(String(held + 3), { exact: true })
      .waitFor();
    await page.getByRole('region', { name: 'Carts about to expire' }).getByText('3 units').waitFor();
    expect(await page.getByRole('region', { name: 'Best sellers today' }).textContent()).toContain('Acacia honey');
  });

  test('a promotion is created with faults at their fields, previewed, given codes and ended', async () => {
    const page = await atDesk('/promotions/new');
    await page.getByLabel('Title').fill('Winter sale');
    await page.getByLabel('Percent').fill('150');
    const submit = page.getByRole('button', { name: 'Create promotion' });
    await submit.click();
    await page.getByText('percent must be at most 100').waitFor();
    await page.getByLabel('Percent').fill('12,5');
    await page.getByLabel('SKU').fill(sku);
    await page.getByRole('button', { name: 'Add to the example' }).click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByText('The promotion applies.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await submit.click();
    await page.getByRole('heading', { name: 'Winter sale' }).waitFor();
    await page.getByText('There are no codes yet.').waitFor();
    await page.getByLabel('Number of codes').fill('3');
    await page.getByLabel('Prefix').fill('WINTER-');
    await page.getByRole('button', { name: 'Generate codes' }).click();
    await page.getByText('3 codes generated.').waitFor();
    const codes = page.getByRole('list', { name: 'Codes' }).getByText(/^WINTER-/);
    await codes.nth(2).waitFor();
    expect(await codes.count()).toBe(3);
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'End promotion' }).click();
    await page.getByRole('button', { name: 'End this promotion now' }).click();
    await page.getByText('Ended', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'All promotions' }).click();
    await page.getByRole('row').filter({ hasText: 'Winter sale' }).getByText('12.5 % off').waitFor();
  });

  test('a zone is created with faults at their fields, given a method, a category and a tax rate, and deleted', async () => {
    const page = await atDesk('/shipping/new');
    const create = page.getByRole('button', { name: 'Create zone' });
    await page.getByLabel('Name').fill('Sweden');
    await create.click();
    await page.getByText('A zone needs countries').waitFor();
    await page.getByLabel('Countries').fill('SE, XX');
    await create.click();
    await page.getByText('is not an ISO 3166-1 alpha-2 code').waitFor();
    expect(await page.getByLabel('Countries').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('Countries').fill('SE');
    await create.click();
    await page.getByRole('heading', { name: 'Sweden' }).waitFor();

    await page.getByRole('button', { name: 'Add a method' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByLabel('Title').fill('Parcel');
    await drawer.getByLabel('Price', { exact: true }).fill('much');
    await drawer.getByRole('button', { name: 'Add method' }).click();
    await drawer.getByText('Enter a number, such as 12.50.').waitFor();
    await drawer.getByLabel('Price', { exact: true }).fill('4,90');
    await drawer.getByLabel('Below').fill('2000');
    await drawer.getByRole('button', { name: 'Add a price' }).click();
    const second = drawer.getByRole('group', { name: 'Price 2' });
    expect(await second.getByLabel('From').inputValue()).toBe('2000');
    await second.getByLabel('Price', { exact: true }).fill('9.90');
    await second.getByLabel('Below').fill('1500');
    await drawer.getByRole('button', { name: 'Add method' }).click();
    await second.getByText('must be greater than').waitFor();
    expect(await second.getByLabel('Below').getAttribute('aria-invalid')).toBe('true');
    expect(await findBarriers(page)).toEqual([]);
    await second.getByLabel('Below').fill('');
    await drawer.getByRole('button', { name: 'Add method' }).click();
    await page.getByRole('row').filter({ hasText: 'Parcel' }).getByText('$9.90, from 2,000 g').waitFor();

    await page.getByRole('link', { name: 'All zones' }).click();
    await page.getByRole('row').filter({ hasText: 'Sweden' }).waitFor();
    const category = page.getByRole('form', { name: 'New tax category' });
    await category.getByLabel('Name').fill('Food');
    await category.getByLabel('Code').fill('Not a code');
    await category.getByRole('button', { name: 'Create category' }).click();
    await category.getByText('code must consist of lowercase letters').waitFor();
    await category.getByLabel('Code').fill('food');
    await category.getByRole('button', { name: 'Create category' }).click();
    await page.getByRole('form', { name: 'Tax category Food' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('link', { name: 'Sweden' }).click();
    await page.getByRole('button', { name: 'Add a rate' }).click();
    await drawer.getByLabel('Title').fill('Moms');
    await drawer.getByLabel('Percent').fill('12');
    await drawer.getByRole('button', { name: 'Add rate' }).click();
    const rate = page.getByRole('row').filter({ hasText: 'Moms' });
    await rate.getByText('In force').waitFor();
    await page.getByRole('button', { name: 'Edit Moms 12 % (Food)' }).click();
    await drawer.getByLabel('Percent').fill('120');
    await drawer.getByRole('button', { name: 'Save rate' }).click();
    await drawer.getByText('percent must be at most 100').waitFor();
    await drawer.getByLabel('Percent').fill('6');
    await drawer.getByRole('button', { name: 'Save rate' }).click();
    await rate.getByText('6 %').waitFor();
    expect(await findBarriers(page)).toEqual([]);

    await page.getByRole('link', { name: 'All zones' }).click();
    const { shippingZones, taxCategories } = await staff.client.data<Record<string, { id: string; name: string }[]>>(
      '{ shippingZones { id name } taxCategories { id name } }',
      {},
    );
    const idOf = (nodes: typeof shippingZones, name: string) => known(nodes?.find((node) => node.name === name)).id;
    const input = { zoneId: idOf(shippingZones, 'Sweden'), taxCategoryId: idOf(taxCategories, 'Food') };
    const validFrom = new Date(Date.now() + 2000).toISOString();
    await staff.client.data(
      'mutation ($input: TaxRateCreateInput!) { taxRateCreate(input: $input) { errors { message } } }',
      { input: { ...input, title: 'Later', percent: '7', validFrom } },
    );
    await page.getByRole('link', { name: 'Sweden' }).click();
    const later = page.getByRole('row').filter({ hasText: 'Later' });
    await later.getByText('In force').waitFor();
    await rate.getByText('Past').waitFor();

    await page.getByRole('button', { name: 'Delete zone' }).click();
    await page.getByRole('button', { name: 'Delete this zone' }).click();
    await page.getByText('There are no zones').waitFor();
    await page.getByRole('button', { name: 'Delete Food' }).click();
    await page.getByRole('button', { name: 'Delete this category' }).click();
    await page.getByRole('form', { name: 'Tax category Food' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Activity' }).click();
    await page.getByText('Shipping zone deleted').first().waitFor();
  });

  test('the second of two who edit a zone, a method, a tax rate or a promotion sees what the first saved, and decides', async () => {
    const create = async (name: string, input: object): Promise<string> => {
      const field = name.replace('Create', '');
      const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
      const document = `mutation ($input: ${type}!) { payload: ${name}(input: $input) { made: ${field} { id } errors { message } } }`;
      const { payload } = await staff.client.data<{ payload: { made: { id: string } | null; errors: unknown[] } }>(
        document,
        { input },
      );
      expect(payload.errors).toEqual([]);
      return known(payload.made).id;
    };
    const zoneId = await create('shippingZoneCreate', { name: 'North', countries: ['NO'] });
    const rates = [{ basis: 'SUBTOTAL', price: '4.90' }];
    await create('shippingMethodCreate', { zoneId, title: 'Parcel', rates });
    const taxCategoryId = await create('taxCategoryCreate', { code: 'honey', name: 'Honey' });
    await create('taxRateCreate', { zoneId, taxCategoryId, title: 'MVA', percent: '15' });
    const sale = { title: 'Sale', trigger: 'AUTOMATIC', scope: 'ORDER', kind: 'PERCENT', percent: '5' };
    const promotionId = await create('promotionCreate', sale);
    // A zone would make other tests ask for a shipping method.
    onTestFinished(async () => {
      for (const [mutation, id] of [
        ['shippingZoneDelete', zoneId],
        ['taxCategoryDelete', taxCategoryId],
        ['promotionDelete', promotionId],
      ]) {
        await staff.client.data(`mutation ($id: ID!) { ${mutation}(input: { id: $id }) { deletedId } }`, { id });
      }
    });

    const first = await atDesk(`/shipping/${encodeURIComponent(zoneId)}`);
    const second = await open(await newVisitor(), `/shipping/${encodeURIComponent(zoneId)}`);
    await logIn(second);
    for (const page of [first, second]) await page.getByRole('heading', { name: 'North' }).waitFor();
    const formOf = (page: Page) => page.getByRole('form', { name: 'Zone', exact: true });
    const save = (page: Page, words = 'Save zone') => page.getByRole('button', { name: words });

    await formOf(first).getByLabel('Name').fill('Nordics');
    await formOf(second).getByLabel('Name').fill('Scandinavia');
    await formOf(second).getByLabel('Countries').fill('NO, SE');
    await save(first).click();
    await first.getByText('Saved.').waitFor();
    await save(second).click();
    await second.getByText('Somebody else changed this zone').waitFor();
    expect(await second.getByRole('alert').textContent()).toContain('Name nowNordics');
    expect(await save(second).isDisabled()).toBe(true);
    expect(await findBarriers(second)).toEqual([]);
    expect(await staff.client.data('{ shippingZones { name countries } }', {})).toEqual({
      shippingZones: [{ name: 'Nordics', countries: ['NO'] }],
    });
    await second.getByRole('button', { name: 'Keep my changes' }).click();
    await save(second).click();
    await second.getByText('Saved.').waitFor();
    await second.getByRole('heading', { name: 'Scandinavia' }).waitFor();

    const drawers = [first.getByRole('dialog'), second.getByRole('dialog')] as const;
    for (const page of [first, second]) await page.getByRole('button', { name: 'Edit Parcel' }).click();
    await drawers[0].getByLabel('Price', { exact: true }).fill('5,90');
    await drawers[1].getByLabel('Title').fill('Letter');
    await save(first, 'Save method').click();
    await first.getByRole('row').filter({ hasText: 'Parcel' }).getByText('$5.90').waitFor();
    await save(second, 'Save method').click();
    await drawers[1].getByText('Somebody else changed this method').waitFor();
    expect(await drawers[1].getByRole('alert').textContent()).toContain('Prices nowUS$5.90, always');
    await drawers[1].getByRole('button', { name: 'Discard my changes' }).click();
    expect(await drawers[1].getByLabel('Title').inputValue()).toBe('Parcel');
    expect(await drawers[1].getByLabel('Price', { exact: true }).inputValue()).toBe('5.90');
    await drawers[1].getByRole('button', { name: 'Close' }).click();

    for (const page of [first, second]) await page.getByRole('button', { name: 'Edit MVA 15 % (Honey)' }).click();
    await drawers[0].getByLabel('Percent').fill('12');
    await drawers[1].getByLabel('Percent').fill('25');
    await save(first, 'Save rate').click();
    await first.getByRole('row').filter({ hasText: 'MVA' }).getByText('12 %').waitFor();
    await save(second, 'Save rate').click();
    await drawers[1].getByText('Somebody else changed this rate').waitFor();
    expect(await drawers[1].getByRole('alert').textContent()).toContain('Percent now12 %');
    await drawers[1].getByRole('button', { name: 'Keep my changes' }).click();
    await save(second, 'Save rate').click();
    await second.getByRole('row').filter({ hasText: 'MVA' }).getByText('25 %').waitFor();

    for (const page of [first, second]) {
      await goWithin(page, `/dashboard/promotions/${encodeURIComponent(promotionId)}`);
      await page.getByRole('heading', { name: 'Sale' }).waitFor();
    }
    await first.getByLabel('Percent').fill('10');
    await second.getByLabel('Percent').fill('50');
    await save(first, 'Save promotion').click();
    await first.getByText('Saved.').waitFor();
    await save(second, 'Save promotion').click();
    await second.getByText('Somebody else changed this promotion').waitFor();
    expect(await second.getByRole('alert').textContent()).toContain('Percent now10');
  });

  test('has no barriers, on a phone and on a desk, in light and in dark colours', async () => {
    const { order } = await place('A name that is much longer than there is room for in a narrow column of a table');
    const page = await open(await newVisitor(), '/orders');
    const found: Record<string, string[]> = {};
    await page.getByLabel('E-mail').waitFor();
    found['log-in'] = await findBarriersInAllLooks(page);
    await logIn(page);
    await page.getByRole('row').filter({ hasText: order.number }).waitFor();
    found['orders'] = await findBarriersInAllLooks(page);
    await page.getByRole('link', { name: order.number }).first().click();
    await page.getByRole('heading', { name: `Order ${order.number}` }).waitFor();
    await page.getByText('12 St James Square').waitFor();
    found['order'] = await findBarriersInAllLooks(page);
    for (const [link, title] of [
      ['Overview', 'Sales by hour'],
      ['Stock', sku],
      ['Catalogue', 'Acacia honey'],
      ['Promotions', 'New promotion'],
      ['Shipping and tax', 'Tax categories'],
      ['Customers', 'Only administrators'],
      ['Activity', 'Record'],
      ['System', 'No event is parked.'],
    ] as const) {
      await page.getByRole('link', { name: link, exact: true }).click();
      await page.getByText(title).first().waitFor();
      found[link] = await findBarriersInAllLooks(page);
    }
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
  });
});
