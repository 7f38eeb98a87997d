import { useMutation } from 'urql';
import { graphql } from '../../shared/graphql.ts';
import type { StaffPromotionFragment } from '../../generated/graphql.ts';
import { EditForm, NewForm } from '../parts/entry-form.tsx';
import { useEditEntry, useNewEntry } from '../parts/use-entry.ts';
import { creationOf, draftOf, EMPTY_PROMOTION, faultsOfDraft, updateOf } from './promotion-draft.ts';
import { isPromotionField, PromotionFields } from './promotion-fields.tsx';
import { PromotionPreview } from './promotion-preview.tsx';
import { promotionFieldInWords } from './promotion-words.ts';

const CREATE = graphql(`
  mutation StaffPromotionCreate($input: PromotionCreateInput!) {
    promotionCreate(input: $input) {
      promotion {
        ...StaffPromotion
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffPromotionUpdate($input: PromotionUpdateInput!) {
    promotionUpdate(input: $input) {
      promotion {
        ...StaffPromotion
      }
      errors {
        message
        path
        ... on EditConflictError {
          subject {
            ...StaffPromotion
          }
        }
      }
    }
  }
`);

/** Creates a promotion, and shows what it would do to an example cart. */
export function NewPromotionForm({ onDone }: { onDone: (id: string) => void }) {
  const [, create] = useMutation(CREATE);
  const entry = useNewEntry({
    empty: EMPTY_PROMOTION,
    check: faultsOfDraft,
    create: (draft) => create({ input: creationOf(draft) }),
    onDone({ data }) {
      const id = data?.promotionCreate?.promotion?.id;
      if (id !== undefined) onDone(id);
    },
  });
  return (
    <>
      <NewForm entry={entry} label="New promotion" submit="Create promotion" isShown={isPromotionField}>
        <PromotionFields draft={entry.draft} faults={entry.faults} isNew onChange={entry.set} />
      </NewForm>
      <PromotionPreview draft={entry.draft} />
    </>
  );
}

/** Edits a promotion, and shows what it would do to an example cart. */
export function PromotionForm({ promotion }: { promotion: StaffPromotionFragment }) {
  const [, update] = useMutation(UPDATE);
  const entry = useEditEntry({
    shown: promotion,
    draftOf,
    check: faultsOfDraft,
    update: ({ draft, current, expectedUpdatedAt }) =>
      update({ input: { id: promotion.id, expectedUpdatedAt, ...updateOf(draft, current) } }),
    savedOf: (data) => data.promotionUpdate?.promotion,
  });
  return (
    <>
      <EditForm
        entry={entry}
        label="Promotion"
        submit="Save promotion"
        isShown={isPromotionField}
        what="promotion"
        inWords={(field) => promotionFieldInWords(field, draftOf(promotion))}
      >
        <PromotionFields draft={entry.draft} faults={entry.faults} isNew={false} onChange={entry.set} />
      </EditForm>
      <PromotionPreview draft={entry.draft} />
    </>
  );
}
