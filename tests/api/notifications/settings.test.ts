import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSigner } from '../../../src/infra/signer.ts';
import { signStockAlert } from '../../../src/modules/stock-alerts/stock-alert-token.ts';
import type { MailKind } from '../../../src/modules/mail/mail.types.ts';
import { graphql } from '../../generated/gql/index.ts';
import type { NotificationSettingsUpdateInput } from '../../generated/gql/graphql.ts';
import { newEmail, newPerson, type Person } from '../../support/accounts.ts';
import { rowsOf } from '../../support/books.ts';
import { makeVariant } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterAll(() => shop.dispose());

const Settings = graphql(`
  query NotificationSettingsOfMe {
    me {
      notificationSettings {
        orderStatus
        lowStock
        backInStock
      }
    }
  }
`);
const Update = graphql(`
  mutation NotificationSettingsSet($input: NotificationSettingsUpdateInput!) {
    notificationSettingsUpdate(input: $input) {
      user {
        notificationSettings {
          orderStatus
          lowStock
          backInStock
        }
      }
      errors {
        ...PersonError
      }
    }
  }
`);

const ALL = { orderStatus: true, lowStock: true, backInStock: true };
const settingsOf = async ({ client }: Person) => known((await client.data(Settings)).me).notificationSettings;
const update = async ({ client }: Person, input: NotificationSettingsUpdateInput) =>
  known((await client.data(Update, { input })).notificationSettingsUpdate);
const tokenOf = (email: string, kind: MailKind) => shop.app.services.mailSettings.unsubscribeToken(email, kind);
const pathOf = (token: string) => `/mail/unsubscribe?token=${encodeURIComponent(token)}`;
const optOuts = () =>
  rowsOf<{ email: string; kind: string }>(shop.db, 'SELECT email, kind FROM mail_opt_outs ORDER BY 1, 2');

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
/** As a mail program does it: from anywhere, without cookies. */
const click = (token: string, body = 'List-Unsubscribe=One-Click') =>
  shop.request({
    method: 'POST',
    path: pathOf(token),
    headers: { ...FORM, origin: 'https://mail.example', 'sec-fetch-site': 'cross-site' },
    body,
  });

describe('a user', () => {
  test('takes all mails, turns kinds off and on, and what is left out or null stays', async () => {
    const ada = await newPerson(shop);
    expect(await settingsOf(ada)).toEqual(ALL);
    const off = { orderStatus: false, lowStock: true, backInStock: false };
    expect(await update(ada, { orderStatus: false, backInStock: false })).toEqual({
      user: { notificationSettings: off },
      errors: [],
    });
    expect(await changingNothing(shop, () => update(ada, {}))).toEqual({
      user: { notificationSettings: off },
      errors: [],
    });
    await changingNothing(shop, () => update(ada, { orderStatus: null, lowStock: null, backInStock: false }));
    await update(ada, { orderStatus: true });
    expect(await settingsOf(ada)).toEqual({ ...ALL, backInStock: false });
    expect(await settingsOf(await newPerson(shop))).toEqual(ALL);
  });

  test('may turn a kind on again that was turned off for the address before there was the account', async () => {
    const email = newEmail();
    expect((await click(tokenOf(email, 'LOW_STOCK'))).status).toBe(200);
    const ada = await newPerson(shop, { email: email.toUpperCase() });
    expect(await settingsOf(ada)).toEqual({ ...ALL, lowStock: false });
    expect((await update(ada, { lowStock: true })).user).toEqual({ notificationSettings: ALL });
    expect((await optOuts()).filter((row) => row.email === email)).toEqual([]);
  });

  test('must be logged in to change settings: a guest gets UNAUTHENTICATED, and nothing changes', async () => {
    const answer = await changingNothing(shop, () => shop.client().execute(Update, { input: { lowStock: false } }));
    expect(answer.codes).toEqual(['UNAUTHENTICATED']);
  });
});

