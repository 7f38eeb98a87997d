import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import type { Faults } from '../parts/faults.ts';
import type { VariantDraft } from './variant-draft.ts';

/** Whether a form of a variant shows a message at this field of the input. */
export const isVariantField = (field: string): boolean =>
  /^(sku|price|compareAtPrice|lowStockThreshold|onHand|selectedOptions(\.\d+(\.(name|value))?)?)$/.test(field);

const MOST_OPTIONS = 5;

/** The fields of a variant. */
export function VariantFields({
  draft,
  onChange,
  faults,
  isNew,
  canRenameOptions,
}: {
  draft: VariantDraft;
  onChange: (changes: Partial<VariantDraft>) => void;
  faults: Faults;
  isNew: boolean;
  /** All variants of a product have the same options: only one that stands alone may have others. */
  canRenameOptions: boolean;
}) {
  const { options } = draft;
  const setOption = (index: number, change: { name?: string; value?: string }) =>
    onChange({ options: options.map((option, at) => (at === index ? { ...option, ...change } : option)) });
  const optionFault =
    faults['selectedOptions'] ??
    Object.entries(faults).find(([field]) => /^selectedOptions\.\d+$/.test(field))?.[1] ??
    null;
  return (
    <>
      <div className="product-pair">
        <Field
          label="SKU"
          required
          maxLength={100}
          fault={faults['sku']}
          value={draft.sku}
          onChange={({ target }) => onChange({ sku: target.value })}
        />
        <Field
          label="Price"
          required
          inputMode="decimal"
          fault={faults['price']}
          value={draft.price}
          onChange={({ target }) => onChange({ price: target.value })}
        />
        <Field
          label="Former price"
          inputMode="decimal"
          hint="Shown crossed out."
          fault={faults['compareAtPrice']}
          value={draft.compareAtPrice}
          onChange={({ target }) => onChange({ compareAtPrice: target.value })}
        />
        <Field
          label="Low from"
          inputMode="numeric"
          hint="Units at which the stock counts as low. Empty: as in the whole shop."
          fault={faults['lowStockThreshold']}
          value={draft.lowStockThreshold}
          onChange={({ target }) => onChange({ lowStockThreshold: target.value })}
        />
        {isNew && (
          <Field
            label="Units on hand"
            required
            inputMode="numeric"
            fault={faults['onHand']}
            value={draft.onHand}
            onChange={({ target }) => onChange({ onHand: target.value })}
          />
        )}
      </div>
      {options.map((option, index) => (
        <div key={index} className="product-pair">
          {canRenameOptions && (
            <Field
              label={`Option ${index + 1}`}
              required
              maxLength={100}
              placeholder="Size"
              fault={faults[`selectedOptions.${index}.name`]}
              value={option.name}
              onChange={({ target }) => setOption(index, { name: target.value })}
            />
          )}
          <Field
            label={canRenameOptions ? `Value ${index + 1}` : option.name}
            required
            maxLength={100}
            fault={faults[`selectedOptions.${index}.value`]}
            value={option.value}
            onChange={({ target }) => setOption(index, { value: target.value })}
          />
        </div>
      ))}
      {optionFault !== null && <p className="field-fault">{optionFault}</p>}
      {canRenameOptions && (
        <div className="row">
          {options.length < MOST_OPTIONS && (
            <Button look="plain" onClick={() => onChange({ options: [...options, { name: '', value: '' }] })}>
              Add an option
            </Button>
          )}
          {options.length > 0 && (
            <Button look="plain" onClick={() => onChange({ options: options.slice(0, -1) })}>
              Remove the last option
            </Button>
          )}
        </div>
      )}
    </>
  );
}
