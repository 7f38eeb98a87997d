import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createSigner } from '../../../src/infra/signer.ts';
import { login, newEmail, newPerson, newStaff, personOf, type Person } from '../../support/accounts.ts';
import { findFaults, rowsOf } from '../../support/books.ts';
import { archiveVariant, globalId, makeVariant, setStatus } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { confirmAddress } from '../../support/order-life.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { rowId } from '../../support/shopper.ts';
import { changingNothing } from '../../support/state.ts';
import { alertsOf, restock, waiterOf } from '../../support/stock-alerts.ts';

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop({ BCRYPT_COST: '4' });
});
afterEach(async () => {
  const faults = await findFaults(shop.db);
  if (faults.length > 0) throw new Error(faults.join('\n'));
});
afterAll(() => shop.dispose());

const guest = () => waiterOf(shop.client());
const soldOut = () => makeVariant(shop, { onHand: 0 });
const setOnHand = (variantId: string, delta: number) =>
  restock({ db: shop.db, inventory: shop.app.services.inventory }, variantId, delta);

/** What a refusal says, without its words. */
const faults = (payload: { errors: readonly { code: string; path: string[] | null }[] }) =>
  payload.errors.map(({ code, path }) => [code, path?.join('.') ?? null]);

const NODE = 'query ($id: ID!) { node(id: $id) { id } }';
const canRead = async ({ client }: Pick<Person, 'client'>, id: string) =>
  (await client.data(NODE, { id })).node !== null;

describe('a stock alert is created', () => {
  test('for a guest, who sees the alert only in the response', async () => {
    const variant = await soldOut();
    const email = newEmail();
    const { stockAlert, errors } = await guest().wait({ variantId: variant.globalId, email: `  ${email} ` });
    const alert = known(stockAlert);
    expect(errors).toEqual([]);
    expect(alert).toEqual({
      id: alert.id,
      email,
      status: 'WAITING',
      createdAt: alert.createdAt,
      notifiedAt: null,
      variant: { id: variant.globalId, sku: variant.sku },
    });
    const [row] = await rowsOf<{ at: Date; userId: string | null }>(
      shop.db,
      'SELECT created_at AS at, user_id AS "userId" FROM stock_alerts WHERE id = $1',
      [rowId(alert.id)],
    );
    expect([row?.at.toISOString(), row?.userId]).toEqual([alert.createdAt, null]);
    expect(await canRead({ client: shop.client() }, alert.id)).toBe(false);
    expect(await canRead(await newPerson(shop), alert.id)).toBe(false);
    expect(await canRead(await newStaff(shop), alert.id)).toBe(true);
  });

  test('for a user, at the address of the account or another one; both are listed, newest first', async () => {
    const ada = await newPerson(shop);
    const [one, two] = [await soldOut(), await soldOut()];
    const elsewhere = newEmail();
    const first = known((await waiterOf(ada.client).wait({ variantId: one.globalId })).stockAlert);
    const second = known((await waiterOf(ada.client).wait({ variantId: two.globalId, email: elsewhere })).stockAlert);
    expect([first.email, second.email]).toEqual([ada.email, elsewhere]);
    const { totalCount, nodes } = await waiterOf(ada.client).mine();
    expect([totalCount, nodes]).toEqual([2, [second, first]]);
    expect(await canRead(ada, first.id)).toBe(true);
    expect(await canRead(await newPerson(shop), first.id)).toBe(false);
  });

  test('once per variant and address, ignoring case; a repeated request returns the first alert', async () => {
    const variant = await soldOut();
    const ada = await newPerson(shop);
    const first = await waiterOf(ada.client).wait({ variantId: variant.globalId });
    const again = await changingNothing(shop, () =>
      waiterOf(ada.client).wait({ variantId: variant.globalId, email: ada.email.toUpperCase() }),
    );
    expect(again).toEqual(first);
    expect((await alertsOf(shop.db, variant.id)).waiting).toEqual([ada.email]);
  });

  test('without revealing since when an address waits or how it was spelled', async () => {
    const variant = await soldOut();
    const ada = await newPerson(shop);
    const real = known((await waiterOf(ada.client).wait({ variantId: variant.globalId })).stockAlert);
    const written = ada.email.toUpperCase();
    for (const client of [shop.client(), (await newPerson(shop)).client]) {
      const before = Date.now();
      const { stockAlert, errors } = await changingNothing(shop, () =>
        waiterOf(client).wait({ variantId: variant.globalId, email: written }),
      );
      const shown = known(stockAlert);
      expect(errors).toEqual([]);
      expect(shown).toEqual({ ...real, email: written, createdAt: shown.createdAt });
      expect(Date.parse(shown.createdAt)).toBeGreaterThan(Date.parse(real.createdAt));
      expect(Date.parse(shown.createdAt)).toBeGreaterThanOrEqual(before - 1000);
    }
    // A UUID of version 7 would reveal when it was made.
    expect(rowId(real.id)[14]).toBe('4');
  });

  test('and taken over by the user who confirms its address', async () => {
    const [one, two] = [await soldOut(), await soldOut()];
    const ada = await newPerson(shop);
    const [ofGuest, ofOther] = [
      await guest().wait({ variantId: one.globalId, email: ada.email }),
      await waiterOf((await newPerson(shop)).client).wait({ variantId: two.globalId, email: ada.email }),
    ];
    const ask = async () => [
      await waiterOf(ada.client).wait({ variantId: one.globalId }),
      await waiterOf(ada.client).wait({ variantId: two.globalId }),
    ];
    // Anyone can register with any address.
    await changingNothing(shop, ask);
    expect((await waiterOf(ada.client).mine()).totalCount).toBe(0);
    await confirmAddress(shop, ada);
    expect(await ask()).toEqual([ofGuest, ofOther]);
    expect((await waiterOf(ada.client).mine()).nodes).toEqual([ofOther.stockAlert, ofGuest.stockAlert]);
  });

  test('at most twenty times for an address', async () => {
    const email = newEmail();
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) {
      const { stockAlert } = await guest().wait({ variantId: (await soldOut()).globalId, email });
      ids.push(known(stockAlert).id);
    }
    const variant = await soldOut();
    const another = { variantId: variant.globalId, email: email.toUpperCase() };
    const { stockAlert, errors } = await changingNothing(shop, () => guest().wait(another));
    expect(stockAlert).toBeNull();
    expect(errors).toEqual([
      {
        __typename: 'LimitExceededError',
        code: 'LIMIT_EXCEEDED',
        message: 'An email address can have at most 20 waiting stock alerts.',
        path: ['email'],
        limit: 20,
        requested: 21,
      },
    ]);
    expect((await guest().wait({ ...another, email: newEmail() })).errors).toEqual([]);
    await guest().cancel({ token: shop.app.services.stockAlerts.cancelToken(rowId(known(ids[0]))) });
    expect((await guest().wait(another)).errors).toEqual([]);
  });
});