describe('the link in a mail', () => {
  test('shows a page that changes nothing; its button turns the kind off, and undo on again', async () => {
    const ada = await newPerson(shop);
    const token = tokenOf(ada.email, 'ORDER_STATUS');
    const page = await changingNothing(shop, () => shop.request({ path: pathOf(token) }));
    expect([page.status, page.headers['content-type'], page.headers['cache-control']]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-store',
    ]);
    expect(page.headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/,
    );
    expect(page.body).toContain('<form method="post">');
    expect(page.body).not.toContain('<script');
    expect(await settingsOf(ada)).toEqual(ALL);

    const done = await click(token, '');
    expect(done.status).toBe(200);
    expect(done.body).toContain('name="undo"');
    expect(await settingsOf(ada)).toEqual({ ...ALL, orderStatus: false });
    expect((await shop.request({ path: pathOf(token) })).body).toContain('name="undo"');
    expect(await optOuts()).not.toContainEqual({ email: ada.email, kind: 'ORDER_STATUS' });

    expect((await click(token, 'undo=1')).status).toBe(200);
    expect(await settingsOf(ada)).toEqual(ALL);
  });

  test('takes one click of a mail program, in either encoding, twice as once', async () => {
    const email = newEmail();
    const token = tokenOf(email.toUpperCase(), 'LOW_STOCK');
    const multipart = 'x'.repeat(10);
    const first = await shop.request({
      method: 'POST',
      path: pathOf(token),
      headers: { 'content-type': `multipart/form-data; boundary=${multipart}` },
      body: `--${multipart}\r\ncontent-disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--${multipart}--\r\n`,
    });
    expect([first.status, (await click(token)).status]).toEqual([200, 200]);
    expect((await optOuts()).filter((row) => row.email === email)).toEqual([{ email, kind: 'LOW_STOCK' }]);
    await click(token, 'undo=1');
    expect((await optOuts()).filter((row) => row.email === email)).toEqual([]);
  });

  test.each([
    ['multipart/form-data', 'what is not parted'],
    ['multipart/form-data; boundary=xx', '--yy\r\nno part of it'],
    ['application/json', '{"undo":"1"'],
    ['text/plain', 'undo=1'],
  ])('takes it as one whatever else comes with it: %s', async (type, body) => {
    const email = newEmail();
    const path = pathOf(tokenOf(email, 'ORDER_STATUS'));
    const answer = await shop.request({ method: 'POST', path, headers: { 'content-type': type }, body });
    expect(answer.status).toBe(200);
    expect((await optOuts()).filter((row) => row.email === email)).toEqual([{ email, kind: 'ORDER_STATUS' }]);
  });

  test('of what is back calls off what a guest waits for, and that alone', async () => {
    const [email, other] = [newEmail(), newEmail()];
    const variant = await makeVariant(shop, { onHand: 0 });
    for (const of of [email, other]) {
      await rowsOf(
        shop.db,
        `INSERT INTO stock_alerts (id, variant_id, email, created_at) VALUES (gen_random_uuid(), $1, $2, clock_timestamp())`,
        [variant.id, of],
      );
    }
    await click(tokenOf(email, 'BACK_IN_STOCK'));
    const alerts = await rowsOf<{ id: string; email: string; status: string }>(
      shop.db,
      'SELECT id, email, status FROM stock_alerts WHERE variant_id = $1',
      [variant.id],
    );
    const statusOf = (of: string) => alerts.find((alert) => alert.email === of)?.status;
    expect([statusOf(email), statusOf(other)]).toEqual(['CANCELLED', 'WAITING']);

    const { id } = known(alerts.find((alert) => alert.email === other));
    const path = `/mail/stock-alert?token=${signStockAlert(createSigner(shop.config.secrets), id)}`;
    expect((await changingNothing(shop, () => shop.request({ path }))).body).toContain('<form method="post">');
    expect((await shop.request({ method: 'POST', path, headers: FORM, body: '' })).status).toBe(200);
    expect(await rowsOf(shop.db, 'SELECT status FROM stock_alerts WHERE id = $1', [id])).toEqual([
      { status: 'CANCELLED' },
    ]);
  });

  test('that is not ours says so, and does nothing', async () => {
    const ada = await newPerson(shop);
    const token = tokenOf(ada.email, 'LOW_STOCK');
    const [data = '', tag = ''] = token.split('.');
    const other = Buffer.from(`ORDER_STATUS ${ada.email}`).toString('base64url');
    const stranger = createSigner(['another secret that is long enough']).sign(
      'unsubscribe',
      Buffer.from(data, 'base64url').toString(),
    );
    const access = shop.app.services.orders.accessToken(rowId(ada.userId), new Date());
    const bad = [
      '',
      'x',
      data,
      `${data}.`,
      `${other}.${tag}`,
      `${data}.${stranger}`,
      `${token}A`,
      access,
      `<script>.${tag}`,
    ];
    const before = await optOuts();
    await changingNothing(shop, async () => {
      for (const wrong of bad) {
        const answers = [await shop.request({ path: pathOf(wrong) }), await click(wrong), await click(wrong, 'undo=1')];
        for (const answer of answers) {
          expect([wrong, answer.status]).toEqual([wrong, 400]);
          expect(answer.body).not.toContain('<script');
        }
        const path = `/mail/stock-alert?token=${encodeURIComponent(wrong)}`;
        const alert = [await shop.request({ path }), await shop.request({ path, method: 'POST' })];
        expect(alert.map(({ status }) => status)).toEqual([400, 400]);
      }
    });
    expect(await optOuts()).toEqual(before);
  });

  test('takes a small form alone', async () => {
    const ada = await newPerson(shop);
    const answer = await changingNothing(shop, () => click(tokenOf(ada.email, 'LOW_STOCK'), `a=${'b'.repeat(5000)}`));
    expect(answer.status).toBe(413);
  });
});

test('pages count like operations', async () => {
  const limited = await openQuietShop({ BCRYPT_COST: '4', RATE_LIMITS: 'on' });
  try {
    let answer = await limited.request({ path: '/mail/unsubscribe?token=x' });
    expect(answer.status).toBe(400);
    for (let sent = 0; sent < 700 && answer.status === 400; sent += 1) {
      answer = await limited.request({ path: '/mail/unsubscribe?token=x' });
    }
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.json()).toMatchObject({ errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
  } finally {
    await limited.dispose();
  }
});
