import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import type { CartPricesFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultInWords } from '../components/fault.ts';
import './cart-prices.ts';
import './totals.css';

const SET = graphql(`
  mutation ShopCartDiscountCodesSet($codes: [String!]!) {
    cartDiscountCodesSet(input: { codes: $codes }) {
      cart {
        id
        total {
          amount
          currencyCode
        }
        ...CartPrices
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** The discount codes of the cart, each with what became of it, and a field for another one. */
export function DiscountCodes({ codes }: { codes: CartPricesFragment['discountCodes'] }) {
  const [{ fetching }, set] = useMutation(SET);
  const [entered, setEntered] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  async function change(next: string[]): Promise<boolean> {
    const { data, error } = await set({ codes: next });
    const words = faultInWords(data?.cartDiscountCodesSet?.errors, error);
    setFault(words);
    return words === null;
  }
  async function submit(event: FormEvent) {
    event.preventDefault();
    // The drawer is also shown inside the form of the checkout, which is not meant.
    event.stopPropagation();
    if (fetching || entered.trim() === '') return;
    if (await change([...codes.map(({ code }) => code), entered.trim()])) setEntered('');
  }
  return (
    <div className="discount-codes">
      <form onSubmit={(event) => void submit(event)} noValidate aria-label="Discount code">
        <Field
          label="Discount code"
          maxLength={64}
          autoComplete="off"
          autoCapitalize="characters"
          value={entered}
          fault={fault}
          onChange={({ target }) => setEntered(target.value)}
        />
        <Button type="submit" look="second" busy={fetching}>
          Apply
        </Button>
      </form>
      {codes.length > 0 && (
        <ul aria-label="Discount codes" aria-live="polite">
          {codes.map(({ code, status, message }) => (
            <li key={code}>
              <strong>{code}</strong>{' '}
              <span className={status === 'APPLIED' ? 'quiet' : 'field-fault'}>
                {status === 'APPLIED' ? 'applied' : message}
              </span>{' '}
              <Button
                look="plain"
                aria-label={`Remove code ${code}`}
                onClick={() => void change(codes.flatMap((other) => (other.code === code ? [] : [other.code])))}
              >
                Remove
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
