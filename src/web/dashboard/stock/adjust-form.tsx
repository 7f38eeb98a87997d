import { useRef, useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StockAdjustReason } from '../../generated/graphql.ts';
import { refusalOf } from '../parts/refusal.ts';
import './stock-row.tsx';
import { Select } from '../parts/select.tsx';

const ADJUST = graphql(`
  mutation StaffStockAdjust($input: StockAdjustInput!) {
    stockAdjust(input: $input) {
      variant {
        ...StaffStockRow
      }
      errors {
        message
      }
    }
  }
`);

const REASONS = [
  ['RESTOCK', 'Goods received'],
  ['RETURN', 'Returned by a customer'],
  ['CORRECTION', 'Count corrected'],
  ['DAMAGE', 'Damaged'],
] as const satisfies readonly (readonly [StockAdjustReason, string])[];

/** Adds units, or removes them. One attempt has one key: a second click or a lost answer adds nothing twice. */
export function AdjustForm({ variantId }: { variantId: string }) {
  const [{ fetching }, adjust] = useMutation(ADJUST);
  const [units, setUnits] = useState('');
  const [reason, setReason] = useState<StockAdjustReason>('RESTOCK');
  const [note, setNote] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const key = useRef<string | null>(null);
  const isRemoval = reason === 'DAMAGE';

  /** Another input is another attempt. */
  function edit(change: () => void) {
    key.current = null;
    setDone(null);
    setFault(null);
    change();
  }
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const count = Number(units);
    if (!Number.isInteger(count) || count === 0) {
      setFault('Enter a whole number of units, not 0.');
      return;
    }
    const delta = isRemoval ? -Math.abs(count) : count;
    key.current ??= crypto.randomUUID();
    const result = await adjust({ input: { variantId, delta, reason, note, idempotencyKey: key.current } });
    const refusal = refusalOf(result);
    setFault(refusal);
    if (refusal !== null) return;
    key.current = null;
    setUnits('');
    setNote('');
    setDone(delta);
  }
  return (
    <form className="stock-form" onSubmit={(event) => void submit(event)} noValidate aria-label="Add or remove units">
      <h3>Add or remove units</h3>
      <div className="stock-form-pair">
        <Field
          label="Units"
          type="number"
          inputMode="numeric"
          required
          hint={isRemoval ? 'Units to remove.' : 'Negative to remove units.'}
          fault={fault}
          value={units}
          onChange={(event) => edit(() => setUnits(event.target.value))}
        />
        <Select label="Reason" value={reason} options={REASONS} onChange={(value) => edit(() => setReason(value))} />
      </div>
      <Field label="Note" maxLength={1000} value={note} onChange={(event) => edit(() => setNote(event.target.value))} />
      {done !== null && (
        <Notice tone="good">{done > 0 ? `${formatCount(done)} added.` : `${formatCount(-done)} removed.`}</Notice>
      )}
      <Button type="submit" busy={fetching}>
        {isRemoval ? 'Remove units' : 'Restock'}
      </Button>
    </form>
  );
}
