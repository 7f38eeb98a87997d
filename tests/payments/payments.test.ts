import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newStaff, type Person } from '../support/accounts.ts';
import { findFaults, rowsOf } from '../support/books.ts';
import { makeVariant } from '../support/fixtures.ts';
import { known } from '../support/known.ts';
import { paymentDocuments, startPayment, syncPayment } from '../support/payer.ts';
import { openQuietShop, type QuietShop } from '../support/quiet-shop.ts';
import { recordStatements } from '../support/statements.ts';
import { createScriptedProvider, type ScriptedProvider } from '../support/scripted-provider.ts';
import { enter, rowId, shopperOf } from '../support/shopper.ts';

let provider: ScriptedProvider;
let shop: QuietShop;
let staff: Person;
beforeAll(async () => {
  provider = createScriptedProvider();
  const env = { PAYMENT_PROVIDERS: 'test,manual', BCRYPT_COST: '4' };
  shop = await openQuietShop(env, { paymentProviders: new Map([['test', provider]]) });
  staff = await newStaff(shop);
});
afterAll(() => shop.dispose());

/** A guest with units of one variant in the cart, and an address for letters. */
async function withCart({ price = 1000, quantity = 2, onHand = 10 } = {}) {
  const variant = await makeVariant(shop, { price, onHand });
  const shopper = await enter(shop);
  known((await shopper.add({ sku: variant.sku, quantity })).cart);
  await shopper.setEmail('payer@example.com');
  return { ...shopper, variant };
}

/** A guest whose payment the bank has approved, with the order that was placed for it. */
async function withOrder(of: Parameters<typeof withCart>[0] = {}) {
  const shopper = await withCart(of);
  const payment = await startPayment(shopper.client);
  provider.pay(rowId(payment.id));
  await syncPayment(shopper.client, payment.id);
  await settle(rowId(payment.id));
  const paid = known((await shopper.client.data(paymentDocuments.payment, { id: payment.id })).payment);
  return { ...shopper, paymentId: payment.id, order: known(paid.order) };
}

/** Does everything that a payment waits for, as the worker would. */
async function settle(paymentId: string): Promise<void> {
  const { payments } = shop.app.services;
  for (let open = true; open;) {
    const operations = await payments.operationsOf(paymentId);
    const due = operations.filter(({ state }) => ['QUEUED', 'UNKNOWN', 'SENT'].includes(state));
    for (const { id } of due) await payments.runOperation(id, true);
    open = due.some(({ state }) => state === 'QUEUED');
  }
}

const levelOf = async (variantId: string) =>
  rowsOf<{ on_hand: number; held: number }>(shop.db, 'SELECT on_hand, held FROM product_variants WHERE id = $1', [
    variantId,
  ]);
const money = (amount: string) => ({ amount });

/** Nothing that the shop keeps twice disagrees. */
async function expectSoundBooks(): Promise<void> {
  expect(await findFaults(shop.db)).toEqual([]);
  const { moneyAudit } = await staff.client.data(paymentDocuments.audit);
  expect(known(moneyAudit).discrepancies).toEqual([]);
}

