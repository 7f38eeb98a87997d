import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/connection.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { registerNode } from '../../graphql/node.ts';
import { isStaff } from '../../graphql/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { StockMovement } from './stock.service.ts';

const StockMovementReasonRef = builder.enumType('StockMovementReason', {
  description: 'Why stock changed.',
  values: {
    INITIAL: { description: 'Opening count of a new variant.' },
    RESTOCK: { description: 'Goods came in.' },
    CORRECTION: { description: 'A count said otherwise.' },
    DAMAGE: { description: 'Units can be sold no more.' },
    RETURN: { description: 'A customer sent units back.' },
    HOLD: { description: 'A cart took a hold.' },
    RELEASE: { description: 'A cart gave its hold back: line removed, cart expired or emptied.' },
    SALE: { description: 'A hold became an order.' },
    CANCELLATION: { description: 'An order was cancelled.' },
    SYNC: { description: 'An outside catalogue (CMS, import) said so.' },
  },
});

const StockMovementRef = builder.objectRef<StockMovement>('StockMovement');

builder.node(StockMovementRef, {
  description: "One entry of the append-only stock ledger. Sums over it equal the variant's counters, always. (staff)",
  authScopes: { staff: true },
  id: { resolve: (movement) => movement.id, description: 'Names the entry.' },
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'Whose stock changed.',
      resolve: (movement, _args, ctx) => loadKnown(ctx.loaders.variant, movement.variantId),
    }),
    reason: t.expose('reason', { type: StockMovementReasonRef, nullable: false, description: 'Why.' }),
    onHandDelta: t.exposeInt('onHandDelta', {
      nullable: false,
      description: 'Units that came to the warehouse, or left.',
    }),
    heldDelta: t.exposeInt('heldDelta', { nullable: false, description: 'Units that carts hold more, or less.' }),
    onHandAfter: t.exposeInt('onHandAfter', { nullable: false, description: 'The units on hand that it left.' }),
    heldAfter: t.exposeInt('heldAfter', { nullable: false, description: 'The units held that it left.' }),
    note: t.exposeString('note', { nullable: true, description: 'What was said about it.' }),
    actor: t.field({
      type: UserRef,
      nullable: true,
      description: 'Who did it by hand; null for what the shop did by itself.',
      resolve: ({ actorId }, _args, ctx) => (actorId === null ? null : ctx.loaders.user.load(actorId)),
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'When.' }),
  }),
});

registerNode('StockMovement', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const movements = new Map((await ctx.services.stock.movementsByIds(ids)).map((movement) => [movement.id, movement]));
  return ids.map((id) => movements.get(id) ?? null);
});

const StockMovementConnectionRef = connectionType(StockMovementRef, 'stock ledger entries');

const ofMovements: CursorType = { list: 'variant.stockMovements', values: [cursorTypes.bigint] };

builder.objectFields(ProductVariantRef, (t) => ({
  onHand: t.exposeInt('onHand', {
    nullable: true,
    description: 'Units in the warehouse. (staff)',
    authScopes: { staff: true },
  }),
  held: t.exposeInt('held', {
    nullable: true,
    description: 'Units held by carts. (staff)',
    authScopes: { staff: true },
  }),
  stockMovements: t.field({
    type: StockMovementConnectionRef,
    nullable: true,
    description: "Every change to this variant's stock, newest first. (staff)",
    authScopes: { staff: true },
    args: t.arg.connectionArgs(),
    complexity: pageCost,
    resolve: async ({ id }, args, ctx) => {
      const page = await ctx.loaders.movementsOfVariant.load({ of: id, page: pageOf(args, ofMovements) });
      return toConnection(page, ofMovements, () => ctx.loaders.movementCountOfVariant.load(id));
    },
  }),
}));
