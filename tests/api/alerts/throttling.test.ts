import { afterAll, beforeAll, expect, test } from 'vitest';
import { newEmail } from '../../support/accounts.ts';
import { makeVariant } from '../../support/fixtures.ts';
import type { TestShop } from '../../support/shop.ts';
import { changingNothing } from '../../support/state.ts';
import { alertDocuments, waiterOf } from '../../support/stock-alerts.ts';
import { callerFrom, createThrottledShop, expectRefused, newAddress, times } from '../../support/throttling.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createThrottledShop();
});
afterAll(() => shop.dispose());

test('one client can create alerts for sixty addresses an hour, counting those that wait already', async () => {
  const { globalId: variantId } = await makeVariant(shop.app, { onHand: 0 });
  const address = newAddress();
  const client = callerFrom(shop, address);
  const email = newEmail();
  const errors = await times(60, async () => (await waiterOf(client).wait({ variantId, email })).errors);
  expect(errors.flat()).toEqual([]);
  const input = { variantId, email: newEmail() };
  const refused = await changingNothing(shop, () => client.execute(alertDocuments.create, { input }));
  expectRefused(refused, 'stockAlertCreate', 60 * 60);
  expect((await waiterOf(callerFrom(shop)).wait(input)).errors).toEqual([]);
});
