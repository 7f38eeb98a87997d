import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { strangersLine } from '../../src/modules/mail/letter-text.ts';
import { newPerson } from '../support/accounts.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { openLetters, takeNotice } from '../support/mail-notices.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { enter, shopperOf } from '../support/shopper.ts';

let shop: QuietShop;
let sku: string;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
  ({ sku } = await makeVariant(shop, { title: 'Heather honey', onHand: 100 }));
});
afterAll(() => shop.dispose());

/** Whatever a mail program may turn into a link. */
const LINK = /https?:|:\/\/|www\.|\p{L}\.\p{L}|@|\d{7}/iu;

const ATTACKS: readonly string[] = [
  'URGENT: your parcel is held, pay at https://evil.example/pay',
  'www.evil.example',
  'evil.example/pay',
  'evil\u2024example', // one dot leader
  'evil\uFF0Eexample',
  'evil\u3002example',
  'evil.\u200Bexample',
  'ｈｔｔｐｓ：／／evil．example',
  'write to boss@evil.example',
  'call 0900 123 4567',
  'mailto:a@evil.example',
  '192.0.2.1/pay',
];

describe('a line that a stranger typed', () => {
  test.each(ATTACKS)('%s has no link', (text) => {
    const line = strangersLine(text, { digits: 6 });
    expect(line).not.toMatch(/[.@:\n]\S|\d{7}|\/\//u);
    expect(Array.from(line).length).toBeLessThanOrEqual(41);
  });

  test.each([
    'Ada Baker',
    "Dr. Siân O'Brien-Müller",
    '12/3 St. Mary’s Rd.',
    'c/o Brown & Sons',
    'Flat 4, 2nd floor (rear)',
    '10115 Berlin',
    'N1 9GU London',
    '東京都千代田区1-2-3',
    'شارع الملك 12',
  ])('%s stays as it is', (text) => {
    expect(strangersLine(text, { digits: 6 })).toBe(text);
  });
});

/** The letters that go to an address because of an order that somebody places with these texts, and cancels. */
async function lettersOf(
  text: string,
  shopper: Awaited<ReturnType<typeof enter>> | ReturnType<typeof shopperOf>,
  email: string,
) {
  await shopper.add({ sku, quantity: 1 });
  const { order } = await shopper.checkout({
    idempotencyKey: uuid(),
    email,
    shippingAddress: {
      name: text,
      line1: text,
      line2: text,
      city: text,
      region: text,
      postalCode: '10115',
      countryCode: 'DE',
    },
  });
  const { id, accessToken } = known(order);
  await shopper.client.data(
    `mutation Cancel($input: OrderCancelInput!) { orderCancel(input: $input) { errors { code } } }`,
    { input: { id, accessToken, reason: `${text}\n${text}` } },
  );
  const mails = (await takeNotice(shop)).filter((mail) => mail.recipient === email);
  const letters = openLetters(shop);
  return Promise.all(mails.map(async (mail) => ({ template: mail.template, ...known(await letters.compose(mail)) })));
}

describe('letters about an order with an address that nobody confirmed', () => {
  test.each(ATTACKS)('carry nothing of “%s” that leads anywhere', async (text) => {
    const email = `victim-${uuid()}@example.com`;
    const letters = await lettersOf(text, await enter(shop), email);
    expect(letters.map(({ template }) => template).toSorted()).toEqual(['order-placed', 'order-status-changed']);
    for (const { subject, text: body, html } of letters) {
      expect(subject).toMatch(/^Order \d{10}: [a-z ]+$/);
      const own = body.replaceAll(new RegExp(`${shop.url}\\S*`, 'g'), '').replaceAll(/\b\d{10}\b/g, '');
      expect(own).not.toMatch(LINK);
      expect(html.match(/href="([^"]*)"/g)?.every((href) => href.startsWith(`href="${shop.url}`))).toBe(true);
    }
    // The reason of the cancellation is for those who see the order's history.
    const cancelled = letters.find(({ template }) => template === 'order-status-changed');
    expect(cancelled?.text).not.toContain(text.slice(0, 6));
  });

  test('show a usual address', async () => {
    const [placed] = await lettersOf('Ada Baker', await enter(shop), `guest-${uuid()}@example.com`);
    expect(placed?.text).toMatch(/Ada Baker\s+Ada Baker\s+Ada Baker\s+10115 Ada Baker\s+Ada Baker\s+DE/);
  });
});

test('an account with a confirmed address reads what it typed itself', async () => {
  const ada = await newPerson(shop, { name: 'Ada' });
  await shop.db.query(
    { name: 'test_confirm', text: 'UPDATE users SET email_verified_at = clock_timestamp() WHERE email = $1' },
    [ada.email],
  );
  const own = shopperOf(shop.client({ headers: { authorization: `Bearer ${ada.accessToken}` } }));
  const letters = await lettersOf('Ring at door 0900 123 4567, beware of the dog.now', own, ada.email);
  expect(letters.find(({ template }) => template === 'order-placed')?.text).toContain(
    '0900 123 4567, beware of the dog.now',
  );
});
