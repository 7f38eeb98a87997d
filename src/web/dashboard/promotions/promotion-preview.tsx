import { useState } from 'react';
import { useClient, useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffPromotionPreviewMutation } from '../../generated/graphql.ts';
import { Panel } from '../parts/page.tsx';
import { refusalOf } from '../parts/refusal.ts';
import { creationOf, faultsOfDraft, type PromotionDraft } from './promotion-draft.ts';
import '../../shared/prices.ts';

const VARIANT = graphql(`
  query StaffPromotionPreviewVariant($sku: String!) {
    productVariant(sku: $sku) {
      id
    }
  }
`);

const PREVIEW = graphql(`
  mutation StaffPromotionPreview($input: PromotionPreviewInput!) {
    promotionPreview(input: $input) {
      preview {
        outcome {
          code
          status
          message
        }
        subtotal {
          amount
          currencyCode
        }
        discounts {
          ...Discount
        }
        shippingDiscounts {
          ...Discount
        }
        shippingTotal {
          amount
          currencyCode
        }
        taxTotal {
          amount
          currencyCode
        }
        total {
          amount
          currencyCode
        }
      }
      errors {
        message
      }
    }
  }
`);

type Preview = NonNullable<NonNullable<StaffPromotionPreviewMutation['promotionPreview']>['preview']>;

/** What an example cart would cost with a promotion as it stands in the form. */
export function PromotionPreview({ draft }: { draft: PromotionDraft }) {
  const client = useClient();
  const [{ fetching }, preview] = useMutation(PREVIEW);
  const [sku, setSku] = useState('');
  const [units, setUnits] = useState('1');
  const [country, setCountry] = useState('');
  const [lines, setLines] = useState<readonly { sku: string; variantId: string; quantity: number }[]>([]);
  const [fault, setFault] = useState<string | null>(null);
  const [shown, setShown] = useState<Preview | null>(null);

  async function add() {
    const result = await client.query(VARIANT, { sku: sku.trim() }).toPromise();
    const variant = result.data?.productVariant;
    if (variant == null) return setFault('There is no variant with this SKU.');
    setFault(null);
    setLines([...lines, { sku: sku.trim(), variantId: variant.id, quantity: Number(units) || 1 }]);
    setSku('');
  }
  async function compute() {
    const own = Object.values(faultsOfDraft(draft));
    if (own.length > 0) return setFault(own[0] ?? null);
    const result = await preview({
      input: {
        promotion: creationOf(draft),
        lines: lines.map(({ variantId, quantity }) => ({ variantId, quantity })),
        ...(country.trim() === '' ? {} : { countryCode: country.trim() }),
      },
    });
    setFault(refusalOf(result));
    setShown(result.data?.promotionPreview?.preview ?? null);
  }
  return (
    <Panel title="Preview">
      <p className="quiet small">An example cart, with the promotions that are active now. Nothing is stored.</p>
      <div className="category-form">
        <Field label="SKU" value={sku} onChange={({ target }) => setSku(target.value)} />
        <Field label="Units" inputMode="numeric" value={units} onChange={({ target }) => setUnits(target.value)} />
        <Field
          label="Ship to"
          placeholder="DE"
          maxLength={2}
          value={country}
          onChange={({ target }) => setCountry(target.value)}
        />
      </div>
      <div className="row">
        <Button look="second" onClick={() => void add()}>
          Add to the example
        </Button>
        <Button look="second" busy={fetching} disabled={lines.length === 0} onClick={() => void compute()}>
          Preview
        </Button>
      </div>
      {lines.length > 0 && (
        <ul aria-label="Example cart">
          {lines.map((line, index) => (
            <li key={index}>
              {line.quantity} × {line.sku}{' '}
              <Button
                look="plain"
                aria-label={`Remove ${line.sku} from the example`}
                onClick={() => setLines(lines.filter((_, at) => at !== index))}
              >
                Remove
              </Button>
            </li>
          ))}
        </ul>
      )}
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      {shown !== null && <Result of={shown} />}
    </Panel>
  );
}

function Result({ of }: { of: Preview }) {
  const { outcome, subtotal, discounts, shippingDiscounts, shippingTotal, taxTotal, total } = of;
  return (
    <div role="status">
      {outcome != null && (
        <p>{outcome.status === 'APPLIED' ? 'The promotion applies.' : `It does not apply: ${outcome.message}`}</p>
      )}
      <table className="table">
        <caption className="visually-hidden">What the example cart costs</caption>
        <tbody>
          <Row words="Subtotal" amount={formatMoney(subtotal)} />
          {[...discounts, ...shippingDiscounts].map(({ title, amount }) => (
            <Row key={title} words={title} amount={formatMoney({ ...amount, amount: `-${amount.amount}` })} />
          ))}
          <Row words="Shipping" amount={formatMoney(shippingTotal)} />
          <Row words="Tax" amount={formatMoney(taxTotal)} />
          <Row words="Total" amount={formatMoney(total)} />
        </tbody>
      </table>
    </div>
  );
}

function Row({ words, amount }: { words: string; amount: string }) {
  return (
    <tr>
      <th scope="row">{words}</th>
      <td className="number end">{amount}</td>
    </tr>
  );
}
