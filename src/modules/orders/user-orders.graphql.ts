import { queryFromInfo } from '@pothos/plugin-prisma';
import type { Prisma } from '../../generated/prisma/client.ts';
import { builder } from '../../graphql/builder.ts';
import { connectionType } from '../../graphql/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/connection.ts';
import { isStaff } from '../../graphql/viewer.ts';
import { UserRef } from '../accounts/accounts.refs.graphql.ts';
import { OrderRef } from './order.graphql.ts';

/** A page of orders. */
export const OrderConnectionRef = connectionType(OrderRef, 'orders');

const ofOrders: CursorType = { list: 'user.orders', values: [cursorTypes.instant, cursorTypes.uuid] };
const NODES = [['nodes'], ['edges', 'node']];

builder.objectField(UserRef, 'orders', (t) =>
  t.field({
    type: OrderConnectionRef,
    nullable: true,
    description: "This user's orders, newest first. Seen by the user and by staff.",
    args: t.arg.connectionArgs(),
    complexity: pageCost,
    authScopes: (user, _args, ctx) => ctx.viewer.user?.userId === user.id || isStaff(ctx.viewer),
    resolve: async (user, args, ctx, info) => {
      const { orders } = ctx.services;
      const page = await orders.pageOfUser(user.id, pageOf(args, ofOrders));
      // The page is found by its keys alone; the rows, with what is asked for of them, come in one go.
      const query = queryFromInfo({ context: ctx, info, typeName: 'Order', paths: NODES });
      const rows = await ctx.prisma.order.findMany({
        ...(query as { include?: Prisma.OrderInclude }),
        where: { id: { in: page.rows.map((row) => row.id) } },
      });
      const byId = new Map(rows.map((row) => [row.id, row]));
      const found = page.rows.flatMap(({ id, cursor }) => {
        const row = byId.get(id);
        return row === undefined ? [] : [{ ...row, cursor }];
      });
      return toConnection({ ...page, rows: found }, ofOrders, () => orders.countOfUser(user.id));
    },
  }),
);
