import { v7 as uuid } from 'uuid';
import { openDatabase, type Database } from '../../src/infra/postgres/database.ts';
import type { TestProvider } from '../../src/modules/payments/providers/test/test-provider.types.ts';
import { createTestProvider } from '../../src/modules/payments/providers/test/test-provider.ts';
import { createTestWebhooks, SIGNATURE_HEADER } from '../../src/modules/payments/providers/test/test-webhook.ts';
import { known } from '../support/known.ts';
import { recordLogs } from '../support/logs.ts';
import { createTestDatabase } from '../support/postgres.ts';
import type { Driver } from './conformance.ts';

export const SECRET = 'a secret of tests that is long enough';

/** Opens the `test` provider with books of its own, and with a driver. */
export async function openTestProvider(): Promise<
  Driver & { provider: TestProvider; db: Database; dispose(): Promise<void> }
> {
  const database = await createTestDatabase();
  const db = openDatabase({ connectionString: database.url, poolSize: 6, logger: recordLogs().logger });
  const faults = { before: 0, after: 0 };
  const once = (kind: keyof typeof faults) => () => {
    if (faults[kind] === 0) return false;
    faults[kind] -= 1;
    return true;
  };
  const provider = createTestProvider({
    db,
    secrets: [SECRET],
    lateMs: 3_600_000,
    faults: { failsBefore: once('before'), losesAnswer: once('after') },
  });
  const { signal } = new AbortController();

  async function choose(reference: string, outcome: string): Promise<void> {
    const result = await provider.page.choose(reference, outcome);
    if (result !== 'DONE') throw new Error(`${outcome}: ${String(result)}`);
  }

  async function books(text: string, value: string): Promise<Record<string, bigint>> {
    return known((await db.query<Record<string, bigint>>({ text }, [value]))[0]);
  }

  return {
    provider,
    db,
    currency: 'EUR',
    pay: (reference) => choose(reference, 'pay'),
    decline: (reference) => choose(reference, 'decline'),
    async payLate(reference, outcome) {
      await choose(reference, outcome === 'SUCCEED' ? 'pay-late' : 'fail-late');
      return { settle: async () => void (await provider.settleLate(reference)) };
    },
    async challenge(reference) {
      await choose(reference, 'challenge');
      return { confirm: () => choose(reference, 'confirm'), abort: () => choose(reference, 'abort') };
    },
    async dispute(reference) {
      await provider.openDispute(reference);
      return { close: (outcome) => choose(reference, outcome === 'WON' ? 'win-dispute' : 'lose-dispute') };
    },
    failRefund: async (reference, refund) => void (await provider.failRefund(reference, refund)),
    loseNextAnswer: () => void (faults.after = 1),
    failNextCall: () => void (faults.before = 1),
    async counts(reference) {
      const { captured, refunded, refunds } = await books(
        `SELECT p.captured_minor AS captured, coalesce(sum(r.amount_minor), 0)::bigint AS refunded, count(r.*) AS refunds
           FROM test_provider_payments p LEFT JOIN test_provider_refunds r ON r.payment_reference = p.reference
          WHERE p.reference = $1 GROUP BY p.captured_minor`,
        reference,
      );
      return { capturedMinor: known(captured), refundedMinor: known(refunded), refunds: Number(refunds) };
    },
    async countPayments(paymentId) {
      const { count } = await books('SELECT count(*) FROM test_provider_payments WHERE payment_id = $1', paymentId);
      return Number(count);
    },
    async sendWebhooks() {
      await provider.runDue(signal);
    },
    sign(body, { at = new Date(), secret = SECRET } = {}) {
      const signature = createTestWebhooks([secret]).sign(body, at);
      const headers = { 'content-type': 'application/json', [SIGNATURE_HEADER]: signature };
      return { method: 'POST', path: '/webhooks/test', headers, body: Buffer.from(body) };
    },
    eventBody(reference, { id = uuid(), topic = 'payment.authorized' } = {}) {
      const payment = { reference, paymentId: uuid() };
      return JSON.stringify({
        id,
        version: 1,
        type: topic,
        createdAt: new Date().toISOString(),
        payment,
      });
    },
    setPageSize: (pageSize) => provider.tune({ pageSize }),
    async dispose() {
      await db[Symbol.asyncDispose]();
      await database.dispose();
    },
  };
}
