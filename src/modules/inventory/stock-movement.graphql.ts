import { builder } from '../../graphql/schema/builder.ts';
import { registerNumbered } from '../../graphql/schema/global-id.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { StockMovement } from './stock.service.ts';

const StockMovementReasonRef = builder.enumType('StockMovementReason', {
  description: 'Reason for a stock movement.',
  values: {
    INITIAL: { description: 'Initial stock of a new variant.' },
    RESTOCK: { description: 'Goods were received.' },
    CORRECTION: { description: 'A stock count found a different number.' },
    DAMAGE: { description: 'Units can no longer be sold.' },
    RETURN: { description: 'A customer returned units.' },
    HOLD: { description: 'A cart took a hold on units.' },
    RELEASE: { description: 'A cart released its hold: a line was removed or reduced, or the cart expired.' },
    SALE: { description: 'Held units were sold: the cart became an order.' },
    CANCELLATION: { description: 'An order was cancelled.' },
    SYNC: { description: 'An external catalog (a CMS or an import) changed the stock.' },
  },
});

const StockMovementRef = builder.objectRef<StockMovement>('StockMovement');

builder.node(StockMovementRef, {
  description:
    'An entry of the append-only stock ledger. The sums over all entries of a variant equal its counters. ' +
    'Staff only.',
  authScopes: { staff: true },
  id: { resolve: (movement) => movement.id, description: 'Global ID of the entry.' },
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'Variant whose stock changed.',
      resolve: (movement, _args, ctx) => loadKnown(ctx.loaders.variant, movement.variantId),
    }),
    reason: t.expose('reason', {
      type: StockMovementReasonRef,
      nullable: false,
      description: 'Reason for the movement.',
    }),
    onHandDelta: t.exposeInt('onHandDelta', {
      nullable: false,
      description: 'Change in the number of units on hand; negative if units left.',
    }),
    heldDelta: t.exposeInt('heldDelta', {
      nullable: false,
      description: 'Change in the number of units held by carts; negative if units were released.',
    }),
    onHandAfter: t.exposeInt('onHandAfter', { nullable: false, description: 'Units on hand after the movement.' }),
    heldAfter: t.exposeInt('heldAfter', { nullable: false, description: 'Units held after the movement.' }),
    note: t.exposeString('note', {
      nullable: true,
      description: 'Note entered with the movement. Null if there is none.',
    }),
    actor: t.field({
      type: UserRef,
      nullable: true,
      description: 'Staff member who made the movement. Null for movements made by the shop itself.',
      resolve: ({ actorId }, _args, ctx) => (actorId === null ? null : ctx.loaders.user.load(actorId)),
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'Time of the movement.' }),
  }),
});

registerNumbered('StockMovement');
registerNode('StockMovement', async (ids, ctx) => {
  if (!isStaff(ctx.viewer)) return ids.map(() => null);
  const movements = new Map((await ctx.services.stock.movementsByIds(ids)).map((movement) => [movement.id, movement]));
  return ids.map((id) => movements.get(id) ?? null);
});

const StockMovementConnectionRef = connectionType(StockMovementRef, 'stock movements');

const ofMovements: CursorType = { list: 'variant.stockMovements', values: [cursorTypes.bigint] };

builder.objectFields(ProductVariantRef, (t) => ({
  onHand: t.exposeInt('onHand', {
    nullable: true,
    description: 'Number of units in the warehouse, including held ones. Staff only.',
    authScopes: { staff: true },
  }),
  held: t.exposeInt('held', {
    nullable: true,
    description: 'Number of units held by carts. Staff only.',
    authScopes: { staff: true },
  }),
  stockMovements: t.field({
    type: StockMovementConnectionRef,
    nullable: true,
    description: "All movements of the variant's stock, newest first. Staff only.",
    authScopes: { staff: true },
    args: t.arg.connectionArgs(),
    complexity: pageCost,
    resolve: async ({ id }, args, ctx) => {
      const page = await ctx.loaders.movementsOfVariant.load({ of: id, page: pageOf(args, ofMovements) });
      return toConnection(page, ofMovements, () => ctx.loaders.movementCountOfVariant.load(id));
    },
  }),
}));
