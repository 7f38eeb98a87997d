import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PasswordResetInput } from '../../generated/gql/graphql.ts';
import {
  accountDocuments,
  bearer,
  faultsOf,
  login,
  newEmail,
  newPerson,
  PASSWORD,
  register,
  resetToken,
  whoIs,
  type Auth,
} from '../../support/accounts.ts';
import { holdBarrier, watchLocks } from '../../support/barriers.ts';
import { rowsOf } from '../../support/books.ts';
import type { Client } from '../../support/client.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { enter, rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const NEW = 'another password, as long';

async function reset(client: Client, token: string, more: Partial<PasswordResetInput> = {}): Promise<Auth> {
  const input: PasswordResetInput = { token, newPassword: NEW, tokens: 'BODY', ...more };
  return known((await client.data(accountDocuments.reset, { input })).passwordReset);
}

const INVALID = [['TOKEN_INVALID', 'token']];

interface ResetRow {
  id: string;
  userId: string | null;
  seconds: number;
  open: boolean;
}

const resetsSince = (id: string) =>
  rowsOf<ResetRow>(
    shop.db,
    `SELECT id, user_id AS "userId", extract(epoch FROM expires_at - requested_at)::int AS seconds, closed_at IS NULL AS open
       FROM password_resets WHERE id > $1 ORDER BY id`,
    [id],
  );

const eventsOf = (subjectId: string, type: string) =>
  rowsOf<{ payload: unknown }>(shop.db, 'SELECT payload FROM event_log WHERE subject_id = $1 AND type = $2', [
    subjectId,
    type,
  ]);

describe('asking for a link', () => {
  test('is answered alike, and does the same work, whether or not there is an account', async () => {
    const ada = await newPerson(shop);
    const start = uuid();
    for (const email of [ada.email.toUpperCase(), newEmail()]) {
      expect(await shop.client().data(accountDocuments.requestReset, { email })).toEqual({
        passwordResetRequest: { accepted: true, errors: [] },
      });
    }
    const [hers, nobodys] = await resetsSince(start);
    expect([hers, nobodys]).toEqual([
      { id: expect.any(String), userId: rowId(ada.userId), seconds: 3600, open: true },
      { id: expect.any(String), userId: null, seconds: 3600, open: true },
    ]);
    const payloads = await Promise.all(
      [hers, nobodys].map((row) => eventsOf(known(row).id, 'password_reset_requested')),
    );
    expect(payloads).toEqual([
      [{ payload: { userId: rowId(ada.userId), resetId: hers?.id } }],
      [{ payload: { userId: null, resetId: nobodys?.id } }],
    ]);
    // A link that is nobody's has no token.
    expect(await shop.app.services.accounts.passwordResetToken(known(nobodys).id)).toBeNull();
    expect(await shop.app.services.accounts.passwordResetToken(known(hers).id)).toMatch(
      /^[\w-]{22}\.[\w-]{8}\.[\w-]{43}$/,
    );
  });

  test('needs an address', async () => {
    const answer = await changingNothing(shop, () =>
      shop.client().data(accountDocuments.requestReset, { email: 'nonsense' }),
    );
    expect(answer.passwordResetRequest?.accepted).toBe(false);
    expect(faultsOf(answer.passwordResetRequest)).toEqual([['INVALID_INPUT', 'email']]);
  });

  test('is for those whose credentials are good no more', async () => {
    const ada = await newPerson(shop);
    const stale = shop.client({ headers: bearer(`${ada.accessToken}x`) });
    expect(await whoIs(stale)).toEqual(['401', 'UNAUTHENTICATED']);
    const answer = await stale.data(accountDocuments.requestReset, { email: ada.email });
    expect(answer.passwordResetRequest?.accepted).toBe(true);
    expect((await reset(stale, await resetToken(shop, ada.email))).user?.id).toBe(ada.userId);
  });
});

