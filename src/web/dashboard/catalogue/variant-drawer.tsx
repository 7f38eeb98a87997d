import { useMutation } from 'urql';
import { Drawer } from '../../shared/components/drawer.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import type { StaffVariantFragment } from '../../generated/graphql.ts';
import { EditForm, NewForm } from '../parts/entry-form.tsx';
import { useEditEntry, useNewEntry } from '../parts/use-entry.ts';
import { changesOf } from '../parts/use-editing.ts';
import {
  faultsOfDraft,
  newVariant,
  VARIANT_NAMES,
  variantCreationOf,
  variantDraftOf,
  variantUpdateOf,
  variantValueInWords,
} from './variant-draft.ts';
import { isVariantField, VariantFields } from './variant-fields.tsx';

const CREATE = graphql(`
  mutation StaffVariantCreate($input: ProductVariantCreateInput!) {
    productVariantCreate(input: $input) {
      variant {
        ...StaffVariant
        product {
          id
          updatedAt
          variants {
            ...StaffVariant
          }
        }
      }
      errors {
        message
        path
      }
    }
  }
`);

const UPDATE = graphql(`
  mutation StaffVariantUpdate($input: ProductVariantUpdateInput!) {
    productVariantUpdate(input: $input) {
      variant {
        ...StaffVariant
        product {
          id
          updatedAt
        }
      }
      errors {
        message
        path
        ... on EditConflictError {
          subject {
            ...StaffVariant
          }
        }
      }
    }
  }
`);

/** Adds a variant to a product, or edits one. */
export function VariantDrawer({
  productId,
  variants,
  optionNames,
  open,
  onClose,
}: {
  productId: string;
  variants: readonly StaffVariantFragment[];
  optionNames: readonly string[];
  /** The ID of the variant to edit, `new` for a new one, or null for neither. */
  open: string | null;
  onClose: () => void;
}) {
  const variant = variants.find(({ id }) => id === open);
  return (
    <Drawer open={open !== null} onClose={onClose} title={open === 'new' ? 'New variant' : 'Edit variant'}>
      <div className="stock-drawer">
        {open === 'new' && <Create productId={productId} optionNames={optionNames} onDone={onClose} />}
        {variant !== undefined && (
          <Edit key={variant.id} variant={variant} isAlone={variants.length === 1} onDone={onClose} />
        )}
        {open !== null && open !== 'new' && variant === undefined && (
          <Notice>This variant has been archived in the meantime.</Notice>
        )}
      </div>
    </Drawer>
  );
}

function Create({
  productId,
  optionNames,
  onDone,
}: {
  productId: string;
  optionNames: readonly string[];
  onDone: () => void;
}) {
  const [, create] = useMutation(CREATE);
  const entry = useNewEntry({
    empty: newVariant(optionNames),
    check: faultsOfDraft,
    inside: 'variant',
    create: (draft) => create({ input: { productId, variant: variantCreationOf(draft) } }),
    onDone,
  });
  return (
    <NewForm entry={entry} label="New variant" submit="Add variant" isShown={isVariantField}>
      <VariantFields draft={entry.draft} faults={entry.faults} isNew canRenameOptions={false} onChange={entry.set} />
    </NewForm>
  );
}

function Edit({ variant, isAlone, onDone }: { variant: StaffVariantFragment; isAlone: boolean; onDone: () => void }) {
  const [, update] = useMutation(UPDATE);
  const entry = useEditEntry({
    shown: variant,
    draftOf: variantDraftOf,
    check: faultsOfDraft,
    update: ({ draft, current, expectedUpdatedAt }) =>
      update({ input: { id: variant.id, expectedUpdatedAt, ...variantUpdateOf(changesOf(draft, current)) } }),
    savedOf: (data) => data.productVariantUpdate?.variant,
    onDone,
  });
  return (
    <EditForm
      entry={entry}
      label="Edit variant"
      submit="Save"
      isShown={isVariantField}
      what="variant"
      inWords={(field) => [VARIANT_NAMES[field], variantValueInWords(field, variantDraftOf(variant))]}
    >
      <VariantFields
        draft={entry.draft}
        faults={entry.faults}
        isNew={false}
        canRenameOptions={isAlone}
        onChange={entry.set}
      />
    </EditForm>
  );
}
