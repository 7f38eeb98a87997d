import jwt from 'jsonwebtoken';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  accountDocuments,
  login,
  newPerson,
  openNode,
  PASSWORD,
  refresh,
  whoIs,
  type Person,
} from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { listenersOf } from '../../support/listeners.ts';
import { openEventStream } from '../../support/event-stream.ts';
import { known } from '../../support/known.ts';
import { rowId } from '../../support/shopper.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { openSocket, type TestSocket } from '../../support/socket.ts';

const SECRET = 'a secret of tests that is long enough';
const FORBIDDEN = { code: 4403, reason: 'Forbidden' };

let shop: TestShop;
let other: TestShop;
beforeAll(async () => {
  shop = await createApiNode({ env: { JWT_SECRET: SECRET } });
  other = await openNode(shop, { JWT_SECRET: SECRET });
});
afterAll(async () => {
  await other.dispose();
  await shop.dispose();
});

async function connect(accessToken: string, node: TestShop = shop): Promise<TestSocket> {
  const socket = await openSocket(node.wsUrl);
  await socket.init({ accessToken });
  return socket;
}

/** Who the shop thinks is at the other end. */
async function whoIsAt(socket: TestSocket): Promise<unknown> {
  socket.subscribe('me', '{ me { email } }');
  const { type, payload } = await socket.messages.take();
  if (type === 'error')
    return (payload as unknown as { extensions: { code: string } }[]).map(({ extensions }) => extensions.code);
  await socket.messages.take(); // complete
  return (payload?.data?.me as { email: string } | null)?.email ?? null;
}

/** A token as the shop signs it, with another end. */
function tokenEnding(person: Person, inMs: number): string {
  const { payload, header } = known(jwt.decode(person.accessToken, { complete: true }));
  const claims = { ...(payload as object), exp: (Date.now() + inMs) / 1000 };
  return jwt.sign({ ...claims, exp: Math.ceil(claims.exp) }, SECRET, { keyid: known(header.kid) });
}

