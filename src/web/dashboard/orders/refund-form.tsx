import { useRef, useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import type { StaffRefundableFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { refusalOf } from '../parts/refusal.ts';
import './payment-fragments.ts';

const REFUND = graphql(`
  mutation StaffOrderRefund($input: OrderRefundInput!) {
    orderRefund(input: $input) {
      refund {
        id
        state
        amount {
          amount
          currencyCode
        }
      }
      order {
        ...StaffOrderPayments
      }
      errors {
        message
      }
    }
  }
`);

/** Refunds units, shipping, or an amount. One attempt has one key: a second click or a lost answer refunds nothing twice. */
export function RefundForm({ order, onDone }: { order: StaffRefundableFragment; onDone: () => void }) {
  const [{ fetching }, refund] = useMutation(REFUND);
  const [units, setUnits] = useState<Readonly<Record<string, string>>>({});
  const [restock, setRestock] = useState(order.status !== 'CANCELLED');
  const [shipping, setShipping] = useState('');
  const [amount, setAmount] = useState('');
  const [reason, setReason] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const key = useRef<string | null>(null);

  /** Another input is another attempt. */
  function edit(change: () => void) {
    key.current = null;
    setFault(null);
    change();
  }
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const lines = order.lines.flatMap(({ id: lineId }) => {
      const quantity = Number(units[lineId] ?? '');
      return quantity === 0 ? [] : [{ lineId, quantity, restock }];
    });
    key.current ??= crypto.randomUUID();
    const result = await refund({
      input: {
        orderId: order.id,
        idempotencyKey: key.current,
        ...(lines.length > 0 && { lines }),
        ...(shipping.trim() !== '' && { shipping: shipping.trim() }),
        ...(amount.trim() !== '' && { amount: amount.trim() }),
        ...(reason.trim() !== '' && { reason: reason.trim() }),
      },
    });
    const refusal = refusalOf(result);
    setFault(refusal);
    if (refusal === null) onDone();
  }
  return (
    <form className="steps" onSubmit={(event) => void submit(event)} noValidate aria-label="Refund">
      {order.lines.map(({ id, title, quantity }) => (
        <Field
          key={id}
          label={`Units of ${title}`}
          type="number"
          inputMode="numeric"
          min={0}
          max={quantity}
          hint={`Of ${quantity}. Refunded at the price that was paid for them.`}
          value={units[id] ?? ''}
          onChange={({ target }) => edit(() => setUnits({ ...units, [id]: target.value }))}
        />
      ))}
      {order.status !== 'CANCELLED' && (
        <label className="row">
          <input type="checkbox" checked={restock} onChange={({ target }) => edit(() => setRestock(target.checked))} />
          The units return to stock
        </label>
      )}
      {Number(order.shippingTotal.amount) > 0 && (
        <Field
          label="Shipping"
          inputMode="decimal"
          hint={`Of ${formatMoney(order.shippingTotal)}.`}
          value={shipping}
          onChange={({ target }) => edit(() => setShipping(target.value))}
        />
      )}
      <Field
        label="Amount"
        inputMode="decimal"
        hint="In place of units and shipping."
        value={amount}
        onChange={({ target }) => edit(() => setAmount(target.value))}
      />
      <Field
        label="Reason"
        maxLength={1000}
        hint="The customer sees it."
        value={reason}
        onChange={({ target }) => edit(() => setReason(target.value))}
      />
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <div className="row">
        <Button type="submit" busy={fetching}>
          Refund
        </Button>
        <Button look="plain" onClick={onDone}>
          Keep the money
        </Button>
      </div>
    </form>
  );
}
