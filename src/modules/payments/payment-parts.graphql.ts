import { builder } from '../../graphql/schema/builder.ts';
import { MoneyRef } from '../../graphql/schema/money.ts';
import type { DisputeRow, OperationRow } from './payment.service.ts';

const DisputeStateRef = builder.enumType('DisputeState', {
  description: 'State of a dispute.',
  values: {
    OPEN: { description: 'The bank has not decided yet. The amount is withdrawn meanwhile.' },
    WON: { description: 'The bank decided for the shop.' },
    LOST: { description: 'The bank decided for the customer.' },
  } as const,
});

/** A payment that the customer disputes with the bank. */
export const DisputeRef = builder.objectRef<DisputeRow>('Dispute').implement({
  description: 'A payment that the customer disputes with the bank.',
  fields: (t) => ({
    state: t.field({
      type: DisputeStateRef,
      nullable: false,
      description: 'State of the dispute.',
      resolve: ({ state }) => state,
    }),
    amount: t.field({
      type: MoneyRef,
      nullable: false,
      description: 'Disputed amount.',
      resolve: ({ amountMinor: minor, currency }) => ({ minor, currency }),
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Reason, as the bank names it. Null if unknown.' }),
    createdAt: t.expose('createdAt', {
      type: 'DateTime',
      nullable: false,
      description: 'Time at which the shop learned of it.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', nullable: false, description: 'Time of the last change.' }),
  }),
});

const OperationKindRef = builder.enumType('PaymentOperationKind', {
  description: 'Kind of request to a payment provider.',
  values: {
    BEGIN: { description: 'To begin the payment.' },
    CAPTURE: { description: 'To capture an authorized amount.' },
    CANCEL: { description: 'To cancel the payment.' },
    REFUND: { description: 'To refund an amount.' },
  } as const,
});

const OperationStateRef = builder.enumType('PaymentOperationState', {
  description: 'State of a request to a payment provider.',
  values: {
    QUEUED: { description: 'The provider has not been asked yet.' },
    SENT: { description: 'The provider is being asked.' },
    DONE: { description: 'The provider did it.' },
    REFUSED: { description: 'The provider refused to do it; `reason` says why.' },
    UNKNOWN: { description: 'The provider did not answer. The shop looks again.' },
  } as const,
});

/** Something that a provider was asked to do. */
export const OperationRef = builder.objectRef<OperationRow & { currency: string }>('PaymentOperation').implement({
  description: 'A request to a payment provider. It is recorded before it is sent, and sent once.',
  fields: (t) => ({
    kind: t.field({
      type: OperationKindRef,
      nullable: false,
      description: 'Kind of the request.',
      resolve: ({ kind }) => kind,
    }),
    state: t.field({
      type: OperationStateRef,
      nullable: false,
      description: 'State of the request.',
      resolve: ({ state }) => state,
    }),
    amount: t.field({
      type: MoneyRef,
      nullable: true,
      description: 'Amount. Null for cancellations.',
      resolve: ({ amountMinor: minor, currency }) => (minor === null ? null : { minor, currency }),
    }),
    attempts: t.exposeInt('attempts', { nullable: false, description: 'Number of attempts.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Reason for which the request was refused, or its outcome is unknown. Null otherwise.',
    }),
  }),
});
