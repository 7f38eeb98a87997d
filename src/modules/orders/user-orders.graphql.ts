import { builder } from '../../graphql/schema/builder.ts';
import { pageCost, pageOf } from '../../graphql/schema/connection.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { OrderConnectionRef, orderCursors, toOrderConnection } from './order-connection.graphql.ts';

const type = orderCursors('user.orders');

builder.objectField(UserRef, 'orders', (t) =>
  t.field({
    type: OrderConnectionRef,
    nullable: true,
    description: 'Orders of the user, newest first. Visible to the user and to staff; null for anyone else.',
    args: t.arg.connectionArgs(),
    complexity: pageCost,
    authScopes: (user, _args, ctx) => ctx.viewer.user?.userId === user.id || isStaff(ctx.viewer),
    resolve: async (user, args, ctx, info) => {
      const page = await ctx.loaders.ordersOfUser.load({ of: user.id, page: pageOf(args, type) });
      return toOrderConnection(page, { ctx, info, type, count: () => ctx.loaders.orderCountOfUser.load(user.id) });
    },
  }),
);
