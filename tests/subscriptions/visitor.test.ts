import { createClient, type Client } from 'graphql-ws';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { COME_BACK, resuming } from '../../examples/resume.ts';
import type { Statement } from '../../src/infra/postgres/database.ts';
import { createCookieJar, type CookieJar } from '../clients/cookie-jar.ts';
import { login, newPerson, openNode, PASSWORD } from '../support/accounts.ts';
import { rowsOf } from '../support/books.ts';
import { openEventStream } from '../support/event-stream.ts';
import { makeOverdue, makeVariant, type World } from '../support/fixtures.ts';
import { Inbox } from '../support/inbox.ts';
import { known } from '../support/known.ts';
import { rowId, shopperOf } from '../support/shopper.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

// A browser that comes for the first time: its cookies are the only thing by which it is known.

let shop: TestShop & World;
let other: TestShop;
let variantId: string;
beforeAll(async () => {
  const opened = await createApiNode();
  shop = { ...opened, eventLog: opened.app.eventLog };
  other = await openNode(shop);
  variantId = (await makeVariant(shop, { onHand: 1000 })).globalId;
});
afterAll(async () => {
  await other.dispose();
  await shop.dispose();
});

// Pages of the test before may still be closing, and would be taken for those that are to open.
beforeEach(() => until('nobody follows', () => shop.app.subscriptions() + other.app.subscriptions() === 0));

interface Changed {
  cursor: string;
  kind: string;
  cart: { id: string; totalQuantity: number };
}

const CHANGES = `subscription Cart($after: EventCursor) {
  cartChanged(after: $after) { cursor kind cart { id totalQuantity } }
}`;
const ADD = `mutation ($lines: [CartLineInput!]!) {
  cartLinesAdd(input: { lines: $lines }) { cart { id token totalQuantity } errors { code } }
}`;

