import { builder } from '../../graphql/schema/builder.ts';
import { toDecimal } from '../money.ts';
import { OrderRef } from '../orders/order-door.refs.graphql.ts';
import type { MoneyEntry } from './payment.service.ts';

const MoneyAccountRef = builder.enumType('MoneyAccount', {
  description: 'Account of the ledger of money.',
  values: {
    RECEIVABLE: { description: 'Money that customers owe.' },
    CLEARING: { description: 'Money that payment providers hold for the shop.' },
    SALES: { description: 'Goods that were sold, before discounts.' },
    DISCOUNTS: { description: 'Discounts on goods.' },
    SHIPPING: { description: 'Shipping that was sold.' },
    TAX: { description: 'Tax that was charged.' },
    REFUNDS: { description: 'Sales that were taken back.' },
    DISPUTES: { description: 'Money that banks withdrew because of disputes.' },
  } as const,
});

const MoneyReasonRef = builder.enumType('MoneyReason', {
  description: 'Reason for a posting in the ledger of money.',
  values: {
    PLACED: { description: 'An order was placed.' },
    CAPTURED: { description: 'Money was captured.' },
    REFUNDED: { description: 'Money was refunded, or a refund was reversed.' },
    DISPUTED: { description: 'A dispute was opened or decided.' },
    CANCELLED: { description: 'An order was cancelled.' },
  } as const,
});

const MoneyEntryRef = builder.objectRef<MoneyEntry>('MoneyEntry').implement({
  description: 'An entry of the ledger of money. The entries of one posting add up to zero.',
  fields: (t) => ({
    postingId: t.exposeString('postingId', {
      nullable: false,
      description: 'ID that the entries of one posting share.',
    }),
    reason: t.field({
      type: MoneyReasonRef,
      nullable: false,
      description: 'Reason for the posting.',
      resolve: ({ reason }) => reason,
    }),
    account: t.field({
      type: MoneyAccountRef,
      nullable: false,
      description: 'Account of the entry.',
      resolve: ({ account }) => account,
    }),
    amount: t.field({
      type: 'Decimal',
      nullable: false,
      description: 'Amount in the currency of the shop. Debits are positive, credits negative.',
      resolve: ({ amountMinor: minor }, _args, ctx) => toDecimal({ minor, currency: ctx.shop.currency }),
    }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime', nullable: false, description: 'Time of the posting.' }),
  }),
});

builder.prismaObjectField(OrderRef, 'moneyEntries', (t) =>
  t.field({
    type: [MoneyEntryRef],
    nullable: true,
    description: 'Entries of the ledger of money for this order, oldest first. Staff only.',
    authScopes: { staff: true },
    select: { id: true },
    resolve: ({ id }, _args, ctx) => ctx.loaders.moneyEntriesOfOrder.load(id),
  }),
);
