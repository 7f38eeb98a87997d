import { useMutation } from 'urql';
import { Field } from '../../shared/components/field.tsx';
import { formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffTaxCategoryFragment, StaffTaxRateFragment } from '../../generated/graphql.ts';
import { decimal, instant, isDecimal, toLocal } from '../parts/entered.ts';
import { EditForm, NewForm } from '../parts/entry-form.tsx';
import { NO_FAULTS, type Faults } from '../parts/faults.ts';
import { Select } from '../parts/select.tsx';
import { textOf, type FieldsProps } from '../parts/text-of.ts';
import { useEditEntry, useNewEntry } from '../parts/use-entry.ts';
import { changesOf } from '../parts/use-editing.ts';

export const TAX_RATE = graphql(`
  fragment StaffTaxRate on TaxRate {
    id
    title
    percent
    validFrom
    updatedAt
    category {
      id
      name
    }
  }
`);

const CREATE = graphql(`
  mutation StaffTaxRateCreate($input: TaxRateCreateInput!) {
    taxRateCreate(input: $input) {
      taxRate {
        ...StaffTaxRate
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffTaxRateUpdate($input: TaxRateUpdateInput!) {
    taxRateUpdate(input: $input) {
      taxRate {
        ...StaffTaxRate
      }
      errors {
        message
        path
        ... on EditConflictError {
          subject {
            ...StaffTaxRate
          }
        }
      }
    }
  }
`);

/** A tax rate as the fields of the form have it. */
interface RateDraft {
  title: string;
  percent: string;
  /** By the clock of the browser, to the minute. */
  validFrom: string;
}

const draftOf = ({ title, percent, validFrom }: StaffTaxRateFragment): RateDraft => ({
  ...{ title, percent },
  validFrom: toLocal(validFrom),
});

const faultsOfDraft = ({ percent }: RateDraft): Faults =>
  isDecimal(percent) ? NO_FAULTS : { percent: 'Enter a number, such as 7.25.' };

/** The fields of the input for some fields of the form. An empty beginning is left out. */
function inputOf({ title, percent, validFrom }: Partial<RateDraft>) {
  return {
    ...(title === undefined ? {} : { title }),
    ...(percent === undefined ? {} : { percent: decimal(percent) }),
    ...(validFrom === undefined || validFrom === '' ? {} : { validFrom: instant(validFrom) }),
  };
}

const isRateField = (field: string) => field === 'title' || field === 'percent' || field === 'validFrom';

function RateFields({ isNew, ...props }: FieldsProps<RateDraft> & { isNew: boolean }) {
  return (
    <>
      <Field
        label="Title"
        required
        maxLength={100}
        hint="Customers see it, with the rate beside it. Such as VAT."
        {...textOf(props, 'title')}
      />
      <Field label="Percent" required inputMode="decimal" {...textOf(props, 'percent')} />
      <Field
        label="Applies from"
        type="datetime-local"
        required={!isNew}
        hint={isNew ? 'Empty: from now on.' : undefined}
        {...textOf(props, 'validFrom')}
      />
    </>
  );
}

/** Adds a rate to a zone. */
export function NewRateForm({
  zoneId,
  categories,
  onDone,
}: {
  zoneId: string;
  categories: readonly StaffTaxCategoryFragment[];
  onDone: () => void;
}) {
  const [, create] = useMutation(CREATE);
  const entry = useNewEntry({
    empty: { title: '', percent: '', validFrom: '', taxCategoryId: categories[0]?.id ?? '' },
    check: faultsOfDraft,
    create: ({ taxCategoryId, title, percent, ...rest }) =>
      create({ input: { zoneId, taxCategoryId, title, percent: decimal(percent), ...inputOf(rest) } }),
    onDone,
  });
  const { draft, faults, set } = entry;
  return (
    <NewForm entry={entry} label="New tax rate" submit="Add rate" isShown={isRateField}>
      <Select
        label="Tax category"
        value={draft.taxCategoryId}
        options={categories.map(({ id, name }) => [id, name] as const)}
        onChange={(taxCategoryId) => set({ taxCategoryId })}
      />
      <RateFields isNew draft={draft} faults={faults} onChange={set} />
    </NewForm>
  );
}

/** Edits a rate. */
export function RateForm({ rate, onDone }: { rate: StaffTaxRateFragment; onDone: () => void }) {
  const [, update] = useMutation(UPDATE);
  const entry = useEditEntry({
    shown: rate,
    draftOf,
    check: faultsOfDraft,
    // The field has minutes alone: a beginning that was not edited must stay as it is.
    update: ({ draft, current, expectedUpdatedAt }) =>
      update({ input: { id: rate.id, expectedUpdatedAt, ...inputOf(changesOf(draft, current)) } }),
    savedOf: (data) => data.taxRateUpdate?.taxRate,
    onDone,
  });
  const words = {
    title: ['Title', rate.title],
    percent: ['Percent', `${rate.percent} %`],
    validFrom: ['Applies from', formatTime(rate.validFrom)],
  } as const;
  return (
    <EditForm
      entry={entry}
      label="Edit tax rate"
      submit="Save rate"
      isShown={isRateField}
      what="rate"
      inWords={(field) => words[field]}
    >
      <RateFields isNew={false} draft={entry.draft} faults={entry.faults} onChange={entry.set} />
    </EditForm>
  );
}
