import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import { loadKnown } from '../../graphql/context/loaders.ts';
import { registerNode } from '../../graphql/schema/node.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { StockAlert } from './stock-alert.service.ts';

const StockAlertStatusRef = builder.enumType('StockAlertStatus', {
  description: 'Status of a stock alert.',
  values: {
    WAITING: { description: 'The variant is not available yet.' },
    NOTIFIED: { description: 'The email was sent.' },
    CANCELLED: { description: 'The alert was cancelled.' },
  },
});

/** A request for an email when a variant becomes available again. */
export const StockAlertRef = builder.objectRef<StockAlert>('StockAlert');

builder.node(StockAlertRef, {
  description: 'A request for an email when a variant becomes available again.',
  id: { resolve: (alert) => alert.id, description: 'Global ID of the alert. Knowing it grants no access.' },
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'Variant to wait for.',
      resolve: (alert, _args, ctx) => loadKnown(ctx.loaders.variant, alert.variantId),
    }),
    email: t.exposeString('email', { nullable: false, description: 'Email address to notify.' }),
    status: t.expose('status', {
      type: StockAlertStatusRef,
      nullable: false,
      description: 'Status of the alert.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the alert was created.',
    }),
    notifiedAt: t.expose('notifiedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Time at which the email was sent. Null if it has not been sent.',
    }),
  }),
});

registerNode('StockAlert', async (ids, { viewer, services }) => {
  if (viewer.user === null) return ids.map(() => null);
  const { userId } = viewer.user;
  const alerts = new Map((await services.stockAlerts.byIds(ids)).map((alert) => [alert.id, alert]));
  return ids.map((id) => {
    const alert = alerts.get(id);
    return alert !== undefined && (alert.userId === userId || isStaff(viewer)) ? alert : null;
  });
});

const StockAlertConnectionRef = connectionType(StockAlertRef, 'stock alerts');

const ofUser: CursorType = { list: 'user.stockAlerts', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.objectField(UserRef, 'stockAlerts', (t) =>
  t.field({
    type: StockAlertConnectionRef,
    nullable: true,
    description: 'All stock alerts of the user, newest first. Visible to the user only; null for anyone else.',
    args: t.arg.connectionArgs(),
    complexity: pageCost,
    authScopes: (user, _args, ctx) => ctx.viewer.user?.userId === user.id,
    resolve: async ({ id }, args, ctx) => {
      const page = await ctx.loaders.stockAlertsOfUser.load({ of: id, page: pageOf(args, ofUser) });
      return toConnection(page, ofUser, () => ctx.loaders.stockAlertCountOfUser.load(id));
    },
  }),
);

builder.objectField(ProductVariantRef, 'stockAlertCount', (t) =>
  t.int({
    nullable: true,
    description: 'Number of stock alerts that wait for the variant. Staff only.',
    authScopes: { staff: true },
    resolve: ({ id }, _args, ctx) => ctx.loaders.stockAlertCountOfVariant.load(id),
  }),
);