describe('a payment', () => {
  test('pins the cart, places the order when the bank says yes, and is captured', async () => {
    const { client, variant, cart } = await withCart();
    const payment = await startPayment(client, { returnUrl: `${shop.url}/thanks` });
    expect(payment).toMatchObject({
      provider: 'test',
      state: 'PENDING',
      amount: money('20.00'),
      authorized: money('0.00'),
      order: null,
      failure: null,
      clientData: { redirectUrl: expect.stringContaining('/thanks#ref_') as string },
    });
    const { cart: pinned } = await client.data(paymentDocuments.cart);
    expect(pinned).toMatchObject({ status: 'ACTIVE', payment: { id: payment.id, state: 'PENDING' } });
    expect(new Date(known(known(pinned).expiresAt)).getTime() - new Date(known(payment.deadline)).getTime()).toBe(
      300_000,
    );

    provider.pay(rowId(payment.id));
    const paid = await syncPayment(client, payment.id);
    expect(paid).toMatchObject({
      state: 'AUTHORIZED',
      authorized: money('20.00'),
      clientData: null,
      order: { status: 'PLACED', paymentStatus: 'AUTHORIZED', total: money('20.00'), payments: [{ id: payment.id }] },
    });
    expect(await levelOf(variant.id)).toEqual([{ on_hand: 8, held: 0 }]);
    expect(await cart()).toBeNull();
    await settle(rowId(payment.id));
    const { payment: captured } = await client.data(paymentDocuments.payment, { id: payment.id });
    expect(captured).toMatchObject({ state: 'CAPTURED', captured: money('20.00'), order: { paymentStatus: 'PAID' } });
    expect(provider.of(rowId(payment.id))).toMatchObject({ state: 'CAPTURED', capturedMinor: 2000n });
    await expectSoundBooks();
  });

  test('that is declined can be tried again', async () => {
    const { client } = await withCart();
    const { id } = await startPayment(client);
    provider.decline(rowId(id));
    expect(await syncPayment(client, id)).toMatchObject({
      state: 'PENDING',
      failure: 'Your card was declined.',
      order: null,
    });
    provider.pay(rowId(id));
    expect(await syncPayment(client, id)).toMatchObject({
      state: 'AUTHORIZED',
      failure: null,
      order: { status: 'PLACED' },
    });
    await expectSoundBooks();
  });

  test('keeps the cart from being changed, until it is cancelled', async () => {
    const { client, add, variant, checkout } = await withCart();
    const { id } = await startPayment(client);
    for (const refused of [
      await add({ sku: variant.sku, quantity: 1 }),
      await checkout({ idempotencyKey: 'other' }),
      known(
        (await client.data(paymentDocuments.start, { input: { provider: 'test', idempotencyKey: 'other' } }))
          .paymentStart,
      ),
    ]) {
      expect(refused.errors).toMatchObject([{ code: 'PAYMENT_IN_PROGRESS' }]);
    }
    const { paymentCancel } = await client.data(paymentDocuments.cancel, { id });
    expect(paymentCancel).toMatchObject({ payment: { state: 'CANCELLED', order: null }, errors: [] });
    expect((await add({ sku: variant.sku, quantity: 1 })).errors).toEqual([]);
    expect(provider.of(rowId(id)).state).toBe('CANCELLED');
    await expectSoundBooks();
  });
});

describe('a refund', () => {
  test('of lines is what was paid for them, and the last unit brings the exact rest', async () => {
    const { order, client } = await withOrder({ price: 333, quantity: 3 });
    const lineId = known(order.lines[0]).id;
    const refund = async (quantity: number) =>
      known(
        (
          await staff.client.data(paymentDocuments.refund, {
            input: {
              orderId: order.id,
              idempotencyKey: crypto.randomUUID(),
              lines: [{ lineId, quantity, restock: true }],
            },
          })
        ).orderRefund,
      );
    expect(await refund(1)).toMatchObject({ refund: { state: 'SUCCEEDED', amount: money('3.33') }, errors: [] });
    expect(await refund(3)).toMatchObject({ refund: null, errors: [{ code: 'LIMIT_EXCEEDED' }] });
    expect(await refund(2)).toMatchObject({
      refund: { amount: money('6.66') },
      order: { paymentStatus: 'REFUNDED', refunds: [{ amount: money('3.33') }, { amount: money('6.66') }] },
    });
    expect((await client.data(paymentDocuments.cart)).cart).toBeNull();
    await expectSoundBooks();
  });

  test('of more than there is names the limit as an amount of money, as a capture does', async () => {
    const shopper = await withCart();
    const payment = await startPayment(shopper.client);
    provider.pay(rowId(payment.id));
    await syncPayment(shopper.client, payment.id);
    const ERRORS = 'errors { code reason path parameters { name value } }';
    const capture = async (amount: string) => {
      const text = `mutation ($input: PaymentCaptureInput!) { paymentCapture(input: $input) { ${ERRORS} } }`;
      const input = { id: payment.id, amount, idempotencyKey: crypto.randomUUID() };
      return (await staff.client.data<{ paymentCapture: { errors: unknown[] } }>(text, { input })).paymentCapture
        .errors;
    };
    const limit = (reason: string, path: string, name: string, value: string) => [
      { code: 'INVALID_INPUT', reason, path: [path], parameters: [{ name, value }] },
    ];
    expect(await capture('120.00')).toEqual(limit('TOO_LARGE', 'amount', 'max', '20.00'));
    expect(await capture('0.00')).toEqual(limit('TOO_SMALL', 'amount', 'min', '0.01'));

    await settle(rowId(payment.id));
    const { order } = known((await shopper.client.data(paymentDocuments.payment, { id: payment.id })).payment);
    const refund = async (wanted: object) => {
      const text = `mutation ($input: OrderRefundInput!) { orderRefund(input: $input) { ${ERRORS} } }`;
      const input = { orderId: known(order).id, idempotencyKey: crypto.randomUUID(), ...wanted };
      return (await staff.client.data<{ orderRefund: { errors: unknown[] } }>(text, { input })).orderRefund.errors;
    };
    expect(await refund({ amount: '120.00' })).toEqual(limit('TOO_LARGE', 'amount', 'max', '20.00'));
    expect(await refund({ shipping: '1.00' })).toEqual(limit('TOO_LARGE', 'shipping', 'max', '0.00'));
    await expectSoundBooks();
  });

  test('of an order that is cancelled comes by itself', async () => {
    const { order, variant, paymentId } = await withOrder();
    await shop.app.services.orders.cancel(rowId(order.id), { by: 'SHOP' }, null);
    await settle(rowId(paymentId));
    expect(provider.of(rowId(paymentId)).refunds).toMatchObject([{ amountMinor: 2000n, state: 'SUCCEEDED' }]);
    expect(await levelOf(variant.id)).toEqual([{ on_hand: 10, held: 0 }]);
    await expectSoundBooks();
  });
});

