import { useState } from 'react';
import { useMutation } from 'urql';
import type { OrderDetailsFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultInWords } from '../components/fault.ts';
import './order-details.ts';

const CANCEL = graphql(`
  mutation OrderViewCancel($input: OrderCancelInput!) {
    orderCancel(input: $input) {
      order {
        ...OrderDetails
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** Cancels an order, after a question. */
export function CancelOrder({ order, accessToken }: { order: OrderDetailsFragment; accessToken: string | undefined }) {
  const [asked, setAsked] = useState(false);
  const [{ data, error, fetching }, cancel] = useMutation(CANCEL);
  const fault = data === undefined && error === undefined ? null : faultInWords(data?.orderCancel?.errors, error);
  if (!asked) {
    return (
      <div>
        <Button look="second" onClick={() => setAsked(true)}>
          Cancel order
        </Button>
      </div>
    );
  }
  return (
    <Notice tone={fault === null ? 'quiet' : 'bad'}>
      <p>{fault ?? 'Everything goes back on the shelf. This cannot be undone.'}</p>
      <p className="order-cancel">
        <Button
          busy={fetching}
          onClick={() =>
            void cancel({ input: { id: order.id, ...(accessToken === undefined ? {} : { accessToken }) } })
          }
        >
          Yes, cancel it
        </Button>
        <Button look="plain" onClick={() => setAsked(false)}>
          Keep it
        </Button>
      </p>
    </Notice>
  );
}