describe('the token in a link', () => {
  test('sets the password, ends all sessions, confirms the address and logs in', async () => {
    const ada = await newPerson(shop);
    const elsewhere = await login(shop.client(), { email: ada.email });
    const token = await resetToken(shop, ada.email);

    const auth = await reset(shop.client(), token);
    expect(auth.errors).toEqual([]);
    expect(auth.user).toMatchObject({ id: ada.userId, emailVerified: true });
    expect(await whoIs(shop.client({ headers: bearer(known(auth.accessToken)) }))).toBe(ada.email);
    for (const former of [ada.accessToken, known(elsewhere.accessToken)]) {
      expect(await whoIs(shop.client({ headers: bearer(former) }))).toEqual(['401', 'UNAUTHENTICATED']);
    }
    expect(faultsOf(await login(shop.client(), { email: ada.email }))).toEqual([['INVALID_CREDENTIALS', 'password']]);
    expect((await login(shop.client(), { email: ada.email, password: NEW })).user?.id).toBe(ada.userId);
    expect(await eventsOf(rowId(ada.userId), 'password_changed')).toEqual([{ payload: { userId: rowId(ada.userId) } }]);
  });

  test('hands tokens over as cookies by default', async () => {
    const ada = await newPerson(shop);
    const token = await resetToken(shop, ada.email);
    const client = shop.client({ cookies: true });
    const { passwordReset } = await client.data(accountDocuments.reset, { input: { token, newPassword: NEW } });
    expect(passwordReset).toMatchObject({ user: { id: ada.userId }, accessToken: null, refreshToken: null });
    expect(await whoIs(client)).toBe(ada.email);
  });

  test('takes the cart of the guest who opens it along', async () => {
    const ada = await newPerson(shop);
    const { sku } = await makeVariant(shop, { onHand: 5 });
    const guest = await enter(shop);
    await guest.add({ sku, quantity: 2 });
    const auth = await reset(guest.client, await resetToken(shop, ada.email));
    expect(auth.cart?.lines.map((line) => line.quantity)).toEqual([2]);
  });

  test('is good once', async () => {
    const ada = await newPerson(shop);
    const token = await resetToken(shop, ada.email);
    expect((await reset(shop.client(), token)).errors).toEqual([]);
    const again = await changingNothing(shop, () => reset(shop.client(), token, { newPassword: PASSWORD }));
    expect([again.user, faultsOf(again)]).toEqual([null, INVALID]);
  });

  test('is good once, also where two come with it at the same moment', async () => {
    const ada = await newPerson(shop);
    const token = await resetToken(shop, ada.email);
    await using locks = await watchLocks(shop.db);
    await using barrier = await holdBarrier(shop.db, 'SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [
      rowId(ada.userId),
    ]);
    const both = [1, 2].map((n) => reset(shop.client(), token, { newPassword: `${NEW} ${n}` }));
    await locks.untilWaiting(2, 'FROM users');
    await barrier.release();
    const outcomes = (await Promise.all(both)).map((auth) => faultsOf(auth));
    expect(outcomes.toSorted((a, b) => a.length - b.length)).toEqual([[], INVALID]);
    expect(await eventsOf(rowId(ada.userId), 'password_changed')).toHaveLength(1);
  });

  test.each([
    [
      'another link was used',
      async (email: string) => void (await reset(shop.client(), await resetToken(shop, email))),
    ],
    [
      'the password was changed',
      async (email: string) => {
        const { accessToken } = await login(shop.client(), { email });
        const input = { currentPassword: PASSWORD, newPassword: NEW };
        await shop.client({ headers: bearer(known(accessToken)) }).data(accountDocuments.changePassword, { input });
      },
    ],
    [
      'an hour is over',
      async () => {
        await shop.db.query({
          name: 'test_age_resets',
          text: `UPDATE password_resets SET requested_at = requested_at - interval '1 hour', expires_at = expires_at - interval '1 hour'`,
        });
      },
    ],
  ])('is void once %s', async (_, happens) => {
    const ada = await newPerson(shop);
    const token = await resetToken(shop, ada.email);
    await happens(ada.email);
    const auth = await changingNothing(shop, () => reset(shop.client(), token, { newPassword: `${NEW} again` }));
    expect([auth.user, faultsOf(auth)]).toEqual([null, INVALID]);
  });

  test('is none where anything of it is another', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const [hers, eves] = [await resetToken(shop, ada.email), await resetToken(shop, eve.email)];
    const [id, end, tag] = hers.split('.');
    const [, , otherTag] = eves.split('.');
    const confirmation = await shop.app.services.accounts.emailConfirmationToken(rowId(ada.userId));
    const later = Buffer.from(known(end), 'base64url');
    later.writeUIntBE(later.readUIntBE(0, 6) + 3600, 0, 6);
    const odd = [
      '',
      'nonsense',
      '\u0000',
      confirmation,
      `${id}.${end}.${otherTag}`,
      `${id}.${later.toString('base64url')}.${tag}`,
      `${id}.${end}.${known(tag).slice(1)}A`,
      `${hers}x`,
      'x'.repeat(10_000),
    ];
    for (const token of odd) {
      const auth = await changingNothing(shop, () => reset(shop.client(), token));
      expect(faultsOf(auth)).toEqual(INVALID);
    }
    expect((await reset(shop.client(), hers)).errors).toEqual([]);
  });

  test('does not stand anywhere in the database', async () => {
    const ada = await newPerson(shop);
    const token = await resetToken(shop, ada.email);
    const [, , tag] = token.split('.');
    const tables = ['password_resets', 'event_log', 'users', 'sessions', 'staff_actions'];
    for (const table of tables) {
      const rows = await rowsOf<{ found: boolean }>(
        shop.db,
        `SELECT to_jsonb(t)::text LIKE '%' || $1 || '%' AS found FROM ${table} t`,
        [tag],
      );
      expect(rows.some((row) => row.found)).toBe(false);
    }
  });

  test('wants a password that may be one', async () => {
    const ada = await newPerson(shop);
    const token = await resetToken(shop, ada.email);
    const auth = await changingNothing(shop, () => reset(shop.client(), token, { newPassword: 'short' }));
    expect(faultsOf(auth)).toEqual([['INVALID_INPUT', 'newPassword']]);
    expect((await reset(shop.client(), token)).errors).toEqual([]);
  });
});

