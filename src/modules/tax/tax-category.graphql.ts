import { z } from 'zod';
import { builder } from '../../graphql/schema/builder.ts';
import { EXPECTED_UPDATED_AT } from '../../graphql/schema/edit-conflict.ts';
import { inputId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { KEPT } from '../../graphql/schema/kept.ts';
import { SHARED } from '../../graphql/schema/shared.ts';
import { written } from '../../graphql/schema/written.ts';
import { because, kept, parseInput, plainText } from '../input.ts';
import { TaxCategoryRef } from './tax.refs.graphql.ts';
import type { TaxCategory } from './tax.service.ts';

builder.node(TaxCategoryRef, {
  extensions: { ...SHARED, ...KEPT },
  description: 'A kind of goods with a tax rate of its own, for example food or books.',
  id: { resolve: ({ id }) => id, description: 'Global ID of the tax category.' },
  fields: (t) => ({
    code: t.exposeString('code', {
      nullable: false,
      description: 'Name used in imports, for example `reduced`; unique.',
    }),
    name: t.exposeString('name', { nullable: false, description: 'Display name.' }),
    isDefault: t.exposeBoolean('isDefault', {
      nullable: false,
      description: 'Whether this is the category of variants that have none of their own. At most one category is.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'Time of the last change.' }),
  }),
});

registerNode('TaxCategory', async (ids, ctx) =>
  (await ctx.loaders.taxCategory.loadMany(ids)).map((category) => (category instanceof Error ? null : category)),
);

builder.queryField('taxCategories', (t) =>
  t.field({
    type: [TaxCategoryRef],
    nullable: { list: true, items: false },
    description: 'All tax categories: the default category first, then the others by code. Staff only.',
    authScopes: { staff: true },
    resolve: (_root, _args, ctx) => ctx.services.tax.categories(),
  }),
);

const code = plainText(50).pipe(
  z
    .string()
    .regex(
      /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/,
      because('MALFORMED', 'must consist of lowercase letters, digits and hyphens'),
    ),
);
const isDefault = z
  .boolean()
  .nullish()
  .transform((value) => value === true);
const category = z.object({ code, name: plainText(100), isDefault });
const categoryChanges = z.object({
  code: kept(code),
  name: kept(plainText(100)),
  isDefault: isDefault.exactOptional(),
});

const IS_DEFAULT =
  'Whether it is the category of variants that have none of their own, in place of any other category.';
const CODE = 'Name used in imports; unique. Lowercase letters, digits and hyphens, at most 50 characters.';
const NAME = 'Display name, at most 100 characters.';

const TaxCategoryCreateInputRef = builder.inputType('TaxCategoryCreateInput', {
  description: 'Input of `taxCategoryCreate`.',
  fields: (t) => ({
    code: t.string({ required: true, description: CODE }),
    name: t.string({ required: true, description: NAME }),
    isDefault: t.boolean({ defaultValue: false, description: IS_DEFAULT }),
  }),
});

const TaxCategoryUpdateInputRef = builder.inputType('TaxCategoryUpdateInput', {
  description: 'Input of `taxCategoryUpdate`. Omitted fields keep their values.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Global ID of the tax category.' }),
    expectedUpdatedAt: t.field({ type: 'DateTime', description: EXPECTED_UPDATED_AT }),
    code: t.string({ description: CODE }),
    name: t.string({ description: NAME }),
    isDefault: t.boolean({ description: IS_DEFAULT }),
  }),
});

const TaxCategoryDeleteInputRef = builder.inputType('TaxCategoryDeleteInput', {
  description: 'Input of `taxCategoryDelete`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the tax category.' }) }),
});

function categoryPayload(name: string) {
  const ref = payloadType<{ taxCategory: TaxCategory }>(name);
  builder.objectField(ref, 'taxCategory', (t) =>
    t.field({
      type: TaxCategoryRef,
      nullable: true,
      description: 'Tax category after the mutation. Null if the mutation failed.',
      resolve: ({ taxCategory }) => taxCategory ?? null,
    }),
  );
  return ref;
}

const TaxCategoryDeletePayloadRef = payloadType<{ deletedId: string }>('TaxCategoryDeletePayload');
builder.objectField(TaxCategoryDeletePayloadRef, 'deletedId', (t) =>
  t.id({
    nullable: true,
    description: 'Global ID of the deleted tax category. Null if the mutation failed.',
    resolve: ({ deletedId }) => (deletedId === undefined ? null : toGlobalId('TaxCategory', deletedId)),
  }),
);

builder.mutationFields((t) => ({
  taxCategoryCreate: t.field({
    type: categoryPayload('TaxCategoryCreatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Creates a tax category. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: TaxCategoryCreateInputRef, required: true, description: 'Category to create.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => ({
        taxCategory: await ctx.services.tax.createCategory(actorId, parseInput(category, input)),
      })),
  }),

  taxCategoryUpdate: t.field({
    type: categoryPayload('TaxCategoryUpdatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Updates a tax category. An update without effect succeeds and is not recorded in `staffActions`. Staff only.',
    authScopes: { staff: true },
    args: {
      input: t.arg({ type: TaxCategoryUpdateInputRef, required: true, description: 'Changes to the category.' }),
    },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('TaxCategory', input.id, ['id']);
        const changes = parseInput(categoryChanges, input);
        const expected = input.expectedUpdatedAt ?? null;
        return { taxCategory: await ctx.services.tax.updateCategory(actorId, id, changes, expected) };
      }),
  }),

  taxCategoryDelete: t.field({
    type: TaxCategoryDeletePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Deletes a tax category with its rates. Fails with CONFLICT if variants or shipping methods have it. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: TaxCategoryDeleteInputRef, required: true, description: 'Category to delete.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const deletedId = inputId('TaxCategory', input.id, ['id']);
        await ctx.services.tax.deleteCategory(actorId, deletedId);
        return { deletedId };
      }),
  }),
}));
