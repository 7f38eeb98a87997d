import { createHmac } from 'node:crypto';
import jwt, { type SignOptions } from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accountDocuments,
  bearer,
  login,
  newPerson,
  openNode,
  PASSWORD,
  refresh,
  whoIs,
  type Person,
} from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { rowId } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';

const SECRET = 'a secret of tests that is long enough';
const OTHER_SECRET = 'another secret of tests that is long enough';
const REFUSED = ['401', 'UNAUTHENTICATED'];

let shop: TestShop;
let ada: Person;
let eve: Person;
beforeAll(async () => {
  shop = await createApiNode({ env: { JWT_SECRET: SECRET } });
  [ada, eve] = await Promise.all([newPerson(shop), newPerson(shop)]);
});
afterAll(() => shop.dispose());

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

interface Parts {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
}

function partsOf(token: string): Parts {
  const { header, payload } = jwt.decode(token, { complete: true }) as unknown as Parts;
  return { header, payload };
}

/** A token as our own code would sign it, but for what is changed. */
function forge(
  changes: { payload?: Record<string, unknown>; header?: Record<string, unknown>; secret?: string; hash?: string } = {},
): string {
  const { header, payload } = partsOf(ada.accessToken);
  const text = `${encode({ ...header, ...changes.header })}.${encode({ ...payload, ...changes.payload })}`;
  const signature = createHmac(changes.hash ?? 'sha256', changes.secret ?? SECRET)
    .update(text)
    .digest('base64url');
  return `${text}.${signature}`;
}

const now = () => Math.floor(Date.now() / 1000);

describe('an access token', () => {
  test('names the user and has the documented claims', async () => {
    const { header, payload } = partsOf(ada.accessToken);
    expect(header).toEqual({ alg: 'HS256', typ: 'JWT', kid: expect.stringMatching(/^[\w-]{11}$/) });
    const { iat, exp, sid } = payload;
    expect(payload).toEqual({ iss: 'vitrine', aud: 'vitrine api', sub: rowId(ada.userId), sid, iat, exp });
    expect(Number(exp) - Number(iat)).toBe(15 * 60);
    expect(JSON.stringify(header)).not.toContain(SECRET);
    expect(await whoIs(shop.client(), bearer(ada.accessToken))).toBe(ada.email);
    // The forger's tools are good: what follows is refused for what is changed, and for nothing else.
    expect(await whoIs(shop.client(), bearer(forge()))).toBe(ada.email);
  });

  test.each<[string, () => string]>([
    [
      'no algorithm',
      () => `${encode({ ...partsOf(ada.accessToken).header, alg: 'none' })}.${ada.accessToken.split('.')[1]}.`,
    ],
    ['no signature', () => `${ada.accessToken.split('.').slice(0, 2).join('.')}.`],
    ['another key', () => forge({ secret: OTHER_SECRET })],
    ['another key, and its id', () => jwt.sign({ sid: 'x' }, OTHER_SECRET, { keyid: 'another-one' })],
    ['no key id', () => forge({ header: { kid: undefined } })],
    ['a key id that is no text', () => forge({ header: { kid: { toString: 1 } } })],
    ['another algorithm, well signed', () => forge({ header: { alg: 'HS512' }, hash: 'sha512' })],
    ['another issuer', () => forge({ payload: { iss: 'another shop' } })],
    ['no issuer', () => forge({ payload: { iss: undefined } })],
    ['another audience', () => forge({ payload: { aud: 'another api' } })],
    ['its time over', () => forge({ payload: { exp: now() - 1 } })],
    ['no end', () => forge({ payload: { exp: undefined } })],
    ['an end that is no number', () => forge({ payload: { exp: 'never' } })],
    ["another user's id", () => forge({ payload: { sub: rowId(eve.userId) } })],
    ["another user's session", () => forge({ payload: { sid: partsOf(eve.accessToken).payload.sid } })],
    ['a session that there is not', () => forge({ payload: { sid: rowId(ada.userId) } })],
    ['a session that is no id', () => forge({ payload: { sid: "' OR true" } })],
    [
      'claims changed after it was signed',
      () => {
        const [header, , signature] = ada.accessToken.split('.');
        return `${header}.${encode({ ...partsOf(ada.accessToken).payload, sub: rowId(eve.userId) })}.${signature}`;
      },
    ],
    ['nothing in it', () => 'x'],
    ['far too much in it', () => forge({ payload: { more: 'x'.repeat(3000) } })],
  ])('with %s is refused', async (_what, make) => {
    expect(await whoIs(shop.client(), bearer(make()))).toEqual(REFUSED);
  });

  test.each(['Bearer', 'Bearer ', 'Basic YWRhOmFkYQ==', 'Bearer null', 'x'])(
    'is not to be replaced by %j',
    async (authorization) => {
      expect(await whoIs(shop.client(), { authorization })).toEqual(REFUSED);
    },
  );

  test('and the refresh token are not each other', async () => {
    expect(await whoIs(shop.client(), bearer(ada.refreshToken))).toEqual(REFUSED);
    const { errors } = await refresh(shop.client(), ada.accessToken);
    expect(errors).toMatchObject([{ code: 'TOKEN_INVALID', path: ['refreshToken'] }]);
  });

  test('of before the secret was rotated is accepted, and new ones are signed by the new secret', async () => {
    const rotated = await openNode(shop, { JWT_SECRET: `${OTHER_SECRET},${SECRET}` });
    try {
      expect(await whoIs(rotated.client(), bearer(ada.accessToken))).toBe(ada.email);
      const fresh = await login(rotated.client(), { email: ada.email });
      expect(await whoIs(rotated.client(), bearer(fresh.accessToken ?? ''))).toBe(ada.email);
      expect(await whoIs(shop.client(), bearer(fresh.accessToken ?? ''))).toEqual(REFUSED);
    } finally {
      await rotated.dispose();
    }
  });

  test.each<[string, string]>([
    ['has ended', 'ended_at = clock_timestamp()'],
    ['has run out', `expires_at = created_at + interval '1 microsecond'`],
  ])('of a session that %s is refused', async (_what, change) => {
    const bob = await newPerson(shop);
    expect(await whoIs(bob.client)).toBe(bob.email);
    await rowsOf(shop.db, `UPDATE sessions SET ${change} WHERE user_id = $1`, [rowId(bob.userId)]);
    expect(await whoIs(bob.client)).toEqual(REFUSED);
  });
});

