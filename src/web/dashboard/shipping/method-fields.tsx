import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import type { ShippingRateBasis, StaffTaxCategoryFragment } from '../../generated/graphql.ts';
import { faultAt, type Faults } from '../parts/faults.ts';
import { Select } from '../parts/select.tsx';
import { textOf, type FieldsProps } from '../parts/text-of.ts';
import { EMPTY_RATE, type MethodDraft, type RateDraft } from './method-draft.ts';

const BASES = [
  ['WEIGHT', 'Weight in grams'],
  ['SUBTOTAL', 'Price of the goods'],
] as const satisfies readonly (readonly [ShippingRateBasis, string])[];

const SHOWN = new Set(['title', 'description', 'deliveryEstimate', 'freeFrom', 'position']);

/** Whether the form shows a message at this field of the input. */
export const isMethodField = (field: string): boolean =>
  SHOWN.has(field) || /^rates\.\d+\.(from|to|price)$/.test(field);

/** The fields of a shipping method. */
export function MethodFields({
  categories,
  ...props
}: FieldsProps<MethodDraft> & { categories: readonly StaffTaxCategoryFragment[] }) {
  const { draft, faults, onChange } = props;
  return (
    <>
      <Field label="Title" required maxLength={100} hint="Customers see it." {...textOf(props, 'title')} />
      <Field label="Description" maxLength={500} {...textOf(props, 'description')} />
      <Field
        label="Expected time of delivery"
        maxLength={100}
        placeholder="2 to 4 working days"
        {...textOf(props, 'deliveryEstimate')}
      />
      <Rates rates={draft.rates} faults={faults} onChange={(rates) => onChange({ rates })} />
      <div className="product-pair">
        <Field
          label="Free from"
          inputMode="decimal"
          hint="Price of the goods after discounts."
          {...textOf(props, 'freeFrom')}
        />
        <Field
          label="Position"
          inputMode="numeric"
          hint="The lowest is offered first."
          {...textOf(props, 'position')}
        />
      </div>
      <Select
        label="Tax category of shipping"
        value={draft.taxCategoryId}
        options={[['', 'In proportion to the goods'], ...categories.map(({ id, name }) => [id, name] as const)]}
        onChange={(taxCategoryId) => onChange({ taxCategoryId })}
      />
    </>
  );
}

function Rates({
  rates,
  faults,
  onChange,
}: {
  rates: readonly RateDraft[];
  faults: Faults;
  onChange: (rates: readonly RateDraft[]) => void;
}) {
  const set = (index: number, changes: Partial<RateDraft>) =>
    onChange(rates.map((rate, at) => (at === index ? { ...rate, ...changes } : rate)));
  const partOf = (index: number, name: 'from' | 'to' | 'price') => ({
    fault: faultAt(faults, `rates.${index}.${name}`),
    value: rates[index]?.[name] ?? '',
    inputMode: 'decimal' as const,
    onChange: ({ target }: { target: { value: string } }) => set(index, { [name]: target.value }),
  });
  return (
    <fieldset className="shipping-rates">
      <legend>Prices</legend>
      {rates.map((rate, index) => (
        <div key={index} className="shipping-rate" role="group" aria-label={`Price ${index + 1}`}>
          <Field label="Price" required {...partOf(index, 'price')} />
          <Select label="By" value={rate.basis} options={BASES} onChange={(basis) => set(index, { basis })} />
          <Field label="From" {...partOf(index, 'from')} />
          <Field label="Below" {...partOf(index, 'to')} />
          {rates.length > 1 && (
            <Button
              look="plain"
              aria-label={`Remove price ${index + 1}`}
              onClick={() => onChange(rates.filter((_, at) => at !== index))}
            >
              Remove
            </Button>
          )}
        </div>
      ))}
      <div>
        <Button
          look="second"
          className="button-small"
          onClick={() => onChange([...rates, { ...EMPTY_RATE, ...continued(rates.at(-1)) }])}
        >
          Add a price
        </Button>
      </div>
    </fieldset>
  );
}

/** The band after another one. */
function continued(last: RateDraft | undefined): Partial<RateDraft> {
  return last === undefined ? {} : { basis: last.basis, from: last.to };
}
