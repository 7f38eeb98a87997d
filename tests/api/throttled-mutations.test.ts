import { expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { throttledMutations } from '../../src/graphql/throttled-mutations.ts';

// A mutation that is in neither list fails here: decide whether it needs a limit of its own (a rule in
// src/graphql/throttled-mutations.ts), or whether the general one is enough for it.

const THROTTLED = [
  'register',
  'login',
  'refreshSession',
  'passwordChange',
  'passwordResetRequest',
  'passwordReset',
  'emailVerifyRequest',
  'cartCreate',
  'cartLinesAdd',
  'cartLinesUpdate',
  'cartReclaim',
  'stockAlertCreate',
];

/** The general limit is enough: they ask for no secret, make no guest and hold no units. */
const GENERAL_ALONE = [
  'logout',
  'cartLinesRemove',
  'cartEmailSet',
  'checkout',
  'orderCancel',
  // Its token is no more to be guessed than a session's.
  'emailVerify',
  // Its token neither.
  'stockAlertCancel',
  'notificationSettingsUpdate',
  // Staff and admins alone.
  'userRoleUpdate',
  'productCreate',
  'productUpdate',
  'productArchive',
  'productVariantCreate',
  'productVariantUpdate',
  'productVariantArchive',
  'categoryCreate',
  'categoryUpdate',
  'categoryDelete',
  'stockAdjust',
  'stockSet',
  'orderMarkAsPaid',
  'orderMarkAsRefunded',
  'orderStatusUpdate',
  'parkedEventRetry',
  'failedJobRetry',
  'webhookDeliveryRetry',
  'mailRetry',
];

const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {});

test('each mutation asks a limit of its own, or is known to need none', () => {
  expect(mutations.filter((name) => !THROTTLED.includes(name) && !GENERAL_ALONE.includes(name))).toEqual([]);
  expect(mutations.length).toBeGreaterThan(10);
});

test('those that ask are those that are meant to', () => {
  expect(throttledMutations.toSorted()).toEqual(THROTTLED.toSorted());
  expect(THROTTLED.filter((name) => !mutations.includes(name))).toEqual([]);
  expect(THROTTLED.filter((name) => GENERAL_ALONE.includes(name))).toEqual([]);
});

test('no name is listed that is none', () => {
  expect([...THROTTLED, ...GENERAL_ALONE].filter((name) => !mutations.includes(name))).toEqual([]);
});