describe('a browser that starts to pay', () => {
  /** A browser with something in its cart, and the cookie that somebody may have planted. */
  async function byCookie() {
    const variant = await makeVariant(shop, { price: 1000, onHand: 10 });
    const client = shop.client({ cookies: true });
    const shopper = shopperOf(client);
    const { id: cartId } = known((await shopper.add({ sku: variant.sku, quantity: 1 })).cart);
    await shopper.setEmail('payer@example.com');
    return { client, cartId, planted: known(client.cookie('cart_token')) };
  }
  const planterOf = (token: string) => shop.client({ headers: { cookie: `cart_token=${token}` } });
  const ORDER = 'query ($id: ID!) { order(id: $id) { id } }';
  const RENEW = `mutation ($input: PaymentStartInput!) {
    paymentStart(input: $input) { cartToken payment { id } order { id } errors { code } } }`;

  test('gets another cookie, by which it follows the payment and has the order; the planted one shows neither', async () => {
    const { client, planted } = await byCookie();
    const payment = await startPayment(client);
    expect(client.cookie('cart_token')).not.toBe(planted);
    provider.pay(rowId(payment.id));
    const { order } = await syncPayment(client, payment.id);
    const { id } = known(order);
    expect(await client.data(ORDER, { id })).toEqual({ order: { id } });
    for (const planter of [planterOf(planted), shop.client({ cartToken: planted })]) {
      expect(await planter.data(paymentDocuments.payment, { id: payment.id })).toEqual({ payment: null });
      expect(await planter.data(ORDER, { id })).toEqual({ order: null });
      expect(await planter.data(paymentDocuments.cart)).toEqual({ cart: null });
    }
  });

  test('finds its payment once more by the old cookie and the same call, because the answer may have been lost', async () => {
    const { client, planted } = await byCookie();
    const input = { idempotencyKey: 'lost-answer' };
    const { id } = await startPayment(client, input);
    const again = await planterOf(planted).execute(paymentDocuments.start, { input: { provider: 'test', ...input } });
    expect(again.data?.paymentStart?.payment?.id).toBe(id);
    expect(again.headers.getSetCookie().join()).toContain(known(client.cookie('cart_token')));
    const other = { provider: 'test', ...input, email: 'eve@example.com' };
    const guessed = await planterOf(planted).execute(paymentDocuments.start, { input: other });
    expect(guessed.data?.paymentStart).toMatchObject({ payment: null, errors: [{ code: 'IDEMPOTENCY_KEY_REUSED' }] });
    expect(guessed.headers.getSetCookie()).toEqual([]);
  });

  test('keeps its cookie where no payment starts, and gets another with each that does', async () => {
    const { client, cartId, planted } = await byCookie();
    const refused = { provider: 'test', idempotencyKey: 'refused', expectedTotal: '1.00' };
    expect(await client.data(RENEW, { input: refused })).toMatchObject({
      paymentStart: { errors: [{ code: 'TOTAL_CHANGED' }] },
    });
    expect(client.cookie('cart_token')).toBe(planted);
    const first = await startPayment(client);
    const second = known(client.cookie('cart_token'));
    await client.data(paymentDocuments.cancel, { id: first.id });
    expect((await client.data(paymentDocuments.cart)).cart?.id).toBe(cartId);
    await startPayment(client);
    expect(client.cookie('cart_token')).not.toBe(second);
    expect(await planterOf(second).data(paymentDocuments.cart)).toEqual({ cart: null });
  });

  test('of a client that sends a header keeps the token, unless it asks for another', async () => {
    const { client, token } = await withCart();
    const input = { provider: 'test', idempotencyKey: 'by-header' };
    const { paymentStart } = await client.data<{ paymentStart: { cartToken: string; payment: { id: string } } }>(
      RENEW,
      {
        input: { ...input, renewCartToken: true },
      },
    );
    const { cartToken, payment } = paymentStart;
    expect(cartToken).toMatch(/^[\w-]{43}$/);
    expect(await client.data(paymentDocuments.payment, { id: payment.id })).toEqual({ payment: null });
    const renewed = shop.client({ cartToken });
    expect((await renewed.data(paymentDocuments.payment, { id: payment.id })).payment?.id).toBe(payment.id);
    expect(token).not.toBe(cartToken);
  });
});

