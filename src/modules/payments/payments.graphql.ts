import { builder } from '../../graphql/schema/builder.ts';
import { connectionType } from '../../graphql/schema/connection-type.ts';
import { cursorTypes, pageCost, pageOf, toConnection, type CursorType } from '../../graphql/schema/connection.ts';
import type { PaymentQuery } from './payment.service.ts';
import { PaymentRef, PaymentStateRef } from './payments.refs.graphql.ts';

const PaymentFilterRef = builder.inputType('PaymentFilter', {
  description: 'Conditions for listing payments. A payment is listed if it meets all of them.',
  fields: (t) => ({
    state: t.field({ type: PaymentStateRef, description: 'Lists only payments in this state.' }),
    provider: t.string({ description: 'Lists only payments with this provider, by its ID.' }),
    hasOrder: t.boolean({
      description: 'Lists only payments for which an order was placed (true), or was not placed (false).',
    }),
    hasProblem: t.boolean({
      description: 'Lists only payments with a problem that staff must solve (true), or without one (false).',
    }),
  }),
});

const ConnectionRef = connectionType(PaymentRef, 'payments');
const ofPayments: CursorType = { list: 'payments', values: [cursorTypes.instant, cursorTypes.uuid] };

builder.queryField('payments', (t) =>
  t.field({
    type: ConnectionRef,
    nullable: true,
    description: 'All payments, newest first. Staff only.',
    authScopes: { staff: true },
    args: {
      filter: t.arg({ type: PaymentFilterRef, description: 'Conditions that the payments must meet.' }),
      ...t.arg.connectionArgs(),
    },
    complexity: pageCost,
    resolve: async (_root, { filter, ...args }, ctx) => {
      const { state, provider, hasOrder, hasProblem } = filter ?? {};
      const query: PaymentQuery = {
        ...(state != null && { state }),
        // PostgreSQL has no such character.
        ...(provider != null && { provider: provider.replaceAll('\0', ' ') }),
        ...(hasOrder != null && { hasOrder }),
        ...(hasProblem != null && { hasProblem }),
      };
      const page = await ctx.services.payments.page(query, pageOf(args, ofPayments));
      return toConnection(page, ofPayments, () => ctx.services.payments.count(query));
    },
  }),
);
