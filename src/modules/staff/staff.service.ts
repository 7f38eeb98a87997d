import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import * as repository from './staff.repository.ts';
import type { FieldChange, StaffActionQuery, StaffActionRow } from './staff.repository.ts';

export type { FieldChange, StaffActionQuery } from './staff.repository.ts';

/** What staff do, and what it means. The database keeps the name as text: a newer version may have written others. */
export const staffActionKinds = {
  PRODUCT_CREATED: 'A product was created.',
  PRODUCT_UPDATED: 'A product was updated.',
  PRODUCT_ARCHIVED: 'A product was archived.',
  PRODUCT_VARIANT_CREATED: 'A variant was created.',
  PRODUCT_VARIANT_UPDATED: 'A variant was updated.',
  PRODUCT_VARIANT_ARCHIVED: 'A variant was archived.',
  CATEGORY_CREATED: 'A category was created.',
  CATEGORY_UPDATED: 'A category was updated.',
  CATEGORY_DELETED: 'A category was deleted.',
  PROMOTION_CREATED: 'A promotion was created.',
  PROMOTION_UPDATED: 'A promotion was updated.',
  PROMOTION_ENDED: 'A promotion was ended.',
  PROMOTION_DELETED: 'A promotion was deleted.',
  PROMOTION_CODES_ADDED: 'Discount codes were added to a promotion.',
  PROMOTION_CODES_REMOVED: 'Discount codes were removed from a promotion.',
  STOCK_ADJUSTED: 'Units on hand were added or removed with `stockAdjust`.',
  STOCK_SET: 'The number of units on hand was set with `stockSet`.',
  ORDER_CANCELLED: 'An order was cancelled by staff.',
  ORDER_MARKED_AS_PAID: 'An order was marked as paid.',
  ORDER_MARKED_AS_REFUNDED: 'An order was marked as refunded.',
  ORDER_REFUNDED: 'An order was refunded, in whole or in part.',
  PAYMENT_CAPTURED: 'An authorized payment was captured, in whole or in part.',
  ORDER_STATUS_UPDATED: 'An order was marked as fulfilled or delivered.',
  WEBHOOK_DELIVERY_RETRIED: 'A failed webhook delivery was scheduled to be applied again.',
  USER_CREATED: 'An account was created by a command of the shop.',
  USER_ROLE_UPDATED: 'The role of a user was changed.',
  PARKED_EVENT_RETRIED: 'A parked event was processed again, successfully.',
  FAILED_JOB_RETRIED: 'A failed job was put back into its queue.',
  SHIPPING_ZONE_CREATED: 'A shipping zone was created.',
  SHIPPING_ZONE_UPDATED: 'A shipping zone was updated.',
  SHIPPING_ZONE_DELETED: 'A shipping zone was deleted with its shipping methods and tax rates.',
  SHIPPING_METHOD_CREATED: 'A shipping method was created.',
  SHIPPING_METHOD_UPDATED: 'A shipping method was updated.',
  SHIPPING_METHOD_DELETED: 'A shipping method was deleted.',
  TAX_CATEGORY_CREATED: 'A tax category was created.',
  TAX_CATEGORY_UPDATED: 'A tax category was updated.',
  TAX_CATEGORY_DELETED: 'A tax category was deleted with its tax rates.',
  TAX_RATE_CREATED: 'A tax rate was created.',
  TAX_RATE_UPDATED: 'A tax rate was updated.',
  TAX_RATE_DELETED: 'A tax rate was deleted.',
  USER_TAX_EXEMPTION_SET: 'The tax exemption of a user was changed.',
  MAIL_RETRIED: 'A failed email was scheduled to be sent again.',
  PRODUCT_IMPORT_STARTED: 'An import of a product file was started.',
  PRODUCT_IMPORT_CANCELLED: 'An import of a product file was cancelled.',
} as const;

export type StaffActionKind = keyof typeof staffActionKinds;

/** The types, as clients know them, that something can be done to. */
export type StaffSubjectType =
  | 'Product'
  | 'ProductVariant'
  | 'Category'
  | 'Promotion'
  | 'Order'
  | 'ShippingZone'
  | 'ShippingMethod'
  | 'TaxCategory'
  | 'TaxRate'
  | 'User'
  | 'ParkedEvent'
  | 'FailedJob'
  | 'WebhookDelivery'
  | 'Mail'
  | 'ProductImport';

/** An entry that is still to be written. */
export interface StaffAction {
  /** The user who did it; null: the shop's own command, run on its machine. */
  actorId: string | null;
  kind: StaffActionKind;
  subject: { type: StaffSubjectType; id: string };
  /** Changed fields, if the action has a field-by-field record; see `changesBetween`. */
  changes?: readonly FieldChange[];
  /** What was said about it. */
  note?: string | null;
}

/** An entry of the record. */
export type RecordedStaffAction = StaffActionRow;

/** The record of what staff do: who changed what, and when. It is append-only. */
export interface StaffService {
  /** Writes entries in the transaction of the changes that they record. */
  record(tx: Transaction, at: Date, ...actions: readonly StaffAction[]): Promise<void>;
  /** Entries, newest first. */
  page(query: StaffActionQuery, page: PageRequest): Promise<Page<RecordedStaffAction>>;
  count(query: StaffActionQuery): Promise<number>;
  byIds(ids: readonly string[]): Promise<RecordedStaffAction[]>;
}

/** Wires the record. */
export function createStaffService({ db }: { db: Database }): StaffService {
  return {
    async record(tx, at, ...actions) {
      if (actions.length === 0) return;
      const rows = actions.map(({ actorId, kind, subject, changes = [], note = null }) => ({
        actorId,
        kind,
        subjectType: subject.type,
        subjectId: subject.id,
        changes: [...changes],
        note,
      }));
      await repository.insertActions(tx, at, rows);
    },
    page: (query, page) => repository.findActionPage(db, query, page),
    count: (query) => repository.countActions(db, query),
    byIds: (ids) => repository.findActions(db, ids),
  };
}

/** Maximum length of a text in the record; longer ones are cut. The record shows that a description changed, and does not archive it. */
const MAX_TEXT = 500;

/**
 * The fields in which two states differ, in the order of `after`'s. A field that `after` does not have was left as it was.
 * @param before null where there was nothing before
 */
export function changesBetween(before: object | null, after: object): FieldChange[] {
  return Object.entries(after).flatMap(([field, value]) => {
    const change = { field, before: asText((before as Record<string, unknown> | null)?.[field]), after: asText(value) };
    return change.before === change.after ? [] : [{ ...change, before: cut(change.before), after: cut(change.after) }];
  });
}

function asText(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function cut(text: string | null): string | null {
  if (text === null || text.length <= MAX_TEXT) return text;
  // Half a character, left of one that is two units long, is no JSON for PostgreSQL.
  return `${text.slice(0, MAX_TEXT).replace(/[\ud800-\udbff]$/, '')}…`;
}