describe('the list of payments', () => {
  const LIST = `query ($filter: PaymentFilter, $first: Int, $after: String) {
    payments(filter: $filter, first: $first, after: $after) {
      totalCount nodes { id state problem returnReason order { number } operations { kind } disputes { state } }
      pageInfo { hasNextPage endCursor } } }`;
  interface List {
    payments: {
      totalCount: number;
      nodes: { id: string; returnReason: string | null; operations: { kind: string }[] }[];
      pageInfo: { hasNextPage: boolean; endCursor: string };
    };
  }
  const list = async (variables: Record<string, unknown>) => (await staff.client.data<List>(LIST, variables)).payments;

  test('has them newest first, in pages, with the same statements for many as for one', async () => {
    const started: string[] = [];
    for (let count = 0; count < 3; count += 1) started.unshift((await startPayment((await withCart()).client)).id);
    const page = await list({ first: 3 });
    expect(page.nodes.map(({ id }) => id)).toEqual(started);
    expect(page.nodes.map(({ operations }) => operations)).toEqual(started.map(() => [{ kind: 'BEGIN' }]));
    const first = await list({ first: 1 });
    expect(first.pageInfo.hasNextPage).toBe(true);
    expect((await list({ first: 1, after: first.pageInfo.endCursor })).nodes[0]?.id).toBe(started[1]);
    const one = await recordStatements(() => list({ first: 1 }), shop);
    const many = await recordStatements(() => list({ first: 3 }), shop);
    expect(many.statements).toEqual(one.statements);
  });

  test('has those without an order, those with a problem, and those in a state', async () => {
    const { paymentId: placedId } = await withOrder();
    const { client } = await withCart();
    const { id } = await startPayment(client);
    const row = provider.of(rowId(id));
    Object.assign(row, { state: 'AUTHORIZED', authorizedMinor: 1n });
    await syncPayment(client, id);
    const ids = async (filter: object) => (await list({ filter, first: 100 })).nodes.map((payment) => payment.id);
    expect(await ids({ hasOrder: true })).toContain(placedId);
    expect(await ids({ hasOrder: false })).not.toContain(placedId);
    const mismatched = (await list({ filter: { hasOrder: false }, first: 100 })).nodes.find((one) => one.id === id);
    expect(mismatched).toMatchObject({ returnReason: 'AMOUNT_MISMATCH', order: null });
    await rowsOf(shop.db, `UPDATE payments SET problem = 'Look at this.' WHERE id = $1`, [rowId(placedId)]);
    expect(await ids({ hasProblem: true })).toEqual([placedId]);
    expect(await ids({ hasProblem: true, state: 'CANCELLED' })).toEqual([]);
    expect(await ids({ provider: 'none\0' })).toEqual([]);
    expect((await list({ filter: { hasProblem: true } })).totalCount).toBe(1);
    await rowsOf(shop.db, 'UPDATE payments SET problem = NULL WHERE id = $1', [rowId(placedId)]);
    await settle(rowId(id));
  });
});
