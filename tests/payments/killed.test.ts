import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Step } from '../../src/modules/payments/operations.ts';
import { gate } from '../support/barriers.ts';
import { rowsOf } from '../support/books.ts';
import { known } from '../support/known.ts';
import { startPayment, syncPayment } from '../support/payer.ts';
import {
  expectSoundBooks,
  factsOf,
  ledgerOf,
  levelOf,
  openPayingShop,
  operationsOf,
  readAsStaff,
  refund,
  withCart,
  withOrder,
  withPayment,
  type PayingShop,
} from '../support/paying.ts';
import type { CallFault } from '../support/scripted-provider.ts';
import { rowId } from '../support/shopper.ts';

/*
 * A process that dies between two steps of an operation leaves its row behind. Another process finds it when the lease is over, and the
 * outcome is the same as if nobody had died. The places are enumerated: before and after each commit, and before and after the call.
 */

/** The process that dies. */
let first: PayingShop;
/** The one that takes over: it has the same database and the same provider. */
let second: PayingShop;
beforeAll(async () => {
  first = await openPayingShop();
  second = await first.another();
});
afterAll(async () => {
  await second.dispose();
  await first.dispose();
});
afterEach(() => {
  first.between = () => Promise.resolve();
});

const KINDS = ['BEGIN', 'CAPTURE', 'CANCEL', 'REFUND'] as const;
type Kind = (typeof KINDS)[number];

interface Death {
  /** After which step; null: the process lives. */
  after: Step | null;
  /** What becomes of the call itself. */
  fault?: CallFault;
  /** It dies after the commit of the row, and before it is taken up. */
  isBeforeLease?: boolean;
}

const DEATHS: Record<string, Death> = {
  'after the operation is written, before it is taken up': { after: 'LEASED', isBeforeLease: true },
  'after it is taken up, before the provider is called': { after: 'LEASED' },
  'while the call is on its way to the provider': { after: 'CALLED', fault: 'UNREACHABLE' },
  'while the answer is on its way from the provider': { after: 'CALLED', fault: 'LOST' },
  'after the answer, before it is committed': { after: 'CALLED' },
  'after the answer is committed': { after: 'SETTLED' },
};

const FAULTS: Record<string, Death> = {
  'the call does not reach the provider': { after: null, fault: 'UNREACHABLE' },
  'the answer of the provider is lost': { after: null, fault: 'LOST' },
};

class Died extends Error {}

/** Has the first process die in the next operation of this kind, or the call of it fail. */
function arrange(kind: Kind, { after, fault }: Death): void {
  if (fault !== undefined) first.provider.failNext(kind.toLowerCase() as Lowercase<Kind>, fault);
  first.between = async (step, operationId) => {
    if (step !== after) return;
    const [operation] = await rowsOf<{ kind: Kind }>(first.db, 'SELECT kind FROM payment_operations WHERE id = $1', [
      operationId,
    ]);
    if (operation?.kind === kind) throw new Died(`died after ${step}`);
  };
}

/** The time passes after which the row is nobody's, and the other process does what its sweep finds. */
async function takeOver(paymentId: string, { isBeforeLease = false }: Death): Promise<void> {
  first.between = () => Promise.resolve();
  if (isBeforeLease) {
    await rowsOf(
      first.db,
      `UPDATE payment_operations SET state = 'QUEUED', attempts = 0, sent_at = NULL, lease_until = NULL WHERE payment_id = $1 AND state = 'SENT'`,
      [paymentId],
    );
  }
  for (let rounds = 0; rounds < 5; rounds += 1) {
    await rowsOf(
      first.db,
      `UPDATE payment_operations SET lease_until = lease_until - interval '1 hour', next_at = clock_timestamp() - interval '1 minute'
        WHERE payment_id = $1 AND state IN ('QUEUED', 'SENT', 'UNKNOWN')`,
      [paymentId],
    );
    const { operationIds } = await second.app.services.payments.findWork(1000);
    if (operationIds.length === 0) return;
    for (const id of operationIds) await second.app.services.payments.runOperation(id);
  }
  throw new Error('the operations of the payment do not come to an end');
}

