import { comparableEmailAddress } from '../../config/email-address.ts';
import { builder } from '../../graphql/schema/builder.ts';
import type { Context } from '../../graphql/context/context.ts';
import { argumentId } from '../../graphql/schema/global-id.ts';
import { requestError } from '../../graphql/context/request-error.ts';
import { isStaff } from '../../graphql/context/viewer.ts';
import { isPlain } from '../input.ts';
import { grant, isOwn, type OrderGrant } from './order-rights.graphql.ts';
import { OrderRef } from './order.graphql.ts';
import { lookUpLimits } from './order.limits.graphql.ts';

interface OrderArguments {
  id?: string | null | undefined;
  accessToken?: string | null | undefined;
  number?: string | null | undefined;
  email?: string | null | undefined;
}

/** The order that the arguments name, and the right that they give; null where there is none. */
async function lookUp(args: OrderArguments, ctx: Context): Promise<{ id: string; grant: OrderGrant | null } | null> {
  const { id, accessToken, number, email } = args;
  if (isStaff(ctx.viewer) && number != null && email == null && id == null && accessToken == null) {
    const found = await ctx.services.orders.findByNumber(number.trim());
    return found === null ? null : { id: found, grant: null };
  }
  const ways = [id != null, accessToken != null, number != null || email != null].filter(Boolean).length;
  if (ways !== 1 || (number == null) !== (email == null)) {
    throw requestError('BAD_REQUEST', 'Specify `id`, `accessToken`, or `number` and `email`.');
  }
  if (id != null) return { id: argumentId('Order', id, 'id'), grant: null };
  if (accessToken != null) {
    const granted = await ctx.services.orders.orderOfToken(accessToken);
    return granted === null ? null : { id: granted, grant: 'ACCESS_TOKEN' };
  }
  if (number == null || email == null || !isPlain(email)) return null;
  const found = await ctx.services.orders.findByNumberAndEmail(number, comparableEmailAddress(email));
  return found === null ? null : { id: found, grant: 'NUMBER_AND_EMAIL' };
}

builder.queryField('order', (t) =>
  t.prismaField({
    type: OrderRef,
    nullable: true,
    extensions: lookUpLimits,
    description:
      'An order. Customers and guests find their own orders by `id`, staff any order by `id` or `number`. Anyone can look ' +
      'up an order by `accessToken`, or by `number` and `email`. Null if there is no such order or the viewer ' +
      'may not see it.',
    args: {
      id: t.arg.id({ description: 'Global ID of the order.' }),
      accessToken: t.arg.string({ description: 'Access token of the order, which grants access to this order only.' }),
      number: t.arg.string({
        description: 'Order number. Staff need no other argument; other callers must also pass `email`.',
      }),
      email: t.arg.string({ description: 'Email address with which the order was placed. Requires `number`.' }),
    },
    resolve: async (query, _root, args, ctx) => {
      const named = await lookUp(args, ctx);
      if (named === null) return null;
      const order = await ctx.db.prisma.order.findUnique({ ...query, where: { id: named.id } });
      if (order === null) return null;
      if (named.grant === null) return isOwn(ctx, order) || isStaff(ctx.viewer) ? order : null;
      grant(ctx, order.id, named.grant);
      return order;
    },
  }),
);
