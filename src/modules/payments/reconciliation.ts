import type { Queryable } from '../../infra/postgres/database.ts';
import type { PaymentService } from './payment.service.ts';
import { findOpen } from './payment-work.repository.ts';
import type { PaymentAmounts } from './payment.types.ts';

/** A payment of which the shop and its provider had different figures. Amounts are minor units. */
export interface Drift {
  provider: string;
  reference: string;
  /** Null: the provider has a payment of this shop that the shop does not know. */
  paymentId: string | null;
  /** What differed, and by how much the shop was behind. */
  changes: readonly { what: string; ours: string; theirs: string }[];
}

export interface Reconciled {
  checked: number;
  drifts: readonly Drift[];
  /** Providers that did not answer. */
  unavailable: readonly string[];
}

const PAGE = 200;
const CALL_MS = 30_000;

/**
 * Compares payments with what their providers have: those of which more is to be expected, and those that have changed at the provider
 * since some time. What the shop had missed is written down by it.
 */
export async function reconcile(
  { db, payments }: { db: Queryable; payments: Pick<PaymentService, 'providers' | 'byIds' | 'byReference' | 'sync'> },
  since: Date,
  onProgress: (checked: number) => void = () => {},
): Promise<Reconciled> {
  const drifts: Drift[] = [];
  const unavailable: string[] = [];
  let checked = 0;

  async function compare(provider: string, reference: string, paymentId: string): Promise<void> {
    const [before] = await payments.byIds([paymentId]);
    await payments.sync(paymentId);
    const [after] = await payments.byIds([paymentId]);
    checked += 1;
    if (checked % PAGE === 0) onProgress(checked);
    if (before === undefined || after === undefined) return;
    const changes = DIFFERENCES.filter((what) => before[what] !== after[what]).map((what) => ({
      what,
      ours: String(before[what]),
      theirs: String(after[what]),
    }));
    if (changes.length > 0) drifts.push({ provider, reference, paymentId, changes });
  }

  for (const provider of payments.providers.values()) {
    const seen = new Set<string>();
    try {
      for (let after: string | null = null, ids: string[] = []; ; after = ids.at(-1) ?? null) {
        ids = await findOpen(db, provider.id, after, PAGE);
        for (const payment of await payments.byIds(ids)) {
          if (payment.reference === null) continue;
          seen.add(payment.reference);
          await compare(provider.id, payment.reference, payment.id);
        }
        if (ids.length < PAGE) break;
      }
      for (let cursor: string | null = null; ;) {
        const page = await provider.changedSince(since, cursor, AbortSignal.timeout(CALL_MS));
        for (const reference of page.references) {
          if (seen.has(reference)) continue;
          seen.add(reference);
          const paymentId = await payments.byReference(provider.id, reference);
          if (paymentId !== null) await compare(provider.id, reference, paymentId);
          else {
            const { paymentId: ours, state } = await provider.fetch(reference, AbortSignal.timeout(CALL_MS));
            const [known] = ours === null ? [] : await payments.byIds([ours]);
            // A payment of another shop with the same account, or one whose answer is still on its way.
            if (known === undefined) continue;
            const changes = [{ what: 'reference', ours: String(known.reference), theirs: `${reference} (${state})` }];
            drifts.push({ provider: provider.id, reference, paymentId: ours, changes });
          }
        }
        cursor = page.next;
        if (cursor === null) break;
      }
    } catch (error) {
      unavailable.push(`${provider.id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { checked, drifts, unavailable };
}

const DIFFERENCES = [
  'state',
  'authorizedMinor',
  'capturedMinor',
  'refundedMinor',
  'refundPendingMinor',
  'disputedMinor',
] as const satisfies readonly ('state' | keyof PaymentAmounts)[];
