import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import type { StaffProductFragment } from '../../generated/graphql.ts';
import { faultsBeside, faultsOf, NO_FAULTS } from '../parts/faults.ts';
import { Overtaken } from '../parts/overtaken.tsx';
import { changesOf, useEditing } from '../parts/use-editing.ts';
import { draftOf, FIELD_NAMES, updateOf, valueInWords } from './product-draft.ts';
import { isProductField, ProductFields } from './product-fields.tsx';

const UPDATE = graphql(`
  mutation StaffProductUpdate($input: ProductUpdateInput!) {
    productUpdate(input: $input) {
      product {
        ...StaffProduct
      }
      errors {
        code
        message
        path
        ... on EditConflictError {
          subject {
            ...StaffProduct
          }
        }
      }
    }
  }
`);

/** Edits a product. Only what was changed is sent, with the version that it was changed from. */
export function ProductForm({ product }: { product: StaffProductFragment }) {
  const [, update] = useMutation(UPDATE);
  const [busy, setBusy] = useState(false);
  const [isSaved, setSaved] = useState(false);
  const [faults, setFaults] = useState(NO_FAULTS);
  const current = draftOf(product);
  const editing = useEditing(current, product.updatedAt);
  const { draft, overtaken } = editing;

  async function send(expectedUpdatedAt: string): Promise<void> {
    const changes = updateOf(changesOf(draft, current));
    const result = await update({ input: { id: product.id, expectedUpdatedAt, ...changes } });
    const payload = result.data?.productUpdate;
    const error = payload?.errors[0];
    if (error !== undefined && 'subject' in error) {
      // A conflict over a product has that product as its subject, unless it has been deleted.
      const theirs = error.subject as StaffProductFragment | null;
      if (theirs === null) return;
      // A change of a variant is a new version of its product, too. Nothing that is edited here was touched by it.
      if (Object.keys(changesOf(draftOf(theirs), current)).length === 0) await send(theirs.updatedAt);
      return;
    }
    setFaults(faultsOf(result));
    if (payload?.product == null) return;
    editing.saved(draftOf(payload.product), payload.product.updatedAt);
    setSaved(true);
  }
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    await send(editing.version);
    setBusy(false);
  }
  const others = faultsBeside(faults, isProductField);
  return (
    <form className="product-form" onSubmit={(event) => void submit(event)} noValidate aria-label="Product">
      <ProductFields
        draft={draft}
        faults={faults}
        onChange={(changes) => {
          setSaved(false);
          editing.set(changes);
        }}
      />
      {overtaken.length > 0 && !busy && (
        <Overtaken
          what="product"
          fields={overtaken.map((field) => [FIELD_NAMES[field], valueInWords(field, current)])}
          onDiscard={editing.discard}
          onKeep={editing.rebase}
        />
      )}
      {others.length > 0 && <Notice tone="bad">{others.join(' ')}</Notice>}
      {isSaved && !editing.isDirty && <Notice tone="good">Saved.</Notice>}
      <div className="row">
        <Button type="submit" busy={busy} disabled={!editing.isDirty || (overtaken.length > 0 && !busy)}>
          Save
        </Button>
        {editing.isDirty && (
          <Button
            look="second"
            onClick={() => {
              setFaults(NO_FAULTS);
              editing.discard();
            }}
          >
            Undo
          </Button>
        )}
      </div>
    </form>
  );
}
