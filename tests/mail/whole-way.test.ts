import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountDocuments, faultsOf, login, newEmail, newPerson, newStaff, PASSWORD } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { newDataDir } from '../support/shop-process.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';
import { enter } from '../support/shopper.ts';
import { stockKeeperOf } from '../support/staff-stock.ts';
import { waiterOf } from '../support/stock-alerts.ts';
import { until } from '../support/until.ts';
import { mailboxToken } from '../../src/infra/mail/mailer-mailbox.ts';

/*
 * A shop as it runs on one machine, and somebody in front of it: what is done comes to the mailbox as a mail, and the mail's
 * links do what they say. All of it over GraphQL and HTTP.
 */

let shop: TestShop;
beforeAll(async () => {
  shop = await createTestShop({ env: { DATA_DIR: newDataDir() } });
  const wanted = ['low-stock-notices', 'mail-notices', 'stock-alert-chains'];
  await until('its consumers have a place in the log', async () => {
    const found = await rowsOf(shop.db, 'SELECT FROM event_consumers WHERE name = ANY($1)', [wanted]);
    return found.length === wanted.length;
  });
});
afterAll(() => shop.dispose());

const plain = (html: string) =>
  html
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

const openMailbox = (path: string) =>
  fetch(`${shop.url}/mailbox${path}`, {
    headers: { authorization: `Bearer ${mailboxToken(shop.config.secrets)}` },
  });

/** What the mailbox has for an address, the newest first. */
async function mailsTo(address: string): Promise<{ path: string; subject: string }[]> {
  const list = await (await openMailbox('')).text();
  const items = list.matchAll(
    /href="(\/mailbox\/[\w-]+)">\s*<span class="to">([^<]*)<\/span>\s*<span class="subject">([^<]*)<\/span/g,
  );
  return [...items]
    .filter(([, , to]) => to === address)
    .map(([, path = '', , subject = '']) => ({ path, subject: plain(subject) }));
}

/** Waits for a mail; gives its text, as it is shown. */
async function readMail(address: string, subject: string): Promise<string> {
  const path = await until(
    `${subject} is in the mailbox`,
    async () => (await mailsTo(address)).find((mail) => mail.subject === subject)?.path,
  );
  const page = await (await openMailbox((path ?? '').replace('/mailbox', ''))).text();
  return plain(known(/<pre>([\s\S]*?)<\/pre>/.exec(page)?.[1]));
}

/** The link of a mail that leads to one of the shop's pages. */
function linkTo(page: string, text: string): string {
  const links = text.match(/http:\/\/\S+/g) ?? [];
  return known(links.find((link) => link.startsWith(`${shop.url}/mail/${page}?token=`)));
}

interface Shown {
  status: number;
  text: string;
}

async function open(url: string, form?: URLSearchParams): Promise<Shown> {
  const response = await fetch(url, form === undefined ? {} : { method: 'POST', body: form });
  return { status: response.status, text: await response.text() };
}

/** Fills in the form of a page that a link led to, and presses its button. */
function press(link: string, { text }: Shown, typed: Record<string, string> = {}): Promise<Shown> {
  const [, action = link] = known(/<form method="post"(?: action="([^"]+)")?>/.exec(text));
  const hidden = [...text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)];
  const form = new URLSearchParams(typed);
  for (const [, name = '', value = ''] of hidden) form.set(name, plain(value));
  return open(new URL(action, link).href, form);
}

test('a guest buys something: the mail’s link shows the order', async () => {
  const variant = await makeVariant(shop.app, { title: 'Acacia <honey> & "more"', onHand: 5, price: 1250 });
  const guest = await enter(shop);
  await guest.add({ variantId: variant.globalId, quantity: 3 });
  const email = newEmail();
  const { order } = await guest.checkout({ idempotencyKey: randomUUID(), email });
  const { number } = known(order);

  const text = await readMail(email, `Order ${number}: thank you`);
  expect(text).toContain('Acacia <honey> & "more"');
  expect(text).toContain('$37.50');
  const page = await open(linkTo('order', text));
  expect(page.status).toBe(200);
  expect(page.text).toContain(`<title>Order ${number} · Vitrine</title>`);
  expect(page.text).toContain('3 × Acacia &lt;honey&gt; &amp; &quot;more&quot;');
  expect(await mailsTo(email)).toHaveLength(1);
});

test('somebody registers: the link of the welcome mail confirms the address, by its button', async () => {
  const { email } = await newPerson(shop);
  const isConfirmed = async () => known((await login(shop.client(), { email })).user).emailVerified;
  const link = linkTo('confirm-email', await readMail(email, 'Welcome to Vitrine'));
  const page = await open(link);
  expect([page.status, await isConfirmed()]).toEqual([200, false]);
  const { status, text } = await press(link, page);
  expect(status).toBe(200);
  expect(text).toContain('Email address confirmed');
  expect(await isConfirmed()).toBe(true);
});