/** A payment as far as the operation, which goes wrong as arranged. */
async function until(kind: Kind, death: Death): Promise<{ paymentId: string; variantId: string }> {
  if (kind === 'BEGIN') {
    const { client, variant } = await withCart(first);
    arrange(kind, death);
    const payment = await startPayment(client, { idempotencyKey: 'begin' });
    const paymentId = rowId(payment.id);
    await takeOver(paymentId, death);
    // The shopper's own repetition reaches the other process, and gets what it takes to pay.
    const again = second.client({ cartToken: known(client.headers()['x-cart-token']) });
    const repeated = await startPayment(again, { idempotencyKey: 'begin' });
    expect(repeated.id).toBe(payment.id);
    expect(repeated.clientData?.redirectUrl).toContain(first.provider.of(paymentId).reference);
    first.provider.pay(paymentId);
    await syncPayment(again, payment.id);
    await takeOver(paymentId, { after: null });
    return { paymentId, variantId: variant.id };
  }
  if (kind === 'CAPTURE') {
    const { client, payment, paymentId, variant } = await withPayment(first);
    first.provider.pay(paymentId);
    await syncPayment(client, payment.id);
    arrange(kind, death);
    const [operation] = await rowsOf<{ id: string }>(
      first.db,
      `SELECT id FROM payment_operations WHERE payment_id = $1 AND kind = 'CAPTURE'`,
      [paymentId],
    );
    await first.app.services.payments.runOperation(known(operation).id, true).catch(assertDied);
    await takeOver(paymentId, death);
    return { paymentId, variantId: variant.id };
  }
  if (kind === 'CANCEL') {
    const { paymentId, variant } = await withPayment(first);
    arrange(kind, death);
    await first.app.services.payments.cancel(paymentId);
    await takeOver(paymentId, death);
    return { paymentId, variantId: variant.id };
  }
  const { order, paymentId, variant, lineId } = await withOrder(first);
  arrange(kind, death);
  const key = { idempotencyKey: 'refund', lines: [{ lineId, quantity: 1, restock: true }] };
  const asked = await refund(first, order.id, key);
  await takeOver(paymentId, death);
  const repeated = await refund(second, order.id, key);
  expect(repeated.refund).toMatchObject({ id: known(asked.refund).id, state: 'SUCCEEDED' });
  return { paymentId, variantId: variant.id };
}

function assertDied(error: unknown): void {
  if (!(error instanceof Died)) throw error;
}

/** All that is left of a payment, without IDs and times. */
async function outcomeOf(kind: Kind, death: Death) {
  const callsBefore = first.provider.calls.length;
  const { paymentId, variantId } = await until(kind, death);
  const { orderId, ...facts } = await factsOf(first, paymentId);
  const { reference, paymentId: of_, ...books } = first.provider.of(paymentId);
  expect(of_).toBe(paymentId);
  const refunds = books.refunds.map(({ reference: _reference, refundId: _refundId, ...rest }) => rest);
  const { order } = await readAsStaff(first, Buffer.from(`Payment:${paymentId}`).toString('base64'));
  await expectSoundBooks(first);
  const calls = first.provider.calls.slice(callsBefore);
  const effects = ['capture', 'cancel', 'refund'].map(
    (call) => calls.filter((each) => each === `${call} ${reference}`).length,
  );
  return {
    ...{ facts, isOrdered: orderId !== null, books: { ...books, refunds }, effects },
    payments: first.provider.all().filter((payment) => payment.paymentId === paymentId).length,
    operations: await operationsOf(first, paymentId),
    level: await levelOf(first, variantId),
    ledger: await ledgerOf(first, orderId === null ? { paymentId } : { orderId }),
    order: order == null ? null : { status: order.status, paymentStatus: order.paymentStatus },
  };
}

const PAID = {
  facts: { state: 'CAPTURED', captured: 2000, refunded: 0, pending: 0, failure: null, problem: null },
  ...{ isOrdered: true, payments: 1, effects: [1, 0, 0], level: [8, 0], ledger: { CLEARING: 2000, SALES: -2000 } },
  ...{ books: { state: 'CAPTURED', capturedMinor: 2000n, refunds: [] }, operations: ['BEGIN DONE', 'CAPTURE DONE'] },
  order: { status: 'PLACED', paymentStatus: 'PAID' },
};

