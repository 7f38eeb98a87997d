import { useMutation } from 'urql';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffMethodFragment, StaffTaxCategoryFragment } from '../../generated/graphql.ts';
import { EditForm, NewForm } from '../parts/entry-form.tsx';
import { useEditEntry, useNewEntry } from '../parts/use-entry.ts';
import { changesOf } from '../parts/use-editing.ts';
import { draftOf, EMPTY_METHOD, faultsOfDraft, methodFieldInWords, methodOf } from './method-draft.ts';
import { isMethodField, MethodFields } from './method-fields.tsx';

const CREATE = graphql(`
  mutation StaffMethodCreate($input: ShippingMethodCreateInput!) {
    shippingMethodCreate(input: $input) {
      shippingMethod {
        ...StaffMethod
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffMethodUpdate($input: ShippingMethodUpdateInput!) {
    shippingMethodUpdate(input: $input) {
      shippingMethod {
        ...StaffMethod
      }
      errors {
        message
        path
        ... on EditConflictError {
          subject {
            ...StaffMethod
          }
        }
      }
    }
  }
`);

interface Props {
  categories: readonly StaffTaxCategoryFragment[];
  onDone: () => void;
}

/** Adds a method to a zone. */
export function NewMethodForm({ zoneId, categories, onDone }: Props & { zoneId: string }) {
  const [, create] = useMutation(CREATE);
  const entry = useNewEntry({
    empty: EMPTY_METHOD,
    check: faultsOfDraft,
    create: (draft) => create({ input: { zoneId, ...methodOf(draft) } }),
    onDone,
  });
  return (
    <NewForm entry={entry} label="New method" submit="Add method" isShown={isMethodField}>
      <MethodFields draft={entry.draft} categories={categories} faults={entry.faults} onChange={entry.set} />
    </NewForm>
  );
}

/** Edits a method. */
export function MethodForm({ method, categories, onDone }: Props & { method: StaffMethodFragment }) {
  const [, update] = useMutation(UPDATE);
  const entry = useEditEntry({
    shown: method,
    draftOf,
    check: faultsOfDraft,
    update: ({ draft, current, expectedUpdatedAt }) =>
      update({ input: { id: method.id, expectedUpdatedAt, ...changesOf(methodOf(draft), methodOf(current)) } }),
    savedOf: (data) => data.shippingMethodUpdate?.shippingMethod,
    onDone,
  });
  return (
    <EditForm
      entry={entry}
      label="Edit method"
      submit="Save method"
      isShown={isMethodField}
      what="method"
      inWords={(field) => methodFieldInWords(field, method, formatMoney)}
    >
      <MethodFields draft={entry.draft} categories={categories} faults={entry.faults} onChange={entry.set} />
    </EditForm>
  );
}
