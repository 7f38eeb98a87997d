import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  accountDocuments,
  bearer,
  faultsOf,
  login,
  newEmail,
  newPerson,
  PASSWORD,
  register,
} from '../../support/accounts.ts';
import type { Answer, Client } from '../../support/client.ts';
import { createApiNode, type TestShop } from '../../support/shop.ts';
import { changingNothing } from '../../support/state.ts';
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
const WRONG = 'not the password at all';

let shop: TestShop;
beforeAll(async () => {
  shop = await createThrottledShop();
});
afterAll(() => shop.dispose());

/** Tries to log in, and gives the whole answer. */
function tryLogin(client: Client, email: string, password = WRONG) {
  return client.execute(accountDocuments.login, { input: { email, password, tokens: 'BODY' } });
}

/** What a log-in that was not kept out was answered. */
function outcomeOf(answer: Awaited<ReturnType<typeof tryLogin>>): string {
  expect(answer.errors).toBeUndefined();
  return answer.data?.login?.errors[0]?.code ?? 'in';
}

const failed = (many: number) => Array.from({ length: many }, () => 'INVALID_CREDENTIALS');

/** Many fields of one operation: `a0` and so on. */
const aliased = (many: number, field: (index: number) => string, selection = '{ errors { code } }') =>
  `mutation { ${Array.from({ length: many }, (_, i) => `a${i}: ${field(i)} ${selection}`).join(' ')} }`;

type Payloads = Record<string, { errors: { code: string }[] } | null>;
const codesOf = ({ data }: Answer<Payloads>) => Object.values(data ?? {}).map((payload) => payload?.errors[0]?.code);

const loginField = (email: string, password = WRONG) =>
  `login(input: { email: "${email}", password: "${password}", tokens: BODY })`;

