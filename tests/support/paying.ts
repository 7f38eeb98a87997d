import { expect } from 'vitest';
import type { Step } from '../../src/modules/payments/operations.ts';
import type { PaymentProvider } from '../../src/modules/payments/providers/provider.types.ts';
import type { PaymentStartInput } from '../generated/gql/graphql.ts';
import { newStaff, type Person } from './accounts.ts';
import { findFaults, rowsOf } from './books.ts';
import type { Client } from './client.ts';
import { makeOverdue, makeVariant } from './fixtures.ts';
import { known } from './known.ts';
import { paymentDocuments, startPayment, syncPayment, type OrderRefundInput, type PayerPayment } from './payer.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import type { QuietShop } from './quiet-shop.ts';
import { createScriptedProvider, type ScriptedProvider } from './scripted-provider.ts';
import { enter, rowId } from './shopper.ts';
import { createTestShop } from './shop.ts';

/** A shop in which nothing happens by itself, with a provider that the test controls. */
export interface PayingShop extends QuietShop {
  provider: ScriptedProvider;
  staff: Person;
  /** Called between two steps of an operation. A test may replace it. */
  between: (step: Step, operationId: string) => Promise<void>;
  /** Opens another shop on the same database, with the same provider: another process. */
  another(env?: NodeJS.ProcessEnv): Promise<PayingShop>;
}

/** A payment as its row has it. */
export interface PaymentFacts {
  state: string;
  returnReason: string | null;
  failure: string | null;
  problem: string | null;
  orderId: string | null;
  authorized: number;
  captured: number;
  refunded: number;
  pending: number;
  disputed: number;
}

/**
 * Opens one. Dispose of it in the test file that opened it.
 * @param others providers besides the scripted one
 */
export async function openPayingShop(
  env: NodeJS.ProcessEnv = {},
  others: readonly PaymentProvider[] = [],
): Promise<PayingShop> {
  const database = await createTestDatabase();
  const provider = createScriptedProvider();
  const settings = { PAYMENT_PROVIDERS: 'test,manual', BCRYPT_COST: '4', ...env };
  return open({ database, provider, others, settings, owns: true });
}

async function open(of: {
  database: TestDatabase;
  provider: ScriptedProvider;
  others: readonly PaymentProvider[];
  settings: NodeJS.ProcessEnv;
  owns: boolean;
  staff?: Person;
}): Promise<PayingShop> {
  const { database, provider, others, settings, owns } = of;
  const hooks = { between: (_step: Step, _operationId: string) => Promise.resolve() };
  const shop = await createTestShop({
    env: settings,
    database,
    overrides: {
      quiet: true,
      paymentProviders: new Map([provider, ...others].map((each) => [each.id, each])),
      betweenPaymentSteps: (step, operationId) => hooks.between(step, operationId),
    },
  });
  const { cart } = shop.app.services;
  return Object.assign(hooks, {
    ...shop,
    provider,
    eventLog: shop.app.eventLog,
    expireOverdue: (signal?: AbortSignal) => cart.expireOverdue(signal),
    staff: of.staff ?? (await newStaff(shop)),
    another: (env = {}) => open({ ...of, settings: { ...settings, ...env }, owns: false }),
    async dispose() {
      await shop.dispose();
      if (owns) await database.dispose();
    },
  });
}

let count = 0;

/** A guest with units of one variant in the cart, and an address for letters. */
export async function withCart(shop: PayingShop, { price = 1000, quantity = 2, onHand = 10 } = {}) {
  const variant = await makeVariant(shop, { price, onHand });
  return { ...(await fill(shop, variant.sku, quantity)), variant };
}

/** Another guest, with units of a variant that there is. */
export async function fill(shop: PayingShop, sku: string, quantity: number) {
  const shopper = await enter(shop);
  const { cart, errors } = await shopper.add({ sku, quantity });
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  count += 1;
  await shopper.setEmail(`payer-${count}@example.com`);
  return { ...shopper, cartId: known(cart).id };
}

/** A guest who has begun to pay for a cart. */
export async function withPayment(
  shop: PayingShop,
  of: Parameters<typeof withCart>[1] & { input?: Partial<PaymentStartInput> } = {},
) {
  const shopper = await withCart(shop, of);
  const payment = await startPayment(shopper.client, of.input);
  return { ...shopper, payment, paymentId: rowId(payment.id) };
}

/** A guest whose payment the bank has approved, with the order that was placed for it, captured. */
export async function withOrder(shop: PayingShop, of: Parameters<typeof withPayment>[1] = {}) {
  const paying = await withPayment(shop, of);
  shop.provider.pay(paying.paymentId);
  await syncPayment(paying.client, paying.payment.id);
  await settle(shop, paying.paymentId);
  const order = known((await read(paying.client, paying.payment.id)).order);
  return { ...paying, order, orderId: rowId(order.id), lineId: known(order.lines[0]).id };
}

