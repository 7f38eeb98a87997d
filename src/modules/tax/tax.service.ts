import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { violatedConstraint, type Database, type Queryable } from '../../infra/postgres/database.ts';
import { assertVersion, type ExpectedVersion } from '../edit-conflict.ts';
import { termsChanged } from '../pricing/pricing.events.ts';
import { createTermsChange } from '../pricing/terms-change.service.ts';
import { changesBetween, type StaffService } from '../staff/staff.service.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import * as repository from './tax.repository.ts';
import { percentOf, type TaxCategory, type TaxCategoryFields, type TaxRate, type TaxRateFields } from './tax.types.ts';

export type { TaxExemption } from './tax.repository.ts';
export { percentOf, ppmOf, type TaxCategory, type TaxRate } from './tax.types.ts';

/** The most tax categories of a shop, and the most tax rates of a zone. */
export const MAX_CATEGORIES = 100;
export const MAX_RATES = 1000;

const TAX_LOCK = 'tax categories';

/** Tax categories, rates, and exemptions of users. Each change is a transaction with its entry in the record of staff. */
export interface TaxService {
  /** The default category first, then by code. */
  categories(): Promise<TaxCategory[]>;
  categoriesByIds(ids: readonly string[]): Promise<TaxCategory[]>;
  /** By category, the earliest first. */
  ratesOfZones(zoneIds: readonly string[]): Promise<TaxRate[]>;
  ratesByIds(ids: readonly string[]): Promise<TaxRate[]>;
  /** A new default category takes the place of the former one. @throws Refusal: CONFLICT, LIMIT_EXCEEDED */
  createCategory(actorId: string | null, category: TaxCategoryFields): Promise<TaxCategory>;
  /** Fields that are left out stay as they are. @throws Refusal: NOT_FOUND, EDIT_CONFLICT, CONFLICT */
  updateCategory(
    actorId: string,
    id: string,
    changes: Partial<TaxCategoryFields>,
    expected?: ExpectedVersion,
  ): Promise<TaxCategory>;
  /** Deletes the category with its rates. @throws Refusal: NOT_FOUND, CONFLICT if a variant or shipping method has it */
  deleteCategory(actorId: string, id: string): Promise<void>;
  /** @throws Refusal: NOT_FOUND, CONFLICT if zone and category have a rate from that instant on, LIMIT_EXCEEDED */
  createRate(actorId: string | null, rate: TaxRateFields): Promise<TaxRate>;
  /** Fields that are left out stay as they are. @throws Refusal: NOT_FOUND, EDIT_CONFLICT, CONFLICT */
  updateRate(
    actorId: string,
    id: string,
    changes: Partial<Pick<TaxRate, 'title' | 'ratePpm' | 'validFrom'>>,
    expected?: ExpectedVersion,
  ): Promise<TaxRate>;
  /** @throws Refusal: NOT_FOUND */
  deleteRate(actorId: string, id: string): Promise<void>;
  /** The exemptions of the users among the ids, in any order. */
  exemptionsOf(userIds: readonly string[]): Promise<(repository.TaxExemption & { id: string })[]>;
  /** @throws Refusal: NOT_FOUND */
  setExemption(actorId: string, userId: string, exemption: repository.TaxExemption): Promise<void>;
}

const RATE_FAULTS: Readonly<Record<string, { code: 'CONFLICT' | 'NOT_FOUND'; message: string; field: string }>> = {
  tax_rates_zone_id_fkey: { code: 'NOT_FOUND', message: 'Shipping zone not found.', field: 'zoneId' },
  tax_rates_tax_category_id_fkey: { code: 'NOT_FOUND', message: 'Tax category not found.', field: 'taxCategoryId' },
  tax_rates_zone_id_tax_category_id_valid_from_key: {
    code: 'CONFLICT',
    message: 'Zone and category have a rate that begins at this time already.',
    field: 'validFrom',
  },
};

function refuseRate(error: unknown): never {
  const fault = RATE_FAULTS[violatedConstraint(error) ?? ''];
  if (fault === undefined) throw error;
  refuse(fault.code, fault.message, [fault.field]);
}

const recordedCategory = ({ code, name, isDefault }: TaxCategoryFields) => ({
  code,
  name,
  isDefault: isDefault ? 'true' : null,
});
const recordedRate = ({ zoneId, taxCategoryId, title, ratePpm, validFrom }: Omit<TaxRate, 'updatedAt'>) => ({
  zoneId,
  taxCategoryId,
  title,
  percent: percentOf(ratePpm),
  validFrom,
});

function assertRoom(count: number, limit: number, what: string): void {
  if (count < limit) return;
  const message = `There can be at most ${limit} ${what}.`;
  throw new Refusal(new LimitExceededError({ message, path: null, limit, requested: count + 1 }));
}