describe('a stock alert is rejected', () => {
  test('for a variant that is available, also if there is an alert for it already', async () => {
    const variant = await soldOut();
    const ada = await newPerson(shop);
    await waiterOf(ada.client).wait({ variantId: variant.globalId });
    await setOnHand(variant.id, 1);
    for (const waiter of [guest(), waiterOf(ada.client)]) {
      const payload = await changingNothing(shop, () => waiter.wait({ variantId: variant.globalId, email: ada.email }));
      expect(payload.stockAlert).toBeNull();
      expect(faults(payload)).toEqual([['ALREADY_IN_STOCK', 'variantId']]);
    }
    await setOnHand(variant.id, -1);
    expect(faults(await guest().wait({ variantId: variant.globalId, email: newEmail() }))).toEqual([]);
  });

  test('for what is not found: of a product that is a draft or archived, archived itself, or not there', async () => {
    const [draft, archived, gone] = [await soldOut(), await soldOut(), await soldOut()];
    await setStatus(shop, draft.productId, 'DRAFT');
    await setStatus(shop, archived.productId, 'ARCHIVED');
    await archiveVariant(shop, gone.id);
    const unknown = globalId('ProductVariant', crypto.randomUUID());
    const staff = await newStaff(shop);
    for (const variantId of [draft.globalId, archived.globalId, gone.globalId, unknown]) {
      for (const waiter of [guest(), waiterOf(staff.client)]) {
        const payload = await changingNothing(shop, () => waiter.wait({ variantId, email: newEmail() }));
        expect(faults(payload)).toEqual([['NOT_FOUND', 'variantId']]);
      }
    }
  });

  test.each([
    ['no address, from a guest', undefined],
    ['none at all', null],
    ['an empty one', ' '],
    ['none of an address', 'ada'],
    ['a line break', 'ada@example.com\r\nBcc: eve@example.com'],
    ['too long a one', `${'a'.repeat(250)}@example.com`],
  ])('with %s', async (_what, email) => {
    const { globalId: variantId } = await soldOut();
    const payload = await changingNothing(shop, () =>
      guest().wait({ variantId, ...(email === undefined ? {} : { email }) }),
    );
    expect(faults(payload)).toEqual([['INVALID_INPUT', 'email']]);
  });

  test('for an ID that is not of a variant', async () => {
    const { productId } = await soldOut();
    for (const variantId of ['', 'x', globalId('Product', productId), globalId('ProductVariant', '1')]) {
      const payload = await changingNothing(shop, () => guest().wait({ variantId, email: newEmail() }));
      expect(faults(payload)).toEqual([['INVALID_INPUT', 'variantId']]);
    }
  });
});

