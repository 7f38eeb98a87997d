import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { RetryTransaction, type Database, type Transaction } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import type { AccountService } from '../accounts/account.service.ts';
import type { CatalogService } from '../catalog/catalog.service.ts';
import { assertVersion, type ExpectedVersion } from '../edit-conflict.ts';
import { toDecimal } from '../money.ts';
import { toPercent } from '../percent.ts';
import type { PricingService } from '../pricing/pricing.service.ts';
import { termsChanged } from '../pricing/pricing.events.ts';
import { changesBetween, type StaffActionKind, type StaffService } from '../staff/staff.service.ts';
import { GenericError, refuse, Refusal, type UserError } from '../user-error.ts';
import { createCodeWriting, type CodeWriting } from './code-writing.ts';
import * as codeRepository from './code.repository.ts';
import type { CodeQuery } from './code.repository.ts';
import { createPreview, type ExampleCart, type PromotionPreview } from './preview.ts';
import { recordedTerms } from './promotion-input.ts';
import { conflictsWithUse, faultsOfTerms, isLimited } from './promotion-rules.ts';
import * as repository from './promotion.repository.ts';
import type { PromotionQuery, PromotionSort } from './promotion.repository.ts';
import { ID_LISTS } from './promotion.types.ts';
import * as usage from './usage.repository.ts';
import type {
  IdList,
  NewPromotion,
  Promotion,
  PromotionChanges,
  PromotionCode,
  PromotionTerms,
} from './promotion.types.ts';

export type { CodeQuery } from './code.repository.ts';
export type { CodeUsage, DayUsage, Usage, UsageSpan } from './usage.repository.ts';
export type { PromotionQuery, PromotionSort } from './promotion.repository.ts';

/** Promotions as staff keep them. What carts cost with them is up to the module of prices. */
export interface PromotionService extends CodeWriting {
  byIds(ids: readonly string[]): Promise<Promotion[]>;
  page(query: PromotionQuery, sort: PromotionSort, page: PageRequest): Promise<Page<Promotion>>;
  count(query: PromotionQuery): Promise<number>;
  codePage(query: CodeQuery, page: PageRequest): Promise<Page<PromotionCode>>;
  codeCount(query: CodeQuery): Promise<number>;
  /** The time by the database's clock. */
  now(): Promise<Date>;
  /** The effect of a promotion, according to orders. */
  usage(span: usage.UsageSpan): Promise<usage.Usage>;
  usageByDay(span: usage.UsageSpan, timeZone: string): Promise<usage.DayUsage[]>;
  usageByCode(span: usage.UsageSpan, page: PageRequest): Promise<Page<usage.CodeUsage>>;
  codesUsed(span: usage.UsageSpan): Promise<number>;
  /** Refuses lists that name products, variants, categories or users that do not exist. @throws Refusal */
  assertExist(
    lists: Partial<Record<IdList, readonly string[]>>,
    known?: Partial<Record<IdList, readonly string[]>>,
  ): Promise<void>;
  /** What an example cart would cost with a promotion that is stored nowhere. @throws Refusal: NOT_FOUND */
  preview(promotion: NewPromotion, cart: ExampleCart): Promise<PromotionPreview>;
  /** @throws Refusal: CONFLICT if a code is taken, NOT_FOUND if a target does not exist */
  create(actorId: string, promotion: NewPromotion): Promise<Promotion>;
  /**
   * Changes terms; fields that are left out stay as they are. Orders are never changed by this.
   * @throws Refusal: EDIT_CONFLICT, CONFLICT if a limit is lower than what was used, INVALID_INPUT if terms do not go together
   */
  update(actorId: string, id: string, changes: PromotionChanges, expected?: ExpectedVersion): Promise<Promotion>;
  /** Ends a promotion now. One that has ended stays as it is. */
  end(actorId: string, id: string): Promise<Promotion>;
  /** Deletes a promotion with its codes. Orders keep what was applied to them. */
  delete(actorId: string, id: string): Promise<void>;
}

export interface PromotionDependencies {
  db: Database;
  catalog: Pick<CatalogService, 'productsByIds' | 'variantsByIds' | 'categoriesByIds'>;
  accounts: Pick<AccountService, 'byIds'>;
  staff: Pick<StaffService, 'record'>;
  prices: () => Pick<PricingService, 'preview' | 'lockUncountedOrders' | 'countOrders'>;
  eventLog: EventLog;
  shop: { currency: string };
}

function notFound(): never {
  refuse('NOT_FOUND', 'Promotion not found.', ['id']);
}