test('registering and changing the password make events that hold only IDs', async () => {
  const email = newEmail();
  const { user, accessToken } = await register(shop.client(), { email });
  const userId = rowId(known(user).id);
  expect(await eventsOf(userId, 'user_registered')).toEqual([{ payload: { userId } }]);
  const input = { currentPassword: PASSWORD, newPassword: NEW };
  await shop.client({ headers: bearer(known(accessToken)) }).data(accountDocuments.changePassword, { input });
  expect(await eventsOf(userId, 'password_changed')).toEqual([{ payload: { userId } }]);
});

test('another link to confirm the address is asked for as long as it is not confirmed', async () => {
  const ada = await newPerson(shop);
  const ask = () => ada.client.data<{ emailVerifyRequest: unknown }>('mutation { emailVerifyRequest { accepted } }');
  const requests = () => eventsOf(rowId(ada.userId), 'email_confirmation_requested');
  expect(await ask()).toEqual({ emailVerifyRequest: { accepted: true } });
  expect(await requests()).toHaveLength(1);
  await reset(ada.client, await resetToken(shop, ada.email));
  const { accessToken } = await login(shop.client(), { email: ada.email, password: NEW });
  const again = shop.client({ headers: bearer(known(accessToken)) });
  await changingNothing(shop, () => again.data('mutation { emailVerifyRequest { accepted } }'));
  expect(await requests()).toHaveLength(1);
});
