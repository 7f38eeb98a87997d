import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeVariant } from '../../support/fixtures.ts';
import { newEmail } from '../../support/accounts.ts';
import { known } from '../../support/known.ts';
import type { TestShop } from '../../support/shop.ts';
import { shopperOf } from '../../support/shopper.ts';
import {
  callerFrom,
  createThrottledShop,
  expectRefused,
  newAddress,
  refusedIn,
  times,
} from '../../support/throttling.ts';

const QUARTER = 15 * 60;
const HOUR = 60 * 60;

let shop: TestShop;
let number: string;
let email: string;
beforeAll(async () => {
  shop = await createThrottledShop();
  email = newEmail();
  const honey = await makeVariant(shop.app, { onHand: 5 });
  const shopper = shopperOf(callerFrom(shop));
  const { cart } = await shopper.add({ sku: honey.sku, quantity: 1 });
  shopper.client.use(known(cart?.token));
  const { order } = await shopper.checkout({ idempotencyKey: 'k', email });
  number = known(order).number;
});
afterAll(() => shop.dispose());

const field = (by: { number: string; email: string }) =>
  `order(number: "${by.number}", email: "${by.email}") { number }`;
const aliased = (many: number, make: (index: number) => string) =>
  `{ ${Array.from({ length: many }, (_, i) => `a${i}: ${make(i)}`).join(' ')} }`;
const lookUp = (by: { number: string; email: string }, address?: string) =>
  callerFrom(shop, address).execute<{ order: { number: string } | null }>(`{ ${field(by)} }`);
const wrong = (index: number) => String(2_000_000_000 + index);

describe('an order that is looked up by number and e-mail', () => {
  test('is found however the number is read, again and again', async () => {
    const grouped = `${number.slice(0, 4)} ${number.slice(4, 7)}-${number.slice(7)}`;
    const address = newAddress();
    const found = await times(12, async (i) => {
      const { data } = await lookUp({ number: i % 2 === 0 ? number : ` #${grouped} `, email }, address);
      return data?.order?.number;
    });
    expect(new Set(found)).toEqual(new Set([number]));
  });

  test('five failures lock the e-mail for the network, for the right number, too; each alias counts', async () => {
    const address = newAddress();
    const answer = await callerFrom(shop, address).execute(aliased(15, (i) => field({ number: wrong(i), email })));
    expect(refusedIn(answer).map(({ path }) => path)).toEqual(Array.from({ length: 10 }, (_, i) => `a${i + 5}`));
    for (const way of [email, email.toUpperCase(), ` ${email} `]) {
      expectRefused(await lookUp({ number, email: way }, address), 'order', QUARTER);
    }
    // Strangers do not lock out anybody elsewhere.
    expect((await lookUp({ number, email })).data).toEqual({ order: { number } });
  });

  test('one e-mail takes fifty failures an hour, from however many networks', async () => {
    const guessed = newEmail();
    const answers = await times(10, () =>
      callerFrom(shop).execute(aliased(5, (i) => field({ number: wrong(i), email: guessed }))),
    );
    expect(answers.flatMap(({ codes }) => codes)).toEqual([]);
    expectRefused(await lookUp({ number, email: guessed }), 'order', HOUR);
  });

  test('one network takes thirty failures in 15 minutes, whatever the e-mail; a /56 takes four times as many', async () => {
    const guess = (address: string) =>
      callerFrom(shop, address).execute(aliased(15, (i) => field({ number: wrong(i), email: newEmail() })));
    const address = newAddress();
    expect((await times(2, () => guess(address))).flatMap(({ codes }) => codes)).toEqual([]);
    expectRefused(await lookUp({ number, email }, address), 'order', QUARTER);

    const inOneHouse = (subnet: number) => `2001:db8:77:1${subnet.toString(16).padStart(2, '0')}::1`;
    const answers = await times(8, (i) => guess(inOneHouse(i)));
    expect(answers.flatMap(({ codes }) => codes)).toEqual([]);
    expectRefused(await lookUp({ number, email }, inOneHouse(200)), 'order', QUARTER);
    expect((await lookUp({ number, email }, '2001:db8:77:200::1')).data).toEqual({ order: { number } });
  });

  test('one network takes a hundred access tokens that fit none', async () => {
    const client = callerFrom(shop);
    await times(7, () => client.execute(aliased(14, (i) => `order(accessToken: "x${i}") { number }`)));
    const answer = await client.execute(aliased(4, (i) => `order(accessToken: "y${i}") { number }`));
    expect(answer.codes).toEqual(['RATE_LIMITED', 'RATE_LIMITED']);
  });
});

test('orders of earlier versions, which were counted, are found by their numbers', async () => {
  await shop.db.query({ name: 'test_old_number', text: 'UPDATE orders SET number = 1001 WHERE number = $1' }, [number]);
  expect((await lookUp({ number: '1001', email })).data).toEqual({ order: { number: '1001' } });
});
