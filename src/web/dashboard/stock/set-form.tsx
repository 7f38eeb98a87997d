import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { refusalOf } from '../parts/refusal.ts';
import './stock-row.tsx';

const SET = graphql(`
  mutation StaffStockSet($input: StockSetInput!) {
    stockSet(input: $input) {
      variant {
        ...StaffStockRow
      }
      errors {
        code
        message
        ... on StockConflictError {
          onHand
        }
      }
    }
  }
`);

/**
 * Sets the units on hand after a count. What the caller saw when the form was filled in goes along: somebody else's change in the
 * meantime is shown, and not overwritten.
 */
export function SetForm({ variantId, onHand }: { variantId: string; onHand: number }) {
  const [{ fetching }, set] = useMutation(SET);
  /** The level that the number was typed for; null: nothing is typed. */
  const [expected, setExpected] = useState<number | null>(null);
  const [typed, setTyped] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [isDone, setDone] = useState(false);
  const isOvertaken = expected !== null && expected !== onHand;

  function edit(value: string) {
    setTyped(value);
    setFault(null);
    setDone(false);
    setExpected((before) => (value === '' ? null : (before ?? onHand)));
  }
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const count = Number(typed);
    if (typed === '' || !Number.isInteger(count) || count < 0) {
      setFault('Enter the number of units that you counted.');
      return;
    }
    const result = await set({ input: { variantId, onHand: count, expectedOnHand: expected ?? onHand } });
    const error = result.data?.stockSet?.errors[0];
    // The level that was expected is not the present one any more: the notice above says so as soon as the cache has it.
    if (error !== undefined && 'onHand' in error) return;
    const refusal = refusalOf(result);
    setFault(refusal);
    if (refusal !== null) return;
    setTyped('');
    setExpected(null);
    setDone(true);
  }
  return (
    <form className="stock-form" onSubmit={(event) => void submit(event)} noValidate aria-label="Set units on hand">
      <h3>Set units on hand</h3>
      <Field
        label="Counted units"
        type="number"
        inputMode="numeric"
        min={0}
        required
        hint="Units in the warehouse, those held by carts included."
        fault={fault}
        value={typed}
        onChange={(event) => edit(event.target.value)}
      />
      {isOvertaken && (
        <Notice tone="bad">
          <p>
            The units on hand changed from {formatCount(expected)} to {formatCount(onHand)} while you were editing. Your
            number has not been saved.
          </p>
          <Button look="second" onClick={() => setExpected(onHand)}>
            Replace {formatCount(onHand)} all the same
          </Button>
        </Notice>
      )}
      {isDone && <Notice tone="good">Saved.</Notice>}
      <Button type="submit" look="second" busy={fetching} disabled={isOvertaken}>
        Set
      </Button>
    </form>
  );
}