/** Asks over HTTP with the browser's cookies. */
async function ask<Data>(jar: CookieJar, query: string, variables: object = {}, at: TestShop = shop): Promise<Data> {
  const response = await jar.fetch(`${at.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Data; errors?: unknown };
  if (errors !== undefined || data === undefined) throw new Error(JSON.stringify(errors));
  return data;
}

async function add(jar: CookieJar, quantity = 1, at: TestShop = shop) {
  const lines = [{ variantId, quantity }];
  const { cartLinesAdd } = await ask<{ cartLinesAdd: { cart: { id: string; token: string | null } } }>(
    jar,
    ADD,
    { lines },
    at,
  );
  return cartLinesAdd.cart;
}

/** A page of the browser, which follows its cart. */
function openPage(jar: CookieJar, at: TestShop = shop) {
  const plain: Client = createClient({
    url: at.wsUrl,
    webSocketImpl: jar.WebSocket,
    ...COME_BACK,
    retryWait: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const closed = new Inbox<number>();
  plain.on('closed', (event) => closed.put((event as { code: number }).code));
  const events = new Inbox<Changed>();
  const faults: unknown[] = [];
  const fault = (what: unknown) => void faults.push(what);
  const before = at.app.subscriptions();
  resuming(plain, { warn: fault }).subscribe<{ cartChanged: Changed }>(
    { query: CHANGES, variables: {} },
    {
      next: ({ data, errors }) => (data == null ? fault(errors) : events.put(data.cartChanged)),
      error: fault,
      complete: () => {},
    },
  );
  onTestFinished(() => plain.dispose());
  return {
    events,
    faults,
    closed,
    stands: () => until('the page follows', () => at.app.subscriptions() > before || faults.length > 0),
  };
}

const seen = ({ kind, cart }: Changed) => [kind, cart.id, cart.totalQuantity];

describe('a visitor without a cart', () => {
  test('follows it before it is there, in two tabs, on any node, and nobody else hears of it', async () => {
    const [mine, theirs] = [createCookieJar(), createCookieJar()];
    const first = openPage(mine);
    await first.stands();
    const second = openPage(mine, other);
    await second.stands();
    const stranger = openPage(theirs);
    await stranger.stands();

    const cart = await add(mine, 2, other);
    for (const page of [first, second]) expect(seen(await page.events.take())).toEqual(['LINES', cart.id, 2]);
    // The mutation that created the guest returns the token, as it always did.
    expect(cart.token).toBe(mine.get('cart_token'));
    expect((await add(mine)).token).toBeNull();
    for (const page of [first, second]) expect(seen(await page.events.take())).toEqual(['LINES', cart.id, 3]);

    const theirCart = await add(theirs);
    expect(theirCart.id).not.toBe(cart.id);
    expect(seen(await stranger.events.take())).toEqual(['LINES', theirCart.id, 1]);
    expect([...first.events.left, ...second.events.left, ...stranger.events.left]).toEqual([]);
    expect([first.faults, second.faults, stranger.faults]).toEqual([[], [], []]);
  });

  test('makes one guest and one cart, however many requests come first', async () => {
    const jar = createCookieJar();
    await openPage(jar).stands();
    const carts = await Promise.all([add(jar), add(jar, 1, other), add(jar)]);
    expect(new Set(carts.map(({ id }) => id)).size).toBe(1);
  });

  test('is made once by requests that make it at the same moment, on connections of their own', async () => {
    const { guests } = shop.app.services;
    const clients = await Promise.all(Array.from({ length: 8 }, () => shop.db.connect()));
    const writers = clients.map((client) => ({
      query: async <Row extends object>({ name, text }: Statement, values?: readonly unknown[]) =>
        (await client.query<Row>({ name, text, values: [...(values ?? [])] })).rows,
    }));
    const count = 'SELECT count(*)::int AS n FROM guests';
    const before = known((await rowsOf<{ n: number }>(shop.db, count))[0]).n;
    // Without care for both unique indexes of the table, a third of the rounds fail.
    for (let round = 0; round < 50; round += 1) {
      const guest = guests.offer();
      await Promise.all(writers.map((writer) => guests.enlist(writer, guest)));
    }
    expect(await rowsOf(shop.db, count)).toEqual([{ n: before + 50 }]);
    await Promise.all(clients.map((client) => client.end()));
  });

  test('writes nothing until then', async () => {
    const count = async () =>
      known((await shop.db.query<{ n: bigint }>({ name: 'count_guests', text: 'SELECT count(*) AS n FROM guests' }))[0])
        .n;
    const before = await count();
    await openPage(createCookieJar()).stands();
    expect(await count()).toBe(before);
  });

  test('follows it over SSE, by the cookie of the answer', async () => {
    const stream = await openEventStream(shop.url, CHANGES, {});
    onTestFinished(() => stream.close());
    const [cookie = ''] = known(stream.headers['set-cookie']?.[0]).split(';');
    const client = shop.client({ headers: { cookie } });
    const { cart } = await shopperOf(client).add({ variantId, quantity: 3 });
    const { data } = await stream.events.take();
    expect(data?.data).toMatchObject({ cartChanged: { kind: 'LINES', cart: { id: cart?.id, totalQuantity: 3 } } });
  });

  test.each(['x.y', `${'A'.repeat(22)}.${'A'.repeat(43)}`])(
    'with a name that nobody offered (%s) is refused',
    async (token) => {
      const answer = await shop.client({ cartToken: token }).execute('{ cart { id } }');
      expect([answer.status, answer.codes]).toEqual([401, ['UNAUTHENTICATED']]);
    },
  );

  test('is sold something under the name that was offered, and a replaced token is refused', async () => {
    const jar = createCookieJar();
    await openPage(jar).stands();
    const token = known(jar.get('cart_token'));
    await add(jar);
    const asks = () => shop.client({ cartToken: token }).execute('{ cart { totalQuantity } }');
    expect((await asks()).data).toEqual({ cart: { totalQuantity: 1 } });
    const text = `UPDATE guests SET token_hash = decode(repeat('ab', 32), 'hex') WHERE id = (SELECT guest_id FROM carts ORDER BY created_at DESC LIMIT 1)`;
    await shop.db.query({ name: 'replace_guest', text });
    expect((await asks()).codes).toEqual(['UNAUTHENTICATED']);
  });
});

describe('a page that stays open', () => {
  test('follows the user after the log-in and a visitor after the log-out, on another node as well', async () => {
    const ada = await newPerson(shop);
    const phone = shopperOf(ada.client);
    const users = known((await phone.add({ variantId, quantity: 1 })).cart);
    const jar = createCookieJar();
    const page = openPage(jar);
    await page.stands();
    const guests = await add(jar, 2);
    expect(seen(await page.events.take())).toEqual(['LINES', guests.id, 2]);

    const LOGIN = 'mutation ($input: LoginInput!) { login(input: $input) { accessTokenExpiresAt errors { code } } }';
    const { login: entered } = await ask<{ login: { accessTokenExpiresAt: string } }>(
      jar,
      LOGIN,
      { input: { email: ada.email, password: PASSWORD } },
      other,
    );
    expect(Date.parse(entered.accessTokenExpiresAt) - Date.now()).toBeGreaterThan(14 * 60_000);
    // The cart that the lines went to, not the one that they left.
    expect(seen(await page.events.take())).toEqual(['MERGED', users.id, 3]);
    expect(await page.closed.take()).toBe(4403);
    const merged = await page.events.take();
    expect(seen(merged)).toEqual(['LINES', users.id, 3]);
    await phone.add({ variantId, quantity: 1 });
    expect(seen(await page.events.take())).toEqual(['LINES', users.id, 4]);

    await ask(jar, 'mutation { logout { loggedOut errors { code } } }', {}, other);
    expect(await page.closed.take()).toBe(4403);
    await until('the visitor has a new name', () => jar.get('cart_token'));
    await phone.add({ variantId, quantity: 1 });
    const anew = await add(jar);
    expect(seen(await page.events.take())).toEqual(['LINES', anew.id, 1]);
    expect(page.faults).toEqual([]);
  });
});

describe('a guest’s token after the log-in', () => {
  test('shows the cart that the lines went to at once, without the address, and never again', async () => {
    const ada = await newPerson(shop);
    const guest = shop.client();
    const { cart } = await shopperOf(guest).create();
    const cartToken = known(cart?.token);
    guest.use(cartToken);
    await shopperOf(guest).add({ variantId, quantity: 2 });
    const cursor = (await guest.data<{ eventCursor: string }>('{ eventCursor }')).eventCursor;
    const query = `subscription { cartChanged(after: "${cursor}") { kind cart { totalQuantity email } } }`;
    const stream = await openEventStream(shop.url, query, { 'x-cart-token': cartToken });
    onTestFinished(() => stream.close());
    await login(guest, { email: ada.email });
    const next = async () => (await stream.events.take()).data?.data;
    const first = await next();
    const told = (first as { cartChanged: { kind: string } }).cartChanged.kind === 'LINES' ? await next() : first;
    expect(told).toEqual({ cartChanged: { kind: 'MERGED', cart: { totalQuantity: 2, email: null } } });

    const text = `UPDATE carts SET updated_at = updated_at - interval '2 minutes' WHERE id = $1`;
    await shop.db.query({ name: 'merged_before', text }, [rowId(known(cart).id)]);
    const later = await openEventStream(shop.url, query, { 'x-cart-token': cartToken });
    onTestFinished(() => later.close());
    // The next event of this guest is the first thing that it hears.
    const next2 = known((await shopperOf(guest).add({ variantId, quantity: 5 })).cart);
    const kinds: unknown[] = [];
    for (;;) {
      const { data } = await later.events.take();
      const event = (known(data).data as { cartChanged: { kind: string; cart: { totalQuantity: number } } })
        .cartChanged;
      kinds.push(event.kind);
      if (event.cart.totalQuantity === next2.totalQuantity) break;
    }
    expect(kinds).not.toContain('MERGED');
  });

  test('shows the live cart, too, that a reclaimed one joins', async () => {
    const jar = createCookieJar();
    const page = openPage(jar);
    await page.stands();
    const old = await add(jar, 2);
    await page.events.take();
    await makeOverdue(shop, [rowId(old.id)]);
    await shop.app.services.cart.expireOverdue();
    expect((await page.events.take()).kind).toBe('EXPIRED');
    const live = await add(jar, 1);
    expect(seen(await page.events.take())).toEqual(['LINES', live.id, 1]);
    await ask(jar, 'mutation ($id: ID!) { cartReclaim(input: { cartId: $id }) { errors { code } } }', { id: old.id });
    expect(seen(await page.events.take())).toEqual(['RECLAIMED', live.id, 3]);
    expect(seen(await page.events.take())).toEqual(['MERGED', live.id, 3]);
  });
});
