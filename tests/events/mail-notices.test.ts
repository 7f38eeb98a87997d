import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLocalBus } from '../../src/events/bus.ts';
import { startConsumers } from '../../src/events/consumers.ts';
import { createMailNotices } from '../../src/modules/mail/mail-notices.consumer.ts';
import { orderPlaced } from '../../src/modules/orders/order.events.ts';
import { createConsumers } from '../../src/modules/services.ts';
import {
  emailConfirmationRequested,
  passwordChanged,
  passwordResetRequested,
  userRegistered,
} from '../../src/modules/accounts/account.events.ts';
import { newEmail, newPerson, newStaff } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { recordLogs } from '../support/logs.ts';
import { appendEvents, inShort, mailsOf, openLetters, takeNotice } from '../support/mail-notices.ts';
import { bringTo, buy, guestWithOrder, orderLifeOf } from '../support/order-life.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, rowId, shopperOf } from '../support/shopper.ts';
import { recordStatements } from '../support/statements.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

/** The mails that an address gets, but for that to a new account. */
async function mailsTo(...emails: string[]): Promise<[string, string][]> {
  const mails = inShort(await takeNotice(shop));
  return mails.filter(([template, recipient]) => emails.includes(recipient) && template !== 'welcome');
}

async function turnOff(userId: string, kind: 'ORDER_STATUS' | 'LOW_STOCK'): Promise<void> {
  await shop.app.services.mailSettings.update(rowId(userId), { [kind]: false });
}

describe('an order', () => {
  test('is confirmed to the address that it was placed with, and each step of it reported, also that of the customer', async () => {
    const variant = await makeVariant(shop);
    const guest = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], {});
    const { email } = guest.order;
    expect(await mailsTo(email)).toEqual([['order-placed', email]]);
    await bringTo(await newStaff(shop), guest.id, 'DELIVERED');
    expect(await mailsTo(email)).toEqual([
      ['order-placed', email],
      ['order-status-changed', email],
      ['order-status-changed', email],
    ]);

    const ada = await newPerson(shop);
    const order = await buy(ada.client, [{ sku: variant.sku, quantity: 1 }]);
    await orderLifeOf(ada.client).cancel({ id: order.id });
    const mails = (await takeNotice(shop)).filter(
      (mail) => mail.recipient === ada.email && mail.template !== 'welcome',
    );
    const orderId = rowId(order.id);
    expect(mails.map(({ template, userId, data }) => ({ template, userId, data }))).toEqual([
      { template: 'order-placed', userId: rowId(ada.userId), data: { orderId } },
      {
        template: 'order-status-changed',
        userId: rowId(ada.userId),
        data: { orderId, from: 'PLACED', to: 'CANCELLED' },
      },
    ]);
    expect(mails.map((mail) => mail.cause).every((cause) => /^event:\d+$/.test(cause))).toBe(true);
  });

  test('is confirmed by mail also if its owner turned off mails about its status', async () => {
    const variant = await makeVariant(shop);
    const ada = await newPerson(shop);
    await turnOff(ada.userId, 'ORDER_STATUS');
    const order = await buy(ada.client, [{ sku: variant.sku, quantity: 1 }]);
    await orderLifeOf(ada.client).cancel({ id: order.id });
    // Ordered without a log-in, with the address of the account.
    const guest = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }], {
      email: ada.email.toUpperCase(),
    });
    await orderLifeOf(guest.client).cancel({ id: guest.id });

    expect(await mailsTo(ada.email, ada.email.toUpperCase())).toEqual([
      ['order-placed', ada.email],
      ['order-placed', ada.email.toUpperCase()],
    ]);
  });
});