test('somebody forgot a password: the mail’s link opens a form that sets another, and another mail says so', async () => {
  const { email } = await newPerson(shop);
  await shop.client().data(accountDocuments.requestReset, { email: email.toUpperCase() });
  const link = linkTo('reset-password', await readMail(email, 'Choose a new password for Vitrine'));
  const page = await open(link);
  expect(page.status).toBe(200);
  const done = await press(link, page, { newPassword: 'another password, as long' });
  expect(done.status).toBe(200);
  expect(done.text).toContain('Password changed');

  expect(faultsOf(await login(shop.client(), { email, password: 'another password, as long' }))).toEqual([]);
  expect(faultsOf(await login(shop.client(), { email, password: PASSWORD }))).not.toEqual([]);
  await readMail(email, 'Your password for Vitrine was changed');
  expect((await open(link)).status).toBe(404);
  expect((await mailsTo(email)).map(({ subject }) => subject).toSorted()).toEqual([
    'Choose a new password for Vitrine',
    'Welcome to Vitrine',
    'Your password for Vitrine was changed',
  ]);
});

const ALERT = 'query ($id: ID!) { node(id: $id) { ... on StockAlert { status } } }';

test('what was sold out is back: its mail’s links call the alert off, and end mails of this kind', async () => {
  const { client } = await newStaff(shop);
  const keeper = stockKeeperOf(client);
  const statusOf = async (id: string) =>
    ((await client.data(ALERT, { id })) as { node: { status: string } }).node.status;
  const [honey, jam] = [
    await makeVariant(shop.app, { title: 'Honey', onHand: 0 }),
    await makeVariant(shop.app, { title: 'Jam', onHand: 0 }),
  ];
  const guest = waiterOf(shop.client());
  const wait = async (variant: { globalId: string }, email: string) => {
    const { stockAlert, errors } = await guest.wait({ variantId: variant.globalId, email });
    expect(errors).toEqual([]);
    return known(stockAlert).id;
  };
  const [ada, grace] = [newEmail(), newEmail()];
  const [forHoney, forJam] = [await wait(honey, ada), await wait(jam, ada)];
  await wait(jam, grace);

  await keeper.adjust({ variantId: honey.globalId, delta: 2 });
  const mail = await readMail(ada, 'Back in stock: Honey');
  expect([await statusOf(forHoney), await statusOf(forJam)]).toEqual(['NOTIFIED', 'WAITING']);
  const cancel = linkTo('stock-alert', mail);
  const asked = await open(cancel);
  expect([asked.status, await statusOf(forHoney)]).toEqual([200, 'NOTIFIED']);
  const called = await press(cancel, asked);
  expect(called.status).toBe(200);
  expect(called.text).toContain('Notice cancelled');

  const unsubscribe = linkTo('unsubscribe', mail);
  const sure = await open(unsubscribe);
  expect([sure.status, await statusOf(forJam)]).toEqual([200, 'WAITING']);
  expect(sure.text).toContain(`We send emails to ${ada} about items that are back in stock.`);
  const ended = await press(unsubscribe, sure);
  expect(ended.status).toBe(200);
  expect(ended.text).toContain('You are unsubscribed');
  expect(await statusOf(forJam)).toBe('CANCELLED');

  // The next in turn is notified.
  await keeper.adjust({ variantId: jam.globalId, delta: 2 });
  await readMail(grace, 'Back in stock: Jam');
  expect((await mailsTo(ada)).map(({ subject }) => subject)).toEqual(['Back in stock: Honey']);
});

test('a guest with low stock in the cart is mailed at the address of the cart, until the address is unsubscribed', async () => {
  const variant = await makeVariant(shop.app, { title: 'Quince jelly', onHand: 6 });
  const [holder, buyer] = [await enter(shop), await enter(shop)];
  await holder.add({ variantId: variant.globalId, quantity: 1 });
  const email = newEmail();
  expect((await holder.setEmail(email)).errors).toEqual([]);
  await buyer.add({ variantId: variant.globalId, quantity: 3 });

  const text = await readMail(email, 'Almost sold out: Quince jelly');
  const link = linkTo('unsubscribe', text);
  const page = await open(link);
  expect(page.text).toContain(`We send emails to ${email} about items in your cart that are almost sold out.`);
  expect((await press(link, page)).text).toContain('You are unsubscribed');
  expect((await open(link)).text).toContain('You are unsubscribed');
  expect(await mailsTo(email)).toHaveLength(1);
});
