import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import { takeNamedLock } from '../../infra/postgres/named-lock.ts';
import { changesBetween, type StaffActionKind, type StaffService } from '../staff/staff.service.ts';
import { termsChanged } from './pricing.events.ts';

/** A change that has been decided on, under the lock. */
export interface DecidedChange<Result> {
  id: string;
  /** What the record of staff shows of the object before; null: it is new. */
  before: object | null;
  /** And after; null: it is deleted. */
  after: object | null;
  /** Writes the change. Not called if nothing differs. */
  write(at: Date): Promise<unknown>;
  result(): Promise<Result> | Result;
}

/** Changes one kind of terms of prices, such as shipping zones. */
export type ChangeTerms<Type extends string> = <Result>(
  of: { actorId: string | null; kind: StaffActionKind; type: Type },
  decide: (tx: Transaction) => Promise<DecidedChange<Result>>,
) => Promise<Result>;

const cleared = (fields: object | null) => Object.fromEntries(Object.keys(fields ?? {}).map((field) => [field, null]));

/**
 * How staff change terms of prices: under a lock, in one transaction with the entry in the record of staff and with the event
 * that has carts priced again. A change that changes nothing is not recorded.
 * @param lock name of the lock under which the changes come one after another
 */
export function createTermsChange<Type extends 'ShippingZone' | 'ShippingMethod' | 'TaxCategory' | 'TaxRate'>(
  { db, staff, eventLog }: { db: Database; staff: Pick<StaffService, 'record'>; eventLog: EventLog },
  { lock, what }: { lock: string; what: 'SHIPPING' | 'TAX' },
): ChangeTerms<Type> {
  return ({ actorId, kind, type }, decide) =>
    db.transaction(async (tx) => {
      await takeNamedLock(tx, lock);
      const { id, before, after, write, result } = await decide(tx);
      const changes = changesBetween(before, after ?? cleared(before));
      if (changes.length === 0) return result();
      const at = await readClock(tx);
      await write(at);
      await staff.record(tx, at, { actorId, kind, subject: { type, id }, changes });
      await eventLog.append(tx, at, [termsChanged(what, id)]);
      return result();
    });
}