describe('an alert is called off', () => {
  const token = (id: string) => shop.app.services.stockAlerts.cancelToken(rowId(id));

  async function waiting(person: Person) {
    const variant = await soldOut();
    const { stockAlert } = await waiterOf(person.client).wait({ variantId: variant.globalId });
    return { variant, alert: known(stockAlert) };
  }

  test('by its owner; a second time it stays as it is', async () => {
    const ada = await newPerson(shop);
    const { alert, variant } = await waiting(ada);
    const cancelled = { stockAlert: { ...alert, status: 'CANCELLED' }, errors: [] };
    expect(await waiterOf(ada.client).cancel({ id: alert.id })).toEqual(cancelled);
    expect(await changingNothing(shop, () => waiterOf(ada.client).cancel({ id: alert.id }))).toEqual(cancelled);
    expect((await waiterOf(ada.client).mine()).nodes).toEqual([cancelled.stockAlert]);
    const next = known((await waiterOf(ada.client).wait({ variantId: variant.globalId })).stockAlert);
    expect([next.status, next.id === alert.id]).toEqual(['WAITING', false]);
  });

  test('by anyone who has the token of the mail', async () => {
    const ada = await newPerson(shop);
    const { alert } = await waiting(ada);
    const cancelled = { stockAlert: { ...alert, status: 'CANCELLED' }, errors: [] };
    expect(await guest().cancel({ token: token(alert.id) })).toEqual(cancelled);
    expect(await changingNothing(shop, () => guest().cancel({ token: token(alert.id) }))).toEqual(cancelled);
  });

  test('not after the notification was sent', async () => {
    const ada = await newPerson(shop);
    const { alert, variant } = await waiting(ada);
    await setOnHand(variant.id, 1);
    await shop.db.transaction((tx) =>
      shop.app.services.stockAlerts.start(tx, { variantIds: [variant.id], productIds: [] }),
    );
    expect(await shop.app.services.stockAlerts.notifyNext(variant.id)).toEqual({ state: 'ENDED', notified: 1 });
    for (const input of [{ id: alert.id }, { token: token(alert.id) }]) {
      const payload = await changingNothing(shop, () => waiterOf(ada.client).cancel(input));
      expect(payload.errors).toEqual([]);
      expect(payload.stockAlert).toEqual({
        ...alert,
        status: 'NOTIFIED',
        notifiedAt: expect.any(String) as string,
      });
    }
  });

  test('not by a guest, another user or staff who have only its ID', async () => {
    const { alert } = await waiting(await newPerson(shop));
    const others = [shop.client(), (await newPerson(shop)).client, (await newStaff(shop, 'ADMIN')).client];
    for (const client of others) {
      const payload = await changingNothing(shop, () => waiterOf(client).cancel({ id: alert.id }));
      expect([payload.stockAlert, faults(payload)]).toEqual([null, [['NOT_FOUND', 'id']]]);
    }
  });

  test('not by ID if a guest created it, neither by a guest nor by a user who waits at the address', async () => {
    const variant = await soldOut();
    const email = newEmail();
    const ada = await newPerson(shop);
    const { stockAlert } = await guest().wait({ variantId: variant.globalId, email });
    await waiterOf(ada.client).wait({ variantId: variant.globalId, email });
    for (const client of [shop.client(), ada.client]) {
      const payload = await changingNothing(shop, () => waiterOf(client).cancel({ id: known(stockAlert).id }));
      expect(faults(payload)).toEqual([['NOT_FOUND', 'id']]);
    }
  });

  test('not by a token that the shop did not make for it', async () => {
    const ada = await newPerson(shop);
    const { alert } = await waiting(ada);
    const id = rowId(alert.id);
    const [name, tag] = token(alert.id).split('.');
    const bytes = (uuid: string) => Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64url');
    const signer = createSigner(shop.config.secrets);
    const tokens = [
      '',
      'x',
      known(name),
      `${bytes(crypto.randomUUID())}.${tag}`,
      `${name}.${signer.sign('order access', id)}`,
      `${name}.${createSigner(['another secret']).sign('stock alert', id)}`,
      `${token(alert.id)}x`,
      token(globalId('StockAlert', crypto.randomUUID())),
    ];
    for (const bad of tokens) {
      const payload = await changingNothing(shop, () => guest().cancel({ token: bad }));
      expect([payload.stockAlert, faults(payload)]).toEqual([null, [['TOKEN_INVALID', 'token']]]);
    }
    const both = { id: alert.id, token: token(alert.id) };
    for (const input of [{}, both, { id: null, token: null }]) {
      const payload = await changingNothing(shop, () => waiterOf(ada.client).cancel(input));
      expect(faults(payload)).toEqual([['INVALID_INPUT', null]]);
    }
    const payload = await changingNothing(shop, () => waiterOf(ada.client).cancel({ id: ada.userId }));
    expect(faults(payload)).toEqual([['INVALID_INPUT', 'id']]);
  });

  test('all that an address waits for at once, and nothing else', async () => {
    const ada = await newPerson(shop);
    const [one, two] = [await waiting(ada), await waiting(ada)];
    const other = newEmail();
    await guest().wait({ variantId: one.variant.globalId, email: other });
    const { stockAlerts } = shop.app.services;
    const cancel = () => shop.db.transaction((tx) => stockAlerts.cancelAllOf(tx, ada.email.toUpperCase()));
    expect([await cancel(), await cancel()]).toEqual([2, 0]);
    expect((await waiterOf(ada.client).mine()).nodes.map((alert) => [alert.id, alert.status])).toEqual([
      [two.alert.id, 'CANCELLED'],
      [one.alert.id, 'CANCELLED'],
    ]);
    expect((await alertsOf(shop.db, one.variant.id)).waiting).toEqual([other]);
  });
});

