import { written } from '../../graphql/schema/written.ts';
import { builder } from '../../graphql/schema/builder.ts';
import { inputId, toGlobalId } from '../../graphql/schema/global-id.ts';
import { GENERAL_LIMIT_SUFFICES } from '../../graphql/schema/limited-fields.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { PromotionCreateInputRef, PromotionUpdateInputRef, withRowIds } from './promotion-fields.graphql.ts';
import { parseNewPromotion, parsePromotionChanges } from './promotion-input.ts';
import type { Promotion } from './promotion.types.ts';
import { PromotionRef } from './promotions.refs.graphql.ts';

function promotionPayload(name: string) {
  const ref = payloadType<{ promotion: Promotion }>(name);
  builder.objectField(ref, 'promotion', (t) =>
    t.field({
      type: PromotionRef,
      nullable: true,
      description: 'Promotion after the mutation. Null if the mutation failed.',
      resolve: (payload) => payload.promotion ?? null,
    }),
  );
  return ref;
}

const PromotionEndInputRef = builder.inputType('PromotionEndInput', {
  description: 'Input of `promotionEnd`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the promotion.' }) }),
});

const PromotionDeleteInputRef = builder.inputType('PromotionDeleteInput', {
  description: 'Input of `promotionDelete`.',
  fields: (t) => ({ id: t.id({ required: true, description: 'Global ID of the promotion.' }) }),
});

const PromotionDeletePayloadRef = payloadType<{ deletedId: string }>('PromotionDeletePayload');
builder.objectField(PromotionDeletePayloadRef, 'deletedId', (t) =>
  t.id({
    nullable: true,
    description: 'Global ID of the deleted promotion. Null if the mutation failed.',
    resolve: ({ deletedId }) => (deletedId === undefined ? null : toGlobalId('Promotion', deletedId)),
  }),
);

builder.mutationFields((t) => ({
  promotionCreate: t.field({
    type: promotionPayload('PromotionCreatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description: 'Creates a promotion. Totals of carts change at once. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: PromotionCreateInputRef, required: true, description: 'Promotion to create.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const promotion = parseNewPromotion(withRowIds(input), ctx.shop.currency);
        return { promotion: await ctx.services.promotions.create(actorId, promotion) };
      }),
  }),

  promotionUpdate: t.field({
    type: promotionPayload('PromotionUpdatePayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Updates a promotion. Totals of carts change at once; orders never change. A limit cannot be lower than what has been ' +
      'used. An update without effect succeeds and is not recorded in `staffActions`. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: PromotionUpdateInputRef, required: true, description: 'Changes to the promotion.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('Promotion', input.id, ['id']);
        const changes = parsePromotionChanges(withRowIds(input), ctx.shop.currency);
        const expected = input.expectedUpdatedAt ?? null;
        return { promotion: await ctx.services.promotions.update(actorId, id, changes, expected) };
      }),
  }),

  promotionEnd: t.field({
    type: promotionPayload('PromotionEndPayload'),
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Ends a promotion now. A promotion that has not begun never will; a promotion that has ended stays as it is. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: PromotionEndInputRef, required: true, description: 'Promotion to end.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const id = inputId('Promotion', input.id, ['id']);
        return { promotion: await ctx.services.promotions.end(actorId, id) };
      }),
  }),

  promotionDelete: t.field({
    type: PromotionDeletePayloadRef,
    nullable: true,
    extensions: GENERAL_LIMIT_SUFFICES,
    description:
      'Deletes a promotion with its codes, which other promotions can then have. Orders keep their discounts. Staff only.',
    authScopes: { staff: true },
    args: { input: t.arg({ type: PromotionDeleteInputRef, required: true, description: 'Promotion to delete.' }) },
    resolve: (_root, { input }, ctx) =>
      written(ctx, async (actorId) => {
        const deletedId = inputId('Promotion', input.id, ['id']);
        await ctx.services.promotions.delete(actorId, deletedId);
        return { deletedId };
      }),
  }),
}));