/** What comes of each kind where nobody dies. */
const OUTCOMES: Record<Kind, object> = {
  BEGIN: PAID,
  CAPTURE: PAID,
  CANCEL: {
    facts: { state: 'CANCELLED', captured: 0, authorized: 0 },
    ...{ isOrdered: false, payments: 1, effects: [0, 1, 0], level: [10, 2], ledger: {}, order: null },
    ...{ books: { state: 'CANCELLED', capturedMinor: 0n, refunds: [] }, operations: ['BEGIN DONE', 'CANCEL DONE'] },
  },
  REFUND: {
    ...PAID,
    facts: { state: 'CAPTURED', captured: 2000, refunded: 1000, pending: 0 },
    ...{ effects: [1, 0, 1], level: [9, 0], ledger: { CLEARING: 1000, REFUNDS: 1000, SALES: -2000 } },
    books: { state: 'CAPTURED', refunds: [{ amountMinor: 1000n, state: 'SUCCEEDED', failure: null }] },
    operations: ['BEGIN DONE', 'CAPTURE DONE', 'REFUND DONE'],
    order: { status: 'PLACED', paymentStatus: 'PARTIALLY_REFUNDED' },
  },
};

describe.each(KINDS)('%s has the same outcome, and is done once at the provider', (kind) => {
  test('where nothing goes wrong', async () => {
    expect(await outcomeOf(kind, { after: null })).toMatchObject(OUTCOMES[kind]);
  });

  test.each(Object.keys(DEATHS))('where the process dies %s', async (where) => {
    expect(await outcomeOf(kind, known(DEATHS[where]))).toMatchObject(OUTCOMES[kind]);
  });

  test.each(Object.keys(FAULTS))('where %s', async (what) => {
    expect(await outcomeOf(kind, known(FAULTS[what]))).toMatchObject(OUTCOMES[kind]);
  });
});

test('an operation that is older than the key at the provider is looked up, and never sent again', async () => {
  const { order, paymentId } = await withOrder(first);
  first.provider.failNext('refund', 'UNREACHABLE');
  await refund(first, order.id, { amount: '1.00' });
  await rowsOf(
    first.db,
    `UPDATE payment_operations SET sent_at = sent_at - interval '23 hours' WHERE payment_id = $1 AND kind = 'REFUND'`,
    [paymentId],
  );
  const calls = first.provider.calls.length;
  await takeOver(paymentId, { after: null });
  expect(first.provider.calls.slice(calls).map((call) => call.split(' ')[0])).toEqual(['fetch']);
  expect(await operationsOf(first, paymentId)).toEqual(['BEGIN DONE', 'CAPTURE DONE', 'REFUND REFUSED']);
  expect(await factsOf(first, paymentId)).toMatchObject({ refunded: 0, pending: 0 });
  await expectSoundBooks(first);
});

test('a process that comes back after another has taken over does no harm', async () => {
  const { client, payment, paymentId } = await withPayment(first);
  first.provider.pay(paymentId);
  await syncPayment(client, payment.id);
  const [operation] = await rowsOf<{ id: string }>(
    first.db,
    `SELECT id FROM payment_operations WHERE payment_id = $1 AND kind = 'CAPTURE'`,
    [paymentId],
  );
  let wake = () => {};
  const slept = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    first.between = async (step) => {
      if (step !== 'CALLED') return;
      resolve();
      await slept;
    };
  });
  const sleeping = first.app.services.payments.runOperation(known(operation).id, true);
  await reached;
  await rowsOf(
    first.db,
    `UPDATE payment_operations SET lease_until = clock_timestamp() - interval '1 second' WHERE id = $1`,
    [known(operation).id],
  );
  await second.app.services.payments.runOperation(known(operation).id);
  wake();
  await sleeping;
  expect(await operationsOf(first, paymentId)).toEqual(['BEGIN DONE', 'CAPTURE DONE']);
  expect(await factsOf(first, paymentId)).toMatchObject({ state: 'CAPTURED', captured: 2000 });
  expect(
    first.provider.calls.filter(
      (call) => call.startsWith('capture') && call.includes(first.provider.of(paymentId).reference),
    ),
  ).toHaveLength(1);
  await expectSoundBooks(first);
});

test('a call that is repeated while the provider answers the first one waits for that answer, too', async () => {
  const { client } = await withCart(first);
  const input = { idempotencyKey: randomUUID() };
  const leased = gate();
  const taken = gate();
  first.between = async (step) => {
    if (step === 'TAKEN') taken.open();
    if (step !== 'LEASED') return;
    leased.open();
    await taken.opened;
  };
  const one = startPayment(client, input);
  await leased.opened;
  const payments = await Promise.all([one, startPayment(client, input)]);
  for (const { clientData } of payments) expect(clientData).not.toBeNull();
});