/** A payment as its owner sees it. */
export async function read(client: Client, id: string): Promise<PayerPayment> {
  return known((await client.data(paymentDocuments.payment, { id })).payment);
}

/** A payment as staff see it. */
export async function readAsStaff(shop: PayingShop, id: string) {
  return known((await shop.staff.client.data(paymentDocuments.staff, { id })).payment);
}

/** Does all operations of a payment that are open, as the worker would, until none is or the provider does not answer. */
export async function settle({ app }: Pick<PayingShop, 'app'>, paymentId: string): Promise<void> {
  const { payments } = app.services;
  for (;;) {
    const due = (await payments.operationsOf(paymentId)).filter(({ state }) => OPEN.has(state));
    for (const { id } of due) await payments.runOperation(id, true);
    const left = (await payments.operationsOf(paymentId)).filter(({ state }) => OPEN.has(state));
    if (left.every(({ id }) => due.some((operation) => operation.id === id))) return;
  }
}

const OPEN: ReadonlySet<string> = new Set(['QUEUED', 'SENT', 'UNKNOWN']);

/** Has the time to pay run out, and does what the sweep does then. */
export async function runOutOfTime(shop: PayingShop, paymentId: string): Promise<void> {
  await rowsOf(shop.db, `UPDATE payments SET deadline = clock_timestamp() - interval '1 second' WHERE id = $1`, [
    paymentId,
  ]);
  const { payments } = shop.app.services;
  const { overdueIds } = await payments.findWork(1000);
  expect(overdueIds).toContain(paymentId);
  for (const id of overdueIds) await payments.expire(id);
  await settle(shop, paymentId);
}

/** Has the grace run out as well, after which units are released whatever the provider says. */
export async function runOutOfGrace(shop: PayingShop, cartId: string): Promise<void> {
  await makeOverdue(shop, [rowId(cartId)]);
  await shop.expireOverdue();
}

/** A payment's row. */
export async function factsOf({ db }: Pick<PayingShop, 'db'>, paymentId: string): Promise<PaymentFacts> {
  const [row] = await rowsOf<PaymentFacts>(
    db,
    `SELECT state, return_reason AS "returnReason", failure, problem, order_id AS "orderId", authorized_minor::int AS authorized,
            captured_minor::int AS captured, refunded_minor::int AS refunded, refund_pending_minor::int AS pending,
            disputed_minor::int AS disputed FROM payments WHERE id = $1`,
    [paymentId],
  );
  return known(row);
}

/** The operations of a payment in short, oldest first. */
export async function operationsOf({ app }: Pick<PayingShop, 'app'>, paymentId: string): Promise<string[]> {
  return (await app.services.payments.operationsOf(paymentId)).map(({ kind, state }) => `${kind} ${state}`);
}

/** A variant's counters. */
export async function levelOf({ db }: Pick<PayingShop, 'db'>, variantId: string): Promise<[number, number]> {
  const [row] = await rowsOf<{ on_hand: number; held: number }>(
    db,
    'SELECT on_hand, held FROM product_variants WHERE id = $1',
    [variantId],
  );
  return [known(row).on_hand, known(row).held];
}

/** What an account of the ledger comes to for an order or payment, by account; accounts that come to 0 are left out. */
export async function ledgerOf(
  { db }: Pick<PayingShop, 'db'>,
  of: { orderId: string } | { paymentId: string },
): Promise<Record<string, number>> {
  const [column, id] = 'orderId' in of ? ['order_id', of.orderId] : ['payment_id', of.paymentId];
  const rows = await rowsOf<{ account: string; amount: number }>(
    db,
    `SELECT account, sum(amount_minor)::int AS amount FROM money_entries WHERE ${column} = $1
      GROUP BY account HAVING sum(amount_minor) <> 0 ORDER BY account`,
    [id],
  );
  return Object.fromEntries(rows.map(({ account, amount }) => [account, amount]));
}

/** Refunds an order as staff; gives the payload, errors and all. */
export async function refund(shop: PayingShop, orderId: string, input: Partial<OrderRefundInput>) {
  const { orderRefund } = await shop.staff.client.data(paymentDocuments.refund, {
    input: { orderId, idempotencyKey: crypto.randomUUID(), ...input },
  });
  return known(orderRefund);
}

/** Asserts that nothing which the shop keeps twice disagrees: stock, carts, orders, promotions, payments and the ledger of money. */
export async function expectSoundBooks(shop: PayingShop): Promise<void> {
  expect(await findFaults(shop.db)).toEqual([]);
  expect((await shop.app.services.payments.audit(null, null)).discrepancies).toEqual([]);
}