/** Wires the promotions. */
export function createPromotionService(deps: PromotionDependencies): PromotionService {
  const { db, catalog, accounts, staff, prices, eventLog, shop } = deps;
  const recorded = (terms: PromotionTerms) => recordedTerms(terms, shop.currency, toPercent);

  /** Adds to the record what was done to a promotion, and announces that carts may cost something else. */
  async function note(
    tx: Transaction,
    at: Date,
    of: { actorId: string; kind: StaffActionKind; id: string; changes: ReturnType<typeof changesBetween> },
  ): Promise<void> {
    const { actorId, kind, id, changes } = of;
    await staff.record(tx, at, { actorId, kind, subject: { type: 'Promotion', id }, changes });
    await eventLog.append(tx, at, [termsChanged('PROMOTION', id)]);
  }

  async function reread(tx: Transaction, id: string): Promise<Promotion> {
    const [promotion] = await repository.findPromotions(tx, [id]);
    return promotion ?? notFound();
  }

  const find = {
    Product: (ids: string[]) => catalog.productsByIds(ids),
    ProductVariant: (ids: string[]) => catalog.variantsByIds(ids),
    Category: (ids: string[]) => catalog.categoriesByIds(ids),
    User: (ids: string[]) => accounts.byIds(ids),
  } satisfies Record<(typeof ID_LISTS)[IdList], (ids: string[]) => Promise<{ id: string }[]>>;

  const assertExist: PromotionService['assertExist'] = async (lists, known = {}) => {
    const faults: UserError[] = [];
    for (const field of Object.keys(ID_LISTS) as IdList[]) {
      const kept = new Set(known[field]);
      const ids = (lists[field] ?? []).filter((id) => !kept.has(id));
      if (ids.length === 0) continue;
      const type = ID_LISTS[field];
      const found = new Set((await find[type](ids)).map(({ id }) => id));
      for (const [index, id] of (lists[field] ?? []).entries()) {
        if (kept.has(id) || found.has(id)) continue;
        faults.push(
          new GenericError('NOT_FOUND', `There is no object of type ${type} with this ID.`, [field, String(index)]),
        );
      }
    }
    if (faults.length > 0) throw new Refusal(...faults);
  };

  /** The orders that are to be counted because a promotion gets its first limit; null if it gets none. */
  async function lockUncounted(tx: Transaction, id: string, changes: PromotionChanges): Promise<string[] | null> {
    const [promotion] = await repository.findPromotions(tx, [id]);
    if (promotion === undefined || isLimited(promotion) || !isLimited({ ...promotion, ...changes })) return null;
    return prices().lockUncountedOrders(tx, id);
  }

  const codes = createCodeWriting({ db, note, reread });

  return {
    ...codes,
    assertExist,
    preview: createPreview({ catalog, prices }),
    byIds: (ids) => repository.findPromotions(db, ids),
    page: (query, sort, page) => repository.findPromotionPage(db, query, sort, page),
    count: (query) => repository.countPromotions(db, query),
    codePage: (query, page) => codeRepository.findCodePage(db, query, page),
    codeCount: (query) => codeRepository.countCodes(db, query),
    now: () => readClock(db),
    usage: (span) => usage.findUsage(db, span),
    usageByDay: (span, timeZone) => usage.findUsageByDay(db, span, timeZone),
    usageByCode: (span, page) => usage.findUsageByCode(db, span, page),
    codesUsed: (span) => usage.countCodesUsed(db, span),

    async create(actorId, { terms: given, codes: entered }) {
      await assertExist(given);
      return db.transaction(async (tx) => {
        const at = await readClock(tx);
        const id = uuid();
        const terms: PromotionTerms = { ...given, startsAt: given.startsAt ?? at };
        const faults = faultsOfTerms({ ...terms, codes: entered });
        if (faults.length > 0) throw new Refusal(...faults);
        await repository.insertPromotion(tx, at, id, terms);
        await codes.insert(tx, at, id, entered);
        const after = {
          ...recorded(terms),
          codes: entered.length === 0 ? null : entered.map(({ code }) => code).join(', '),
        };
        await note(tx, at, { actorId, kind: 'PROMOTION_CREATED', id, changes: changesBetween(null, after) });
        return reread(tx, id);
      });
    },

    async update(actorId, id, changes, expected = null) {
      const [known] = await repository.findPromotions(db, [id]);
      await assertExist(changes, known);
      return db.transaction(async (tx) => {
        const uncounted = await lockUncounted(tx, id, changes);
        let before = (await repository.lockPromotion(tx, id, 'UPDATE')) ?? notFound();
        assertVersion({ type: 'Promotion', id }, expected, before.updatedAt);
        if (!isLimited(before) && isLimited({ ...before, ...changes })) {
          // It lost its limits meanwhile. Run again: orders are locked before promotions.
          if (uncounted === null) throw new RetryTransaction();
          before = { ...before, ...(await prices().countOrders(tx, id, uncounted)) };
        }
        const after: Promotion = { ...before, ...changes };
        const changed = changesBetween(recorded(repository.termsOf(before)), recorded(repository.termsOf(after)));
        if (changed.length === 0) return before;
        const spent = toDecimal({ minor: before.spentMinor, currency: shop.currency });
        const faults = [...faultsOfTerms(after), ...conflictsWithUse(before, after, spent)];
        if (faults.length > 0) throw new Refusal(...faults);
        const at = await readClock(tx);
        await repository.updatePromotion(tx, at, id, after);
        await note(tx, at, { actorId, kind: 'PROMOTION_UPDATED', id, changes: changed });
        return reread(tx, id);
      });
    },

    end: (actorId, id) =>
      db.transaction(async (tx) => {
        const before = (await repository.lockPromotion(tx, id, 'UPDATE')) ?? notFound();
        if (before.status === 'ENDED') return before;
        const at = await readClock(tx);
        // A window is never empty. One that has not begun lies in the past now, and so nobody ever gets it.
        const startsAt = new Date(Math.min(before.startsAt.getTime(), at.getTime() - 1));
        const after: Promotion = { ...before, startsAt, endsAt: at };
        await repository.updatePromotion(tx, at, id, after);
        const changed = changesBetween(recorded(repository.termsOf(before)), recorded(repository.termsOf(after)));
        await note(tx, at, { actorId, kind: 'PROMOTION_ENDED', id, changes: changed });
        return reread(tx, id);
      }),

    delete: (actorId, id) =>
      db.transaction(async (tx) => {
        const before = (await repository.lockPromotion(tx, id, 'DELETE')) ?? notFound();
        const at = await readClock(tx);
        await repository.deletePromotion(tx, id);
        const terms = recorded(repository.termsOf(before));
        const gone = Object.fromEntries(Object.keys(terms).map((field) => [field, null]));
        await note(tx, at, { actorId, kind: 'PROMOTION_DELETED', id, changes: changesBetween(terms, gone) });
      }),
  };
}