describe('log-ins', () => {
  test('one account takes ten guesses in 15 minutes from one network, however its address is written', async () => {
    const { email } = await newPerson(shop, {});
    const address = newAddress();
    const ways = [email, email.toUpperCase(), ` ${email}`, `${email} `];
    const guess = (i: number) => tryLogin(callerFrom(shop, address), ways[i % 4] ?? email);
    expect(await times(10, async (i) => outcomeOf(await guess(i)))).toEqual(failed(10));

    for (const way of ways) {
      const answer = await changingNothing(shop, () => tryLogin(callerFrom(shop, address), way, PASSWORD));
      expectRefused(answer, 'login', QUARTER);
    }
    // Nobody else is touched by it: neither others on the network, nor the owner elsewhere.
    const other = await newPerson(shop);
    expect((await login(callerFrom(shop, address), { email: other.email })).errors).toEqual([]);
    expect((await login(callerFrom(shop), { email })).errors).toEqual([]);
  });

  test('strangers on the same network do not keep the owner out of a device that is known, by cookie or in the body', async () => {
    const person = await newPerson(shop);
    const address = newAddress();
    const first = await callerFrom(shop, address).execute(
      `mutation ($input: LoginInput!) { login(input: $input) { deviceToken errors { code } } }`,
      { input: { email: person.email, password: PASSWORD, tokens: 'BODY' } },
    );
    const { deviceToken } = (first.data as { login: { deviceToken: string } }).login;
    const browser = callerFrom(shop, address);
    const byCookie = await browser.execute(accountDocuments.login, {
      input: { email: person.email, password: PASSWORD },
    });
    const cookie = byCookie.headers.getSetCookie().find((line) => line.startsWith('device_token='));
    expect(cookie).toMatch(/HttpOnly; SameSite=Lax$/);

    await times(10, () => tryLogin(callerFrom(shop, address), person.email));
    expectRefused(await tryLogin(callerFrom(shop, address), person.email, PASSWORD), 'login', QUARTER);
    const known = callerFrom(shop, address, { headers: { cookie: String(cookie).split(';')[0] ?? '' } });
    expect(outcomeOf(await tryLogin(known, person.email, PASSWORD))).toBe('in');
    const input = { email: person.email, password: PASSWORD, tokens: 'BODY', deviceToken };
    const document = `mutation ($input: LoginInput!) { login(input: $input) { errors { code } } }`;
    expect((await callerFrom(shop, address).execute(document, { input })).data).toEqual({ login: { errors: [] } });

    // A known device is no way to guess on, at this account or another.
    expect(await times(10, async () => outcomeOf(await tryLogin(known, person.email)))).toEqual(failed(10));
    expectRefused(await tryLogin(known, person.email, PASSWORD), 'login', QUARTER);
    const victim = await newPerson(shop);
    await times(10, () => tryLogin(callerFrom(shop, address), victim.email));
    for (const token of [deviceToken, deviceToken.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A')), 'x']) {
      const answer = await callerFrom(shop, address).execute(document, {
        input: { ...input, email: victim.email, deviceToken: token },
      });
      expectRefused(answer, 'login', QUARTER);
    }
  });

  test('text that is no email address counts as well', async () => {
    const client = callerFrom(shop);
    const answers = await times(10, async () => outcomeOf(await tryLogin(client, 'nonsense')));
    expect(answers).toEqual(Array.from({ length: 10 }, () => 'INVALID_INPUT'));
    expectRefused(await tryLogin(client, 'nonsense'), 'login', QUARTER);
  });

  test('one client takes a hundred guesses in 15 minutes, at whatever account', async () => {
    const victim = await newPerson(shop);
    const address = newAddress();
    const client = callerFrom(shop, address);
    const guesses = await times(10, () => client.execute<Payloads>(aliased(10, () => loginField(newEmail()))));
    expect(guesses.flatMap(codesOf)).toEqual(failed(100));

    // Refused, again and again: that does not use up what the account itself takes.
    for (const answer of await times(12, () => tryLogin(client, victim.email, PASSWORD))) {
      expectRefused(answer, 'login', QUARTER);
    }
    expect((await login(callerFrom(shop), { email: victim.email })).errors).toEqual([]);
  });

  test('each alias counts, and those that are refused do not take the others with them', async () => {
    const email = newEmail();
    const query = `mutation { ${Array.from({ length: 12 }, (_, i) => `a${i}: ${loginField(email)} { errors { code } }`).join(' ')}
      logout { loggedOut } }`;
    const answer = await callerFrom(shop).execute(query);
    expect(answer.status).toBe(200);
    expect(refusedIn(answer).map(({ path }) => path)).toEqual(['a10', 'a11']);
    expect(answer.data).toMatchObject({
      a9: { errors: [{ code: 'INVALID_CREDENTIALS' }] },
      a10: null,
      a11: null,
      logout: { loggedOut: true },
    });
  });

  test('a successful log-in is not counted', async () => {
    const { email } = await newPerson(shop);
    const address = newAddress();
    const outcome = async (password?: string) => outcomeOf(await tryLogin(callerFrom(shop, address), email, password));
    expect(await times(12, () => outcome(PASSWORD))).toEqual(Array.from({ length: 12 }, () => 'in'));
    expect(await times(9, () => outcome())).toEqual(failed(9));
    expect(await outcome(PASSWORD)).toBe('in');
    expect(await outcome()).toBe('INVALID_CREDENTIALS');
    expectRefused(await tryLogin(callerFrom(shop, address), email, PASSWORD), 'login', QUARTER);
  });

  test('the wait in the header is the longest of all fields', async () => {
    const email = newEmail();
    const client = callerFrom(shop);
    await client.execute(aliased(10, () => loginField(email)));
    const refresh = 'refreshSession(input: { refreshToken: "again and again" })';
    await times(2, () => client.execute(aliased(15, () => refresh)));
    for (const fields of [
      [loginField(email), refresh],
      [refresh, loginField(email)],
    ]) {
      const answer = await client.execute(aliased(2, (i) => fields[i] ?? ''));
      const waits = refusedIn(answer).map(({ retryAfter }) => retryAfter);
      expect(Math.min(...waits)).toBeLessThanOrEqual(60);
      expect(Math.max(...waits)).toBeGreaterThan(QUARTER - 60);
      expect(answer.headers.get('retry-after')).toBe(String(Math.max(...waits)));
    }
  });

  test('once the time is over there is another chance', async () => {
    const brief = await createThrottledShop({ loginsByEmailAndClient: { points: 1, seconds: 60 } });
    onTestFinished(() => brief.dispose());
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const [email, address] = [newEmail(), newAddress()];
    expect(outcomeOf(await tryLogin(callerFrom(brief, address), email))).toBe('INVALID_CREDENTIALS');
    const answer = await tryLogin(callerFrom(brief, address), email);
    expect(refusedIn(answer)).toEqual([{ path: 'login', retryAfter: 60 }]);
    expect(answer.headers.get('retry-after')).toBe('60');
    vi.advanceTimersByTime(60_000);
    expect(outcomeOf(await tryLogin(callerFrom(brief, address), email))).toBe('INVALID_CREDENTIALS');
  });
});

describe('registrations', () => {
  const registerField = (email: string) =>
    `register(input: { email: "${email}", password: "short", name: "Eve", tokens: BODY })`;

  test('one client makes sixty attempts an hour', async () => {
    const client = callerFrom(shop);
    const answers = await times(6, () => client.execute<Payloads>(aliased(10, () => registerField(newEmail()))));
    expect(answers.flatMap(codesOf)).toEqual(Array.from({ length: 60 }, () => 'INVALID_INPUT'));
    const account = { email: newEmail(), password: PASSWORD, name: 'Eve' };
    const answer = await changingNothing(shop, () => client.execute(accountDocuments.register, { input: account }));
    expectRefused(answer, 'register', HOUR);
    expect(faultsOf(await register(callerFrom(shop), account))).toEqual([]);
  });

  test('one address is tried five times an hour, from wherever', async () => {
    const email = newEmail();
    expect(faultsOf(await register(callerFrom(shop), { email }))).toEqual([]);
    const again = await times(4, async () => faultsOf(await register(callerFrom(shop), { email })));
    expect(again).toEqual(Array.from({ length: 4 }, () => [['EMAIL_TAKEN', 'email']]));
    const input = { email: email.toUpperCase(), password: PASSWORD, name: 'Eve' };
    const answer = await changingNothing(shop, () => callerFrom(shop).execute(accountDocuments.register, { input }));
    expectRefused(answer, 'register', HOUR);
  });
});

describe('refreshing', () => {
  const refreshField = (token: string) => `refreshSession(input: { refreshToken: "${token}" })`;
  const invalid = (many: number) => Array.from({ length: many }, () => 'TOKEN_INVALID');

  test('one token takes thirty attempts a minute, in the body or as a cookie', async () => {
    const token = 'x'.repeat(43);
    const answers = await times(2, () => callerFrom(shop).execute<Payloads>(aliased(15, () => refreshField(token))));
    expect(answers.flatMap(codesOf)).toEqual(invalid(30));
    const input = { refreshToken: token };
    expectRefused(await callerFrom(shop).execute(accountDocuments.refresh, { input }), 'refreshSession', 60);
    const byCookie = callerFrom(shop, newAddress(), { headers: { cookie: `refresh_token=${token}` } });
    expectRefused(await byCookie.execute(accountDocuments.refresh, {}), 'refreshSession', 60);
  });

  test('one client takes three hundred in 15 minutes, with or without a token', async () => {
    const client = callerFrom(shop);
    let token = 0;
    const answers = await times(20, () =>
      client.execute<Payloads>(
        aliased(15, () => ((token += 1) % 2 === 0 ? refreshField(`t${token}`) : 'refreshSession')),
      ),
    );
    expect(answers.flatMap(codesOf)).toEqual(invalid(300));
    expectRefused(await client.execute(accountDocuments.refresh, {}), 'refreshSession', QUARTER);
  });
});

describe('changes of the password', () => {
  const change = (currentPassword: string) =>
    `passwordChange(input: { currentPassword: "${currentPassword}", newPassword: "${PASSWORD} 2" })`;

  test('one account takes ten guesses in 15 minutes, from wherever', async () => {
    const { accessToken, email } = await newPerson(shop);
    const asUser = () => callerFrom(shop, newAddress(), { headers: bearer(accessToken) });
    const guesses = await times(2, () => asUser().execute<Payloads>(aliased(5, () => change(WRONG))));
    expect(guesses.flatMap(codesOf)).toEqual(failed(10));
    const input = { currentPassword: PASSWORD, newPassword: `${PASSWORD} 2` };
    const answer = await changingNothing(shop, () => asUser().execute(accountDocuments.changePassword, { input }));
    expectRefused(answer, 'passwordChange', QUARTER);
    expect((await login(callerFrom(shop), { email })).errors).toEqual([]);
  });

  test('one client can make a hundred attempts, for all accounts together', async () => {
    const address = newAddress();
    const guest = callerFrom(shop, address);
    const codes = (await times(10, () => guest.execute(aliased(10, () => change(WRONG))))).flatMap(
      (answer) => answer.codes,
    );
    expect(codes).toEqual(Array.from({ length: 100 }, () => 'UNAUTHENTICATED'));
    const { accessToken } = await newPerson(shop);
    const user = callerFrom(shop, address, { headers: bearer(accessToken) });
    const input = { currentPassword: PASSWORD, newPassword: `${PASSWORD} 2` };
    expectRefused(await user.execute(accountDocuments.changePassword, { input }), 'passwordChange', QUARTER);
  });
});

describe('who a client is', () => {
  const guess = async (at: TestShop, address: string) => (await tryLogin(callerFrom(at, address), newEmail())).codes;

  test('without a proxy that is trusted nobody becomes another one by a header', async () => {
    const bare = await createThrottledShop(
      { loginsByClient: { points: 2, seconds: 60 } },
      { env: { TRUST_PROXY: 'off' } },
    );
    onTestFinished(() => bare.dispose());
    expect(await times(3, () => guess(bare, newAddress()))).toEqual([[], [], ['RATE_LIMITED']]);
    // Who runs the shop hears of it, once.
    expect(bare.logs.filter(({ msg }) => msg.startsWith('received x-forwarded-for'))).toHaveLength(1);
  });

  test('what stands before the entry of the proxy is not believed, and an IPv6 client is its /64', async () => {
    const proxied = await createThrottledShop({ loginsByClient: { points: 2, seconds: 60 } });
    onTestFinished(() => proxied.dispose());
    const real = newAddress();
    expect(await times(3, () => guess(proxied, `${newAddress()}, ${real}`))).toEqual([[], [], ['RATE_LIMITED']]);
    expect(await times(3, (i) => guess(proxied, `2001:db8:1:2:${i}::${i}`))).toEqual([[], [], ['RATE_LIMITED']]);
    expect(await guess(proxied, '2001:db8:1:3::1')).toEqual([]);
  });
});

test('RATE_LIMITS=off lifts everything, and says so', async () => {
  const open = await createApiNode({
    overrides: { throttling: { limits: { operationsByClient: { points: 1, seconds: 60 } } } },
  });
  onTestFinished(() => open.dispose());
  const email = newEmail();
  expect(await times(12, async () => outcomeOf(await tryLogin(open.client(), email)))).toEqual(failed(12));
  expect(open.logs.some(({ msg }) => msg.startsWith('RATE_LIMITS is off'))).toBe(true);
  expect(shop.logs.some(({ msg }) => msg.startsWith('RATE_LIMITS is off'))).toBe(false);
});

test('a refusal is logged with its limit, and without the address', async () => {
  const email = newEmail();
  const client = callerFrom(shop);
  await client.execute(aliased(10, () => loginField(email)));
  const answer = await tryLogin(client, email);
  const requestId = answer.headers.get('x-request-id');
  const line = shop.logs.find((record) => record.requestId === requestId && record.msg === 'rate limited');
  expect(line).toMatchObject({ limit: 'loginsByEmailAndClient', retryAfter: expect.any(Number) as number });
  expect(JSON.stringify(line)).not.toContain(email);
});

describe('links for a forgotten password', () => {
  const { requestReset, reset } = accountDocuments;

  test('one address is sent five an hour, known or not, from wherever', async () => {
    const { email } = await newPerson(shop);
    for (const address of [email, newEmail()]) {
      const sent = await times(5, () => callerFrom(shop).data(requestReset, { email: address }));
      expect(sent.map(({ passwordResetRequest }) => passwordResetRequest?.accepted)).toEqual(Array(5).fill(true));
      const answer = await changingNothing(shop, () =>
        callerFrom(shop).execute(requestReset, { email: ` ${address.toUpperCase()}` }),
      );
      expectRefused(answer, 'passwordResetRequest', HOUR);
    }
  });

  test('one client has sixty sent an hour, to whatever addresses', async () => {
    const client = callerFrom(shop);
    const field = (email: string) => `passwordResetRequest(input: { email: "${email}" })`;
    const answers = await times(6, () => client.execute<Payloads>(aliased(10, () => field(newEmail()))));
    expect(answers.flatMap(codesOf)).toEqual(Array.from({ length: 60 }, () => undefined));
    expectRefused(await client.execute(requestReset, { email: newEmail() }), 'passwordResetRequest', HOUR);
  });

  test('one client tries a hundred tokens in 15 minutes', async () => {
    const client = callerFrom(shop);
    const field = `passwordReset(input: { token: "x", newPassword: "${PASSWORD} 2", tokens: BODY })`;
    const answers = await times(10, () => client.execute<Payloads>(aliased(10, () => field)));
    expect(answers.flatMap(codesOf)).toEqual(Array.from({ length: 100 }, () => 'TOKEN_INVALID'));
    const input = { token: 'x', newPassword: `${PASSWORD} 2` };
    expectRefused(await client.execute(reset, { input }), 'passwordReset', QUARTER);
  });

  test('one user is sent five to confirm the address an hour', async () => {
    const { client } = await newPerson(shop);
    const ask = () => client.execute('mutation { emailVerifyRequest { accepted } }');
    expect((await times(5, ask)).flatMap(({ codes }) => codes)).toEqual([]);
    expectRefused(await changingNothing(shop, ask), 'emailVerifyRequest', HOUR);
  });
});
