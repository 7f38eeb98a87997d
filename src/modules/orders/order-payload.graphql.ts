import { builder } from '../../graphql/schema/builder.ts';
import { payloadType } from '../../graphql/schema/payload.ts';
import { OrderRef } from './order.graphql.ts';

/** Declares the payload of a mutation that has made or changed an order, which its caller may see. */
export function orderPayload<Extra extends object = object>(name: string, description: string) {
  const ref = payloadType<{ orderId: string } & Extra>(name);
  builder.objectField(ref, 'order', (t) =>
    t.prismaField({
      type: OrderRef,
      nullable: true,
      description,
      resolve: (query, { orderId }, _args, ctx) =>
        orderId === undefined ? null : ctx.db.prisma.order.findUnique({ ...query, where: { id: orderId } }),
    }),
  );
  return ref;
}
