import { builder } from '../../graphql/builder.ts';
import { inputId, toGlobalId } from '../../graphql/global-id.ts';
import { payloadType } from '../../graphql/payload.ts';
import { parseCategoryChanges, parseNewCategory } from './catalog-input.ts';
import { CategoryRef } from './catalog.refs.graphql.ts';
import type { Category } from './catalog.service.ts';
import { written } from './written.graphql.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/limited-fields.ts';

function categoryPayload(name: string, description: string) {
  const ref = payloadType<{ category: Category }>(name, description);
  builder.objectField(ref, 'category', (t) =>
    t.field({
      type: CategoryRef,
      nullable: true,
      description: 'The category as it is now; null where nothing was done.',
      resolve: (payload) => payload.category ?? null,
    }),
  );
  return ref;
}

const SLUG = 'lower-case letters and digits with single dashes, at most 200 characters';

const CategoryCreateInputRef = builder.inputType('CategoryCreateInput', {
  description: 'A category that is to be made.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Its name for people; at most 200 characters.' }),
    slug: t.string({
      description: `Its name in addresses: ${SLUG}; unique. Made from the name where left out, with a number where that is taken.`,
    }),
  }),
});

const CategoryUpdateInputRef = builder.inputType('CategoryUpdateInput', {
  description: 'What is to change about a category: what is left out stays, and nothing can be cleared.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The category.' }),
    name: t.string({ description: 'Its name for people.' }),
    slug: t.string({ description: `Its name in addresses: ${SLUG}; unique.` }),
  }),
});

const CategoryDeleteInputRef = builder.inputType('CategoryDeleteInput', {
  description: 'Its products stay, without a category.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The category.' }) }),
});

const CategoryDeletePayloadRef = payloadType<{ deletedId: string }>('CategoryDeletePayload', 'What became of it.');

builder.objectField(CategoryDeletePayloadRef, 'deletedId', (t) =>
  t.id({
    nullable: true,
    description: 'The ID that it had; null where nothing was done.',
    resolve: ({ deletedId }) => (deletedId === undefined ? null : toGlobalId('Category', deletedId)),
  }),
);

builder.mutationFields((t) => ({
  categoryCreate: t.field({
    type: categoryPayload('CategoryCreatePayload', 'What was made.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Makes a category. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: CategoryCreateInputRef, required: true, description: 'What it is to be.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const category = parseNewCategory(input);
        return { category: await ctx.services.catalogWriting.createCategory(actorId, category) };
      }),
  }),

  categoryUpdate: t.field({
    type: categoryPayload('CategoryUpdatePayload', 'What became of it.'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Changes a category. What changes nothing succeeds and leaves no trace. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: CategoryUpdateInputRef, required: true, description: 'What is to change.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('Category', input.id, ['id']);
        const changes = parseCategoryChanges(input);
        return { category: await ctx.services.catalogWriting.updateCategory(actorId, id, changes) };
      }),
  }),

  categoryDelete: t.field({
    type: CategoryDeletePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Deletes a category; its products stay, without one. (staff)',
    authScopes: { staff: true },
    args: { input: t.arg({ type: CategoryDeleteInputRef, required: true, description: 'Which one.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const deletedId = inputId('Category', input.id, ['id']);
        await ctx.services.catalogWriting.deleteCategory(actorId, deletedId);
        return { deletedId };
      }),
  }),
}));