describe('what an address waited for as a guest', () => {
  test('joins the account at a log-in once the address is confirmed, and not before', async () => {
    const variant = await soldOut();
    const ada = await newPerson(shop);
    const { stockAlert } = await guest().wait({ variantId: variant.globalId, email: ada.email.toUpperCase() });
    const comeBack = async () => personOf(shop, ada.email, await login(shop.client(), { email: ada.email }));
    const early = await comeBack();
    expect((await waiterOf(early.client).mine()).totalCount).toBe(0);
    await confirmAddress(shop, ada);
    const back = await comeBack();
    expect((await waiterOf(back.client).mine()).nodes).toEqual([stockAlert]);
    expect((await waiterOf(back.client).cancel({ id: known(stockAlert).id })).errors).toEqual([]);
  });

  test('joins when it is confirmed by the mail’s link, but for what is another’s', async () => {
    const [one, two] = [await soldOut(), await soldOut()];
    const [ada, bob] = [await newPerson(shop), await newPerson(shop)];
    const { stockAlert } = await guest().wait({ variantId: one.globalId, email: ada.email });
    const ofBob = await waiterOf(bob.client).wait({ variantId: two.globalId, email: ada.email });
    const token = await shop.app.services.accounts.emailConfirmationToken(rowId(ada.userId));
    await shop.app.services.accounts.confirmEmail(token);
    expect((await waiterOf(ada.client).mine()).nodes).toEqual([stockAlert]);
    expect((await waiterOf(bob.client).mine()).nodes).toEqual([ofBob.stockAlert]);
  });

  test('goes with the account when that is deleted', async () => {
    const ada = await newPerson(shop);
    const variant = await soldOut();
    await waiterOf(ada.client).wait({ variantId: variant.globalId });
    await rowsOf(shop.db, 'DELETE FROM users WHERE id = $1', [rowId(ada.userId)]);
    expect(await alertsOf(shop.db, variant.id)).toEqual({ waiting: [], notified: [] });
  });
});