describe('a socket', () => {
  test('knows its user by connectionParams, which win over the cookie of the upgrade', async () => {
    const [ada, eve] = [await newPerson(shop), await newPerson(shop)];
    const headers = { cookie: `access_token=${eve.accessToken}` };
    const byCookie = await openSocket(shop.wsUrl, { headers });
    await byCookie.init();
    expect(await whoIsAt(byCookie)).toBe(eve.email);
    await byCookie.close();

    const byParams = await openSocket(shop.wsUrl, { headers });
    await byParams.init({ accessToken: ada.accessToken });
    expect(await whoIsAt(byParams)).toBe(ada.email);
    await byParams.close();
  });

  test.each(['x', 7, { a: 1 }])('with %j for a token is open, and refuses every operation', async (accessToken) => {
    const socket = await openSocket(shop.wsUrl);
    await socket.init({ accessToken });
    expect(await whoIsAt(socket)).toEqual(['UNAUTHENTICATED']);
    expect(socket.raw.readyState).toBe(socket.raw.OPEN);
    await socket.close();
  });

  test('is closed with 4403 by the log-out, on every node, and no other session is', async () => {
    const ada = await newPerson(shop);
    const elsewhere = known((await login(shop.client(), { email: ada.email })).accessToken);
    const [here, there, stays] = [
      await connect(ada.accessToken),
      await connect(ada.accessToken, other),
      await connect(elsewhere),
    ];
    await ada.client.data(accountDocuments.logout);
    expect(await here.closed).toEqual(FORBIDDEN);
    expect(await there.closed).toEqual(FORBIDDEN);
    expect(await whoIsAt(stays)).toBe(ada.email);
    await stays.close();
  });

  test('is closed when the password is changed, by whichever session; the new session goes on', async () => {
    const ada = await newPerson(shop);
    const phone = await login(shop.client(), { email: ada.email });
    const [mine, phones] = [await connect(ada.accessToken), await connect(known(phone.accessToken), other)];
    const input = { currentPassword: PASSWORD, newPassword: 'another good password' };
    const { passwordChange } = await ada.client.data(accountDocuments.changePassword, { input });
    expect(passwordChange).toMatchObject({ user: { id: ada.userId }, errors: [] });
    expect(await phones.closed).toEqual(FORBIDDEN);
    expect(await mine.closed).toEqual(FORBIDDEN);
    const next = await connect(known(passwordChange?.accessToken));
    expect(await whoIsAt(next)).toBe(ada.email);
    await next.close();
    expect((await refresh(shop.client(), known(phone.refreshToken))).errors).toHaveLength(1);
    // A copy of the session that asked is of no use.
    expect((await refresh(shop.client(), ada.refreshToken)).errors).toHaveLength(1);
    expect(await whoIs(ada.client)).toEqual(['401', 'UNAUTHENTICATED']);
    expect((await refresh(shop.client(), known(passwordChange?.refreshToken))).errors).toEqual([]);
    expect((await login(shop.client(), { email: ada.email })).user).toBeNull();
    expect((await login(shop.client(), { email: ada.email, password: 'another good password' })).user?.id).toBe(
      ada.userId,
    );
  });

  test('is closed when a stolen refresh token comes to light', async () => {
    const ada = await newPerson(shop);
    await refresh(shop.client(), ada.refreshToken);
    const socket = await connect(ada.accessToken);
    const text = `UPDATE refresh_tokens SET spent_at = spent_at - interval '11 seconds' WHERE session_id IN (SELECT id FROM sessions WHERE user_id = $1)`;
    await rowsOf(shop.db, text, [rowId(ada.userId)]);
    await refresh(shop.client(), ada.refreshToken);
    expect(await socket.closed).toEqual(FORBIDDEN);
  });

  test("is closed when its token's time is over, and not before", async () => {
    const ada = await newPerson(shop);
    const token = tokenEnding(ada, 2000);
    const { exp } = jwt.decode(token) as { exp: number };
    const socket = await connect(token);
    expect(await socket.closed).toEqual(FORBIDDEN);
    expect(Date.now()).toBeGreaterThanOrEqual(exp * 1000 - 5);
  });

  test('of a session that ended before it said hello is open, and refuses every operation', async () => {
    const ada = await newPerson(shop);
    await ada.client.data(accountDocuments.logout);
    const socket = await connect(ada.accessToken);
    expect(await whoIsAt(socket)).toEqual(['UNAUTHENTICATED']);
    await socket.close();
  });

  test('of a guest is nobody else to close, and watches no session', async () => {
    const ada = await newPerson(shop);
    const guest = await openSocket(shop.wsUrl);
    await guest.init();
    await ada.client.data(accountDocuments.logout);
    expect(await whoIsAt(guest)).toBeNull();
    await guest.close();
    expect(listenersOf(shop)).toBe(0);
  });
});

describe('a refused change of the password', () => {
  test.each<[string, string, string, [string, string]]>([
    ['a wrong present one', 'not my password', 'another good password', ['INVALID_CREDENTIALS', 'currentPassword']],
    ['no present one', '', 'another good password', ['INVALID_INPUT', 'currentPassword']],
    ['a short new one', PASSWORD, 'short', ['INVALID_INPUT', 'newPassword']],
    ['a common new one', PASSWORD, '1234567890', ['INVALID_INPUT', 'newPassword']],
  ])('for %s changes nothing', async (_what, currentPassword, newPassword, [code, path]) => {
    const ada = await newPerson(shop);
    await login(shop.client(), { email: ada.email });
    const before = await rowsOf(
      shop.db,
      'SELECT u, s FROM users u JOIN sessions s ON s.user_id = u.id WHERE u.id = $1 ORDER BY s.id',
      [rowId(ada.userId)],
    );
    const { passwordChange } = await ada.client.data(accountDocuments.changePassword, {
      input: { currentPassword, newPassword },
    });
    expect(passwordChange).toMatchObject({ user: null, errors: [{ code, path: [path] }] });
    expect(
      await rowsOf(
        shop.db,
        'SELECT u, s FROM users u JOIN sessions s ON s.user_id = u.id WHERE u.id = $1 ORDER BY s.id',
        [rowId(ada.userId)],
      ),
    ).toEqual(before);
  });
});

test('a stream over SSE ends with the session in whose name it runs', async () => {
  const ada = await newPerson(shop);
  const headers = { authorization: `Bearer ${ada.accessToken}` };
  const stream = await openEventStream(shop.url, 'subscription { stockChanged { available } }', headers);
  expect(stream.status).toBe(200);
  await ada.client.data(accountDocuments.logout);
  expect(await stream.ended).toBe(true);
});
