import { Field } from '../../shared/components/field.tsx';
import type { PromotionKind, PromotionScope, PromotionTrigger } from '../../generated/graphql.ts';
import { Choice } from '../parts/choice.tsx';
import { Panel } from '../parts/page.tsx';
import { Select } from '../parts/select.tsx';
import { TextArea } from '../parts/text-area.tsx';
import { textOf, type FieldsProps } from '../parts/text-of.ts';
import type { PromotionDraft } from './promotion-draft.ts';
import { CategoryPicker, ProductPicker } from './target-picker.tsx';
import './promotions.css';

const TRIGGERS = [
  ['CODE', 'When a code is entered'],
  ['AUTOMATIC', 'Automatically'],
] as const satisfies readonly (readonly [PromotionTrigger, string])[];

export const SCOPES = [
  ['ORDER', 'The order'],
  ['LINES', 'Single products'],
  ['SHIPPING', 'Shipping'],
] as const satisfies readonly (readonly [PromotionScope, string])[];

const KINDS = [
  ['PERCENT', 'A percentage'],
  ['FIXED_ACROSS', 'An amount in all'],
  ['FIXED_EACH', 'An amount for each unit'],
  ['FREE', 'Everything: it is free'],
  ['BUY_X_GET_Y', 'Some units, if others are bought'],
] as const satisfies readonly (readonly [PromotionKind, string])[];

const SHOWN = new Set([
  ...['title', 'percent', 'amount', 'buyQuantity', 'getQuantity', 'maxSets'],
  ...['minSubtotal', 'minQuantity', 'startsAt', 'endsAt', 'priority', 'usageLimit'],
  ...['usageLimitPerCustomer', 'budget', 'codes', 'tags', 'excludedTags', 'countries'],
]);

/** Whether the form shows a message at this field of the input. */
export const isPromotionField = (field: string): boolean => SHOWN.has(field.split('.')[0] ?? '');

type Props = FieldsProps<PromotionDraft> & { isNew: boolean };

/** The fields of a promotion. What the promotion does decides which of them are shown. */
export function PromotionFields(props: Props) {
  return (
    <>
      <Panel title="Discount">
        <Effect {...props} />
      </Panel>
      <Panel title="Products">
        <Targets {...props} />
      </Panel>
      <Panel title="Conditions">
        <Conditions {...props} />
      </Panel>
      <Panel title="Time and limits">
        <Limits {...props} />
      </Panel>
    </>
  );
}

function Effect(props: Props) {
  const { draft, onChange, isNew } = props;
  const { kind, scope } = draft;
  const kinds = KINDS.filter(([value]) => scope === 'LINES' || (value !== 'FIXED_EACH' && value !== 'BUY_X_GET_Y'));
  const isSets = kind === 'BUY_X_GET_Y';
  return (
    <>
      <Field label="Title" required maxLength={255} hint="Customers see it." {...textOf(props, 'title')} />
      {isNew && (
        <div className="product-pair">
          <Select
            label="Applies"
            value={draft.trigger}
            options={TRIGGERS}
            onChange={(trigger) => onChange({ trigger })}
          />
          <Select
            label="Reduces"
            value={scope}
            options={SCOPES}
            onChange={(next) =>
              onChange({
                scope: next,
                ...(next !== 'LINES' && (kind === 'FIXED_EACH' || isSets) ? { kind: 'PERCENT' } : {}),
              })
            }
          />
          <Select label="By" value={kind} options={kinds} onChange={(next) => onChange({ kind: next })} />
        </div>
      )}
      <div className="product-pair">
        {(kind === 'PERCENT' || isSets) && (
          <Field
            label="Percent"
            required
            inputMode="decimal"
            hint={isSets ? 'Off the units that are reduced. Empty: they are free.' : 'Such as 12.5.'}
            {...textOf(props, 'percent')}
          />
        )}
        {(kind === 'FIXED_ACROSS' || kind === 'FIXED_EACH') && (
          <Field label="Amount" required inputMode="decimal" {...textOf(props, 'amount')} />
        )}
        {isSets && (
          <>
            <Field label="Units to buy" required inputMode="numeric" {...textOf(props, 'buyQuantity')} />
            <Field label="Units reduced" required inputMode="numeric" {...textOf(props, 'getQuantity')} />
            <Field label="Most sets" inputMode="numeric" {...textOf(props, 'maxSets')} />
          </>
        )}
      </div>
      {isNew && draft.trigger === 'CODE' && (
        <TextArea
          label="Codes"
          rows={2}
          hint="Separated by commas or lines. More can be added and generated later."
          {...textOf(props, 'codes')}
        />
      )}
    </>
  );
}

function Targets(props: Props) {
  const { draft, onChange } = props;
  return (
    <>
      <p className="quiet small">Without any product, category and tag, the promotion applies to everything.</p>
      <ProductPicker label="Products" chosen={draft.products} onChange={(products) => onChange({ products })} />
      <CategoryPicker
        label="Categories"
        chosen={draft.categories}
        onChange={(categories) => onChange({ categories })}
      />
      <Field label="Tags" hint="Separated by commas." {...textOf(props, 'tags')} />
      <ProductPicker
        label="Products left out"
        chosen={draft.excludedProducts}
        onChange={(excludedProducts) => onChange({ excludedProducts })}
      />
      <CategoryPicker
        label="Categories left out"
        chosen={draft.excludedCategories}
        onChange={(excludedCategories) => onChange({ excludedCategories })}
      />
      <Field label="Tags left out" {...textOf(props, 'excludedTags')} />
    </>
  );
}

function Conditions(props: Props) {
  const { draft, onChange } = props;
  return (
    <>
      <div className="product-pair">
        <Field label="From an amount of" inputMode="decimal" {...textOf(props, 'minSubtotal')} />
        <Field label="From a number of units" inputMode="numeric" {...textOf(props, 'minQuantity')} />
        <Field label="Countries" hint="Such as DE, AT. Empty: all." {...textOf(props, 'countries')} />
      </div>
      <Choice
        label="For the first order of a customer alone"
        checked={draft.firstOrderOnly}
        onChange={(firstOrderOnly) => onChange({ firstOrderOnly })}
      />
      <fieldset className="promotion-choices">
        <legend>May be combined with promotions of</legend>
        {SCOPES.map(([scope, words]) => (
          <Choice
            key={scope}
            label={words}
            checked={draft.combinesWith.includes(scope)}
            onChange={(isChecked) =>
              onChange({
                combinesWith: isChecked
                  ? [...draft.combinesWith, scope]
                  : draft.combinesWith.filter((other) => other !== scope),
              })
            }
          />
        ))}
      </fieldset>
    </>
  );
}

function Limits(props: Props) {
  return (
    <div className="product-pair">
      <Field
        label="Begins"
        type="datetime-local"
        required={!props.isNew}
        hint={props.isNew ? 'Empty: at once.' : undefined}
        {...textOf(props, 'startsAt')}
      />
      <Field label="Ends" type="datetime-local" {...textOf(props, 'endsAt')} />
      <Field label="Most orders" inputMode="numeric" {...textOf(props, 'usageLimit')} />
      <Field label="Most orders for each customer" inputMode="numeric" {...textOf(props, 'usageLimitPerCustomer')} />
      <Field label="Budget" inputMode="decimal" hint="Given away in all, at most." {...textOf(props, 'budget')} />
      <Field label="Priority" hint="The higher is applied first." {...textOf(props, 'priority')} />
    </div>
  );
}
