import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/connection.ts';
import { loadKnown } from '../../graphql/loaders.ts';
import { registerNode } from '../../graphql/node.ts';
import { isStaff } from '../../graphql/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { ProductVariantRef } from '../catalog/catalog.refs.graphql.ts';
import type { StockAlert } from './stock-alert.service.ts';

const StockAlertStatusRef = builder.enumType('StockAlertStatus', {
  description: 'Whether somebody still waits.',
  values: {
    WAITING: { description: 'Will be told when the variant comes back.' },
    NOTIFIED: { description: 'Was told.' },
    CANCELLED: { description: 'Does not want to be told any more.' },
  },
});

/** A wish to be told when a variant can be bought again. */
export const StockAlertRef = builder.objectRef<StockAlert>('StockAlert');

builder.node(StockAlertRef, {
  description: 'A wish to be told when a variant can be bought again.',
  id: { resolve: (alert) => alert.id, description: 'Names the alert. It grants nothing.' },
  fields: (t) => ({
    variant: t.field({
      type: ProductVariantRef,
      nullable: false,
      description: 'What is waited for.',
      resolve: (alert, _args, ctx) => loadKnown(ctx.loaders.variant, alert.variantId),
    }),
    email: t.exposeString('email', { nullable: false, description: 'Where it will be told.' }),
    status: t.expose('status', {
      type: StockAlertStatusRef,
      nullable: false,
      description: 'Whether it is still waited for.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', nullable: false, description: 'When it was asked for.' }),
    notifiedAt: t.expose('notifiedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was told; null before that.',
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
    description: 'What this user waits for, and has waited for, newest first. Seen by the user alone.',
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
    description: 'People who wait for it. (staff)',
    authScopes: { staff: true },
    resolve: ({ id }, _args, ctx) => ctx.loaders.stockAlertCountOfVariant.load(id),
  }),
);
