import { readClock } from '../../infra/postgres/clock.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { auditVariants } from './audit.repository.ts';
import type { Discrepancy } from './inventory.audit.ts';

/** What a check of the stock found. */
export interface InventoryAudit {
  checkedVariants: number;
  /** When it began. */
  checkedAt: Date;
  discrepancies: Discrepancy[];
  firstId: string | null;
  lastId: string | null;
  /** Whether there are variants after those that were checked. */
  more: boolean;
}

/** Variants in one statement: few enough for a snapshot that is soon let go, and for a plan that is not worth compiling. */
const AUDIT_PAGE = 1500;
/** With so many discrepancies, more of them help nobody. */
const ENOUGH_DISCREPANCIES = 1000;

/**
 * Checks variants against the ledger's latest entries and live carts, in the order of their ids. It stops early where very
 * much is wrong.
 * @param first how many; null: all of them
 * @param after begin after this variant; null: with the first one
 */
export async function auditStock(
  source: Queryable,
  first: number | null,
  after: string | null,
): Promise<InventoryAudit> {
  const result: InventoryAudit = {
    checkedVariants: 0,
    checkedAt: await readClock(source),
    discrepancies: [],
    firstId: null,
    lastId: after,
    more: true,
  };
  while (result.more && result.discrepancies.length < ENOUGH_DISCREPANCIES) {
    const left = first === null ? AUDIT_PAGE : first - result.checkedVariants;
    if (left <= 0) break;
    const page = await auditVariants(source, result.lastId, Math.min(left, AUDIT_PAGE));
    result.checkedVariants += page.checked;
    result.discrepancies.push(...page.discrepancies);
    result.firstId ??= page.firstId;
    result.lastId = page.lastId;
    result.more = page.more;
  }
  return result;
}
