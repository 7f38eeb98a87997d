import { v7 as uuid } from 'uuid';
import { readClock } from '../../infra/postgres/clock.ts';
import { violatedConstraint } from '../../infra/postgres/database.ts';
import type { Database } from '../../infra/postgres/database.ts';
import { changesBetween, type StaffService } from '../staff/staff.service.ts';
import { assertVersion, type ExpectedVersion } from '../edit-conflict.ts';
import { refuse } from '../user-error.ts';
import type { EventLog } from '../../events/event-log.ts';
import { recordedCategory } from './catalog-record.ts';
import { categoryChanged, productChanged } from './catalog.events.ts';
import type { Category } from './catalog.service.ts';
import type { CategoryChanges, NewCategory } from './catalog.types.ts';
import * as repository from './category-writing.repository.ts';
import { freeSlug } from './slug.ts';

/** That are written by one statement. */
const EVENTS = 1000;

function refuseSlug(): never {
  refuse('CONFLICT', 'The slug is already used by another category.', ['slug']);
}

function refuseUnknown(): never {
  refuse('NOT_FOUND', 'Category not found.', ['id']);
}

/** Makes the use cases of categories. */
export function createCategoryWriting({
  db,
  staff,
  eventLog,
}: {
  db: Database;
  staff: StaffService;
  eventLog: EventLog;
}) {
  return {
    createCategory: (actorId: string | null, { name, slug }: NewCategory): Promise<Category> =>
      db.transaction(async (tx) => {
        const taken = (slugs: readonly string[]) => repository.findTakenSlugs(tx, slugs);
        for (;;) {
          const made = slug ?? (await freeSlug(name, { fallback: 'category', taken }));
          const category = await repository.insertCategory(tx, { id: uuid(), name, slug: made });
          if (category !== null) {
            const at = await readClock(tx);
            await eventLog.append(tx, at, [categoryChanged.of(category.id, { categoryId: category.id })]);
            await staff.record(tx, at, {
              actorId,
              kind: 'CATEGORY_CREATED',
              subject: { type: 'Category', id: category.id },
              changes: changesBetween(null, recordedCategory(category)),
            });
            return category;
          }
          // One that was made up was taken in between: the next is made up knowing that.
          if (slug !== null) refuseSlug();
        }
      }),

    updateCategory: (
      actorId: string | null,
      id: string,
      changes: CategoryChanges,
      expected: ExpectedVersion = null,
    ): Promise<Category> =>
      db.transaction(async (tx) => {
        const before = (await repository.lockCategory(tx, id)) ?? refuseUnknown();
        assertVersion({ type: 'Category', id }, expected, before.updatedAt);
        const after = { ...before, ...changes };
        const changed = changesBetween(recordedCategory(before), recordedCategory(after));
        if (changed.length === 0) return before;
        const at = await readClock(tx);
        const updatedAt = await repository.updateCategory(tx, at, after).catch((error: unknown) => {
          if (violatedConstraint(error) === 'categories_slug_key') refuseSlug();
          throw error;
        });
        await eventLog.append(tx, at, [categoryChanged.of(id, { categoryId: id })]);
        const subject = { type: 'Category', id } as const;
        await staff.record(tx, at, { actorId, kind: 'CATEGORY_UPDATED', subject, changes: changed });
        return { ...after, updatedAt };
      }),

    deleteCategory: (actorId: string | null, id: string): Promise<void> =>
      db.transaction(async (tx) => {
        const before = (await repository.lockCategoryToDelete(tx, id)) ?? refuseUnknown();
        const productIds = await repository.lockProductsOf(tx, id);
        const at = await readClock(tx);
        await repository.unfileProducts(tx, at, id);
        await repository.deleteCategory(tx, id);
        await eventLog.append(tx, at, [categoryChanged.of(id, { categoryId: id })]);
        // A product without its category is another one to everybody who shows it.
        for (let done = 0; done < productIds.length; done += EVENTS) {
          const some = productIds.slice(done, done + EVENTS);
          await eventLog.append(
            tx,
            at,
            some.map((productId) => productChanged.of(productId, { productId })),
          );
        }
        await staff.record(tx, at, {
          actorId,
          kind: 'CATEGORY_DELETED',
          subject: { type: 'Category', id },
          changes: changesBetween(recordedCategory(before), { name: null, slug: null }),
        });
      }),
  };
}