/** Wires taxes to a database. */
export function createTaxService({
  db,
  staff,
  eventLog,
}: {
  db: Database;
  staff: StaffService;
  eventLog: EventLog;
}): TaxService {
  const change = createTermsChange<'TaxCategory' | 'TaxRate'>({ db, staff, eventLog }, { lock: TAX_LOCK, what: 'TAX' });

  async function findCategory(tx: Queryable, id: string): Promise<TaxCategory> {
    const [category] = await repository.findCategoriesByIds(tx, [id]);
    return category ?? refuse('NOT_FOUND', 'Tax category not found.', ['id']);
  }
  async function findRate(tx: Queryable, id: string): Promise<TaxRate> {
    const [rate] = await repository.findRatesByIds(tx, [id]);
    return rate ?? refuse('NOT_FOUND', 'Tax rate not found.', ['id']);
  }
  async function assertCodeFree(tx: Queryable, id: string, code: string): Promise<TaxCategory[]> {
    const all = await repository.findCategories(tx);
    if (all.some((other) => other.id !== id && other.code === code)) {
      refuse('CONFLICT', 'Another tax category has this code already.', ['code']);
    }
    return all;
  }

  return {
    categories: () => repository.findCategories(db),
    categoriesByIds: (ids) => repository.findCategoriesByIds(db, ids),
    ratesOfZones: (zoneIds) => repository.findRatesOfZones(db, zoneIds),
    ratesByIds: (ids) => repository.findRatesByIds(db, ids),
    exemptionsOf: (userIds) => repository.findExemptions(db, userIds),

    createCategory: (actorId, category) =>
      change({ actorId, kind: 'TAX_CATEGORY_CREATED', type: 'TaxCategory' }, async (tx) => {
        const id = uuid();
        const all = await assertCodeFree(tx, id, category.code);
        assertRoom(all.length, MAX_CATEGORIES, 'tax categories');
        return {
          id,
          before: null,
          after: recordedCategory(category),
          async write(at) {
            if (category.isDefault) await repository.clearOtherDefault(tx, at, id);
            await repository.insertCategory(tx, at, id, category);
          },
          result: () => findCategory(tx, id),
        };
      }),

    updateCategory: (actorId, id, given, expected = null) =>
      change({ actorId, kind: 'TAX_CATEGORY_UPDATED', type: 'TaxCategory' }, async (tx) => {
        const before = await findCategory(tx, id);
        assertVersion({ type: 'TaxCategory', id }, expected, before.updatedAt);
        const after = { ...before, ...given };
        return {
          id,
          before: recordedCategory(before),
          after: recordedCategory(after),
          async write(at) {
            await assertCodeFree(tx, id, after.code);
            if (after.isDefault) await repository.clearOtherDefault(tx, at, id);
            await repository.updateCategory(tx, at, id, after);
          },
          result: () => findCategory(tx, id),
        };
      }),

    deleteCategory: (actorId, id) =>
      change({ actorId, kind: 'TAX_CATEGORY_DELETED', type: 'TaxCategory' }, async (tx) => ({
        id,
        before: recordedCategory(await findCategory(tx, id)),
        after: null,
        write: () =>
          repository.deleteCategory(tx, id).catch((error: unknown) => {
            const constraint = violatedConstraint(error);
            const users = constraint === 'product_variants_tax_category_id_fkey' ? 'variants' : 'shipping methods';
            if (constraint === null) throw error;
            refuse('CONFLICT', `The tax category is used by ${users}. Give them another one first.`, ['id']);
          }),
        result: () => {},
      })),

    createRate: (actorId, { validFrom, ...fields }) =>
      change({ actorId, kind: 'TAX_RATE_CREATED', type: 'TaxRate' }, async (tx) => {
        const { length } = await repository.findRatesOfZones(tx, [fields.zoneId]);
        assertRoom(length, MAX_RATES, 'tax rates in a zone');
        const rate = { ...fields, id: uuid(), validFrom: validFrom ?? (await readClock(tx)) };
        return {
          id: rate.id,
          before: null,
          after: recordedRate(rate),
          write: (at) => repository.insertRate(tx, at, rate).catch(refuseRate),
          result: () => findRate(tx, rate.id),
        };
      }),

    updateRate: (actorId, id, given, expected = null) =>
      change({ actorId, kind: 'TAX_RATE_UPDATED', type: 'TaxRate' }, async (tx) => {
        const before = await findRate(tx, id);
        assertVersion({ type: 'TaxRate', id }, expected, before.updatedAt);
        const after = { ...before, ...given };
        return {
          id,
          before: recordedRate(before),
          after: recordedRate(after),
          write: (at) => repository.updateRate(tx, at, after).catch(refuseRate),
          result: () => findRate(tx, id),
        };
      }),

    deleteRate: (actorId, id) =>
      change({ actorId, kind: 'TAX_RATE_DELETED', type: 'TaxRate' }, async (tx) => ({
        id,
        before: recordedRate(await findRate(tx, id)),
        after: null,
        write: () => repository.deleteRate(tx, id),
        result: () => {},
      })),

    setExemption: (actorId, userId, exemption) =>
      db.transaction(async (tx) => {
        const before =
          (await repository.lockExemption(tx, userId)) ?? refuse('NOT_FOUND', 'User not found.', ['userId']);
        const text = ({ taxExempt, taxExemptNote: note }: repository.TaxExemption) => ({
          exempt: taxExempt ? 'true' : null,
          note,
        });
        const changes = changesBetween(text(before), text(exemption));
        if (changes.length === 0) return;
        const at = await readClock(tx);
        await repository.setExemption(tx, at, userId, exemption);
        const subject = { type: 'User', id: userId } as const;
        const note = exemption.taxExemptNote;
        await staff.record(tx, at, { actorId, kind: 'USER_TAX_EXEMPTION_SET', subject, changes, note });
        await eventLog.append(tx, at, [termsChanged('TAX', userId)]);
      }),
  };
}
