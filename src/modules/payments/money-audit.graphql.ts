import { builder } from '../../graphql/schema/builder.ts';
import { auditPageInfo, auditPageOf } from '../../graphql/schema/audit-page.ts';
import { cursorTypes, type CursorType } from '../../graphql/schema/connection.ts';
import { toGlobalId } from '../../graphql/schema/global-id.ts';
import { loadNode } from '../../graphql/schema/node.ts';
import { toDecimal } from '../money.ts';
import { OrderRef } from '../orders/order-door.refs.graphql.ts';
import type { MoneyAudit, MoneyDiscrepancy } from './payment.service.ts';

const MoneyDiscrepancyRef = builder.objectRef<MoneyDiscrepancy>('MoneyDiscrepancy').implement({
  description: 'A rule of bookkeeping that an order or a payment violates.',
  fields: (t) => ({
    order: t.field({
      type: OrderRef,
      nullable: true,
      description: 'Order that violates the rule. Null for a payment without an order.',
      resolve: ({ orderId }, _args, ctx) =>
        orderId === null
          ? null
          : (loadNode(ctx, toGlobalId('Order', orderId)) as Promise<typeof OrderRef.$inferType | null>),
    }),
    rule: t.exposeString('rule', { nullable: false, description: 'Violated rule, in words.' }),
    expected: t.field({
      type: 'Decimal',
      nullable: false,
      description: 'Amount that the rule requires.',
      resolve: ({ expected: minor }, _args, ctx) => toDecimal({ minor, currency: ctx.shop.currency }),
    }),
    actual: t.field({
      type: 'Decimal',
      nullable: false,
      description: 'Amount that was found.',
      resolve: ({ actual: minor }, _args, ctx) => toDecimal({ minor, currency: ctx.shop.currency }),
    }),
  }),
});

type Audit = MoneyAudit & { after: string | null };

const ofOrders: CursorType = { list: 'moneyAudit', values: [cursorTypes.uuid] };

const MoneyAuditRef = builder.objectRef<Audit>('MoneyAudit').implement({
  description:
    'Result of comparing the ledger of money with payments, refunds, disputes and orders. An empty list of `discrepancies` means that ' +
    'they agree.',
  fields: (t) => ({
    checkedOrders: t.exposeInt('checkedOrders', { nullable: false, description: 'Number of orders checked.' }),
    checkedAt: t.expose('checkedAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the audit started.',
    }),
    discrepancies: t.field({
      type: [MoneyDiscrepancyRef],
      nullable: false,
      description:
        'Rule violations found. The audit stops after about 1,000 of them; `pageInfo.hasNextPage` is then true.',
      resolve: (audit) => audit.discrepancies,
    }),
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      nullable: false,
      description: 'Position in the list of all orders, in an order specific to the audit.',
      resolve: (audit) => auditPageInfo(audit, ofOrders),
    }),
  }),
});

builder.queryField('moneyAudit', (t) =>
  t.field({
    type: MoneyAuditRef,
    nullable: true,
    description: 'Audits the ledger of money for all orders, or for one page of them. Staff only.',
    authScopes: { staff: true },
    args: {
      first: t.arg.int({ description: 'Number of orders to check, at least 1. Defaults to all.' }),
      after: t.arg.string({
        description: 'Cursor of the order after which to start: `pageInfo.endCursor` of the previous audit.',
      }),
    },
    // It is not to be asked for many times in one operation.
    complexity: 4000,
    resolve: async (_root, args, ctx) => {
      const { first, after } = auditPageOf(args, ofOrders);
      return { ...(await ctx.services.payments.audit(after, first)), after };
    },
  }),
);
