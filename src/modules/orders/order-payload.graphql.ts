import { builder } from '../../graphql/schema/builder.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { OrderRef } from './order.graphql.ts';
import type { OrderRow } from './order.service.ts';

/** Whether a query asks for nothing beyond the order's own row. */
function asksForColumns({
  include = null,
  select = null,
}: {
  include?: object | null;
  select?: object | null;
}): boolean {
  return include === null && (select === null || Object.values(select).every((value) => value === true));
}

/**
 * Declares the payload of a mutation that has made or changed an order, which its caller may see. If the payload has the order itself,
 * the order is read only where more than its row is asked for.
 */
export function orderPayload<Extra extends object = object>(name: string, description: string) {
  const ref = payloadType<{ orderId: string; order?: OrderRow | null } & Extra>(name);
  builder.objectField(ref, 'order', (t) =>
    t.prismaField({
      type: OrderRef,
      nullable: true,
      description,
      resolve(query, { orderId, order = null }, _args, ctx) {
        if (orderId === undefined) return null;
        return order !== null && asksForColumns(query)
          ? order
          : ctx.db.prisma.order.findUnique({ ...query, where: { id: orderId } });
      },
    }),
  );
  return ref;
}
