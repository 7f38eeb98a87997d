import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Letters } from '../../src/modules/mail/mail.types.ts';
import { newPerson } from '../support/accounts.ts';
import { known } from '../support/known.ts';
import { WARN } from '../support/logs.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { rowId } from '../support/shopper.ts';
import { createTestShop } from '../support/shop.ts';

let api: QuietShop;
beforeAll(async () => {
  api = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => api.dispose());

/** The link in the mail that confirms an address, as a process of the shop's writes it, and what it warned of at its start. */
async function linkOf(env: NodeJS.ProcessEnv): Promise<{ origin: string; own: string; warnings: string[] }> {
  const ada = await newPerson(api);
  let letters: Letters | undefined;
  const shop = await createTestShop({
    database: { url: api.config.database.kind === 'url' ? api.config.database.url : '', dispose: async () => {} },
    env,
    overrides: {
      quiet: true,
      letters: (real) => {
        letters = real;
        return real;
      },
    },
  });
  onTestFinished(() => shop.dispose());
  const userId = rowId(ada.userId);
  const letter = await known(letters).compose({
    id: randomUUID(),
    cause: 'event:0',
    template: 'confirm-address',
    recipient: ada.email,
    userId,
    data: { userId },
    messageId: '<1@vitrine.test>',
  });
  const [, origin] = /(https?:\/\/[^/]+)\/mail\/confirm-email\?token=/.exec(known(letter).text) ?? [];
  const warnings = shop.logs.filter(({ level, msg }) => level >= WARN && msg.includes('PUBLIC_URL'));
  return { origin: known(origin), own: shop.url, warnings: warnings.map(({ msg }) => msg) };
}

test('links in mails lead to the public address', async () => {
  for (const ROLES of ['api,worker', 'worker']) {
    const { origin, warnings } = await linkOf({ ROLES, PUBLIC_URL: 'https://shop.example' });
    expect([ROLES, origin, warnings]).toEqual([ROLES, 'https://shop.example', []]);
  }
});

test('without one they lead to the process itself, where it serves them', async () => {
  const { origin, own, warnings } = await linkOf({ ROLES: 'api,worker' });
  expect([origin, warnings]).toEqual([own, []]);
});

test('and from a worker alone, which serves none, to where an API is by default; it says so', async () => {
  const { origin, own, warnings } = await linkOf({ ROLES: 'worker', PUBLIC_URL: undefined });
  expect(origin).toBe('http://localhost:4000');
  expect(origin).not.toBe(own);
  expect(warnings).toEqual(['PUBLIC_URL is not set; links in emails lead to the default address of the API']);
});
