import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/config.ts';
import { login, newStaff, PASSWORD, register } from '../../support/accounts.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { newDataDir } from '../../support/shop-process.ts';
import { createTestShop, type TestShop } from '../../support/shop.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { openSmtp, type TestSmtp } from '../../support/smtp.ts';
import { until } from '../../support/until.ts';
import { withDatabase } from '../../support/databases.ts';

let smtp: TestSmtp;
let shop: TestShop;

beforeAll(async () => {
  smtp = await openSmtp();
  shop = await createTestShop({
    env: { SMTP_URL: smtp.url, MAIL_FROM: 'Käfer <shop@käfer.example>' },
  });
});

afterAll(async () => {
  await shop.dispose();
  await smtp.stop();
});

describe('an address', () => {
  test.each([
    ['ada&bob@example.com'],
    ['ada=bob@example.com'],
    ['ada!bob@example.com'],
    ['ada/bob@example.com'],
    ["o'brien+honey@example.com"],
    ['{x}|~^`?*$#%@example.com'],
    ['ada@xn--bcher-kva.example'],
    ['ada@mail.xn--p1ai'],
    ['Ada.Idn@bücher.example', 'Ada.Idn@xn--bcher-kva.example'],
    ['ada@почта.рф', 'ada@xn--80a1acny.xn--p1ai'],
    ['ada@例え。テスト', 'ada@xn--r8jz45g.xn--zckzah'],
    ['ada@straße.example', 'ada@xn--strae-oqa.example'],
  ])('that exists can register, log in, and gets its mail: %s', async (email, ascii = email) => {
    const auth = await register(shop.client(), { email });
    expect(auth.errors).toEqual([]);
    expect(auth.user).toMatchObject({ email: ascii });
    expect((await login(shop.client(), { email })).errors).toEqual([]);
    expect((await login(shop.client(), { email: ascii.toUpperCase() })).errors).toEqual([]);
    // In the headers, as they came: the test's server shows the domains of the envelope in Unicode.
    const welcome = () => smtp.arrived.find(({ raw }) => raw.includes(`To: ${ascii}\r\n`));
    await until('its welcome has arrived', () => welcome() !== undefined);
    expect(welcome()?.raw).toContain('<shop@xn--kfer-loa.example>');
  });

  test.each([
    'ada@example',
    'ada@[192.0.2.1]',
    'ada@192.0.2.1',
    '"ada bob"@example.com',
    'ada..bob@example.com',
    'ada.@example.com',
    'ada@-example.com',
    'ada@exa_mple.com',
    'ada@example.com.',
    'ada@ex%61mple.com',
    'ada@xn--a.example',
    'ada@bob@example.com',
    'ädä@example.com',
    `ada@${'e'.repeat(64)}.com`,
    `ada@${'ü'.repeat(250)}.com`,
  ])('that cannot be delivered to is refused: %s', async (email) => {
    const { errors } = await register(shop.client(), { email });
    expect(errors).toMatchObject([{ code: 'INVALID_INPUT', path: ['email'] }]);
  });
});

test('one account has all the spellings of its address', async () => {
  expect((await register(shop.client(), { email: 'eva@müller.example' })).errors).toEqual([]);
  for (const email of ['eva@xn--mller-kva.example', 'EVA@MÜLLER.example', 'eva@mu\u0308ller.example']) {
    expect((await register(shop.client(), { email })).errors).toMatchObject([{ code: 'EMAIL_TAKEN' }]);
  }
});

