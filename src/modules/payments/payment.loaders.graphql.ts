import DataLoader from 'dataloader';
import { byId, registerLoaders } from '../../graphql/context/loaders.ts';
import type { DisputeRow, MoneyEntry, OperationRow, PaymentOwners, PaymentRow, RefundRow } from './payment.service.ts';

declare module '../../graphql/context/loaders.ts' {
  interface Loaders {
    payment: DataLoader<string, PaymentRow | null>;
    paymentOwners: DataLoader<string, PaymentOwners | null>;
    paymentOfCart: DataLoader<string, PaymentRow | null>;
    paymentsOfOrder: DataLoader<string, PaymentRow[]>;
    refundsOfOrder: DataLoader<string, RefundRow[]>;
    disputesOfPayment: DataLoader<string, DisputeRow[]>;
    operationsOfPayment: DataLoader<string, OperationRow[]>;
    moneyEntriesOfOrder: DataLoader<string, MoneyEntry[]>;
  }
}

// Not cached: a mutation of the same operation may have changed them.
const groups = <Row>(read: (ids: readonly string[]) => Promise<Row[]>, of: (row: Row) => string | null) =>
  new DataLoader<string, Row[]>(
    async (ids) => {
      const rows = await read(ids);
      return ids.map((id) => rows.filter((row) => of(row) === id));
    },
    { cache: false },
  );

registerLoaders({
  payment: ({ payments }) => byId((ids) => payments.byIds(ids)),
  paymentOwners: ({ payments }) => byId((ids) => payments.ownersOf(ids)),
  paymentOfCart: ({ payments }) =>
    new DataLoader(
      async (ids) => {
        const rows = await payments.ofCarts(ids);
        return ids.map((id) => rows.find(({ cartId }) => cartId === id) ?? null);
      },
      { cache: false },
    ),
  paymentsOfOrder: ({ payments }) =>
    groups(
      (ids) => payments.ofOrders(ids),
      ({ orderId }) => orderId,
    ),
  refundsOfOrder: ({ payments }) =>
    groups(
      (ids) => payments.refundsOfOrders(ids),
      ({ orderId }) => orderId,
    ),
  disputesOfPayment: ({ payments }) =>
    groups(
      (ids) => payments.disputesOf(ids),
      ({ paymentId }) => paymentId,
    ),
  operationsOfPayment: ({ payments }) =>
    groups(
      (ids) => payments.operationsOfPayments(ids),
      ({ paymentId }) => paymentId,
    ),
  moneyEntriesOfOrder: ({ payments }) =>
    groups(
      (ids) => payments.entriesOfOrders(ids),
      ({ orderId }) => orderId,
    ),
});