describe('low stock', () => {
  test('is mailed to owners of carts whose address is known, except the one who took the units and those who turned it off', async () => {
    const { logger } = recordLogs();
    const variant = await makeVariant(shop, { onHand: 20 });
    const [ada, off] = [await newPerson(shop), await newPerson(shop)];
    const causer = await newPerson(shop);
    await turnOff(off.userId, 'LOW_STOCK');
    const line = (quantity: number) => ({ variantId: variant.globalId, quantity });
    await shopperOf(ada.client).add(line(2));
    await shopperOf(off.client).add(line(2));
    const [known1, unknown] = [await enter(shop), await enter(shop)];
    const email = newEmail();
    await known1.add(line(2));
    await known1.setEmail(email);
    await unknown.add(line(2));

    const bus = { ...createLocalBus(), subscribe: () => Promise.resolve(() => {}) };
    const consumers = startConsumers({
      db: shop.db,
      bus,
      logger,
      settings: { pollMs: 3_600_000, backoffMs: 1 },
      consumers: createConsumers({ eventLog: shop.app.eventLog, services: shop.app.services }),
    });
    try {
      await consumers.flush();
      await shopperOf(causer.client).add(line(9));
      // The one consumer's events are the other's to read.
      for (let round = 0; round < 3; round += 1) {
        await shop.app.relay.flush();
        await consumers.flush();
      }
    } finally {
      await consumers[Symbol.asyncDispose]();
    }
    const notices = (await mailsOf(shop)).filter((mail) => mail.template === 'low-stock');
    expect(notices.map((mail) => mail.recipient).toSorted()).toEqual([ada.email, email].toSorted());
    expect(notices.map((mail) => mail.userId).filter((id) => id !== null)).toEqual([rowId(ada.userId)]);
    expect(new Set(notices.map((mail) => mail.data.variantId))).toEqual(new Set([variant.id]));

    // Gone from the cart when the mail is to be sent: there is nothing to say.
    const letters = openLetters(shop);
    const toGuest = known(notices.find((mail) => mail.recipient === email));
    expect(known(await letters.compose(toGuest)).subject).toBe('Almost sold out: Honey');
    const cart = known(await known1.cart());
    await known1.remove(known(cart.lines[0]).id);
    expect(await letters.compose(toGuest)).toBeNull();
  });
});

describe('a change of an account', () => {
  test('is mailed to its owner', async () => {
    const ada = await newPerson(shop);
    const userId = rowId(ada.userId);
    const resetId = uuid();
    await appendEvents(
      shop,
      emailConfirmationRequested.of(userId, { userId }),
      passwordChanged.of(userId, { userId }),
      passwordResetRequested.of(userId, { userId, resetId }),
    );
    const mails = (await takeNotice(shop)).filter((mail) => mail.recipient === ada.email);
    expect(mails.map(({ template, userId: of, data }) => [template, of, data])).toEqual([
      ['welcome', userId, { userId }],
      ['confirm-address', userId, { userId }],
      ['password-changed', userId, { userId, at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string }],
      ['password-reset', userId, { userId, resetId }],
    ]);
    expect(await openLetters(shop, null).compose(known(mails[3]))).toBeNull();
  });
});

test('the mails of many events take as many statements as that of one', async () => {
  const variant = await makeVariant(shop, { onHand: 100 });
  const orders: string[] = [];
  for (let n = 0; n < 4; n += 1) {
    const guest = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }]);
    orders.push(rowId(guest.id));
  }
  const ada = await newPerson(shop);
  const cause = { seq: 0, occurredAt: new Date() };
  let seq = 1_000_000;
  const events = [
    ...[...orders, ...orders, uuid()].map((orderId) => orderPlaced.of(orderId, { orderId })),
    userRegistered.of(rowId(ada.userId), { userId: rowId(ada.userId) }),
  ].map((event) => ({ ...cause, ...event, seq: (seq += 1) }));
  const consumer = createMailNotices(shop.app.services);
  const { statements } = await recordStatements(
    () => shop.db.transaction(async (tx) => consumer.handleTogether?.(tx, events)),
    shop,
  );
  expect(statements).toEqual([expect.stringMatching(/^BEGIN/), 'mail_recipients', 'clock', 'mail_insert', 'COMMIT']);
  const mails = await rowsOf<{ cause: string; orderId: string | null }>(
    shop.db,
    `SELECT cause, data->>'orderId' AS "orderId" FROM mails WHERE cause = ANY($1) ORDER BY id`,
    [events.map((event) => `event:${event.seq}`)],
  );
  // The order that does not exist has no mail.
  expect(mails.map(({ orderId }) => orderId)).toEqual([...orders, ...orders, null]);
});