describe('of several credentials', () => {
  const cookie = (name: string, value: string) => ({ cookie: `${name}=${value}` });

  test('the header wins over the cookie, valid or not', async () => {
    const headers = { ...bearer(ada.accessToken), ...cookie('access_token', eve.accessToken) };
    expect(await whoIs(shop.client(), headers)).toBe(ada.email);
    expect(await whoIs(shop.client(), { ...bearer('x'), ...cookie('access_token', eve.accessToken) })).toEqual(REFUSED);
    expect(await whoIs(shop.client(), { ...bearer(ada.accessToken), ...cookie('access_token', 'x') })).toBe(ada.email);
  });

  test('an access cookie that has outlived its token is UNAUTHENTICATED, and no guest', async () => {
    const expired = forge({ payload: { exp: now() - 1 } });
    const answer = await shop
      .client()
      .execute('mutation { cartCreate { cart { id } } }', {}, { headers: cookie('access_token', expired) });
    expect([answer.status, answer.codes]).toEqual([401, ['UNAUTHENTICATED']]);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await whoIs(shop.client(), cookie('access_token', ''))).toBeNull();
  });

  test("a user's own counts, and a guest's token is passed over", async () => {
    const client = shop.client({ cartToken: 'rubbish', headers: bearer(ada.accessToken) });
    expect(await whoIs(client)).toBe(ada.email);
    expect(await client.data('{ cart { token } }')).toEqual({ cart: null });
  });
});

describe('a credential that is not valid', () => {
  const bad = { ...bearer('x'), 'x-cart-token': 'rubbish' };

  test.each<[string, Record<string, unknown>]>([
    ['mutation { refreshSession { errors { code } } }', { refreshSession: { errors: [{ code: 'TOKEN_INVALID' }] } }],
    ['mutation { logout { loggedOut } }', { logout: { loggedOut: true } }],
    [
      'mutation { ...Out __typename } fragment Out on Mutation { ... on Mutation { bye: logout { loggedOut } } }',
      { bye: { loggedOut: true }, __typename: 'Mutation' },
    ],
    ['query Other { me { id } } mutation This { logout { loggedOut } }', { logout: { loggedOut: true } }],
  ])('is passed over by who wants to get in or out: %s', async (query, data) => {
    const operationName = query.includes('This') ? 'This' : undefined;
    const answer = await shop
      .client()
      .execute(query, {}, { headers: bad, ...(operationName === undefined ? {} : { operationName }) });
    expect([answer.status, answer.errors, answer.data]).toEqual([200, undefined, data]);
  });

  test('is passed over by log-in and registration', async () => {
    const client = shop.client({ headers: bad });
    const { user } = await login(client, { email: ada.email });
    expect(user?.id).toBe(ada.userId);
    expect((await newPersonWith(bad)).errors).toEqual([]);
  });

  test.each([
    'mutation { logout { loggedOut } cartCreate { cart { id } } }',
    'mutation { cartCreate { cart { id } } }',
    '{ __typename }',
    'mutation { ...Both } fragment Both on Mutation { logout { loggedOut } ... { cartCreate { cart { id } } } }',
  ])('is UNAUTHENTICATED for everything else, as a whole: %s', async (query) => {
    const guests = () => rowsOf(shop.db, 'SELECT count(*) FROM guests');
    const before = await guests();
    const answer = await shop.client().execute(query, {}, { headers: bad });
    expect([answer.status, answer.codes, answer.data]).toEqual([401, ['UNAUTHENTICATED'], undefined]);
    expect(await guests()).toEqual(before);
  });

  async function newPersonWith(headers: Record<string, string>) {
    const input = { email: `with-${now()}@example.com`, name: 'Bob', password: PASSWORD, tokens: 'BODY' as const };
    const { register } = await shop.client({ headers }).data(accountDocuments.register, { input });
    return register ?? { errors: ['no payload'] };
  }
});

// Checks that the options of the library are those that the tests assume.
test('HS512 is known to the library, and not to us', () => {
  const options: SignOptions = { algorithm: 'HS512' };
  expect(jwt.verify(jwt.sign({ a: 1 }, SECRET, options), SECRET)).toMatchObject({ a: 1 });
});
