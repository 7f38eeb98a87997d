import bcrypt from 'bcrypt';
import { loadConfig } from '../../../src/config/config.ts';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { accountDocuments, faultsOf, login, newEmail, openNode, PASSWORD, register } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { known } from '../../support/known.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
});
afterAll(() => shop.dispose());

async function hashOf(email: string): Promise<string> {
  const [row] = await rowsOf<{ hash: string }>(shop.db, 'SELECT password_hash AS hash FROM users WHERE email = $1', [
    email,
  ]);
  return known(row).hash;
}

describe('registering', () => {
  test('makes an account that can log in, whatever the capitals of its address', async () => {
    const email = newEmail();
    const registered = await register(shop.client(), { email, name: '  Ada Lovelace ' });
    expect(registered).toMatchObject({
      user: { email, name: 'Ada Lovelace', role: 'CUSTOMER', emailVerified: false },
      cart: null,
      cartNotices: [],
      errors: [],
    });
    const { user } = await login(shop.client(), { email: email.toUpperCase() });
    expect(user).toEqual(registered.user);
  });

  test('is refused where there is an account with the address, whatever its capitals', async () => {
    const email = newEmail();
    await register(shop.client(), { email });
    const again = await register(shop.client(), { email: email.toUpperCase() });
    expect(faultsOf(again)).toEqual([['EMAIL_TAKEN', 'email']]);
    expect(again).toMatchObject({ user: null, accessToken: null, refreshToken: null });
    const rows = await rowsOf(shop.db, 'SELECT FROM users WHERE lower(email) = $1', [email]);
    expect(rows).toHaveLength(1);
  });

  test.each<[string, string, string]>([
    ['email', 'ada', 'email'],
    ['email', 'ada@example.com\nbcc: eve@example.com', 'email'],
    ['email', `${'a'.repeat(250)}@example.com`, 'email'],
    ['name', '  ', 'name'],
    ['name', 'Ada\u0000', 'name'],
    ['name', 'a'.repeat(101), 'name'],
    ['password', 'too short', 'password'],
    ['password', '🐝'.repeat(9), 'password'],
    ['password', 'a'.repeat(201), 'password'],
    ['password', 'qwertyuiop', 'password'],
    ['password', 'Password123', 'password'],
  ])('takes no %s like %j', async (field, value, path) => {
    const email = newEmail();
    const refused = await register(shop.client(), { email, [field]: value });
    expect(faultsOf(refused)).toEqual([['INVALID_INPUT', path]]);
    expect(refused.user).toBeNull();
    expect(await rowsOf(shop.db, 'SELECT FROM users WHERE email = $1', [email])).toEqual([]);
  });

  test('names every fault at once', async () => {
    expect(faultsOf(await register(shop.client(), { email: '', name: '', password: '' }))).toEqual([
      ['INVALID_INPUT', 'email'],
      ['INVALID_INPUT', 'password'],
      ['INVALID_INPUT', 'name'],
    ]);
  });

  test.each(['ten letter', '          ', '🐝'.repeat(10), 'a'.repeat(200)])(
    'takes %j for a password',
    async (password) => {
      const email = newEmail();
      expect((await register(shop.client(), { email, password })).errors).toEqual([]);
      expect((await login(shop.client(), { email, password })).user?.email).toBe(email);
    },
  );
});

