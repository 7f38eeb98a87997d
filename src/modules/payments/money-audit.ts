import { readClock } from '../../infra/postgres/clock.ts';
import type { Queryable } from '../../infra/postgres/database.ts';
import { auditMoneyPage, auditStrayPayments } from './money-audit.repository.ts';
import type { MoneyAudit, MoneyDiscrepancy } from './money-audit.types.ts';

const PAGE = 500;
const MOST_DISCREPANCIES = 1000;

/** Checks the ledger of money in pages, each in one snapshot of the database; see `PaymentService.audit`. */
export async function auditMoney(db: Queryable, after: string | null, first: number | null): Promise<MoneyAudit> {
  const checkedAt = await readClock(db);
  const discrepancies: MoneyDiscrepancy[] = after === null ? await auditStrayPayments(db, MOST_DISCREPANCIES) : [];
  let checkedOrders = 0;
  let firstId: string | null = null;
  let lastId = after;
  let more = true;
  while (more && (first === null || checkedOrders < first) && discrepancies.length < MOST_DISCREPANCIES) {
    const limit = first === null ? PAGE : Math.min(PAGE, first - checkedOrders);
    const page = await auditMoneyPage(db, lastId, limit);
    discrepancies.push(...page.discrepancies);
    checkedOrders += page.orders;
    firstId ??= page.firstId;
    lastId = page.lastId ?? lastId;
    more = page.orders === limit;
  }
  return { checkedOrders, checkedAt, discrepancies, firstId, lastId: checkedOrders === 0 ? null : lastId, more };
}
