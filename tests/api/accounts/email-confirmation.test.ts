import { v7 as uuid } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSigner } from '../../../src/infra/signer.ts';
import { graphql } from '../../generated/gql/index.ts';
import { newEmail, newPerson, newStaff, type Person } from '../../support/accounts.ts';
import { rowId } from '../../support/shopper.ts';
import { rowsOf } from '../../support/books.ts';
import type { Client } from '../../support/client.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const Verify = graphql(`
  mutation OrderLifeVerifyEmail($token: String!) {
    emailVerify(input: { token: $token }) {
      user {
        id
        email
        emailVerified
      }
      errors {
        ...PersonError
      }
    }
  }
`);

const verify = async (client: Client, token: string) => known((await client.data(Verify, { token })).emailVerify);
const tokenOf = (person: Person) => shop.app.services.accounts.emailConfirmationToken(rowId(person.userId));

async function confirmedAt(person: Person): Promise<Date | null> {
  const [row] = await rowsOf<{ at: Date | null }>(shop.db, 'SELECT email_verified_at AS at FROM users WHERE id = $1', [
    rowId(person.userId),
  ]);
  return known(row).at;
}

const INVALID = {
  user: null,
  errors: [
    {
      __typename: 'GenericError',
      code: 'TOKEN_INVALID',
      message: 'The link is invalid or has expired. Request a new one.',
      path: ['token'],
    },
  ],
};

describe('the token in a link', () => {
  test('confirms the address, and doing so again changes nothing', async () => {
    const ada = await newPerson(shop);
    const token = await tokenOf(ada);
    expect(await confirmedAt(ada)).toBeNull();
    const answer = { user: { id: ada.userId, email: ada.email, emailVerified: true }, errors: [] };
    const before = Date.now();
    expect(await verify(ada.client, token)).toEqual(answer);
    const at = known(await confirmedAt(ada));
    expect(at.getTime()).toBeGreaterThanOrEqual(before);
    expect(at.getTime()).toBeLessThanOrEqual(Date.now());

    expect(await changingNothing(shop, () => verify(ada.client, token))).toEqual(answer);
    expect(await changingNothing(shop, async () => verify(ada.client, await tokenOf(ada)))).toEqual(answer);
  });

  test('may be opened in any browser; only the user sees the account', async () => {
    const others = [shop.client(), (await newPerson(shop)).client, (await newStaff(shop)).client];
    for (const client of others) {
      const ada = await newPerson(shop);
      expect(await verify(client, await tokenOf(ada))).toEqual({ user: null, errors: [] });
      expect(await confirmedAt(ada)).not.toBeNull();
    }
  });

  test('is seen at once by what follows in the operation', async () => {
    const ada = await newPerson(shop);
    const document = `mutation ($token: String!, $input: PasswordChangeInput!) {
      before: passwordChange(input: $input) { user { emailVerified } }
      emailVerify(input: { token: $token }) { user { emailVerified } }
    }`;
    const input = { currentPassword: 'a long enough password', newPassword: 'another good password' };
    expect(await ada.client.data(document, { token: await tokenOf(ada), input })).toEqual({
      before: { user: { emailVerified: false } },
      emailVerify: { user: { emailVerified: true } },
    });
  });

  test('is for one address: once the user has another one, it is worth nothing', async () => {
    const ada = await newPerson(shop);
    const token = await tokenOf(ada);
    const setEmail = (email: string) =>
      rowsOf(shop.db, 'UPDATE users SET email = $2 WHERE id = $1', [rowId(ada.userId), email]);
    await setEmail(newEmail());
    expect(await changingNothing(shop, () => verify(ada.client, token))).toEqual(INVALID);
    // Other capitals are the same address.
    await setEmail(ada.email.toUpperCase());
    expect((await verify(ada.client, token)).errors).toEqual([]);
  });

  test('is good for seven days by the clock of the database, and not for longer', async () => {
    const ada = await newPerson(shop);
    const signer = createSigner(shop.config.secrets);
    const [{ now } = { now: 0 }] = await rowsOf<{ now: number }>(
      shop.db,
      'SELECT floor(extract(epoch FROM clock_timestamp()))::int AS now',
    );
    const made = (expiry: number) => {
      const id = rowId(ada.userId);
      const end = Buffer.alloc(6);
      end.writeUIntBE(expiry, 0, 6);
      const tag = signer.sign('email confirmation', `${id} ${ada.email.toLowerCase()} ${expiry}`);
      const name = Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');
      return `${name}.${end.toString('base64url')}.${tag}`;
    };
    const end = Buffer.from(known((await tokenOf(ada)).split('.')[1]), 'base64url').readUIntBE(0, 6);
    const week = 7 * 86_400;
    expect(end - now).toBeGreaterThanOrEqual(week);
    expect(end).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + week);

    for (const expiry of [now, now - 1, 0]) {
      expect(await changingNothing(shop, () => verify(ada.client, made(expiry)))).toEqual(INVALID);
    }
    expect((await verify(ada.client, made(now + 60))).errors).toEqual([]);
    // Also where the address is confirmed already.
    expect(await changingNothing(shop, () => verify(ada.client, made(now)))).toEqual(INVALID);
  });

  test('is none that was tampered with, of another user, or for another purpose', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const [id = '', end = '', tag = ''] = (await tokenOf(ada)).split('.');
    const [otherId = '', otherEnd = '', otherTag = ''] = (await tokenOf(eve)).split('.');
    const signer = createSigner(shop.config.secrets);
    const expiry = Buffer.from(end, 'base64url').readUIntBE(0, 6);
    const data = `${rowId(ada.userId)} ${ada.email.toLowerCase()} ${expiry}`;
    const flipped = (text: string, at: number) =>
      text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    const nobody = Buffer.from(uuid().replaceAll('-', ''), 'hex').toString('base64url');
    const wrong = [
      `${flipped(id, 3)}.${end}.${tag}`,
      `${id}.${flipped(end, 2)}.${tag}`,
      `${id}.${end}.${flipped(tag, 0)}`,
      `${otherId}.${end}.${tag}`,
      `${id}.${otherEnd}.${otherTag}`,
      `${nobody}.${end}.${tag}`,
      `${id}.${end}.${signer.sign('order access', data)}`,
      `${id}.${end}.${createSigner(['another secret that is long enough']).sign('email confirmation', data)}`,
      `${id}.${end}`,
      `${id}..${tag}`,
      `${id}.${end}.${tag}A`,
      ` ${id}.${end}.${tag}`,
      `${id}.${end}.${tag}\n`,
      '',
      '..',
      '\u0000',
      'x'.repeat(10_000),
      ada.accessToken,
    ];
    for (const token of wrong) {
      expect([token, await changingNothing(shop, () => verify(ada.client, token))]).toEqual([token, INVALID]);
    }
  });
});
