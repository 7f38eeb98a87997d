import { queryFromInfo } from '@pothos/plugin-prisma';
import DataLoader from 'dataloader';
import type { GraphQLResolveInfo } from 'graphql';
import type { Order, Prisma } from '../../generated/prisma/client.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, toConnection, type Connection, type CursorType } from '../../graphql/schema/connection.ts';
import type { Context } from '../../graphql/context/context.ts';
import type { Page } from '../../infra/postgres/page.ts';
import { OrderRef } from './order.graphql.ts';

/** A page of orders. */
export const OrderConnectionRef = connectionType(OrderRef, 'orders');

/** What the cursors of a list of orders hold. */
export function orderCursors(list: string): CursorType {
  return { list, values: [cursorTypes.instant, cursorTypes.uuid] };
}

const NODES = [['nodes'], ['edges', 'node']];

const loaders = new WeakMap<Context, Map<string, DataLoader<string, Order | null>>>();

/** Rows with what the client asked for of them. Pages that are asked for at the same time and in the same way are read together. */
function rowLoader(ctx: Context, info: GraphQLResolveInfo): DataLoader<string, Order | null> {
  const query = queryFromInfo({ context: ctx, info, typeName: 'Order', paths: NODES });
  const ofContext = loaders.get(ctx) ?? new Map<string, DataLoader<string, Order | null>>();
  loaders.set(ctx, ofContext);
  const key = JSON.stringify(query);
  let loader = ofContext.get(key);
  if (loader === undefined) {
    loader = new DataLoader(
      async (ids) => {
        const rows = await ctx.db.prisma.order.findMany({
          ...(query as { include?: Prisma.OrderInclude }),
          where: { id: { in: [...ids] } },
        });
        const byId = new Map(rows.map((row) => [row.id, row]));
        return ids.map((id) => byId.get(id) ?? null);
      },
      { cache: false },
    );
    ofContext.set(key, loader);
  }
  return loader;
}

/** Shapes a page that was found by its keys alone: its rows, with what is asked for of them, come in one go. */
export async function toOrderConnection(
  page: Page<{ id: string }>,
  {
    ctx,
    info,
    type,
    count,
  }: { ctx: Context; info: GraphQLResolveInfo; type: CursorType; count: () => Promise<number> },
): Promise<Connection<Order>> {
  const loader = rowLoader(ctx, info);
  const rows = await Promise.all(page.rows.map(({ id }) => loader.load(id)));
  const found = page.rows.flatMap(({ cursor }, index) => {
    const row = rows[index] ?? null;
    return row === null ? [] : [{ ...row, cursor }];
  });
  return toConnection({ ...page, rows: found }, type, count);
}
