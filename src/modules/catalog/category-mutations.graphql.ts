import { builder } from '../../graphql/schema/builder.ts';
import { inputId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { EXPECTED_UPDATED_AT } from '../../graphql/schema/edit-conflict.ts';
import { parseCategoryChanges, parseNewCategory } from './catalog-input.ts';
import { CategoryRef } from './catalog.refs.graphql.ts';
import type { Category } from './catalog.service.ts';
import { written } from '../../graphql/schema/written.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';

function categoryPayload(name: string, description: string) {
  const ref = payloadType<{ category: Category }>(name, description);
  builder.objectField(ref, 'category', (t) =>
    t.field({
      type: CategoryRef,
      nullable: true,
      description: 'Category after the mutation. Null if the mutation failed.',
      resolve: (payload) => payload.category ?? null,
    }),
  );
  return ref;
}

const SLUG = 'Lowercase letters and digits separated by single hyphens, at most 200 characters.';

const CategoryCreateInputRef = builder.inputType('CategoryCreateInput', {
  description: 'Input of `categoryCreate`.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Display name, at most 200 characters.' }),
    slug: t.string({
      description: `Name used in URLs; unique. ${SLUG} If omitted, it is derived from the name, with a number appended if that slug is taken.`,
    }),
  }),
});

const CategoryUpdateInputRef = builder.inputType('CategoryUpdateInput', {
  description: 'Input of `categoryUpdate`. Omitted fields keep their values; no field can be cleared.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the category.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', description: EXPECTED_UPDATED_AT }),
    name: t.string({ description: 'Display name, at most 200 characters.' }),
    slug: t.string({ description: `Name used in URLs; unique. ${SLUG}` }),
  }),
});

const CategoryDeleteInputRef = builder.inputType('CategoryDeleteInput', {
  description: 'Input of `categoryDelete`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the category.' }) }),
});

const CategoryDeletePayloadRef = payloadType<{ deletedId: string }>(
  'CategoryDeletePayload',
  'Result of `categoryDelete`.',
);

builder.objectField(CategoryDeletePayloadRef, 'deletedId', (t) =>
  t.id({
    nullable: true,
    description: 'Global ID of the deleted category. Null if the mutation failed.',
    resolve: ({ deletedId }) => (deletedId === undefined ? null : toGlobalId('Category', deletedId)),
  }),
);

builder.mutationFields((t) => ({
  categoryCreate: t.field({
    type: categoryPayload('CategoryCreatePayload', 'Result of `categoryCreate`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Creates a category. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: CategoryCreateInputRef, required: true, description: 'Category to create.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const category = parseNewCategory(input);
        return { category: await ctx.services.catalogWriting.createCategory(actorId, category) };
      }),
  }),

  categoryUpdate: t.field({
    type: categoryPayload('CategoryUpdatePayload', 'Result of `categoryUpdate`.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Updates a category. An update without effect succeeds and is not recorded in `staffActions`. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: CategoryUpdateInputRef, required: true, description: 'Changes to the category.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('Category', input.id, ['id']);
        const changes = parseCategoryChanges(input);
        const expected = input.expectedUpdatedAt ?? null;
        return { category: await ctx.services.catalogWriting.updateCategory(actorId, id, changes, expected) };
      }),
  }),

  categoryDelete: t.field({
    type: CategoryDeletePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Deletes a category. Its products remain, without a category. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: CategoryDeleteInputRef, required: true, description: 'Category to delete.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const deletedId = inputId('Category', input.id, ['id']);
        await ctx.services.catalogWriting.deleteCategory(actorId, deletedId);
        return { deletedId };
      }),
  }),
}));
