import { z } from 'zod';
import { InvalidInputError } from '../invalid-input.ts';
import { Refusal } from '../user-error.ts';

/** What became of an entry. */
export type EntryEvent = 'PUBLISHED' | 'UNPUBLISHED' | 'ARCHIVED' | 'DELETED';

/** A change of an entry, as reported by the CMS. */
export interface EntryChange {
  event: EntryEvent;
  entryId: string;
  /** Null: unknown. */
  contentType: string | null;
  /** Number of times the entry was published; null: unknown. */
  revision: number | null;
  /** By the CMS's clock. */
  changedAt: Date;
  fields: unknown;
}

const topics: Readonly<Record<string, EntryEvent>> = {
  'ContentManagement.Entry.publish': 'PUBLISHED',
  'ContentManagement.Entry.unpublish': 'UNPUBLISHED',
  'ContentManagement.Entry.archive': 'ARCHIVED',
  'ContentManagement.Entry.delete': 'DELETED',
};

/** The event of a topic; null if it does not concern the catalogue. */
export function eventOfTopic(topic: string): EntryEvent | null {
  return Object.hasOwn(topics, topic) ? (topics[topic] ?? null) : null;
}

const MAX_INT = 2 ** 31 - 1;

const instant = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 timestamp' })
  .transform((text) => new Date(text))
  // PostgreSQL knows no year 0.
  .refine((date) => date.getTime() > 0, 'must be an ISO 8601 timestamp');

const revision = z.int().min(1).max(MAX_INT).nullish();

/** The part of `sys` that every entry has, or what is left of one. */
export const entrySys = z.object({ id: z.string().regex(/^[\w.-]{1,64}$/) });

const sysOf = entrySys.extend({
  contentType: z.object({ sys: entrySys }).nullish(),
  revision,
  publishedCounter: revision.catch(null),
  createdAt: instant.nullish(),
  updatedAt: instant.nullish(),
  publishedAt: instant.nullish(),
  archivedAt: instant.nullish(),
  deletedAt: instant.nullish(),
});

const entity = z.object({ sys: sysOf, fields: z.unknown().optional() });

/** When something became of an entry: a draft is updated after what was published of it. */
function instantOf(event: EntryEvent, sys: z.infer<typeof sysOf>): Date | null {
  const own = {
    PUBLISHED: sys.publishedAt,
    UNPUBLISHED: sys.deletedAt,
    ARCHIVED: sys.archivedAt,
    DELETED: sys.deletedAt,
  };
  return own[event] ?? sys.updatedAt ?? null;
}

/** Reads what became of an entry. @throws Refusal if the entry does not say */
export function parseEntry(event: EntryEvent, body: unknown): EntryChange {
  const parsed = entity.safeParse(body);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      ({ path, message }) => new InvalidInputError('MALFORMED', `${path.join('.')}: ${message}.`, path.map(String)),
    );
    throw new Refusal(...faults);
  }
  const { sys, fields } = parsed.data;
  const changedAt = instantOf(event, sys);
  if (changedAt === null) throw new Refusal(new InvalidInputError('REQUIRED', 'sys.updatedAt is missing.', ['sys']));
  return {
    event,
    entryId: sys.id,
    contentType: sys.contentType?.sys.id ?? null,
    revision: sys.revision ?? sys.publishedCounter ?? null,
    changedAt,
    fields,
  };
}

/** The latest that was applied of an entry. */
export interface Applied {
  /** 0: unknown, or restarted since; then only the time decides. */
  revision: number;
  changedAt: Date;
}

/** Whether a change came after what was applied: by its revision, and by the CMS's clock where that says nothing. */
export function isNewer(change: Pick<EntryChange, 'revision' | 'changedAt'>, applied: Applied): boolean {
  const { revision: of, changedAt } = change;
  if (of !== null && applied.revision > 0 && of !== applied.revision) return of > applied.revision;
  return changedAt.getTime() > applied.changedAt.getTime();
}

/** The times that the CMS gives for one change differ a little from page to page. */
const SAME_MS = 5000;

/** Whether what the CMS has now may be what was applied, or newer. For comparisons, such as that of the sync. */
export function isCurrent(change: Pick<EntryChange, 'revision' | 'changedAt'>, applied: Applied): boolean {
  const { revision: of, changedAt } = change;
  if (of !== null && applied.revision > 0 && of !== applied.revision) return of > applied.revision;
  return changedAt.getTime() >= applied.changedAt.getTime() - SAME_MS;
}