describe('logging in', () => {
  test('says the same of an unknown address and of a wrong password', async () => {
    const email = newEmail();
    await register(shop.client(), { email });
    const wrong = await login(shop.client(), { email, password: 'another password' });
    const unknown = await login(shop.client(), { email: newEmail() });
    expect(faultsOf(wrong)).toEqual([['INVALID_CREDENTIALS', 'password']]);
    expect(unknown).toEqual(wrong);
  });

  test('costs the same work for an unknown address as for a known one', async () => {
    const COST = 5;
    const slow = await createApiNode({ env: { BCRYPT_COST: String(COST) } });
    try {
      const email = newEmail();
      await register(slow.client(), { email });
      const compare = vi.spyOn(bcrypt, 'compare');
      onTestFinished(() => compare.mockRestore());
      /** The work of each comparison that a log-in makes: the binary logarithm of bcrypt's rounds. */
      const workOf = async (address: string) => {
        compare.mockClear();
        await login(slow.client(), { email: address, password: 'another password' });
        return compare.mock.calls.map(([, hash]) => bcrypt.getRounds(hash));
      };
      expect(await workOf(email)).toEqual([COST]);
      expect(await workOf(newEmail())).toEqual([COST]);
    } finally {
      await slow.dispose();
    }
  });

  test.each<[string, string]>([
    ['email', 'ada'],
    ['password', ''],
    ['password', 'a'.repeat(401)],
  ])('takes no %s like %j', async (field, value) => {
    const refused = await login(shop.client(), { email: newEmail(), [field]: value });
    expect(faultsOf(refused)).toEqual([['INVALID_INPUT', field]]);
  });

  test('looks at every byte of a password, beyond the 72 at which bcrypt stops, and beyond a NUL', async () => {
    const passwords = [`${'é'.repeat(80)}1`, `${'é'.repeat(80)}2`, 'before\u0000after one', 'before\u0000after two'];
    for (const password of passwords) {
      const email = newEmail();
      await register(shop.client(), { email, password });
      for (const tried of passwords) {
        const { user } = await login(shop.client(), { email, password: tried });
        expect(user === null).toBe(tried !== password);
      }
    }
  });

  test('takes letters as they are typed: composed or not', async () => {
    const email = newEmail();
    await register(shop.client(), { email, password: 'caf\u00e9 au lait' });
    expect((await login(shop.client(), { email, password: 'cafe\u0301 au lait' })).errors).toEqual([]);
  });

  test('renews a hash of an old cost, and only then', async () => {
    const email = newEmail();
    const { user } = await register(shop.client(), { email });
    const first = await hashOf(email);
    expect(bcrypt.getRounds(first)).toBe(4);
    await login(shop.client(), { email });
    expect(await hashOf(email)).toBe(first);

    const costlier = await openNode(shop, { BCRYPT_COST: '5' });
    try {
      expect((await login(costlier.client(), { email, password: 'another password' })).user).toBeNull();
      expect(await hashOf(email)).toBe(first);
      expect((await login(costlier.client(), { email })).user).toEqual(user);
    } finally {
      await costlier.dispose();
    }
    const renewed = await hashOf(email);
    expect(bcrypt.getRounds(renewed)).toBe(5);
    expect((await login(shop.client(), { email })).user).toEqual(user);
    expect(await hashOf(email)).toBe(renewed);
  });

  test('keeps no password, and reveals no hash', async () => {
    const email = newEmail();
    await register(shop.client(), { email });
    const [row] = await rowsOf<{ text: string }>(shop.db, 'SELECT u::text AS text FROM users u WHERE email = $1', [
      email,
    ]);
    expect(row?.text).not.toContain(PASSWORD);
    expect(JSON.stringify(shop.logs)).not.toContain(PASSWORD);
  });
});

test.each<[NodeJS.ProcessEnv, number | RegExp]>([
  [{}, 12],
  [{ BCRYPT_COST: '4' }, 4],
  [{ BCRYPT_COST: '3' }, /BCRYPT_COST must be between 4 and 20/],
  [{ NODE_ENV: 'production' }, 12],
  [{ NODE_ENV: 'production', BCRYPT_COST: '13' }, 13],
  [{ NODE_ENV: 'production', BCRYPT_COST: '11' }, /BCRYPT_COST must be at least 12 in production/],
])('the work for a password with %j is %s', (env, outcome) => {
  const load = () => loadConfig({ JWT_SECRET: 'a secret of tests that is long enough', ...env }).accounts.bcryptCost;
  if (outcome instanceof RegExp) expect(load).toThrow(outcome);
  else expect(load()).toBe(outcome);
});

test('what a guest may not do is refused in its place', async () => {
  const answer = await shop.client().execute(accountDocuments.changePassword, {
    input: { currentPassword: PASSWORD, newPassword: 'another password' },
  });
  expect([answer.status, answer.codes, answer.data]).toEqual([200, ['UNAUTHENTICATED'], { passwordChange: null }]);
});
