import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Drawer } from '../../shared/components/drawer.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import type { StaffVariantFragment } from '../../generated/graphql.ts';
import { faultsBeside, faultsOf, NO_FAULTS, type Faults } from '../parts/faults.ts';
import { Overtaken } from '../parts/overtaken.tsx';
import { changesOf, useEditing } from '../parts/use-editing.ts';
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
        code
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
        code
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

function Beside({ faults }: { faults: Faults }) {
  const messages = faultsBeside(faults, isVariantField);
  return messages.length === 0 ? null : <Notice tone="bad">{messages.join(' ')}</Notice>;
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
  const [{ fetching }, create] = useMutation(CREATE);
  const [draft, setDraft] = useState(() => newVariant(optionNames));
  const [faults, setFaults] = useState(NO_FAULTS);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const own = faultsOfDraft(draft);
    setFaults(own);
    if (Object.keys(own).length > 0) return;
    const found = faultsOf(await create({ input: { productId, variant: variantCreationOf(draft) } }), 'variant');
    setFaults(found);
    if (Object.keys(found).length === 0) onDone();
  }
  return (
    <form className="product-form" onSubmit={(event) => void submit(event)} noValidate aria-label="New variant">
      <VariantFields
        draft={draft}
        faults={faults}
        isNew
        canRenameOptions={false}
        onChange={(changes) => setDraft((before) => ({ ...before, ...changes }))}
      />
      <Beside faults={faults} />
      <Button type="submit" busy={fetching}>
        Add variant
      </Button>
    </form>
  );
}

function Edit({ variant, isAlone, onDone }: { variant: StaffVariantFragment; isAlone: boolean; onDone: () => void }) {
  const [, update] = useMutation(UPDATE);
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState(NO_FAULTS);
  const current = variantDraftOf(variant);
  const editing = useEditing(current, variant.updatedAt);
  const { draft, overtaken } = editing;
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    const own = faultsOfDraft(draft);
    setFaults(own);
    if (Object.keys(own).length > 0) return;
    setBusy(true);
    const changes = variantUpdateOf(changesOf(draft, current));
    const result = await update({ input: { id: variant.id, expectedUpdatedAt: editing.version, ...changes } });
    setBusy(false);
    // The conflict came with the present version, which is now shown beside the draft.
    if (result.data?.productVariantUpdate?.errors[0]?.code === 'EDIT_CONFLICT') return;
    const found = faultsOf(result);
    setFaults(found);
    if (Object.keys(found).length === 0) onDone();
  }
  return (
    <form className="product-form" onSubmit={(event) => void submit(event)} noValidate aria-label="Edit variant">
      <VariantFields draft={draft} faults={faults} isNew={false} canRenameOptions={isAlone} onChange={editing.set} />
      {overtaken.length > 0 && !busy && (
        <Overtaken
          what="variant"
          fields={overtaken.map((field) => [VARIANT_NAMES[field], variantValueInWords(field, current)])}
          onDiscard={editing.discard}
          onKeep={editing.rebase}
        />
      )}
      <Beside faults={faults} />
      <Button type="submit" busy={busy} disabled={!editing.isDirty || (overtaken.length > 0 && !busy)}>
        Save
      </Button>
    </form>
  );
}
