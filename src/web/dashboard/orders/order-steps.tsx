import { useState } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import type { StaffOrderStepsFragment } from '../../generated/graphql.ts';
import { refusalOf } from '../parts/refusal.ts';

export const ORDER_STEPS = graphql(`
  fragment StaffOrderSteps on Order {
    id
    status
    paymentStatus
    updatedAt
  }
`);

const STATUS_UPDATE = graphql(`
  mutation StaffOrderStatusUpdate($input: OrderStatusUpdateInput!) {
    orderStatusUpdate(input: $input) {
      order {
        ...StaffOrderSteps
        history {
          from
          to
          note
          occurredAt
        }
      }
      errors {
        message
      }
    }
  }
`);

const CANCEL = graphql(`
  mutation StaffOrderCancel($input: OrderCancelInput!) {
    orderCancel(input: $input) {
      order {
        ...StaffOrderSteps
        history {
          from
          to
          note
          occurredAt
        }
      }
      errors {
        message
      }
    }
  }
`);

const PAID = graphql(`
  mutation StaffOrderMarkAsPaid($input: OrderMarkAsPaidInput!) {
    orderMarkAsPaid(input: $input) {
      order {
        ...StaffOrderSteps
      }
      errors {
        message
      }
    }
  }
`);

const REFUNDED = graphql(`
  mutation StaffOrderMarkAsRefunded($input: OrderMarkAsRefundedInput!) {
    orderMarkAsRefunded(input: $input) {
      order {
        ...StaffOrderSteps
      }
      errors {
        message
      }
    }
  }
`);

/** Every step that staff may take with the order as it is now. */
export function OrderSteps({
  order: { id, status, paymentStatus },
  isPaidOutside,
}: {
  order: StaffOrderStepsFragment;
  /** No provider knows of it: staff say whether it is paid. */
  isPaidOutside: boolean;
}) {
  const [note, setNote] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [isCancelling, setCancelling] = useState(false);
  const [updating, updateStatus] = useMutation(STATUS_UPDATE);
  const [cancelling, cancel] = useMutation(CANCEL);
  const [paying, markAsPaid] = useMutation(PAID);
  const [refunding, markAsRefunded] = useMutation(REFUNDED);
  const busy = updating.fetching || cancelling.fetching || paying.fetching || refunding.fetching;

  async function take(step: () => Promise<Parameters<typeof refusalOf>[0]>) {
    setFault(null);
    const refusal = refusalOf(await step());
    setFault(refusal);
    if (refusal === null) setNote('');
    setCancelling(false);
  }
  const given = { id, ...(note.trim() === '' ? {} : { note }) };
  const next = status === 'PLACED' ? 'FULFILLED' : status === 'FULFILLED' ? 'DELIVERED' : null;
  const canBePaid = isPaidOutside && paymentStatus === 'PENDING' && status !== 'CANCELLED';
  const canBeRefunded = isPaidOutside && ['PAID', 'PARTIALLY_REFUNDED'].includes(paymentStatus);
  if (next === null && !canBePaid && !canBeRefunded && fault === null) {
    return <p className="quiet">There is nothing left to do for this order.</p>;
  }
  return (
    <div className="steps">
      <Field
        label="Note"
        hint="Customers see the notes of fulfilment, delivery and cancellation in the history of their order."
        maxLength={1000}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <div className="row">
        {next !== null && (
          <Button busy={busy} onClick={() => void take(() => updateStatus({ input: { ...given, status: next } }))}>
            {next === 'FULFILLED' ? 'Mark as fulfilled' : 'Mark as delivered'}
          </Button>
        )}
        {canBePaid && (
          <Button look="second" busy={busy} onClick={() => void take(() => markAsPaid({ input: given }))}>
            Mark as paid
          </Button>
        )}
        {canBeRefunded && (
          <Button look="second" busy={busy} onClick={() => void take(() => markAsRefunded({ input: given }))}>
            Mark as refunded
          </Button>
        )}
        {status === 'PLACED' && !isCancelling && (
          <Button look="second" onClick={() => setCancelling(true)}>
            Cancel order
          </Button>
        )}
      </div>
      {status === 'PLACED' && isCancelling && (
        <Notice tone="bad">
          <p>The units go back to stock, and the customer receives an e-mail. A cancellation cannot be undone.</p>
          <div className="row">
            <Button
              busy={busy}
              onClick={() =>
                void take(() => cancel({ input: { id, ...(note.trim() === '' ? {} : { reason: note }) } }))
              }
            >
              Cancel this order
            </Button>
            <Button look="second" onClick={() => setCancelling(false)}>
              Keep it
            </Button>
          </div>
        </Notice>
      )}
    </div>
  );
}