test('staff find an account, an order and its mails by the address as people write it', async () => {
  const { variants } = await makeProduct(shop.app);
  const email = 'kunde&co@bücher.example';
  const added = await shop
    .client()
    .data<{ cartLinesAdd: { cart: { token: string } } }>(
      `mutation { cartLinesAdd(input: { lines: [{ sku: "${variants[0]?.sku}", quantity: 1 }] }) { cart { token } } }`,
    );
  const guest = shop.client({ cartToken: added.cartLinesAdd.cart.token });
  const set = await guest.data(
    'mutation ($email: String!) { cartEmailSet(input: { email: $email }) { cart { email } errors { message } } }',
    { email },
  );
  const ascii = 'kunde&co@xn--bcher-kva.example';
  expect(set).toEqual({ cartEmailSet: { cart: { email: ascii }, errors: [] } });
  const { checkout } = await guest.data<{ checkout: { order: { number: string } | null } }>(
    'mutation { checkout(input: { idempotencyKey: "one" }) { order { number } errors { message } } }',
  );
  const staff = (await newStaff(shop, 'ADMIN')).client;
  await register(shop.client(), { email: 'leser@bücher.example' });
  const found = await staff.data(
    `query ($email: String!) { orders(filter: { email: $email }) { nodes { email } }
       users(search: "leser@BÜCHER") { nodes { email } } }`,
    { email },
  );
  expect(found).toEqual({
    orders: { nodes: [{ email: ascii }] },
    users: { nodes: [{ email: 'leser@xn--bcher-kva.example' }] },
  });
  const looked = await shop
    .client()
    .data('query ($number: String!, $email: String!) { order(number: $number, email: $email) { email } }', {
      number: checkout.order?.number,
      email,
    });
  expect(looked).toEqual({ order: { email: ascii } });
});

test('settings take such addresses, too', () => {
  const config = loadConfig({
    ADMIN_EMAIL: 'chef@bücher.example',
    ADMIN_PASSWORD: 'a password of an admin',
    MAIL_FROM: 'Bücher & Co <r&d@bücher.example>',
    DATA_DIR: newDataDir(),
  });
  expect(config.accounts.adminEmail).toBe('chef@xn--bcher-kva.example');
  expect(config.mail.from).toBe('Bücher & Co <r&d@xn--bcher-kva.example>');
});

describe('in a database whose own lower case is Turkish', () => {
  let database: TestDatabase;
  let turkish: TestShop;

  beforeAll(async () => {
    const template = await createTestDatabase();
    await template.dispose();
    const name = new URL(template.url).pathname.slice(1);
    const server = new URL(template.url);
    server.pathname = '/postgres';
    await withDatabase(server.href, (client) =>
      client.query(
        `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LC_COLLATE 'C' LC_CTYPE 'C'`,
      ),
    );
    database = template;
    turkish = await createTestShop({ database, env: { BCRYPT_COST: '4' }, overrides: { quiet: true } });
  });

  afterAll(async () => {
    await turkish.dispose();
    await database.dispose();
  });

  test('an address is the same whatever its capitals', async () => {
    const rows = await withDatabase(
      database.url,
      async (client) => (await client.query(`SELECT lower('I') AS i`)).rows,
    );
    expect(rows).toEqual([{ i: 'ı' }]);
    expect((await register(turkish.client(), { email: 'INFO@EXAMPLE.COM' })).errors).toEqual([]);
    expect((await login(turkish.client(), { email: 'info@example.com', password: PASSWORD })).errors).toEqual([]);
    expect((await register(turkish.client(), { email: 'info@example.com' })).errors).toMatchObject([
      { code: 'EMAIL_TAKEN' },
    ]);
    const staff = (await newStaff(turkish, 'ADMIN')).client;
    expect(await staff.data('{ users(search: "INFO@") { nodes { email } } }')).toEqual({
      users: { nodes: [{ email: 'INFO@EXAMPLE.COM' }] },
    });
  });

  test('lists are sorted as in every other database', async () => {
    for (const title of ['Çilek', 'Zebra', 'apple', 'Ilgaz', 'Banana', 'işte'])
      await makeProduct(turkish.app, { title });
    const { products } = await turkish
      .client()
      .data<{ products: { nodes: { title: string }[] } }>('{ products(sort: { key: TITLE }) { nodes { title } } }');
    expect(products.nodes.map(({ title }) => title)).toEqual(['apple', 'Banana', 'Çilek', 'Ilgaz', 'işte', 'Zebra']);
  });
});