test('an event that comes again makes no second mail', async () => {
  const variant = await makeVariant(shop);
  await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }]);
  const before = await takeNotice(shop);
  expect(before.length).toBeGreaterThan(0);
  expect(await takeNotice(shop, { times: 2 })).toEqual(before);
});

test('no secret of a link stands in a row or in the log', async () => {
  const variant = await makeVariant(shop);
  const ada = await newPerson(shop);
  const userId = rowId(ada.userId);
  const { email } = (await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }])).order;
  await appendEvents(shop, passwordResetRequested.of(userId, { userId, resetId: uuid() }));
  const letters = openLetters(shop, 'a-token-of-a-reset');
  const tokens: string[] = [];
  for (const mail of await takeNotice(shop)) {
    if (![email, ada.email].includes(mail.recipient)) continue;
    const { text } = known(await letters.compose(mail));
    tokens.push(...[...text.matchAll(/token=([\w.-]+)/g)].map((match) => known(match[1])));
  }
  expect(tokens.length).toBeGreaterThanOrEqual(3);
  const rows = JSON.stringify([
    await rowsOf(shop.db, 'SELECT * FROM mails'),
    await rowsOf(shop.db, 'SELECT payload FROM event_log'),
    shop.logs,
  ]);
  expect(tokens.filter((token) => rows.includes(token.split('.').at(-1) ?? token))).toEqual([]);
});

test('the links of letters do what they say', async () => {
  const variant = await makeVariant(shop);
  const ada = await newPerson(shop);
  const userId = rowId(ada.userId);
  const { client, order } = await guestWithOrder(shop, [{ sku: variant.sku, quantity: 1 }]);
  await orderLifeOf(client).cancel({ id: order.id });
  await appendEvents(shop, userRegistered.of(userId, { userId }));
  const letters = openLetters(shop);
  const mails = await takeNotice(shop);
  const find = (template: string, recipient: string) =>
    known(mails.find((mail) => mail.template === template && mail.recipient === recipient));
  const tokenIn = (text: string, path: string) => {
    const { pathname, searchParams, origin } = new URL(known(/https?:\S+token=\S+/.exec(text)?.[0]));
    expect([origin, pathname]).toEqual([shop.url, path]);
    return known(searchParams.get('token'));
  };

  const placed = known(await letters.compose(find('order-placed', order.email)));
  const { orders, accounts } = shop.app.services;
  expect(await orders.orderOfToken(tokenIn(placed.text, '/mail/order'))).toBe(rowId(order.id));
  expect(placed.unsubscribeUrl).toBeNull();
  const welcome = known(await letters.compose(find('welcome', ada.email)));
  expect(await accounts.confirmEmail(tokenIn(welcome.text, '/mail/confirm-email'))).toBe(userId);
  // Confirmed by now: another letter of the kind has no link any more.
  expect(known(await letters.compose(find('welcome', ada.email))).text).not.toContain('token=');

  const moved = find('order-status-changed', order.email);
  const letter = known(await letters.compose(moved));
  const url = new URL(known(letter.unsubscribeUrl));
  expect(letter.text).toContain(url.href);
  const clicked = await shop.request({
    method: 'POST',
    path: url.pathname + url.search,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'List-Unsubscribe=One-Click',
  });
  expect(clicked.status).toBe(200);
  // Written down before, and asked again when it is to be sent.
  expect(await letters.compose(moved)).toBeNull();
  expect(await letters.compose(find('order-placed', order.email))).not.toBeNull();
});
